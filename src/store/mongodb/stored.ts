import { Buffer } from 'node:buffer';
import type { Collection, Db, ObjectId, ServerSessionId } from 'mongodb';
import { parseJson } from '../../fhir/json.ts';
import { Problem } from '../../fhir/problem.ts';
import { type KeyName, nameOf, type Resource, type ResourceKey, type ResourceType } from '../../fhir/types.ts';
import type { Facets, RecordId } from '../../search/indexed.ts';
import type { Version } from '../store.ts';
import type { Entry } from './entries.ts';

/**
 * The current version of a resource. Names are short where there are many: `v` version (0: only a place that others hold on to, nothing was ever stored),
 * `u` lastUpdated in epoch milliseconds, `f` facets, `b` body, `ix` what it is found by, `w` its words.
 */
export interface StoredResource {
  readonly _id: KeyName;
  readonly t: ResourceType;
  readonly id: string;
  /** The order of rows: when the resource was first stored. */
  readonly rid: ObjectId;
  readonly v: number;
  readonly u: number;
  /** Rises with every write and with every expectation held on it, so that two commits that look at the same state cannot both be made. */
  readonly s: number;
  /** The type again; only while it is not deleted. */
  readonly live?: ResourceType;
  readonly f: Facets;
  readonly b?: Buffer;
  /** Of live ones only. */
  readonly ix: readonly Entry[];
  readonly w?: readonly string[];
}
/** A superseded version. */
export interface PastVersion {
  readonly _id: string;
  readonly of: KeyName;
  readonly v: number;
  readonly u: number;
  readonly deleted: boolean;
  readonly f: Facets;
  readonly b?: Buffer;
}
/** The grant rows of one Consent on one record, as granted.ts reads them. One document, so that nobody sees half of them. */
export interface StoredGrants {
  readonly _id: string;
  readonly consent: KeyName;
  readonly record: RecordId;
  /** All that its rows name; `*` for anyone. */
  readonly actors: readonly string[];
  /** All that its rows name as `related`. */
  readonly related: readonly KeyName[];
  readonly rows: readonly StoredGrant[];
}
export interface StoredGrant {
  readonly node: number;
  /** The grant as it was given (../encoding.ts). */
  readonly text: string;
  readonly actors: readonly string[];
  readonly [criterion: string]: unknown;
}
export interface StoredEpoch {
  readonly _id: string;
  readonly epoch: number;
  /** As in StoredResource. */
  readonly s: number;
  /** Someone who wants to raise it has been outrun (contention.ts). */
  readonly wanted?: boolean;
}
export interface StoredDocument {
  readonly _id: string;
  readonly kind: string;
  readonly id: string;
  /** JSON: names of members may be anything. */
  readonly value: string;
  /** Epoch ms; absent where it stays. */
  readonly expires?: number;
}
/** Where a writer of the log is, and the mark that tells whether a commit was made. */
export interface StoredWriter {
  readonly _id: string;
  readonly commits: number;
  readonly number: number;
  readonly hash: string;
  readonly at: number;
  /** What its first link names. */
  readonly begun: string;
  /** Its transactions are of this one. */
  readonly session?: ServerSessionId;
}
export interface StoredLink {
  readonly _id: string;
  readonly writer: string;
  readonly number: number;
  readonly previous: string;
  readonly hash: string;
  /** The order of links: microseconds, rising for each writer. */
  readonly at: number;
  readonly events: readonly string[];
}

/** The collections. `locks` go by themselves when nobody has wanted them for a while. */
export interface Collections {
  readonly db: Db;
  readonly resources: Collection<StoredResource>;
  readonly past: Collection<PastVersion>;
  readonly grants: Collection<StoredGrants>;
  readonly epochs: Collection<StoredEpoch>;
  readonly documents: Collection<StoredDocument>;
  readonly writers: Collection<StoredWriter>;
  readonly links: Collection<StoredLink>;
  readonly locks: Collection<{ _id: string; at: Date }>;
}
export const collectionsOf = (db: Db): Collections => ({
  db,
  resources: db.collection('resource'),
  past: db.collection('past'),
  grants: db.collection('grant'),
  epochs: db.collection('epoch'),
  documents: db.collection('document'),
  writers: db.collection('writer'),
  links: db.collection('link'),
  locks: db.collection('lock'),
});

/** What a version is made from: all but what it is found by. */
export type Sent = Omit<StoredResource, 'ix' | 'w' | 's'>;
export const sent = { ix: 0, w: 0, s: 0 } as const;

const nothing = Buffer.alloc(0);

/** The body is parsed when it is asked for: most answers only send the bytes. */
export function versionOf({ t, id, v, u, live, f, b }: Omit<Sent, '_id' | 'rid'>, resource?: Resource): Version {
  const key: ResourceKey = { type: t, id };
  const deleted = live === undefined;
  const body = b ?? nothing;
  let parsed = resource;
  return {
    key,
    versionId: String(v),
    lastUpdated: new Date(u).toISOString(),
    deleted,
    facets: f,
    body,
    parsed() {
      if (deleted) throw new Problem('deleted', `\`${nameOf(key)}\` is deleted`);
      parsed ??= parseJson(body.toString('utf8')) as Resource;
      return parsed;
    },
  };
}
