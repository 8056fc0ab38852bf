import type { ClientSession, Collection } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { shownAddress } from '../address.ts';
import { type Carried, type Items, migrationNote, type Progress, type ResourceOf, type Transfer } from '../transfer.ts';
import { chainOf } from './chain.ts';
import { connect } from './connect.ts';
import { dumpsOf } from './dump.ts';
import { documentId } from './plan.ts';
import { prepare } from './schema.ts';
import type { MongodbOptions } from './store.ts';
import { collectionsOf } from './stored.ts';
import { takesOf } from './take.ts';

const _id = documentId(migrationNote.kind, migrationNote.id);
/** Counting and sorting may take long. */
const SOCKET = 3_600_000;
/** Documents that are removed at once. */
const AT_ONCE = 5000;

type Options = Pick<MongodbOptions, 'url' | 'paramsOf' | 'patience' | 'progress'> & {
  readonly resourceOf: ResourceOf;
  /** It is there already, or it is a mistake in the address. */
  readonly existing: boolean;
};

/** The database as something that is carried. */
export async function openMongodbTransfer({ url, paramsOf, patience, progress, resourceOf, existing }: Options): Promise<Transfer> {
  const { client, database } = await connect(url, patience, { socketTimeoutMS: SOCKET });
  const at = collectionsOf(client.db(database));
  const { db: _db, locks: _locks, ...stores } = at;
  const filled = Object.values(stores) as unknown as readonly Collection<{ readonly _id: string }>[];
  try {
    if (existing && (await at.db.collection('schema').findOne()) === null)
      throw new Problem('exception', `there is no store in the database \`${database}\` at ${shownAddress(url)}`);
    await prepare(at, progress);
  } catch (error) {
    await client.close();
    throw error;
  }
  const takes = takesOf(at, paramsOf, resourceOf);

  const transact = (work: (session: ClientSession) => Promise<void>): Promise<void> =>
    client.withSession(session =>
      session.withTransaction(work, { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary' }),
    );
  /** Says whether there is anything left to be done: a transaction may have been made, and nobody heard of it. */
  async function move(from: Progress, to: Progress | undefined, session: ClientSession): Promise<boolean> {
    const is = { _id, value: JSON.stringify(from) };
    const moved =
      to === undefined
        ? (await at.documents.deleteOne(is, { session })).deletedCount
        : (await at.documents.updateOne(is, { $set: { value: JSON.stringify(to) } }, { session })).matchedCount;
    if (moved === 1) return true;
    const found = await at.documents.findOne({ _id }, { session });
    if (found?.value === (to === undefined ? undefined : JSON.stringify(to))) return false;
    throw new Problem('exception', 'another process is migrating into this store');
  }

  return {
    dumps: dumpsOf(at),
    async totals() {
      const [covered] = await at.links.aggregate<{ n: number }>([{ $group: { _id: null, n: { $sum: { $size: '$events' } } } }]).toArray();
      return {
        link: await at.links.countDocuments(),
        resource: (await at.resources.countDocuments({ v: { $gt: 0 } })) - (covered?.n ?? 0),
        past: await at.past.countDocuments(),
        grants: await at.grants.countDocuments(),
        epoch: await at.epochs.countDocuments(),
        document: await at.documents.countDocuments(),
      };
    },
    chain: () => chainOf(at, paramsOf('AuditEvent')),
    async progress() {
      const found = await at.documents.findOne({ _id });
      return found === null ? undefined : (JSON.parse(found.value) as Progress);
    },
    async begin(to) {
      for (const collection of filled) if ((await collection.findOne()) !== null) return false;
      await at.documents.insertOne({ _id, ...migrationNote, value: JSON.stringify(to) });
      return true;
    },
    take: <P extends Carried>(part: P, items: readonly Items[P][], from: Progress, to: Progress) =>
      transact(async session => {
        if (await move(from, to, session)) await takes[part](items, from, session);
      }),
    // Resources are written with what they are found by.
    index: async () => undefined,
    async empty() {
      for (const collection of filled) {
        for (;;) {
          const some = await collection.find({ _id: { $ne: _id } }, { projection: { _id: 1 }, limit: AT_ONCE }).toArray();
          if (some.length === 0) break;
          await collection.deleteMany({ _id: { $in: some.map(one => one._id) } });
        }
      }
    },
    note: (from, to) => transact(async session => void (await move(from, to, session))),
    close: () => client.close(),
  };
}
