import type { Branch, Link, Predicate } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import { conditionSql, keysSql, linkSql, paramOf, type Subject, subjectOf, testSql } from './condition.ts';
import type { Dictionary } from './dictionary.ts';
import { type Driver, joined, limitSql, q, type Sql, sql } from './driver.ts';
import { actorsOf } from './granted.ts';
import { tables } from './index-rows.ts';

/** Where the rows of a branch come from, and what is still to be checked of each. */
export interface Source {
  /** What follows FROM; the columns that `subject` names are in it. */
  readonly from: Sql;
  readonly subject: Subject;
  readonly where: Sql;
  /** Each row comes once. */
  readonly unique: boolean;
  /** No more than some hundred rows come, so that sorting them all is cheap. */
  readonly few: boolean;
}
/** A select of `rid` that has every row that the term lets through. */
interface Candidate {
  readonly rows: Sql;
  readonly unique: boolean;
  /** Rows that the term does not let through are in it too. */
  readonly loose: boolean;
  /** The rows come in their order, so that a page can end early however many there are. */
  readonly ordered: boolean;
}

/** What queries are made from. */
export interface Database {
  readonly driver: Driver;
  readonly known: Dictionary;
  /** What has as many rows is not selective: counting stops there. */
  readonly many: number;
}
/** Not worth looking for anything better. */
const ENOUGH = 20;

/**
 * Plans a branch: SQLite is not left to guess which of the terms is the most selective, they are counted, up to a bound. Where none is, the
 * live resources of the type are walked in their order, or one value of an index is.
 */
export function sourceOf(branch: Branch, database: Database): Source {
  const { driver, known, many } = database;
  const terms = branch.where.op === 'and' ? branch.where.terms : [branch.where];
  const fewest = { count: many, term: -1, link: -1, candidate: undefined as Candidate | undefined };
  let walk: { term: number; candidate: Candidate } | undefined;
  const weigh = (candidate: Candidate | undefined, at: { term?: number; link?: number }): void => {
    if (candidate === undefined) return;
    if (candidate.ordered) walk ??= { term: at.term!, candidate };
    if (fewest.count <= ENOUGH) return;
    const { text, values } = q`SELECT count(*) AS n FROM (SELECT 1 FROM (${candidate.rows}) ${limitSql(fewest.count)})`;
    const { n } = driver.get<{ n: number }>(text, ...values)!;
    if (n < fewest.count) Object.assign(fewest, { count: n, term: -1, link: -1, candidate, ...at });
  };
  terms.forEach((term, at) => {
    weigh(termSource(term, branch.type, known), { term: at });
  });
  // What has to be joined first is only tried where nothing simple is selective.
  if (fewest.count >= many) terms.forEach((term, at) => void (term.op === 'granted' && weigh(grantedSource(term, branch.type, known), { term: at })));
  if (fewest.count >= many) branch.links.forEach((link, at) => void weigh(linkSource(link, branch, database), { link: at }));

  const few = fewest.candidate !== undefined;
  const chosen = few ? { ...fewest, candidate: fewest.candidate! } : walk === undefined ? undefined : { ...walk, link: -1 };
  const subject = chosen === undefined ? subjectOf(branch.type, 'r', 0) : drivenSubject(branch);
  const kept = <T>(all: readonly T[], done: number | undefined): readonly T[] => all.filter((_, at) => at !== done || chosen?.candidate.loose === true);
  const where = joined(
    [
      ...(chosen === undefined ? [q`r.type = ${known.typeId(branch.type)} AND r.deleted = 0`] : [sql('1')]),
      ...kept(terms, chosen?.term).map(term => conditionSql(term, subject, known)),
      ...kept(branch.links, chosen?.link).map(link => linkSql(link, subject, known)),
    ],
    ' AND ',
  );
  return { from: chosen === undefined ? sql('res r') : q`(${chosen.candidate.rows}) d`, subject, where, unique: chosen?.candidate.unique ?? true, few };
}
/** The rows `d` of an index. */
export const drivenSubject = (branch: Branch): Subject => ({
  type: branch.type,
  rid: sql('d.rid'),
  updated: sql('(SELECT res.updated FROM res WHERE res.rid = d.rid)'),
  depth: 0,
});

function termSource(term: Predicate, type: string, known: Dictionary): Candidate | undefined {
  switch (term.op) {
    case 'none':
      return { rows: sql('SELECT 0 AS rid WHERE 0'), unique: true, loose: false, ordered: false };
    case 'keys':
      return { rows: keysSql(term.keys, type, known), unique: true, loose: false, ordered: false };
    case 'some':
      return someSource(term, type, known);
    case 'and': {
      const first = term.terms.map(inner => termSource(inner, type, known)).find(candidate => candidate !== undefined);
      return first === undefined ? undefined : { ...first, loose: true };
    }
    case 'or': {
      const parts = term.terms.map(inner => termSource(inner, type, known));
      if (!parts.every(part => part !== undefined)) return undefined;
      return {
        rows: joined(
          parts.map(part => q`SELECT rid FROM (${part.rows})`),
          ' UNION ALL ',
        ),
        unique: false,
        loose: true,
        ordered: false,
      };
    }
    default:
      return undefined;
  }
}

function someSource({ param, test }: Extract<Predicate, { op: 'some' }>, type: string, known: Dictionary): Candidate | undefined {
  const p = paramOf(param, type, known);
  const table = sql(tables[param.kind].name);
  const [first] = test.anyOf;
  const alone = test.anyOf.length === 1;
  if (param.kind === 'date') return alone && first?.kind === 'date' ? dateSource(first, p) : undefined;
  const seekable = test.anyOf.every(atom => (atom.kind === 'token' ? atom.code !== undefined : atom.kind === 'string' ? atom.how === 'starts' && alone : true));
  if (!seekable) return undefined;
  return {
    rows: q`SELECT ${table}.rid FROM ${table} WHERE ${table}.p = ${p} AND ${testSql(param, test, table.text, known)}`,
    unique: alone && (first?.kind === 'token' ? first.system !== undefined : first?.kind === 'reference' ? first.type !== undefined : first?.kind === 'uri'),
    loose: false,
    ordered: alone && first?.kind !== 'string',
  };
}

/** Ranges that an index can seek, on the understanding that values end after they begin; those few that do not come along. */
function dateSource({ how, low, high }: { how: string; low: number; high: number }, p: number): Candidate | undefined {
  const seeks: Readonly<Record<string, Sql>> = {
    eq: q`dat.low BETWEEN ${clamp(low)} AND ${clamp(high)} AND dat.high <= ${clamp(high)}`,
    gt: q`dat.high > ${clamp(high)}`,
    ge: q`dat.high >= ${clamp(low)}`,
    lt: q`dat.low < ${clamp(low)}`,
    le: q`dat.low <= ${clamp(high)}`,
    sa: q`dat.low > ${clamp(high)}`,
    eb: q`dat.high < ${clamp(low)}`,
  };
  const seek = seeks[how];
  if (seek === undefined) return undefined;
  return {
    rows: q`SELECT dat.rid FROM dat WHERE dat.p = ${p} AND ${seek} UNION ALL SELECT dat.rid FROM dat WHERE dat.p = ${p} AND dat.low > dat.high`,
    unique: false,
    loose: true,
    ordered: false,
  };
}

/** Everything in the records of the grants that the ask may rest on. */
function grantedSource({ effect, ask }: Extract<Predicate, { op: 'granted' }>, type: string, known: Dictionary): Candidate {
  return {
    rows: q`SELECT tok.rid FROM grants CROSS JOIN tok ON tok.p = ${known.paramId(type, '.record')} AND tok.code = grants.record
      WHERE grants.actor IN (SELECT value FROM json_each(${actorsOf(ask)})) AND grants.deny = ${effect === 'deny' ? 1 : 0}`,
    unique: false,
    loose: true,
    ordered: false,
  };
}

/** From the far ends, where each of those has a selective source itself. */
function linkSource(link: Link, branch: Branch, database: Database): Candidate | undefined {
  const { known } = database;
  const parts: Sql[] = [];
  for (const end of link.ends) {
    const { from, subject, where, few } = sourceOf(end, database);
    if (!few) return undefined;
    const far = q`(SELECT ${subject.rid} AS rid FROM ${from} WHERE ${where}) e`;
    parts.push(
      link.how === 'refers-to'
        ? q`SELECT l.rid FROM ${far} CROSS JOIN ref l ON l.p = ${paramOf(link.param, branch.type, known)} AND l.target = e.rid`
        : q`SELECT l.target AS rid FROM ${far} CROSS JOIN ref l ON l.rid = e.rid AND l.p = ${paramOf(link.param, end.type, known)}
            CROSS JOIN res n ON n.rid = l.target AND n.type = ${known.typeId(branch.type)} AND n.deleted = 0`,
    );
  }
  return parts.length === 0 ? undefined : { rows: joined(parts, ' UNION ALL '), unique: false, loose: false, ordered: false };
}
