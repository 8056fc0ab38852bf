import type { ResourceType } from '../../fhir/types.ts';
import type { Branch, Link, Predicate, SearchParam, Test } from '../../search/query.ts';
import { momentSql, testSql } from './atoms.ts';
import type { Dictionary } from './dictionary.ts';
import { allOf, anyOf, joined, q, type Sql, sql, timely, wrapped } from './driver.ts';
import { grantedSql } from './granted.ts';
import { tables } from './rows.ts';
import { wordsSql } from './words.ts';

/** The resource that a condition is about: SQL expressions for its row and its lastUpdated. `depth` keeps the aliases of nested links apart. */
export interface Subject {
  readonly type: ResourceType;
  readonly rid: Sql;
  readonly updated: Sql;
  readonly depth: number;
  /** So few rows come that each is better looked up by itself than in a list of all that pass. */
  readonly few?: boolean;
}
/** A row of `res` under an alias. */
export const subjectOf = (type: ResourceType, alias: string, depth: number): Subject => ({
  type,
  rid: sql(`${alias}.rid`),
  updated: sql(`${alias}.updated`),
  depth,
});

/** The predicate as a condition that is never NULL. Texts stay the same where only values differ, so that statements are prepared once. */
export function conditionSql(where: Predicate, of: Subject, known: Dictionary): Sql {
  switch (where.op) {
    case 'all':
      return sql('1');
    case 'none':
      return sql('0');
    case 'and':
      return wrapped(allOf(where.terms.map(term => conditionSql(term, of, known))));
    case 'or':
      return anyOf(where.terms.map(term => conditionSql(term, of, known)));
    case 'not':
      return q`NOT (${conditionSql(where.term, of, known)})`;
    case 'some':
      if (where.param.kind === 'words') return wordsSql(of.rid, paramOf(where.param, of.type, known), wordsIn(where.test), of.few === true);
      return indexed(where.param, of, known, testSql(where.param, where.test, tables[where.param.kind].name, known));
    case 'has':
      return indexed(where.param, of, known, sql('1'));
    case 'keys':
      return q`${of.rid} IN (${keysSql(where.keys, of.type, known)})`;
    case 'updated':
      return momentSql(where.test, of.updated);
    case 'granted':
      return grantedSql(where.effect, where.ask, of.type, of.rid, known);
  }
}
function indexed(param: SearchParam, { type, rid }: Subject, known: Dictionary, test: Sql): Sql {
  const { name, byResource } = tables[param.kind];
  const table = sql(name);
  // The plus keeps SQLite from making a join of it, whose order might leave no use for the index that is named.
  const [exists, by] = byResource === undefined ? ['EXISTS', ''] : ['+EXISTS', `INDEXED BY ${byResource}`];
  return q`${sql(exists)} (SELECT 1 FROM ${table} ${sql(by)} WHERE ${table}.rid = ${rid} AND ${table}.p = ${paramOf(param, type, known)} AND ${test})`;
}
/** What each atom demands. */
export const wordsIn = ({ anyOf: atoms }: Test): readonly (readonly string[])[] => atoms.flatMap(atom => (atom.kind === 'words' ? [atom.words] : []));

/** The integer of the parameter for the type; -1 where the type does not carry it, though another of the same code. */
export const paramOf = ({ code, base }: SearchParam, type: ResourceType, known: Dictionary): number =>
  base.length === 0 || base.includes(type) ? known.paramId(type, code) : -1;

/** Rows of the live resources of the type among these, each once. */
export function keysSql(keys: readonly { readonly type: ResourceType; readonly id: string }[], type: ResourceType, known: Dictionary): Sql {
  const ids = [...new Set(keys.filter(key => key.type === type).map(key => key.id))];
  return q`SELECT res.rid FROM json_each(${JSON.stringify(ids)}) j CROSS JOIN res ON res.id = j.value AND res.type = ${known.typeId(type)} AND res.deleted = 0`;
}

/** A chain or a `_has` as a condition: some end of it holds. */
export function linkSql({ how, param, ends }: Link, of: Subject, known: Dictionary): Sql {
  const depth = of.depth + 1;
  const [far, by] = [sql(`f${depth}`), sql(`l${depth}`)];
  return anyOf(
    ends.map(end => {
      const rest = branchSql(end, subjectOf(end.type, far.text, depth), known);
      const [near, other, referring] = how === 'refers-to' ? (['rid', 'target', of.type] as const) : (['target', 'rid', end.type] as const);
      return q`EXISTS (SELECT 1 FROM ref ${by} CROSS JOIN res ${far} ON ${far}.rid = ${by}.${sql(other)}
        WHERE ${by}.p = ${paramOf(param, referring, known)} AND ${by}.${sql(near)} = ${of.rid} AND ${timely(q`${far}.rid`)}
        AND ${far}.type = ${known.typeId(end.type)} AND ${far}.deleted = 0 AND ${rest})`;
    }),
  );
}

/** All that a branch asks of a resource of its type. */
export const branchSql = ({ where, links }: Branch, of: Subject, known: Dictionary): Sql =>
  joined([conditionSql(where, of, known), ...links.map(link => linkSql(link, of, known))], ' AND ');
