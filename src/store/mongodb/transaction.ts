import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyBulkWriteOperation, type ClientSession, type Collection, type Document, type MongoClient, MongoError, MongoServerError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { nameOf } from '../../fhir/types.ts';
import type { SearchQuery } from '../../search/query.ts';
import type { Change } from '../store.ts';
import type { Seen, Sheet } from './plan.ts';
import { findStages } from './query.ts';
import type { Collections, StoredLink, StoredWriter } from './stored.ts';

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

/**
 * Writes it all or nothing, durable on a majority. Throws where what became of it could not be found out before the deadline (a Problem `unavailable` that
 * says so), or what no other attempt can mend.
 */
export async function transact(writes: Writes, client: MongoClient, at: Collections, deadline: number): Promise<Outcome> {
  const session = client.startSession();
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary' });
    try {
      const when = await unmatched(writes.whens, at, session);
      if (when !== undefined) {
        await session.abortTransaction();
        return { done: 'unmatched', when };
      }
      await writeAll(writes, at, session);
    } catch (error) {
      await session.abortTransaction().catch(() => {});
      if (error === unheld || isPassing(error)) return lost(error);
      throw error;
    }
    return await commit(session, writes, at, deadline);
  } finally {
    await session.endSession().catch(() => {});
  }
}

/** Ends the transaction; where no answer comes, asks again until it is known what became of it. */
async function commit(session: ClientSession, { from, to }: Writes, at: Collections, deadline: number): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      await session.commitTransaction();
      return { done: 'made' };
    } catch (error) {
      const mark = isNetwork(error) && attempt === 0 ? undefined : await readMark(from._id, at).catch(() => undefined);
      if (mark !== undefined) return mark.commits >= to.commits ? { done: 'made' } : lost(error);
      if (Date.now() > deadline) throw new Problem('unavailable', 'the database does not answer; it is not known whether this was stored', { cause: error });
      await sleep(Math.random() * Math.min(500, 20 * 2 ** attempt));
    }
  }
}

/**
 * How far the writer has come. A write itself, so that no transaction of the writer that is still open can be made afterwards: it waits for it to end.
 */
export async function readMark(writer: string, { writers }: Collections): Promise<StoredWriter> {
  const fresh = { commits: 0, number: 0, hash: '', at: 0, begun: '' };
  const found = await writers.findOneAndUpdate({ _id: writer }, { $inc: { fence: 1 }, $setOnInsert: fresh }, { upsert: true, returnDocument: 'after' });
  return found ?? { _id: writer, ...fresh };
}

/** The first criterion that does not find what it should. */
async function unmatched(whens: readonly When[], at: Collections, session: ClientSession): Promise<When | undefined> {
  const locks = [...new Set(whens.map(when => lockOf(when.query)))].toSorted();
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
const lockOf = ({ branches }: SearchQuery): string => createHash('sha256').update(JSON.stringify(branches)).digest('base64url');

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

/** Always in the same order, so that two of them wait for each other at most one way. */
async function writeAll({ sheet, seen, link, from, to }: Writes, at: Collections, session: ClientSession): Promise<void> {
  await replace(at.epochs, sheet.epochs, seen.epochs, session);
  await replace(at.resources, sheet.resources, seen.resources, session);
  if (sheet.past.length > 0) await at.past.insertMany(sheet.past, { session });
  if (sheet.grants.size > 0) {
    await at.grants.deleteMany({ consent: { $in: [...sheet.grants.keys()] } }, { session });
    const fresh = [...sheet.grants.values()].flat();
    if (fresh.length > 0) await at.grants.insertMany(fresh, { session });
  }
  if (sheet.documents.size > 0) {
    await at.documents.bulkWrite(
      sorted(sheet.documents).map(([_id, document]) =>
        document === undefined ? { deleteOne: { filter: { _id } } } : { replaceOne: { filter: { _id }, replacement: document, upsert: true } },
      ),
      { session },
    );
  }
  if (link !== undefined) await at.links.insertOne(link, { session });
  const { _id, ...mark } = to;
  const { matchedCount } = await at.writers.updateOne({ _id, commits: from.commits }, { $set: mark }, { session });
  if (matchedCount !== 1) throw unheld;
}
const sorted = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] => [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));

interface Numbered extends Document {
  readonly _id: string;
  readonly s: number;
}
/** New states in place of those that were seen, and of no others. */
async function replace<T extends Numbered>(
  collection: Collection<T>,
  states: ReadonlyMap<string, T>,
  seen: ReadonlyMap<string, T>,
  session: ClientSession,
): Promise<void> {
  if (states.size === 0) return;
  const operations = sorted(states).map(([name, state]): AnyBulkWriteOperation<T> => {
    const before = seen.get(name);
    if (before === undefined) return { insertOne: { document: state as never } };
    return { replaceOne: { filter: { _id: name, s: before.s } as never, replacement: state as never } };
  });
  const { insertedCount, matchedCount } = await collection.bulkWrite(operations, { session, ordered: true });
  if (insertedCount + matchedCount !== states.size) throw unheld;
}

/** Codes that another attempt may mend: write conflict, no such transaction, lock timeout, snapshot too old, duplicate key (someone was faster) … */
const passing: ReadonlySet<unknown> = new Set([112, 251, 24, 246, 11000, 263, 40001, 50]);
const labels = ['TransientTransactionError', 'RetryableWriteError', 'RetryableError', 'SystemOverloadedError'];
/** Whether nothing is wrong with what was asked: the same may be tried again. */
export const isPassing = (error: unknown): boolean =>
  isNetwork(error) ||
  (error instanceof MongoError && labels.some(label => error.hasErrorLabel(label))) ||
  (error instanceof MongoServerError && passing.has(error.code));

/** The server was not reached, or has not answered. */
const isNetwork = (error: unknown): boolean =>
  error instanceof MongoError && /Network|ServerSelection|Timeout|PoolClear|ConnectionPool|TopologyClosed|WaitQueue/.test(error.name);
