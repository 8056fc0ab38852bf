import type { Instant, KeyName, Resource, ResourceKey, ResourceType } from '../fhir/types.ts';
import type { Grant, LoadedGrant } from '../search/grant.ts';
import type { Facets, Indexed, RecordId } from '../search/indexed.ts';
import type { Cursor, SearchParam, SearchQuery } from '../search/query.ts';
import type { DocumentChange, DocumentKind, DocumentReader } from './documents.ts';
import type { ResourceOf } from './transfer.ts';

/** A stored state of a resource. */
export interface Version {
  readonly key: ResourceKey;
  /** '1', '2', … without gaps, deletions included. */
  readonly versionId: string;
  readonly lastUpdated: Instant;
  readonly deleted: boolean;
  /** Those of the last version before it, for a deletion. */
  readonly facets: Facets;
  /** UTF-8 JSON as it leaves the server, `meta.versionId` and `meta.lastUpdated` inside; empty for a deletion. An AuditEvent's is its compact record. */
  readonly body: Uint8Array;
  /** The body parsed, once. Throws for a deletion. */
  parsed(): Resource;
}
export interface Page {
  readonly versions: readonly Version[];
  /** Where the next page begins; absent on the last. */
  readonly next?: Cursor;
}

/**
 * What must be true of the stored resource for a change to be made. `absent` holds for what never was; `any` for everything. `facets`: those it must still
 * have, since a version may be stamped anew.
 */
export type Expectation = 'any' | 'absent' | { readonly versionId: string; readonly facets?: Facets };

export type Change =
  /** A new version. `resource` has its id; the store sets `meta.versionId` and `meta.lastUpdated`. */
  | { readonly op: 'put'; readonly key: ResourceKey; readonly resource: Resource; readonly facets: Facets; readonly expect: Expectation }
  | { readonly op: 'delete'; readonly key: ResourceKey; readonly expect: Expectation }
  /** New facets and labels for the stored version, which keeps its versionId and lastUpdated. */
  | { readonly op: 'restamp'; readonly key: ResourceKey; readonly resource: Resource; readonly facets: Facets; readonly expect: Expectation }
  /** Nothing is changed, but this must hold. */
  | { readonly op: 'expect'; readonly key: ResourceKey; readonly expect: Expectation }
  /** The query finds exactly these inside the commit, under a lock on its criterion. */
  | { readonly op: 'when'; readonly query: SearchQuery; readonly matches: readonly ResourceKey[] }
  /** The grant rows of a Consent, in place of what it had. Bumps the epoch of the record. */
  | { readonly op: 'grants'; readonly consent: KeyName; readonly record: RecordId; readonly rows: readonly Grant[] }
  /** The epoch is still this (0 where it never was bumped). */
  | { readonly op: 'epoch'; readonly of: EpochName; readonly is: number }
  /** A line of the log: stored as an AuditEvent that is found by `indexed` and hashed into the chain. */
  | { readonly op: 'event'; readonly id: string; readonly indexed: Indexed; readonly body: Uint8Array }
  | DocumentChange;

/** `record:Patient/mary` counts consent changes of a record; `grant:<id>`, `client:<id>`, `account:<id>` … the changes of that document. */
export type EpochName = `record:${string}` | `${DocumentKind}:${string}`;

export type Committed =
  /** `made` has one version for each put and delete, in their order. */
  | { readonly ok: true; readonly made: readonly Version[] }
  /** Nothing was done. `at` is the index of the change whose expectation failed. */
  | { readonly ok: false; readonly at: number; readonly why: 'version' | 'matches' | 'epoch' | 'document' };

export interface HistoryQuery {
  readonly of: ResourceKey;
  readonly limit: number;
  /** Only versions before this one; all where absent. */
  readonly before?: number;
}

/** What an interaction may hold, once it is narrowed. */
export interface ResourceReader {
  /** The current version, a deletion too; or the version asked for. */
  read(key: ResourceKey, versionId?: string): Promise<Version | undefined>;
  /** Live resources, in the order of the sort keys, then of their rows; at most `limit`. */
  search(query: SearchQuery): Promise<Page>;
  /** How many live resources the query finds, whatever its limit. Exact. */
  count(query: SearchQuery): Promise<number>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<readonly Version[]>;
  /** What these refer to through the parameter, or what refers to them; live ones only. */
  linked(of: readonly ResourceKey[], param: SearchParam, how: 'refers-to' | 'referred-by'): Promise<readonly ResourceKey[]>;
}

/** A line of the log in the order of the chain. */
export interface ChainedEvent {
  readonly id: string;
  readonly body: Uint8Array;
}
/** The same as it is stored: with what lies beside its bytes. */
export interface KeptEvent extends ChainedEvent {
  readonly facets: Facets;
  /** Whether searches find it by what this gives, and by nothing else. */
  foundBy(indexed: Indexed): boolean;
}
/**
 * One link per commit group. `hash` = SHA-256 over `previous` and the events (audit/chain.ts). `previous` is the hash of the writer's link before; in its
 * first link the newest links of all writers that no first link has named yet, as lines of `writer number hash`, so that a chain that ended is not taken
 * out unnoticed.
 */
export interface ChainLink {
  readonly number: number;
  readonly writer: string;
  readonly previous: string;
  readonly hash: string;
  readonly events: readonly KeptEvent[];
}

/** What `reindex` did. */
export interface Reindexed {
  /** The row of the last that it came to. */
  readonly after: string | number;
  readonly made: number;
  /** Those that could not be read, or have more to be found by than the engine can keep. They stay as they are. */
  readonly failed: readonly ResourceKey[];
}
/**
 * The promise that every engine keeps (test/contract/). It knows no caller and no policy. What is acknowledged is on disk; a search that begins after a
 * commit was acknowledged sees it.
 */
export interface ResourceStore extends ResourceReader, DocumentReader {
  /** Current versions of these keys, deletions too; unknown keys are left out. */
  readMany(keys: readonly ResourceKey[]): Promise<readonly Version[]>;
  /** The keys of what the query finds, in any order, at most `limit`. No body is looked at. */
  keys(query: SearchQuery): Promise<readonly ResourceKey[]>;
  /** The grants on these records that name one of the actors, or anyone. */
  grants(records: readonly RecordId[], actors: readonly KeyName[]): Promise<readonly LoadedGrant[]>;
  epochs(names: readonly EpochName[]): Promise<readonly number[]>;
  /** All changes or none, durable before it resolves. */
  commit(changes: readonly Change[], at: Instant): Promise<Committed>;
  /**
   * Makes anew, from what is stored, what the next live resources of a type are found by: at most `limit`, in the order of their rows, after the row that an
   * earlier call gave. Undefined where there are none. A resource that is changed meanwhile ends with what its new version is found by.
   */
  reindex(type: ResourceType, after: string | number | undefined, limit: number, resourceOf: ResourceOf): Promise<Reindexed | undefined>;
  /** Takes away documents that expired before this moment (epoch ms), with their epochs; at most `limit`. Gives back how many. */
  sweep(before: number, limit: number): Promise<number>;
  /** Resolves where the store can answer now. */
  ready(): Promise<void>;
  /** How many live resources there are of each type. */
  totals(): Promise<Readonly<Record<ResourceType, number>>>;
  /** The whole log, oldest first; also rows of the log that no link covers, in a last link with number -1. */
  chain(): AsyncIterable<ChainLink>;
  close(): Promise<void>;
}
