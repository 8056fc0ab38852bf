import type { Branch, Cursor, SortKey } from '../../search/query.ts';
import { branchSql, paramOf, subjectOf } from './condition.ts';
import { limitSql, q, sql, timely } from './driver.ts';
import { type Database, drivenSubject, type Source } from './source.ts';
import { type FoundRow, pageOf } from './version.ts';

/** Sorting by a date where nothing is selective: the index of the date is walked, then come those that have none. */
export function walkDates(
  branch: Branch,
  source: Source,
  key: SortKey,
  from: Cursor | undefined,
  limit: number,
  { driver, known }: Database,
): readonly FoundRow[] {
  if (key.by === 'updated') return [];
  const p = paramOf(key.by, branch.type, known);
  const column = sql(key.descending ? 'd.high' : 'd.low');
  const [other, before] = [sql(key.descending ? 'o.high' : 'o.low'), sql(key.descending ? '>' : '<')];
  const keyed: FoundRow[] = [];
  const at = from?.keys[0] ?? undefined;
  if (from === undefined || at !== undefined) {
    const conditions = branchSql(branch, drivenSubject(branch), known);
    const after = sql(key.descending ? '<' : '>');
    const later = at === undefined ? sql('1') : q`(${column} ${after} ${at} OR (${column} = ${at} AND d.rid > ${Number(from!.rid)}))`;
    // Only the first of a resource's dates counts; of equal ones any does, and DISTINCT leaves one.
    const rows = q`SELECT DISTINCT d.rid AS rid, ${column} AS k0 FROM dat d WHERE d.p = ${p} AND ${timely(sql('d.rid'))} AND ${later}
      AND NOT EXISTS (SELECT 1 FROM dat o INDEXED BY dat_rid WHERE o.rid = d.rid AND o.p = d.p AND ${other} ${before} ${column}) AND ${conditions}
      ORDER BY ${column}${sql(key.descending ? ' DESC' : '')}, d.rid ${limitSql(limit)}`;
    keyed.push(...pageOf(rows, [key], driver));
  }
  if (keyed.length === limit) return keyed;
  const rid = source.subject.rid;
  const later = at === undefined && from !== undefined ? q`${rid} > ${Number(from.rid)}` : sql('1');
  const missing = q`SELECT ${sql(source.unique ? '' : 'DISTINCT')} ${rid} AS rid, NULL AS k0 FROM ${source.from} WHERE ${source.where} AND ${later}
    AND NOT EXISTS (SELECT 1 FROM dat o INDEXED BY dat_rid WHERE o.rid = ${rid} AND o.p = ${p}) ORDER BY rid ${limitSql(limit - keyed.length)}`;
  return [...keyed, ...pageOf(missing, [key], driver)];
}

/** Sorting by lastUpdated where nothing is selective: its index is walked. */
export function walkUpdated(branch: Branch, key: SortKey, from: Cursor | undefined, limit: number, { driver, known }: Database): readonly FoundRow[] {
  const [order, after] = [sql(key.descending ? 'DESC' : ''), sql(key.descending ? '<' : '>')];
  const at = from?.keys[0] ?? undefined;
  const later = at === undefined ? sql('1') : q`r.updated ${after}= ${at} AND (r.updated ${after} ${at} OR r.rid > ${Number(from!.rid)})`;
  const rows = q`SELECT r.rid AS rid, r.updated AS k0 FROM res r WHERE r.type = ${known.typeId(branch.type)} AND r.deleted = 0
    AND ${timely(sql('r.rid'))} AND ${later} AND ${branchSql(branch, subjectOf(branch.type, 'r', 0), known)} ORDER BY r.updated ${order}, r.rid ${limitSql(limit)}`;
  return pageOf(rows, [key], driver);
}
