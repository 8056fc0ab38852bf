import type { Branch, Link, Predicate } from '../../search/query.ts';
import { type Candidate, grantedSource, termSource } from './candidate.ts';
import { conditionSql, linkSql, paramOf, type Subject, subjectOf } from './condition.ts';
import type { Dictionary } from './dictionary.ts';
import { type Driver, joined, limitSql, q, type Sql, sql, timely } from './driver.ts';

/** Where the rows of a branch come from, and what is still to be checked of each. */
export interface Source {
  /** What follows FROM; the columns that `subject` names are in it. */
  readonly from: Sql;
  readonly subject: Subject;
  readonly where: Sql;
  /** Each row comes once. */
  readonly unique: boolean;
  /** No more rows come than were said to be selective, so that sorting them all is cheap. */
  readonly few: boolean;
}

/** What queries are made from. */
export interface Database {
  readonly driver: Driver;
  readonly known: Dictionary;
  /** A condition that as many rows pass is not selective: a page is found sooner by passing by the others. */
  readonly many: number;
  /** Milliseconds that a query may take. */
  readonly time: number;
}
/** What becomes of the rows. */
export interface Use {
  /** From how many on a condition is not selective. */
  readonly most: number;
  /** A page of them is shown in their own order. */
  readonly ordered: boolean;
}
/** So many rows are looked up one by one sooner than in what holds for many. */
const FEW = 500;
/** Not worth looking for anything better. */
const ENOUGH = 100;
/** What part of `many` is worth looking for before what has to be joined is tried. */
const FIRST = 20;

interface Option {
  readonly candidate: Candidate;
  readonly term?: number;
  readonly link?: number;
}

/**
 * Plans a branch: SQLite is not left to guess which of the terms is the most selective, they are counted, up to a bound. Where none is, the
 * live resources of the type are walked in their order, or one value of an index is.
 */
export function sourceOf(branch: Branch, database: Database, use: Use): Source {
  const { known } = database;
  const terms = branch.where.op === 'and' ? branch.where.terms : [branch.where];
  const { option: chosen, count } = choose(branch, terms, database, use);
  const subject = chosen === undefined ? subjectOf(branch.type, 'r', 0) : { ...drivenSubject(branch), few: (count ?? Infinity) <= FEW };
  const kept = <T>(all: readonly T[], done: number | undefined): readonly T[] => all.filter((_, at) => at !== done || chosen?.candidate.loose === true);
  const where = joined(
    [
      ...(chosen === undefined ? [q`r.type = ${known.typeId(branch.type)} AND r.deleted = 0`] : []),
      timely(subject.rid),
      ...kept(terms, chosen?.term).map(term => conditionSql(term, subject, known)),
      ...kept(branch.links, chosen?.link).map(link => linkSql(link, subject, known)),
    ],
    ' AND ',
  );
  return {
    from: chosen === undefined ? sql('res r') : q`(${chosen.candidate.rows}) d`,
    subject,
    where,
    unique: chosen?.candidate.unique ?? true,
    few: count !== undefined,
  };
}
/** The rows `d` of an index. */
export const drivenSubject = (branch: Branch): Subject => ({
  type: branch.type,
  rid: sql('d.rid'),
  updated: sql('(SELECT res.updated FROM res WHERE res.rid = d.rid)'),
  depth: 0,
});

/** What to drive the branch from: what the fewest rows pass, which are counted, else the first whose rows come in their order. */
function choose(branch: Branch, terms: readonly Predicate[], database: Database, use: Use): { readonly option?: Option; readonly count?: number } {
  const { driver, known, many } = database;
  const options = terms.flatMap((term, at): Option[] => optionOf(termSource(term, branch.type, known), { term: at }));
  const walk = options.find(option => option.candidate.ordered);
  const fewest: { count: number; option?: Option } = { count: Math.min(Math.ceil(many / FIRST), use.most) };
  const weigh = (option: Option): void => {
    if (fewest.count <= ENOUGH && fewest.option !== undefined) return;
    const { text, values } = q`SELECT count(*) AS n FROM (SELECT 1 FROM (${option.candidate.rows}) ${limitSql(fewest.count)})`;
    const { n } = driver.get<{ n: number }>(text, ...values)!;
    if (n < fewest.count) Object.assign(fewest, { count: n, option });
  };
  const add = (more: readonly Option[]): void => {
    options.push(...more);
    more.forEach(weigh);
  };
  options.forEach(weigh);
  // What has to be joined first is only tried where nothing simple is selective.
  if (fewest.option === undefined)
    add(terms.flatMap((term, at) => (term.op === 'granted' ? optionOf(grantedSource(term, branch.type, known), { term: at }) : [])));
  if (fewest.option === undefined) add(branch.links.flatMap((link, at) => optionOf(linkSource(link, branch, database, use), { link: at })));
  // Then what is not so few, where there is a choice to make.
  if (fewest.option === undefined && use.most > fewest.count && !(use.ordered && walk !== undefined && options.length === 1)) {
    fewest.count = use.most;
    options.forEach(weigh);
  }
  if (fewest.option !== undefined) return fewest;
  return walk === undefined ? {} : { option: walk };
}
const optionOf = (candidate: Candidate | undefined, of: Omit<Option, 'candidate'>): Option[] => (candidate === undefined ? [] : [{ candidate, ...of }]);

/** From the far ends, where each of those has a selective source itself. */
function linkSource(link: Link, branch: Branch, database: Database, { most }: Use): Candidate | undefined {
  const { known } = database;
  const parts: Sql[] = [];
  for (const end of link.ends) {
    const { from, subject, where, few } = sourceOf(end, database, { most, ordered: false });
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
