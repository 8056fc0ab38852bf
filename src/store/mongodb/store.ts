import type { Document, MongoClient } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { nameOf, type ResourceType } from '../../fhir/types.ts';
import type { SearchQuery } from '../../search/query.ts';
import { makePageLimit } from '../page-size.ts';
import type { ResourceStore, Version } from '../store.ts';
import { chainOf, type LinkHash } from './chain.ts';
import { openCommitter } from './commit.ts';
import { connect } from './connect.ts';
import { endStages, type Far, farOf, few, linkedStages } from './far.ts';
import type { Stage } from './granted.ts';
import { loadGrants } from './grants.ts';
import { linkedKeys } from './linked.ts';
import { documentId, type ParamsOf } from './plan.ts';
import { cursorOf, type Found, findStages, pagePipeline } from './query.ts';
import { reindexSome } from './reindex.ts';
import { prepare } from './schema.ts';
import { type Collections, collectionsOf, type PastVersion, type Sent, sent, versionOf } from './stored.ts';
import { sweepSome } from './sweep.ts';
import { guarded, tooSlow } from './unavailable.ts';

export interface MongodbOptions {
  /** `mongodb://…/database`; options of the driver may follow. */
  readonly url: string;
  readonly paramsOf: ParamsOf;
  /** audit/chain.ts. */
  readonly linkHash: LinkHash;
  /** Whose chain of the log this process continues. */
  readonly writer: string;
  /** Within how many milliseconds everything is answered. */
  readonly patience: number;
  /** Milliseconds that one search may take, where that is less; 5000 where nothing is said. */
  readonly queryTime?: number;
  /** Told in a sentence what is changed in an older database. */
  readonly progress?: (text: string) => void;
}

/**
 * The store in a MongoDB database (replica set or sharded cluster, 7.0 or newer), which any number of processes may hold at once.
 * @throws Problem `exception` with one sentence: not reached, not permitted, no replica set, too old, or written by a newer Kindred.
 */
export async function openMongodb(options: MongodbOptions): Promise<ResourceStore> {
  const { client, database, revive } = await connect(options.url, options.patience);
  try {
    const at = collectionsOf(client.db(database));
    await prepare(at, options.progress);
    return guarded(storeOf(client, at, options), options.patience, revive);
  } catch (error) {
    await client.close();
    throw error;
  }
}

function storeOf(client: MongoClient, at: Collections, { paramsOf, linkHash, writer, patience, queryTime = 5000 }: MongodbOptions): ResourceStore {
  const { resources, past, epochs, documents } = at;
  const committer = openCommitter({ client, at, paramsOf, linkHash, writer, patience });
  const stored = { v: { $gt: 0 } };
  const time = Math.min(queryTime, patience);
  /** One moment for all that a question looks at; and where nobody waits any more, the server ends it too. */
  const asked = { readConcern: { level: 'snapshot' }, allowDiskUse: true } as const;
  const limit = `${time / 1000} seconds (${queryTime <= patience ? 'KINDRED_QUERY_TIME' : 'KINDRED_STORE_TIMEOUT'})`;
  async function ask<T extends Document>(
    pipeline: readonly Stage[],
    { most = time, take = () => {} }: { readonly most?: number; take?(one: T): void } = {},
  ): Promise<readonly T[]> {
    try {
      const found: T[] = [];
      for await (const one of resources.aggregate<T>([...pipeline], { ...asked, maxTimeMS: Math.ceil(most) })) {
        take(one);
        found.push(one);
      }
      return found;
    } catch (error) {
      throw tooSlow(error, limit);
    }
  }
  const isFew = async (stages: readonly Stage[], most: number): Promise<boolean> => {
    try {
      const [counted] = await ask<{ n: number }>([...stages, { $limit: most + 1 }, { $count: 'n' }], { most: time / 10 });
      return (counted?.n ?? 0) <= most;
    } catch (error) {
      // What takes long to count is not few.
      if (error instanceof Problem && error.code === 'too-costly') return false;
      throw error;
    }
  };
  /** The link that a query is to begin with, where that is worth it. Whatever it is, the same is found. */
  async function farFor(query: Pick<SearchQuery, 'branches'>): Promise<Far | undefined> {
    const far = farOf(query);
    return far !== undefined && (await isFew(endStages(far), few.ends)) && (await isFew(linkedStages(far), few.linked)) ? far : undefined;
  }

  return {
    async read(key, versionId) {
      const found = await resources.findOne<Sent>({ _id: nameOf(key), ...stored }, { projection: sent });
      if (found === null) return undefined;
      if (versionId === undefined || versionId === String(found.v)) return versionOf(found);
      const asked = /^[1-9]\d{0,7}$/.test(versionId) ? Number(versionId) : 0;
      if (asked === 0 || asked > found.v) return undefined;
      const older = await past.findOne({ of: nameOf(key), v: asked });
      return older === null ? undefined : pastOf(older, found);
    },
    async readMany(keys) {
      if (keys.length === 0) return [];
      const found = await resources.find<Sent>({ _id: { $in: [...new Set(keys.map(nameOf))] }, ...stored }, { projection: sent }).toArray();
      return found.map(one => versionOf(one));
    },
    async search(query) {
      if (query.limit <= 0 || query.branches.length === 0) return { versions: [] };
      const limit = makePageLimit();
      const found = await ask<Found>(pagePipeline(query, await farFor(query)), { take: one => limit(one.b?.length ?? 0) });
      const shown = found.slice(0, query.limit);
      const versions = shown.map(one => versionOf(one));
      return found.length <= query.limit ? { versions } : { versions, next: cursorOf(shown.at(-1)!, query) };
    },
    async keys({ branches, limit }) {
      if (limit <= 0 || branches.length === 0) return [];
      const pipeline = [...findStages({ branches }, await farFor({ branches })), { $limit: limit }, { $project: { t: 1, id: 1 } }];
      const found = await ask<{ t: ResourceType; id: string }>(pipeline);
      return found.map(({ t, id }) => ({ type: t, id }));
    },
    async count({ branches }) {
      if (branches.length === 0) return 0;
      const [counted] = await ask<{ n: number }>([...findStages({ branches }, await farFor({ branches })), { $count: 'n' }]);
      return counted?.n ?? 0;
    },
    async history({ of, limit, before = Infinity }) {
      if (limit <= 0) return [];
      const found = await resources.findOne<Sent>({ _id: nameOf(of), ...stored }, { projection: sent });
      if (found === null) return [];
      const newest: readonly Version[] = found.v < before ? [versionOf(found)] : [];
      if (newest.length === limit) return newest;
      const older = await past.find({ of: nameOf(of), v: { $lt: Math.min(before, found.v) } }, { sort: { v: -1 }, limit: limit - newest.length }).toArray();
      return [...newest, ...older.map(one => pastOf(one, found))];
    },
    linked: (of, param, how) => linkedKeys(of, param, how, at),
    grants: (records, actors) => loadGrants(records, actors, at),
    async epochs(names) {
      if (names.length === 0) return [];
      const found = new Map((await epochs.find({ _id: { $in: [...names] } }).toArray()).map(one => [one._id, one.epoch]));
      return names.map(name => found.get(name) ?? 0);
    },
    async document(kind, id) {
      const found = await documents.findOne({ _id: documentId(kind, id) });
      return found === null ? undefined : JSON.parse(found.value);
    },
    async documents(kind) {
      const found = await documents.find({ kind }, { sort: { id: 1 } }).toArray();
      return found.map(({ id, value }) => ({ kind, id, value: JSON.parse(value) }));
    },
    commit: (changes, moment) => committer.commit(changes, moment),
    reindex: (type, after, limit, resourceOf) => reindexSome(type, after === undefined ? undefined : String(after), limit, resourceOf, at, paramsOf),
    sweep: (before, limit) => sweepSome(before, limit, at, committer.commit),
    async ready() {
      await at.db.command({ ping: 1 });
    },
    async totals() {
      const counted = await resources
        .aggregate<{ _id: ResourceType; n: number }>([
          { $match: { live: { $exists: true } } },
          { $group: { _id: '$live', n: { $sum: 1 } } },
          { $sort: { _id: 1 } },
        ])
        .toArray();
      return Object.fromEntries(counted.map(({ _id, n }) => [_id, n]));
    },
    chain: () => chainOf(at, paramsOf('AuditEvent')),
    async close() {
      await committer.close();
      await client.close();
    },
  };
}

const pastOf = ({ v, u, deleted, f, b }: PastVersion, { t, id }: Sent): Version =>
  versionOf({ t, id, v, u, f, ...(deleted ? {} : { live: t }), ...(b === undefined ? {} : { b }) });
