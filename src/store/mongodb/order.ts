import { ObjectId } from 'mongodb';
import type { Branch, Cursor, Kind, SortKey } from '../../search/query.ts';
import { type Filter, nothing } from './condition.ts';
import { valuesExpression } from './entries.ts';
import type { Stage } from './granted.ts';
import { entryText, paramOf, unitText } from './texts.ts';

/**
 * What a resource is sorted by, as fields k0, k1 …: of several values the smallest, for a descending order the largest; null where it has none, and then
 * m0, m1 … is 1.
 */
export function keyStages(sort: readonly SortKey[], branches: readonly Branch[]): readonly Stage[] {
  if (sort.length === 0) return [];
  const keys = Object.fromEntries(sort.map((key, at) => [`k${at}`, keyExpression(key, branches)]));
  const missing = Object.fromEntries(sort.map((_, at) => [`m${at}`, { $cond: [{ $eq: [`$k${at}`, null] }, 1, 0] }]));
  return [{ $addFields: keys }, { $addFields: missing }];
}
/** From a low side to a high one. */
const spans: ReadonlySet<Kind> = new Set(['date', 'quantity']);
function keyExpression({ by, descending }: SortKey, branches: readonly Branch[]): unknown {
  if (by === 'updated') return '$u';
  if (by.code === '_id') return '$id';
  // Of several branches each document is of one, and has no values of the others' types.
  const names = [...new Set(branches.map(({ type }) => paramOf(by, type)))].filter(p => p !== undefined);
  const side = by.kind === 'reference' || (spans.has(by.kind) && descending) ? 'h' : 'k';
  // Quantities are sorted by their numbers in no unit. Each of those begins with `0 `, which changes nothing of their order.
  const begins = by.kind === 'quantity' ? names.map(p => entryText(p, unitText('').trimEnd())) : names;
  const values = { $concatArrays: begins.map(p => valuesExpression(p, side)) };
  return { $ifNull: [descending ? { $max: values } : { $min: values }, null] };
}

/** The order of the keys and of rid, missing keys last. */
export const orderOf = (sort: readonly SortKey[]): Stage => ({
  $sort: Object.fromEntries([
    ...sort.flatMap(({ descending }, at): [string, 1 | -1][] => [
      [`m${at}`, 1],
      [`k${at}`, descending ? -1 : 1],
    ]),
    ['rid', 1],
  ]),
});

/** After the cursor in that order. */
export function afterFilter(sort: readonly SortKey[], { keys, rid }: Cursor): Filter {
  if (!ObjectId.isValid(String(rid))) return nothing;
  const same = (count: number): Filter => Object.fromEntries(keys.slice(0, count).map((key, at) => [`k${at}`, key]));
  const later = sort.flatMap(({ descending }, at): readonly Filter[] => {
    const key = keys[at] ?? null;
    // Nothing comes after a missing key but other missing ones.
    if (key === null) return [];
    return [{ ...same(at), $or: [{ [`k${at}`]: { [descending ? '$lt' : '$gt']: key } }, { [`m${at}`]: 1 }] }];
  });
  return { $or: [...later, { ...same(sort.length), rid: { $gt: new ObjectId(String(rid)) } }] };
}
