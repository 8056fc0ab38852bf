import type { MongoClient } from 'mongodb';
import type { Seen, Sheet } from './plan.ts';
import type { Collections } from './stored.ts';

const raised = ({ epochs }: Sheet, seen: Seen): readonly string[] =>
  [...epochs.values()].flatMap(one => (one === undefined || one.epoch === (seen.epochs.get(one._id)?.epoch ?? 0) ? [] : one._id));

/**
 * Notes on the epochs that a commit would have raised that someone wants to: the end of a permission must not be outrun for ever by those who write under it,
 * whose commits are shorter. Only where that is not noted yet, so that two who want the same do not make each other lose.
 */
export async function want(sheet: Sheet, seen: Seen, { epochs }: Collections): Promise<void> {
  const names = raised(sheet, seen);
  if (names.length > 0) await epochs.updateMany({ _id: { $in: [...names] }, wanted: { $ne: true } }, { $inc: { s: 1 }, $set: { wanted: true } });
}

/** Whether a commit only holds an epoch that someone wants to raise. */
export const holdsWanted = ({ epochs }: Sheet, seen: Seen): boolean =>
  [...epochs.values()].some(one => one !== undefined && seen.epochs.get(one._id)?.wanted === true && seen.epochs.get(one._id)?.epoch === one.epoch);

/**
 * What to call while a commit goes on losing: ends the sessions of other writers that have not come on for so many milliseconds. One whose process was killed
 * has what it was at still open, and it would be in everybody's way until the server ends it (a minute by default). One that only rests has nothing open, and
 * one that was slow begins anew, as after any conflict.
 */
export function makeEnder(client: MongoClient, { writers }: Collections, own: string, still: number): () => Promise<void> {
  let noted = { at: 0, commits: new Map<string, number>() };
  return async () => {
    if (Date.now() < noted.at + still) return;
    const others = await writers.find({ _id: { $ne: own }, session: { $exists: true } }, { projection: { commits: 1, session: 1 } }).toArray();
    const ended = others.filter(({ _id, commits }) => noted.commits.get(_id) === commits).map(({ session }) => session!);
    noted = { at: Date.now(), commits: new Map(others.map(({ _id, commits }) => [_id, commits])) };
    if (ended.length > 0) await endSessions(client, ended);
  };
}

/** At once where the server can (MongoDB); else as soon as it likes. */
export async function endSessions(client: MongoClient, ended: readonly object[]): Promise<void> {
  const admin = client.db('admin');
  await admin.command({ killSessions: ended }).catch(() => admin.command({ endSessions: ended }));
}
