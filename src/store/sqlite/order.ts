import type { Cursor, SortKey } from '../../search/query.ts';
import { paramOf, type Subject } from './condition.ts';
import type { Dictionary } from './dictionary.ts';
import { anyOf, joined, q, type Sql, sql } from './driver.ts';

/**
 * What a resource is sorted by: of several values the smallest, for a descending order the largest. NULL where it has none. The index is
 * named, since for a minimum or maximum SQLite would rather walk the whole one that is in its order.
 */
export function keySql({ by, descending }: SortKey, type: string, { rid, updated }: Subject, known: Dictionary): Sql {
  if (by === 'updated') return updated;
  if (by.code === '_id') return q`(SELECT res.id FROM res WHERE res.rid = ${rid})`;
  const p = paramOf(by, type, known);
  const best = sql(descending ? 'max' : 'min');
  switch (by.kind) {
    case 'token':
      return q`(SELECT ${best}(tok.code) FROM tok INDEXED BY tok_rid WHERE tok.rid = ${rid} AND tok.p = ${p})`;
    case 'string':
      return q`(SELECT ${best}(str.text) FROM str INDEXED BY str_rid WHERE str.rid = ${rid} AND str.p = ${p})`;
    case 'date':
      return q`(SELECT ${sql(descending ? 'max(dat.high)' : 'min(dat.low)')} FROM dat INDEXED BY dat_rid WHERE dat.rid = ${rid} AND dat.p = ${p})`;
    case 'reference':
      return q`(SELECT ${best}(res.id) FROM ref INDEXED BY ref_rid CROSS JOIN res ON res.rid = ref.target WHERE ref.rid = ${rid} AND ref.p = ${p})`;
    case 'uri':
      return q`(SELECT ${best}(system.uri) FROM uri INDEXED BY uri_rid CROSS JOIN system ON system.id = uri.uri WHERE uri.rid = ${rid} AND uri.p = ${p})`;
    case 'quantity':
      // The number by itself: what is in different units has no order.
      return q`(SELECT ${sql(descending ? 'max(num.high)' : 'min(num.low)')} FROM num INDEXED BY num_rid WHERE num.rid = ${rid} AND num.p = ${p} AND num.unit = 0)`;
    case 'composite':
    case 'position':
    case 'words':
      // Refused before (control.ts).
      return sql('NULL');
  }
}

/** After the cursor in the order of k0, k1 … and rid, missing keys last. */
export function afterSql(sort: readonly SortKey[], { keys, rid }: Cursor): Sql {
  const same = (count: number): Sql =>
    joined(
      keys.slice(0, count).map((key, at) => q`${sql(`k${at}`)} IS ${key} AND `),
      '',
    );
  const later = sort.flatMap(({ descending }, at) => {
    const key = keys[at] ?? null;
    // Nothing comes after a missing key but other missing ones.
    return key === null ? [] : [q`(${same(at)}(${sql(`k${at} ${descending ? '<' : '>'}`)} ${key} OR ${sql(`k${at}`)} IS NULL))`];
  });
  return anyOf([...later, q`(${same(sort.length)}rid > ${Number(rid)})`]);
}

/** The order of k0, k1 … and rid. */
export const orderSql = (sort: readonly SortKey[]): Sql =>
  sql(`${sort.map(({ descending }, at) => `k${at} IS NULL, k${at}${descending ? ' DESC' : ''}, `).join('')}rid`);
