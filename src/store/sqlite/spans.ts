import type { Range } from '../../fhir/types.ts';
import type { Prefix } from '../../search/query.ts';
import { q, type Sql, sql } from './driver.ts';

/** R4's prefixes (kinds/span.ts): the span `from` … `to` of a value against the span `low` … `high` that is asked for. */
export function spanTest(how: Prefix, low: Sql, high: Sql, from: Sql, to: Sql): Sql {
  const within = q`${from} >= ${low} AND ${to} <= ${high}`;
  switch (how) {
    case 'eq':
      return q`(${within})`;
    case 'ne':
      return q`NOT (${within})`;
    case 'gt':
      return q`${to} > ${high}`;
    case 'lt':
      return q`${from} < ${low}`;
    case 'ge':
      return q`(${to} > ${high} OR (${within}))`;
    case 'le':
      return q`(${from} < ${low} OR (${within}))`;
    case 'sa':
      return q`${from} > ${high}`;
    case 'eb':
      return q`${to} < ${low}`;
    case 'ap':
      return q`(${from} <= ${high} AND ${to} >= ${low})`;
  }
}

type Seeks = Partial<Record<Prefix, Sql>>;

/** Dates. Ranges that an index can seek, on the understanding that values end after they begin; those few that do not come along. */
export function dateRows(how: Prefix, { low, high }: Range, p: number): Sql | undefined {
  const seeks: Seeks = {
    eq: q`dat.low BETWEEN ${low} AND ${high} AND dat.high <= ${high}`,
    gt: q`dat.high > ${high}`,
    ge: q`dat.high >= ${low}`,
    lt: q`dat.low < ${low}`,
    le: q`dat.low <= ${high}`,
    sa: q`dat.low > ${high}`,
    eb: q`dat.high < ${low}`,
  };
  const seek = seeks[how];
  return seek && q`SELECT dat.rid FROM dat WHERE dat.p = ${p} AND ${seek} UNION ALL SELECT dat.rid FROM dat WHERE dat.p = ${p} AND dat.low > dat.high`;
}

/**
 * Numbers, on the same understanding. Nearly all of them begin where they end: only the others are indexed by their end. Those indexes are not named,
 * since beside what never holds SQLite forgets the condition that they are for, and then finds no plan.
 */
export function numberRows(how: Prefix, { low, high }: Range, p: number, unit: number): Sql | undefined {
  const seeks: Seeks = {
    eq: q`num.low BETWEEN ${low} AND ${high} AND num.high <= ${high}`,
    gt: q`num.low > ${high}`,
    ge: q`num.low >= ${low}`,
    lt: q`num.low < ${low}`,
    le: q`num.low <= ${high}`,
    sa: q`num.low > ${high}`,
    eb: q`num.low < ${low} AND num.high < ${low}`,
    ap: q`num.low BETWEEN ${low} AND ${high}`,
  };
  const longer: Seeks = { gt: q`num.high > ${high}`, ge: q`num.high >= ${low}`, ap: q`num.high >= ${low} AND num.low <= ${high}` };
  const [seek, more] = [seeks[how], longer[how]];
  if (seek === undefined) return undefined;
  const rows = (test: Sql): Sql => q`SELECT num.rid FROM num WHERE num.p = ${p} AND num.unit = ${unit} AND ${test}`;
  const spans = more === undefined ? sql('') : q` UNION ALL ${rows(q`num.low < num.high AND ${more}`)}`;
  return q`${rows(seek)}${spans} UNION ALL ${rows(sql('num.low > num.high'))}`;
}

/** When resources were last updated: moments, so that the seeks are the whole test. */
export function momentRows(how: Prefix, { low, high }: Range, type: number): Sql | undefined {
  const seeks: Seeks = {
    eq: q`res.updated BETWEEN ${low} AND ${high}`,
    gt: q`res.updated > ${high}`,
    ge: q`res.updated >= ${low}`,
    lt: q`res.updated < ${low}`,
    le: q`res.updated <= ${high}`,
    sa: q`res.updated > ${high}`,
    eb: q`res.updated < ${low}`,
    ap: q`res.updated BETWEEN ${low} AND ${high}`,
  };
  const seek = seeks[how];
  return seek && q`SELECT res.rid FROM res WHERE res.type = ${type} AND res.deleted = 0 AND ${seek}`;
}
