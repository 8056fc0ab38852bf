import { Problem } from '../../fhir/problem.ts';
import type { ResourceKey } from '../../fhir/types.ts';
import type { Cursor, SearchQuery, SortKey } from '../../search/query.ts';
import { walkDates, walkUpdated } from './date-walk.ts';
import type { Dictionary } from './dictionary.ts';
import { joined, limitSql, q, type Sql, sql } from './driver.ts';
import { afterSql, keySql, orderSql } from './order.ts';
import { type Database, type Source, sourceOf, type Use } from './source.ts';
import { type FoundRow, pageOf } from './version.ts';

/** Rows that are all looked at are better taken from anything that is not the whole type. */
const EVERY = 20;
const uses = ({ many }: Database): Readonly<Record<'page' | 'walk' | 'all', Use>> => ({
  page: { most: many, ordered: true },
  walk: { most: many, ordered: false },
  all: { most: many * EVERY, ordered: false },
});

/** Does a piece of work on the store, which ends with a Problem where it takes longer than a query may. */
function timed<T>({ driver, time }: Database, work: () => T): T {
  const limit = `${time / 1000} seconds (KINDRED_QUERY_TIME)`;
  return driver.within(
    time,
    work,
    () => new Problem('too-costly', `this search takes longer than ${limit}: ask for less, or for something that fewer resources have`),
  );
}

/** The rows of a page and one more where there is one, in order. */
export const findRows = (query: SearchQuery, database: Database): readonly FoundRow[] => timed(database, () => rowsOf(query, database));
function rowsOf(query: SearchQuery, database: Database): readonly FoundRow[] {
  const { driver, known } = database;
  const limit = query.limit + 1;
  const most = limitSql(limit);
  const [key, ...others] = query.sort;
  const walked = key !== undefined && others.length === 0 && (key.by === 'updated' || key.by.kind === 'date');
  const use = uses(database)[key === undefined ? 'page' : walked ? 'walk' : 'all'];
  const sources = query.branches.map(branch => ({ branch, source: sourceOf(branch, database, use) }));
  const [only] = sources;
  if (only === undefined) return [];
  if (sources.length === 1 && walked && !only.source.few) {
    if (key.by === 'updated') return walkUpdated(only.branch, key, query.from, limit, database);
    return walkDates(only.branch, only.source, key, query.from, limit, database);
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
export const findKeys = (query: SearchQuery, database: Database): readonly ResourceKey[] => timed(database, () => keysOf(query, database));
function keysOf({ branches, limit }: SearchQuery, database: Database): readonly ResourceKey[] {
  const { driver, known } = database;
  if (branches.length === 0 || limit <= 0) return [];
  const rows = joined(
    branches.map(branch => selectSql(sourceOf(branch, database, uses(database).page), [], branch.type, undefined, known)),
    unionOf({ branches }),
  );
  const { text, values } = q`SELECT res.type, res.id FROM (${rows} ORDER BY rid ${limitSql(limit)}) x CROSS JOIN res ON res.rid = x.rid`;
  return driver.all<{ type: number; id: string }>(text, ...values).map(row => ({ type: known.typeName(row.type), id: row.id }));
}

/** How many rows there are. */
export const countRows = (query: SearchQuery, database: Database): number => timed(database, () => countOf(query, database));
function countOf(query: SearchQuery, database: Database): number {
  const { driver, known } = database;
  const [only, ...others] = query.branches;
  if (only === undefined) return 0;
  if (others.length === 0 && only.where.op === 'all' && only.links.length === 0) {
    return driver.get<{ live: number }>('SELECT live FROM type WHERE name = ?', only.type)?.live ?? 0;
  }
  const rows = joined(
    query.branches.map(branch => selectSql(sourceOf(branch, database, uses(database).all), [], branch.type, undefined, known)),
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
