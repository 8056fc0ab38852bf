import type { ResourceKey } from '../../fhir/types.ts';
import type { Cursor, SearchQuery, SortKey } from '../../search/query.ts';
import { walkDates } from './date-walk.ts';
import type { Dictionary } from './dictionary.ts';
import { joined, limitSql, q, type Sql, sql } from './driver.ts';
import { afterSql, keySql, orderSql } from './order.ts';
import { type Database, type Source, sourceOf } from './source.ts';
import { type FoundRow, pageOf } from './version.ts';

/** The rows of a page and one more where there is one, in order. */
export function findRows(query: SearchQuery, database: Database): readonly FoundRow[] {
  const { driver, known } = database;
  const limit = query.limit + 1;
  const most = limitSql(limit);
  const sources = query.branches.map(branch => ({ branch, source: sourceOf(branch, database) }));
  const [only] = sources;
  const [key] = query.sort;
  if (only === undefined) return [];
  if (sources.length === 1 && query.sort.length === 1 && !only.source.few && key!.by !== 'updated' && key!.by.kind === 'date') {
    return walkDates(only.branch, only.source, key!, query.from, limit, database);
  }
  const rows = joined(
    sources.map(({ branch, source }) => selectSql(source, query.sort, branch.type, query.sort.length === 0 ? query.from : undefined, known)),
    unionOf(query),
  );
  if (query.sort.length === 0) return pageOf(q`${rows} ORDER BY rid ${most}`, query.sort, driver);
  const after = query.from === undefined ? sql('1') : afterSql(query.sort, query.from);
  return pageOf(q`SELECT * FROM (${rows}) WHERE ${after} ORDER BY ${orderSql(query.sort)} ${most}`, query.sort, driver);
}

/** The keys of the first rows, in no order but theirs. */
export function findKeys({ branches, limit }: SearchQuery, database: Database): readonly ResourceKey[] {
  const { driver, known } = database;
  if (branches.length === 0 || limit <= 0) return [];
  const rows = joined(
    branches.map(branch => selectSql(sourceOf(branch, database), [], branch.type, undefined, known)),
    unionOf({ branches }),
  );
  const { text, values } = q`SELECT res.type, res.id FROM (${rows} ORDER BY rid ${limitSql(limit)}) x CROSS JOIN res ON res.rid = x.rid`;
  return driver.all<{ type: number; id: string }>(text, ...values).map(row => ({ type: known.typeName(row.type), id: row.id }));
}

/** How many rows there are. */
export function countRows(query: SearchQuery, database: Database): number {
  const { driver, known } = database;
  const [only, ...others] = query.branches;
  if (only === undefined) return 0;
  if (others.length === 0 && only.where.op === 'all' && only.links.length === 0) {
    return driver.get<{ live: number }>('SELECT live FROM type WHERE name = ?', only.type)?.live ?? 0;
  }
  const rows = joined(
    query.branches.map(branch => selectSql(sourceOf(branch, database), [], branch.type, undefined, known)),
    unionOf(query),
  );
  const { text, values } = q`SELECT count(*) AS n FROM (${rows})`;
  return driver.get<{ n: number }>(text, ...values)!.n;
}

/** Branches of one type may find the same. */
const unionOf = ({ branches }: Pick<SearchQuery, 'branches'>): string =>
  new Set(branches.map(branch => branch.type)).size < branches.length ? ' UNION ' : ' UNION ALL ';

function selectSql({ from, subject, where, unique }: Source, sort: readonly SortKey[], type: string, after: Cursor | undefined, known: Dictionary): Sql {
  const keys = sort.map((key, at) => q`, ${keySql(key, type, subject, known)} AS ${sql(`k${at}`)}`);
  const later = after === undefined ? sql('') : q` AND ${subject.rid} > ${Number(after.rid)}`;
  return q`SELECT ${sql(unique ? '' : 'DISTINCT')} ${subject.rid} AS rid ${joined(keys, '')} FROM ${from} WHERE ${where}${later}`;
}
