import type { Instant } from '../../fhir/types.ts';
import type { Committed } from '../store.ts';
import type { Sweeping } from './plan.ts';
import type { Collections } from './stored.ts';

/** Documents that are taken away together. Other commits come between one portion and the next. */
const PORTION = 50;
/** Nothing is written that bears one. */
const NO_MOMENT = '1970-01-01T00:00:00.000Z';

/**
 * Takes away documents that expired before this moment (epoch ms), the longest expired first, at most `limit`, and their epochs with them. Each is a commit
 * by itself, so that one that is prolonged meanwhile, or that another process takes, is in nobody's way. Gives back how many were taken here.
 */
export async function sweepSome(
  before: number,
  limit: number,
  { documents }: Collections,
  commit: (changes: readonly Sweeping[], at: Instant) => Promise<Committed>,
): Promise<number> {
  // To the server, a limit of 0 is none.
  if (limit <= 0) return 0;
  const expired = await documents.find({ expires: { $lt: before } }, { projection: { kind: 1, id: 1 }, sort: { expires: 1 }, limit }).toArray();
  let swept = 0;
  for (let from = 0; from < expired.length; from += PORTION) {
    const some = expired.slice(from, from + PORTION);
    const done = await Promise.all(some.map(({ kind, id }) => commit([{ op: 'sweep', kind, id, before }], NO_MOMENT)));
    swept += done.filter(({ ok }) => ok).length;
  }
  return swept;
}
