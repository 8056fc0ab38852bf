import type { Range } from '../../fhir/types.ts';
import type { Atom, Predicate } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import { testSql } from './atoms.ts';
import { isExact } from './composite.ts';
import { keysSql, paramOf, wordsIn } from './condition.ts';
import type { Dictionary } from './dictionary.ts';
import { joined, q, type Sql, sql } from './driver.ts';
import { actorsOf } from './granted.ts';
import { tables } from './rows.ts';
import { dateRows, momentRows, numberRows } from './spans.ts';
import { wordRows } from './words.ts';

/** A select of `rid` that has every row that a term lets through. */
export interface Candidate {
  readonly rows: Sql;
  readonly unique: boolean;
  /** Rows that the term does not let through are in it too. */
  readonly loose: boolean;
  /** The rows come in their order, so that a page can end early however many there are. */
  readonly ordered: boolean;
}

/** Rows by which one term can be driven, without any join; undefined where no index finds them. */
export function termSource(term: Predicate, type: string, known: Dictionary): Candidate | undefined {
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
    case 'updated': {
      const [first, ...others] = term.test.anyOf;
      if (first?.kind !== 'date' || others.length > 0) return undefined;
      const rows = momentRows(first.how, clamped(first), known.typeId(type));
      return rows && { rows, unique: true, loose: false, ordered: false };
    }
    default:
      return undefined;
  }
}
const clamped = ({ low, high }: Range): Range => ({ low: clamp(low), high: clamp(high) });

function someSource({ param, test }: Extract<Predicate, { op: 'some' }>, type: string, known: Dictionary): Candidate | undefined {
  const p = paramOf(param, type, known);
  const [first] = test.anyOf;
  const alone = test.anyOf.length === 1;
  if (param.kind === 'words') return { rows: wordRows(p, wordsIn(test)), unique: true, loose: false, ordered: true };
  if (param.kind === 'date' || param.kind === 'quantity') {
    if (!alone) return undefined;
    const rows =
      first?.kind === 'date'
        ? dateRows(first.how, clamped(first), p)
        : first?.kind === 'quantity'
          ? numberRows(first.how, first, p, known.systemId(first.unit))
          : undefined;
    return rows && { rows, unique: false, loose: true, ordered: false };
  }
  if (!test.anyOf.every(atom => isSeekable(atom, alone))) return undefined;
  const table = sql(tables[param.kind].name);
  const unique = alone && first !== undefined && isSingle(first);
  return {
    rows: q`SELECT ${table}.rid FROM ${table} WHERE ${table}.p = ${p} AND ${testSql(param, test, table.text, known)}`,
    unique,
    loose: false,
    // Of one value, then, whatever stands beside it.
    ordered: alone && (unique || first?.kind === 'token' || first?.kind === 'reference'),
  };
}

/** Whether an index finds the rows of the atom. */
function isSeekable(atom: Atom, alone: boolean): boolean {
  switch (atom.kind) {
    case 'token':
      return atom.code !== undefined;
    case 'string':
      return atom.how === 'exact' || (atom.how === 'starts' && alone);
    case 'composite':
      return isExact(atom.parts[0]);
    case 'position':
      return alone;
    default:
      return true;
  }
}
/** Whether a resource has one row at most that passes. */
function isSingle(atom: Atom): boolean {
  switch (atom.kind) {
    case 'token':
      return atom.system !== undefined;
    case 'reference':
      return atom.type !== undefined;
    case 'uri':
      return atom.how === 'is';
    case 'string':
      return atom.how === 'exact';
    default:
      return false;
  }
}

/** Everything in the records of the grants that the ask may rest on. */
export function grantedSource({ effect, ask }: Extract<Predicate, { op: 'granted' }>, type: string, known: Dictionary): Candidate {
  return {
    rows: q`SELECT tok.rid FROM grants CROSS JOIN tok ON tok.p = ${known.paramId(type, '.record')} AND tok.code = grants.record
      WHERE grants.actor IN (SELECT value FROM json_each(${actorsOf(ask)})) AND grants.deny = ${effect === 'deny' ? 1 : 0}`,
    unique: false,
    loose: true,
    ordered: false,
  };
}
