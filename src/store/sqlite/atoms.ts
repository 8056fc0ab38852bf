import type { Range } from '../../fhir/types.ts';
import { fold } from '../../search/kinds/string.ts';
import type { Atom, Prefix, SearchParam, Test } from '../../search/query.ts';
import { afterPrefix, clamp } from '../ranges.ts';
import { compositeSql } from './composite.ts';
import type { Dictionary } from './dictionary.ts';
import { anyOf, q, type Sql, sql } from './driver.ts';
import { spanTest } from './spans.ts';

type AtomOf<K extends Atom['kind']> = Extract<Atom, { kind: K }>;
type Column = (name: string) => Sql;

/** What a row of the parameter's index table must be. Atoms of one shape become one comparison with a list, however long. */
export function testSql(param: SearchParam, { anyOf: atoms }: Test, alias: string, known: Dictionary): Sql {
  const of = (column: string): Sql => sql(`${alias}.${column}`);
  const shapes = Map.groupBy(
    atoms.filter(atom => isOf(param, atom)),
    shapeOf,
  );
  return anyOf([...shapes.values()].map(alike => shapeSql(alike, of, known)));
}
/** Atoms of other kinds never find anything. */
const isOf = ({ kind, components = [] }: SearchParam, atom: Atom): boolean =>
  atom.kind === kind && (atom.kind !== 'composite' || atom.parts.every((part, at) => part.kind === components[at]?.kind));

/** Atoms alike in this differ in values only. */
function shapeOf(atom: Atom): string {
  switch (atom.kind) {
    case 'token':
      return `${atom.system !== undefined} ${atom.code !== undefined}`;
    case 'reference':
      return String(atom.type !== undefined);
    case 'composite':
      return atom.parts.map(shapeOf).join('$');
    case 'position':
    case 'words':
      return '';
    default:
      return atom.how;
  }
}

/** Atoms of one shape, at least one. */
function shapeSql(atoms: readonly Atom[], of: Column, known: Dictionary): Sql {
  switch (atoms[0]!.kind) {
    case 'token':
      return tokensSql(atoms as readonly AtomOf<'token'>[], of, known);
    case 'string':
      return stringsSql(atoms as readonly AtomOf<'string'>[], of);
    case 'date':
      return datesSql(atoms as readonly AtomOf<'date'>[], of('low'), of('high'));
    case 'reference':
      return referencesSql(atoms as readonly AtomOf<'reference'>[], of, known);
    case 'uri':
      return urisSql(atoms as readonly AtomOf<'uri'>[], of, known);
    case 'quantity':
      return quantitiesSql(atoms as readonly AtomOf<'quantity'>[], of, known);
    case 'composite':
      return compositeSql(
        (atoms as readonly AtomOf<'composite'>[]).map(atom => atom.parts),
        of,
        known,
      );
    case 'position':
      return positionsSql(atoms as readonly AtomOf<'position'>[], of);
    case 'words':
      // They are found in the full-text table (words.ts).
      return sql('0');
  }
}
/** The values of all atoms, as one value. */
const listOf = <A>(atoms: readonly A[], value: (atom: A) => unknown): string => JSON.stringify(atoms.map(value));

function tokensSql(atoms: readonly AtomOf<'token'>[], of: Column, known: Dictionary): Sql {
  const [first] = atoms as readonly [AtomOf<'token'>];
  const alone = atoms.length === 1;
  const system = (atom: AtomOf<'token'>): number => known.systemId(atom.system!);
  if (first.code === undefined && first.system === undefined) return sql('1');
  if (first.system === undefined)
    return alone ? q`${of('code')} = ${first.code!}` : q`${of('code')} IN (SELECT value FROM json_each(${listOf(atoms, atom => atom.code)}))`;
  if (first.code === undefined) return alone ? q`${of('sys')} = ${system(first)}` : q`${of('sys')} IN (SELECT value FROM json_each(${listOf(atoms, system)}))`;
  if (alone) return q`(${of('code')} = ${first.code} AND ${of('sys')} = ${system(first)})`;
  return q`(${of('code')}, ${of('sys')}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${listOf(atoms, atom => [atom.code, system(atom)])}))`;
}

function stringsSql(atoms: readonly AtomOf<'string'>[], of: Column): Sql {
  const [{ how, text }] = atoms as readonly [AtomOf<'string'>];
  const alone = atoms.length === 1;
  const texts = listOf(atoms, atom => atom.text);
  if (how === 'exact') {
    // The folded text comes first in the index.
    if (alone) return q`(${of('text')} = ${fold(text)} AND ${of('exact')} = ${text})`;
    return q`(${of('text')}, ${of('exact')}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${listOf(atoms, atom => [fold(atom.text), atom.text])}))`;
  }
  if (how === 'contains')
    return alone ? q`instr(${of('text')}, ${text}) > 0` : q`EXISTS (SELECT 1 FROM json_each(${texts}) j WHERE instr(${of('text')}, j.value) > 0)`;
  return alone ? startsSql(of('text'), text) : q`EXISTS (SELECT 1 FROM json_each(${texts}) j WHERE substr(${of('text')}, 1, length(j.value)) = j.value)`;
}
/** A range that an index can seek, instead of LIKE, which knows wildcards and case. */
function startsSql(column: Sql, text: string): Sql {
  const end = afterPrefix(text);
  return end === undefined ? q`${column} >= ${text}` : q`(${column} >= ${text} AND ${column} < ${end})`;
}

function referencesSql(atoms: readonly AtomOf<'reference'>[], of: Column, known: Dictionary): Sql {
  const [first] = atoms as readonly [AtomOf<'reference'>];
  if (first.type === undefined)
    return q`${of('target')} IN (SELECT res.rid FROM json_each(${listOf(atoms, atom => atom.id)}) j CROSS JOIN res ON res.id = j.value AND res.type <> ${known.typeId('')})`;
  if (atoms.length === 1) return q`${of('target')} = (SELECT rid FROM res WHERE id = ${first.id} AND type = ${known.typeId(first.type)})`;
  const keys = listOf(atoms, atom => [known.typeId(atom.type!), atom.id]);
  return q`${of('target')} IN (SELECT res.rid FROM json_each(${keys}) j CROSS JOIN res ON res.id = j.value ->> 1 AND res.type = j.value ->> 0)`;
}

function urisSql(atoms: readonly AtomOf<'uri'>[], of: Column, known: Dictionary): Sql {
  const [{ how, uri }] = atoms as readonly [AtomOf<'uri'>];
  if (how === 'is') {
    if (atoms.length === 1) return q`${of('uri')} = ${known.systemId(uri)}`;
    return q`${of('uri')} IN (SELECT value FROM json_each(${listOf(atoms, atom => known.systemId(atom.uri))}))`;
  }
  // What begins with a slash after it comes before what has a 0 there, the next character.
  const uris = listOf(atoms, atom => atom.uri);
  return q`${of('uri')} IN (SELECT system.id FROM json_each(${uris}) j CROSS JOIN system ON system.uri = j.value
    UNION ALL SELECT system.id FROM json_each(${uris}) j CROSS JOIN system ON system.uri >= j.value || '/' AND system.uri < j.value || '0')`;
}

/** The span `from` … `to` against dates of one prefix, at least one: one comparison, however many. */
function datesSql(atoms: readonly (Range & { readonly how: Prefix })[], from: Sql, to: Sql): Sql {
  const [{ how, low, high }] = atoms as readonly [AtomOf<'date'>];
  if (atoms.length === 1) return spanTest(how, sql('?', clamp(low)), sql('?', clamp(high)), from, to);
  const list = listOf(atoms, atom => [clamp(atom.low), clamp(atom.high)]);
  return q`EXISTS (SELECT 1 FROM json_each(${list}) j WHERE ${spanTest(how, sql('j.value ->> 0'), sql('j.value ->> 1'), from, to)})`;
}
/** A moment against a list of dates. */
export function momentSql({ anyOf: atoms }: Test, moment: Sql): Sql {
  const dates = atoms.filter((atom): atom is AtomOf<'date'> => atom.kind === 'date');
  return anyOf([...Map.groupBy(dates, shapeOf).values()].map(alike => datesSql(alike, moment, moment)));
}

/** A number in a list. JSON writes large ones without a fraction, and SQLite would take them for integers, which are more exact; it has no infinite ones. */
const inList = (value: number): number | string => (Number.isFinite(value) ? value : value > 0 ? '9e999' : '-9e999');
const real = (at: number): Sql => sql(`CAST(j.value ->> ${at} AS REAL)`);

function quantitiesSql(atoms: readonly AtomOf<'quantity'>[], of: Column, known: Dictionary): Sql {
  const [{ how, unit, low, high }] = atoms as readonly [AtomOf<'quantity'>];
  if (atoms.length === 1) return q`(${of('unit')} = ${known.systemId(unit)} AND ${spanTest(how, sql('?', low), sql('?', high), of('low'), of('high'))})`;
  const list = listOf(atoms, atom => [known.systemId(atom.unit), inList(atom.low), inList(atom.high)]);
  return q`EXISTS (SELECT 1 FROM json_each(${list}) j WHERE ${of('unit')} = j.value ->> 0 AND ${spanTest(how, real(1), real(2), of('low'), of('high'))})`;
}

function positionsSql(atoms: readonly AtomOf<'position'>[], of: Column): Sql {
  // Reckoned as kinds/position.ts does, so that both round alike.
  const near = (x: Sql, y: Sql, z: Sql, reach: Sql): Sql => {
    const square = (axis: string, at: Sql): Sql => q`(${of(axis)} - ${at}) * (${of(axis)} - ${at})`;
    return q`${square('x', x)} + ${square('y', y)} + ${square('z', z)} <= ${reach}`;
  };
  const [{ x, y, z, reach }] = atoms as readonly [AtomOf<'position'>];
  if (atoms.length > 1) {
    const list = listOf(atoms, atom => [atom.x, atom.y, atom.z, atom.reach]);
    return q`EXISTS (SELECT 1 FROM json_each(${list}) j WHERE ${near(real(0), real(1), real(2), real(3))})`;
  }
  // A band that an index can seek, a little wider than it has to be.
  const band = Math.sqrt(reach) * 1.000001 + 1e-9;
  return q`(${of('z')} BETWEEN ${z - band} AND ${z + band} AND ${near(sql('?', x), sql('?', y), sql('?', z), sql('?', reach))})`;
}
