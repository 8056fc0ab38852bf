import type { Instant, KeyName, ResourceType } from '../fhir/types.ts';
import type { LoadedGrant } from '../search/grant.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import type { Predicate } from '../search/query.ts';
import type { Caller } from './caller.ts';

/** What a caller wants to do with a resource. `history` is a read, judged version by version. */
export type Action = 'read' | 'search' | 'create' | 'update' | 'delete';

export interface Question {
  readonly caller: Caller;
  readonly action: Action;
  readonly type: ResourceType;
  readonly at: Instant;
  /** The request also needs to search: a conditional create. */
  readonly conditional?: boolean;
}
/** All that a rule may look at; rules load nothing. */
export interface Facts {
  /** The grants on the records of `before` and `after` and on the caller's own, that name the caller or anyone. */
  readonly grants: readonly LoadedGrant[];
  /** The revocation epoch of the caller's OAuth grant now. */
  readonly grantEpoch: number;
  /** What would be stored refers to what the caller may not read, or what is not there, where that counts. */
  readonly strays?: boolean;
  /** The stored version; absent: not stored, or a search. */
  readonly before?: Indexed;
  /** What would be stored; absent: a read or a deletion. */
  readonly after?: Indexed;
  /** What the type's policy asked for (Policy.needs). */
  readonly known: Known;
}
/** A stored resource that was looked up. */
export type Found = Indexed & { readonly versionId: string };

/** Resources, hats and matches that a policy asked for; what could not be found is not there. */
export interface Known {
  readonly resources: ReadonlyMap<KeyName, Found>;
  /** Those of the references asked for that are some account's hat. */
  readonly hats: ReadonlySet<KeyName>;
  /** Of the records of `before` and `after`: those whose Patient the caller's organisation contributed. */
  readonly contributed: ReadonlySet<RecordId>;
  /** What the policy's searches found, by the names it gave them. */
  readonly searches: ReadonlyMap<string, readonly Found[]>;
}
export type Finding =
  /** `only`: what is still demanded of the resource. `sources`: the Consents and OAuth grants it rests on. */
  | { readonly effect: 'permit'; readonly only: Predicate; readonly because: string; readonly sources: readonly string[] }
  /** `plain`: the refusal follows from the caller alone and says nothing about what is stored. */
  | { readonly effect: 'deny'; readonly because: string; readonly sources: readonly string[]; readonly plain?: boolean };

/** One concern, for all types. Says nothing (undefined) where it has no say. */
export interface Rule {
  readonly id: string;
  judge(question: Question, facts: Facts): Finding | undefined;
}
export type Reason = Finding & { readonly rule: string };
export type Decision =
  | { readonly effect: 'permit'; readonly only: Predicate; readonly reasons: readonly Reason[] }
  /** `reveal`: 403 is in order, since it tells nothing about what is stored; else 404. The reasons may tell; those that are `plain` may not. */
  | { readonly effect: 'deny'; readonly reveal: boolean; readonly reasons: readonly Reason[] };
