import type { Rule } from '../access/decision.ts';
import type { Instant, ResourceType } from '../fhir/types.ts';
import type { Registry } from '../search/registry.ts';
import type { ResourceStore } from '../store/store.ts';
import type { GrantCache } from './facts.ts';
import type { Reindexer } from './reindex.ts';

/** What the road is built from. */
export interface Parts {
  readonly store: ResourceStore;
  readonly registry: Registry;
  readonly grantCache: GrantCache;
  readonly reindexer: Reindexer;
  /** The common rules and those of the type, in order. */
  rulesFor(type: ResourceType): readonly Rule[];
  /** Public FHIR base, without a slash at the end. */
  base(): string;
  now(): Instant;
  newId(): string;
  /** Write a line of the log for everything. */
  readonly audit: boolean;
  /** Write a Provenance for every change. */
  readonly provenance: boolean;
}
