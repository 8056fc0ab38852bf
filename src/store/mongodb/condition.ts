import type { KeyName, ResourceType } from '../../fhir/types.ts';
import { nameOf } from '../../fhir/types.ts';
import type { Atom, DatePrefix, Predicate, SearchParam, Test } from '../../search/query.ts';
import { afterPrefix, clamp } from '../ranges.ts';
import { paramOf, targetOf } from './entries.ts';
import type { Joins } from './joins.ts';

/** A MongoDB query filter. */
export type Filter = Readonly<Record<string, unknown>>;

export const everything: Filter = {};
export const nothing: Filter = { _id: { $in: [] } };

const anyOf = (filters: readonly Filter[]): Filter => (filters.length === 0 ? nothing : filters.length === 1 ? filters[0]! : { $or: filters });
export const allOf = (filters: readonly Filter[]): Filter => {
  const kept = filters.filter(filter => filter !== everything);
  return kept.length === 0 ? everything : kept.length === 1 ? kept[0]! : { $and: kept };
};

/** Whether the predicate needs more than the resource itself. */
export function asksMore(where: Predicate): boolean {
  switch (where.op) {
    case 'granted':
      return true;
    case 'and':
    case 'or':
      return where.terms.some(asksMore);
    case 'not':
      return asksMore(where.term);
    default:
      return false;
  }
}

/** The predicate as a filter on resources of the type. What has to be joined for it is noted in `joins`. */
export function conditionOf(where: Predicate, type: ResourceType, joins: Joins): Filter {
  switch (where.op) {
    case 'all':
      return everything;
    case 'none':
      return nothing;
    case 'and':
      return allOf(where.terms.map(term => conditionOf(term, type, joins)));
    case 'or':
      return anyOf(where.terms.map(term => conditionOf(term, type, joins)));
    case 'not':
      return { $nor: [conditionOf(where.term, type, joins)] };
    case 'some':
      return someOf(where.param, where.test, type);
    case 'has': {
      const p = paramOf(where.param, type);
      return p === undefined ? nothing : { 'ix.p': p };
    }
    case 'keys': {
      const names: readonly KeyName[] = [...new Set(where.keys.filter(key => key.type === type).map(nameOf))];
      return { _id: names.length === 1 ? names[0] : { $in: names } };
    }
    case 'updated':
      return anyOf(datesIn(where.test).map(({ how, low, high }) => dateTest(how, clamp(low), clamp(high), 'u', 'u')));
    case 'granted':
      return joins.granted(where.effect, where.ask);
  }
}

function someOf(param: SearchParam, { anyOf: atoms }: Test, type: ResourceType): Filter {
  const p = paramOf(param, type);
  if (p === undefined) return nothing;
  const tests = testsOf(atoms.filter(atom => atom.kind === param.kind));
  return anyOf(tests.map(test => ({ ix: { $elemMatch: { p, ...test } } })));
}

type AtomOf<K extends Atom['kind']> = Extract<Atom, { kind: K }>;
const ofKind = <K extends Atom['kind']>(atoms: readonly Atom[], kind: K): readonly AtomOf<K>[] => atoms.filter((atom): atom is AtomOf<K> => atom.kind === kind);
const oneOf = (values: readonly (string | undefined)[]): unknown => (values.length === 1 ? values[0] : { $in: values });

/** What `v` and `w` of some entry must be: one of these. Atoms of one shape become one list, however long. */
function testsOf(atoms: readonly Atom[]): readonly Filter[] {
  return [
    ...tokenTests(ofKind(atoms, 'token')),
    ...stringTests(ofKind(atoms, 'string')),
    ...ofKind(atoms, 'date').map(({ how, low, high }) => dateTest(how, clamp(low), clamp(high), 'v', 'w')),
    ...referenceTests(ofKind(atoms, 'reference')),
    ...(ofKind(atoms, 'uri').length === 0 ? [] : [{ v: oneOf(ofKind(atoms, 'uri').map(atom => atom.uri)) }]),
  ];
}
function tokenTests(atoms: readonly AtomOf<'token'>[]): readonly Filter[] {
  return [...Map.groupBy(atoms, ({ system, code }) => (code === undefined ? undefined : (system ?? null)))].flatMap(([system, alike]): readonly Filter[] => {
    if (system === undefined) {
      const systems = alike.map(atom => atom.system);
      return systems.includes(undefined) ? [{}] : [{ w: oneOf(systems) }];
    }
    const v = oneOf(alike.map(atom => atom.code));
    return [system === null ? { v } : { v, w: system }];
  });
}
function stringTests(atoms: readonly AtomOf<'string'>[]): readonly Filter[] {
  const exact = atoms.filter(atom => atom.how === 'exact').map(atom => atom.text);
  return [
    ...(exact.length === 0 ? [] : [{ w: oneOf(exact) }]),
    ...atoms.filter(atom => atom.how === 'starts').map(({ text }) => ({ v: startsWith(text) })),
    ...atoms.filter(atom => atom.how === 'contains').map(({ text }) => ({ v: { $regex: literally(text) } })),
  ];
}
/** A range that an index can seek. */
function startsWith(text: string): Filter {
  const end = afterPrefix(text);
  return end === undefined ? { $gte: text } : { $gte: text, $lt: end };
}
/** The text as a regular expression that stands for nothing but itself. */
const literally = (text: string): string => text.replaceAll(/\W/g, one => (one > '\x7f' ? one : `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`));

function referenceTests(atoms: readonly AtomOf<'reference'>[]): readonly Filter[] {
  const typed = atoms.flatMap(({ type, id }) => (type === undefined ? [] : [targetOf(type, id)]));
  const untyped = atoms.flatMap(({ type, id }) => (type === undefined ? [id] : []));
  // What is not ours begins with a slash, which comes before all letters.
  return [...(typed.length === 0 ? [] : [{ v: oneOf(typed) }]), ...(untyped.length === 0 ? [] : [{ w: oneOf(untyped), v: { $gte: 'A' } }])];
}

const datesIn = ({ anyOf: atoms }: Test): readonly AtomOf<'date'>[] => ofKind(atoms, 'date');

/** R4's prefixes: the span `from` … `to` of a value against the span `low` … `high` that is asked for. */
function dateTest(how: DatePrefix, low: number, high: number, from: string, to: string): Filter {
  const both = (first: Filter, last: Filter): Filter => (from === to ? { [from]: { ...first, ...last } } : { [from]: first, [to]: last });
  const within = both({ $gte: low }, { $lte: high });
  switch (how) {
    case 'eq':
      return within;
    case 'ne':
      return { $or: [{ [from]: { $lt: low } }, { [to]: { $gt: high } }] };
    case 'gt':
      return { [to]: { $gt: high } };
    case 'lt':
      return { [from]: { $lt: low } };
    case 'ge':
      return { $or: [{ [to]: { $gt: high } }, within] };
    case 'le':
      return { $or: [{ [from]: { $lt: low } }, within] };
    case 'sa':
      return { [from]: { $gt: high } };
    case 'eb':
      return { [to]: { $lt: low } };
    case 'ap':
      return both({ $lte: high }, { $gte: low });
  }
}
