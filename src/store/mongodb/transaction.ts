import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyBulkWriteOperation, ClientSession, Collection, Document } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { nameOf } from '../../fhir/types.ts';
import type { Change } from '../store.ts';
import type { Seen, Sheet } from './plan.ts';
import { findStages } from './query.ts';
import type { Collections, StoredLink, StoredWriter } from './stored.ts';
import { isPassing, uncertain } from './unavailable.ts';

export type When = Extract<Change, { op: 'when' }>;
/** All that one transaction writes, and what each of it must replace. */
export interface Writes {
  readonly sheet: Sheet;
  readonly seen: Seen;
  /** Looked at under their locks, before anything else is written. */
  readonly whens: readonly When[];
  readonly link?: StoredLink;
  /** The writer as it was and as it will be: the mark of this commit. */
  readonly from: StoredWriter;
  readonly to: StoredWriter;
}
/** `lost`: nothing was done, since something is not as it was seen, or the server asks to begin anew; the cause where there is one. */
export type Outcome = { readonly done: 'made' } | { readonly done: 'lost'; readonly cause?: unknown } | { readonly done: 'unmatched'; readonly when: When };

const lost = (cause?: unknown): Outcome => ({ done: 'lost', cause });
const unheld = Symbol('a write did not find what it was to replace');

const begun = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary' } as const;

/**
 * Writes it all or nothing, durable on a majority. Throws where what became of it could not be found out before the deadline (a Problem `unavailable` that
 * says so), or what no other attempt can mend. All transactions of a writer are of one session, one after another: a server ends what an earlier one has
 * left open, which a lost connection does not.
 */
export async function transact(writes: Writes, session: ClientSession, at: Collections, deadline: number): Promise<Outcome> {
  session.startTransaction(begun);
  try {
    const when = await unmatched(writes.whens, at, session);
    if (when === undefined) await writeAll(writes, at, session, deadline);
    if (when !== undefined || Date.now() >= deadline) {
      await session.abortTransaction();
      return when === undefined ? lost() : { done: 'unmatched', when };
    }
  } catch (error) {
    await session.abortTransaction().catch(() => {});
    if (error === unheld || isPassing(error)) return lost(error);
    throw error;
  }
  return commit(session, writes, at, deadline);
}

/** Ends the transaction. The driver asks twice; where it is not told then either, the mark tells. */
async function commit(session: ClientSession, { from, to }: Writes, at: Collections, deadline: number): Promise<Outcome> {
  try {
    await session.commitTransaction();
    return { done: 'made' };
  } catch (error) {
    for (let attempt = 0; Date.now() < deadline; attempt++) {
      const mark = await readMark(from._id, session, at).catch(() => undefined);
      if (mark !== undefined) return mark.commits >= to.commits ? { done: 'made' } : lost(error);
      await sleep(Math.random() * Math.min(500, 20 * 2 ** attempt));
    }
    throw new Problem('unavailable', uncertain, { cause: error });
  }
}

/** How far the writer has come. A transaction of its own, so that none of this session that came before it can be made any more. */
export async function readMark(writer: string, session: ClientSession, { writers }: Collections): Promise<StoredWriter> {
  const fresh = { commits: 0, number: 0, hash: '', at: 0, begun: '' };
  session.startTransaction(begun);
  try {
    const change = { $inc: { fence: 1 }, $set: { session: session.id! }, $setOnInsert: fresh };
    const found = await writers.findOneAndUpdate({ _id: writer }, change, { session, upsert: true, returnDocument: 'after' });
    await session.commitTransaction();
    return found ?? { _id: writer, ...fresh };
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => {});
    throw error;
  }
}

/** The first criterion that does not find what it should. The locks are of types: criteria that are worded otherwise may be met by the same resource. */
async function unmatched(whens: readonly When[], at: Collections, session: ClientSession): Promise<When | undefined> {
  const locks = [...new Set(whens.flatMap(when => when.query.branches.map(branch => branch.type)))].toSorted();
  if (locks.length > 0) {
    const now = new Date();
    await at.locks.bulkWrite(
      locks.map(_id => ({ updateOne: { filter: { _id }, update: { $set: { at: now }, $inc: { s: 1 } }, upsert: true } })),
      { session },
    );
  }
  for (const when of whens) if (!(await finds(when, at, session))) return when;
  return undefined;
}
/** One more than are expected is enough to tell that there are others. */
export async function finds({ query, matches }: When, { resources }: Collections, session?: ClientSession): Promise<boolean> {
  const found =
    query.branches.length === 0
      ? []
      : await resources
          .aggregate<{ _id: string }>(
            [...findStages(query), { $limit: matches.length + 1 }, { $project: { _id: 1 } }],
            session === undefined ? {} : { session },
          )
          .toArray();
  return new Set(found.map(one => one._id)).symmetricDifference(new Set<string>(matches.map(nameOf))).size === 0;
}

/** Always in the same order, so that two of them wait for each other at most one way. Past the deadline no step is begun. */
async function writeAll({ sheet, seen, link, from, to }: Writes, at: Collections, session: ClientSession, deadline: number): Promise<void> {
  const steps: readonly (() => Promise<unknown>)[] = [
    () => replace(at.epochs, sheet.epochs, seen.epochs, session),
    () => replace(at.resources, sheet.resources, seen.resources, session),
    async () => sheet.past.length > 0 && at.past.insertMany(sheet.past, { session }),
    async () => sheet.grants.size > 0 && at.grants.deleteMany({ consent: { $in: [...sheet.grants.keys()] } }, { session }),
    async () => {
      const fresh = [...sheet.grants.values()].flat();
      if (fresh.length > 0) await at.grants.insertMany(fresh, { session });
    },
    async () => {
      const writes = sorted(sheet.documents).map(([_id, document]) =>
        document === undefined ? { deleteOne: { filter: { _id } } } : { replaceOne: { filter: { _id }, replacement: document, upsert: true } },
      );
      if (writes.length > 0) await at.documents.bulkWrite(writes, { session });
    },
    async () => link !== undefined && at.links.insertOne(link, { session }),
    async () => {
      const { _id, ...mark } = to;
      const { matchedCount } = await at.writers.updateOne({ _id, commits: from.commits }, { $set: mark }, { session });
      if (matchedCount !== 1) throw unheld;
    },
  ];
  for (const step of steps) {
    if (Date.now() >= deadline) throw unheld;
    await step();
  }
}
const sorted = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] => [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));

interface Numbered extends Document {
  readonly _id: string;
  readonly s: number;
}
/** New states in place of those that were seen, and of no others; what is to go goes only as it was seen. */
async function replace<T extends Numbered>(
  collection: Collection<T>,
  states: ReadonlyMap<string, T | undefined>,
  seen: ReadonlyMap<string, T>,
  session: ClientSession,
): Promise<void> {
  const operations = sorted(states).flatMap(([name, state]): AnyBulkWriteOperation<T> | [] => {
    const before = seen.get(name);
    if (state === undefined) return before === undefined ? [] : { deleteOne: { filter: { _id: name, s: before.s } as never } };
    if (before === undefined) return { insertOne: { document: state as never } };
    return { replaceOne: { filter: { _id: name, s: before.s } as never, replacement: state as never } };
  });
  if (operations.length === 0) return;
  const { insertedCount, matchedCount, deletedCount } = await collection.bulkWrite(operations, { session, ordered: true });
  if (insertedCount + matchedCount + deletedCount !== operations.length) throw unheld;
}
