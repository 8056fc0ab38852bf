import type { ResourceType } from '../../fhir/types.ts';
import type { Atom, Branch, DatePrefix, Link, Predicate, SearchParam, Test } from '../../search/query.ts';
import { afterPrefix, clamp } from '../ranges.ts';
import type { Dictionary } from './dictionary.ts';
import { allOf, anyOf, joined, q, type Sql, sql, wrapped } from './driver.ts';
import { grantedSql } from './granted.ts';
import { tables } from './index-rows.ts';

/** The resource that a condition is about: SQL expressions for its row and its lastUpdated. `depth` keeps the aliases of nested links apart. */
export interface Subject {
  readonly type: ResourceType;
  readonly rid: Sql;
  readonly updated: Sql;
  readonly depth: number;
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
  const table = sql(tables[param.kind].name);
  return q`EXISTS (SELECT 1 FROM ${table} WHERE ${table}.rid = ${rid} AND ${table}.p = ${paramOf(param, type, known)} AND ${test})`;
}

/** The integer of the parameter for the type; -1 where the type does not carry it, though another of the same code. */
export const paramOf = ({ code, base }: SearchParam, type: ResourceType, known: Dictionary): number =>
  base.length === 0 || base.includes(type) ? known.paramId(type, code) : -1;

/** Rows of the live resources of the type among these, each once. */
export function keysSql(keys: readonly { readonly type: ResourceType; readonly id: string }[], type: ResourceType, known: Dictionary): Sql {
  const ids = [...new Set(keys.filter(key => key.type === type).map(key => key.id))];
  return q`SELECT res.rid FROM json_each(${JSON.stringify(ids)}) j CROSS JOIN res ON res.id = j.value AND res.type = ${known.typeId(type)} AND res.deleted = 0`;
}

/** What a row of the parameter's index table must be. Atoms of one shape become one comparison with a list, however long. */
export function testSql({ kind }: SearchParam, { anyOf: atoms }: Test, of: string, known: Dictionary): Sql {
  const shapes = Map.groupBy(
    atoms.filter(atom => atom.kind === kind),
    shapeOf,
  );
  return anyOf([...shapes.values()].map(alike => shapeSql(alike, of, known)));
}
function shapeOf(atom: Atom): string {
  switch (atom.kind) {
    case 'token':
      return `${atom.system !== undefined} ${atom.code !== undefined}`;
    case 'reference':
      return String(atom.type !== undefined);
    case 'uri':
      return '';
    default:
      return atom.how;
  }
}

/** Atoms of one shape, at least one. */
function shapeSql(atoms: readonly Atom[], alias: string, known: Dictionary): Sql {
  const of = (column: string): Sql => sql(`${alias}.${column}`);
  const first = atoms[0]!;
  const alone = atoms.length === 1;
  const list = (value: (atom: never) => unknown): string => JSON.stringify(atoms.map(atom => value(atom as never)));
  switch (first.kind) {
    case 'token': {
      type Token = Extract<Atom, { kind: 'token' }>;
      const system = (atom: Token): number => known.systemId(atom.system!);
      if (first.code === undefined && first.system === undefined) return sql('1');
      if (first.system === undefined)
        return alone ? q`${of('code')} = ${first.code!}` : q`${of('code')} IN (SELECT value FROM json_each(${list((atom: Token) => atom.code)}))`;
      if (first.code === undefined) return alone ? q`${of('sys')} = ${system(first)}` : q`${of('sys')} IN (SELECT value FROM json_each(${list(system)}))`;
      if (alone) return q`(${of('code')} = ${first.code} AND ${of('sys')} = ${system(first)})`;
      return q`(${of('code')}, ${of('sys')}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${list((atom: Token) => [atom.code, system(atom)])}))`;
    }
    case 'string': {
      type Text = Extract<Atom, { kind: 'string' }>;
      const texts = list((atom: Text) => atom.text);
      if (first.how === 'exact') return alone ? q`${of('exact')} = ${first.text}` : q`${of('exact')} IN (SELECT value FROM json_each(${texts}))`;
      if (first.how === 'contains')
        return alone ? q`instr(${of('text')}, ${first.text}) > 0` : q`EXISTS (SELECT 1 FROM json_each(${texts}) j WHERE instr(${of('text')}, j.value) > 0)`;
      return alone
        ? startsSql(of('text'), first.text)
        : q`EXISTS (SELECT 1 FROM json_each(${texts}) j WHERE substr(${of('text')}, 1, length(j.value)) = j.value)`;
    }
    case 'date': {
      return datesSql(atoms as readonly DateAtom[], of('low'), of('high'));
    }
    case 'reference': {
      type Target = Extract<Atom, { kind: 'reference' }>;
      if (first.type === undefined)
        return q`${of('target')} IN (SELECT res.rid FROM json_each(${list((atom: Target) => atom.id)}) j CROSS JOIN res ON res.id = j.value AND res.type <> ${known.typeId('')})`;
      if (alone) return q`${of('target')} = (SELECT rid FROM res WHERE id = ${first.id} AND type = ${known.typeId(first.type)})`;
      return q`${of('target')} IN (SELECT res.rid FROM json_each(${list((atom: Target) => [known.typeId(atom.type!), atom.id])}) j CROSS JOIN res ON res.id = j.value ->> 1 AND res.type = j.value ->> 0)`;
    }
    case 'uri':
      return alone
        ? q`${of('uri')} = ${known.systemId(first.uri)}`
        : q`${of('uri')} IN (SELECT value FROM json_each(${list((atom: Extract<Atom, { kind: 'uri' }>) => known.systemId(atom.uri))}))`;
  }
}

/** A range that an index can seek, instead of LIKE, which knows wildcards and case. */
function startsSql(column: Sql, text: string): Sql {
  const end = afterPrefix(text);
  return end === undefined ? q`${column} >= ${text}` : q`(${column} >= ${text} AND ${column} < ${end})`;
}
type DateAtom = Extract<Atom, { kind: 'date' }>;

/** A moment against a list of dates. */
function momentSql({ anyOf: atoms }: Test, moment: Sql): Sql {
  const dates = atoms.filter((atom): atom is DateAtom => atom.kind === 'date');
  return anyOf([...Map.groupBy(dates, shapeOf).values()].map(alike => datesSql(alike, moment, moment)));
}
/** The span `from` … `to` against dates of one prefix, at least one: one comparison, however many. */
function datesSql(atoms: readonly DateAtom[], from: Sql, to: Sql): Sql {
  const [{ how, low, high }] = atoms as readonly [DateAtom];
  if (atoms.length === 1) return dateTest(how, sql('?', clamp(low)), sql('?', clamp(high)), from, to);
  const list = JSON.stringify(atoms.map(atom => [clamp(atom.low), clamp(atom.high)]));
  return q`EXISTS (SELECT 1 FROM json_each(${list}) j WHERE ${dateTest(how, sql('j.value ->> 0'), sql('j.value ->> 1'), from, to)})`;
}

/** R4's prefixes: the span `from` … `to` of a value against the span `low` … `high` that is asked for. */
function dateTest(how: DatePrefix, low: Sql, high: Sql, from: Sql, to: Sql): Sql {
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

/** A chain or a `_has` as a condition: some end of it holds. */
export function linkSql(link: Link, of: Subject, known: Dictionary): Sql {
  const depth = of.depth + 1;
  const [far, by] = [`f${depth}`, `l${depth}`];
  return anyOf(
    link.ends.map(end => {
      const rest = branchSql(end, subjectOf(end.type, far, depth), known);
      const live = q`${sql(far)}.type = ${known.typeId(end.type)} AND ${sql(far)}.deleted = 0`;
      if (link.how === 'refers-to') {
        const near = q`${sql(by)}.rid = ${of.rid} AND ${sql(by)}.p = ${paramOf(link.param, of.type, known)}`;
        return q`EXISTS (SELECT 1 FROM ref ${sql(by)} CROSS JOIN res ${sql(far)} ON ${sql(far)}.rid = ${sql(by)}.target WHERE ${near} AND ${live} AND ${rest})`;
      }
      const near = q`${sql(by)}.p = ${paramOf(link.param, end.type, known)} AND ${sql(by)}.target = ${of.rid}`;
      return q`EXISTS (SELECT 1 FROM ref ${sql(by)} CROSS JOIN res ${sql(far)} ON ${sql(far)}.rid = ${sql(by)}.rid WHERE ${near} AND ${live} AND ${rest})`;
    }),
  );
}

/** All that a branch asks of a resource of its type. */
export const branchSql = ({ where, links }: Branch, of: Subject, known: Dictionary): Sql =>
  joined([conditionSql(where, of, known), ...links.map(link => linkSql(link, of, known))], ' AND ');
