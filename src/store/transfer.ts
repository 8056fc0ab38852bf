import type { KeyName, Resource, ResourceKey } from '../fhir/types.ts';
import type { Grant } from '../search/grant.ts';
import type { ChainLink, Version } from './store.ts';

/** A link of the log, with the lines that it covers as they are stored. */
export interface StoredLink {
  readonly writer: string;
  readonly number: number;
  readonly previous: string;
  readonly hash: string;
  readonly events: readonly Version[];
}
/** What the parts of a store consist of. */
export interface Items {
  /** In the order of the chain. */
  readonly link: StoredLink;
  /** Current versions, deletions too, in the order of their rows; lines of the log only where no link covers them. */
  readonly resource: Version;
  /** Superseded versions, in any order. */
  readonly past: Version;
  /** The grant rows of a Consent, in the order of its nodes. */
  readonly grants: { readonly consent: KeyName; readonly rows: readonly Grant[] };
  readonly epoch: { readonly name: string; readonly epoch: number };
  /** `value` is JSON. `expires` is absent where it stays. */
  readonly document: { readonly kind: string; readonly id: string; readonly value: string; readonly expires?: number };
  /** Where a writer of the log is, and what its first link names: follows from the links, and is only compared. */
  readonly end: { readonly writer: string; readonly number: number; readonly hash: string; readonly begun: string };
}
export type Part = keyof Items;
export type Carried = Exclude<Part, 'end'>;

/** The log comes first: SQLite keeps a link as a range of rows. Grants stand on resources. */
export const carried = ['link', 'resource', 'past', 'grants', 'epoch', 'document'] as const satisfies readonly Carried[];
/** What a migration does, one after the other. What resources are found by comes late, since it makes rows for what they refer to. */
export const steps = ['empty', ...carried, 'index', 'compare'] as const;
export type Step = (typeof steps)[number];

/** Where in a part an engine has read to; [] is before its beginning. */
export type Position = readonly (string | number)[];
export interface Dumped<P extends Part> {
  readonly item: Items[P];
  /** Of this item. */
  readonly at: Position;
}
export type Dumps = { readonly [P in Part]: (after: Position) => AsyncIterable<Dumped<P>> };

/** How far a migration has come. Kept in its target as a note, which is changed in one transaction with what it tells of. */
export interface Progress {
  /** What is carried, for people: where it comes from. */
  readonly from: string;
  readonly step: Step;
  readonly after: Position;
  readonly done: Readonly<Partial<Record<Step, number>>>;
  /** Rows of resources that have been given a place in the order. */
  readonly rows: number;
}
/** While this document is there, the store is the target of a migration that is not finished, and nothing else opens it. It is never carried. */
export const migrationNote = { kind: 'note', id: 'migration' } as const;

/** A store as something that is carried whole, or that another is carried into. */
export interface Transfer {
  readonly dumps: Dumps;
  /** How many items there are of each part, nearly. */
  totals(): Promise<Readonly<Record<Carried, number>>>;
  chain(): AsyncIterable<ChainLink>;
  progress(): Promise<Progress | undefined>;
  /** Notes that a migration begins; false, and nothing is done, where anything is stored. */
  begin(to: Progress): Promise<boolean>;
  /** Takes items in, in their order. Throws where the progress is not `from`. */
  take<P extends Carried>(part: P, items: readonly Items[P][], from: Progress, to: Progress): Promise<void>;
  /** Makes a portion of what live resources are found by; undefined where all is made. */
  index(from: Progress): Promise<Progress | undefined>;
  /** Removes all but the progress. */
  empty(): Promise<void>;
  /** Changes the progress, or removes it. */
  note(from: Progress, to: Progress | undefined): Promise<void>;
  close(): Promise<void>;
}

/** What a stored body is indexed as: the bytes of a line of the log are not those of an AuditEvent. */
export type ResourceOf = (key: ResourceKey, body: Uint8Array) => Resource;

/** What is held in memory of a part at most, but for its last item. */
export const portion = { items: 500, bytes: 4_000_000 } as const;
