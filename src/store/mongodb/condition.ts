import type { KeyName, ResourceType } from '../../fhir/types.ts';
import { nameOf } from '../../fhir/types.ts';
import type { Atom, Predicate, SearchParam, Test } from '../../search/query.ts';
import { afterPrefix, clamp } from '../ranges.ts';
import { entryText, momentText, paramOf, targetOf, textsOf } from './entries.ts';
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
      return p === undefined ? nothing : entry({ k: textsOf(p) });
    }
    case 'keys': {
      const names: readonly KeyName[] = [...new Set(where.keys.filter(key => key.type === type).map(nameOf))];
      return { _id: names.length === 1 ? names[0] : { $in: names } };
    }
    case 'updated':
      return anyOf(datesIn(where.test).map(atom => dateTest(atom, momentSpan('u'))));
    case 'granted':
      return joins.granted(where.effect, where.ask);
  }
}

function someOf(param: SearchParam, { anyOf: atoms }: Test, type: ResourceType): Filter {
  const p = paramOf(param, type);
  return p === undefined
    ? nothing
    : anyOf(
        testsOf(
          { p, ofAll: param.base.length === 0 },
          atoms.filter(atom => atom.kind === param.kind),
        ),
      );
}

/** The parameter that is tested, and whether all types carry it. */
interface Tested {
  readonly p: string;
  readonly ofAll: boolean;
}
type AtomOf<K extends Atom['kind']> = Extract<Atom, { kind: K }>;
const ofKind = <K extends Atom['kind']>(atoms: readonly Atom[], kind: K): readonly AtomOf<K>[] => atoms.filter((atom): atom is AtomOf<K> => atom.kind === kind);

/** Some entry has this text on the side, or one of these. */
const has = (side: 'k' | 'h', { p }: Tested, values: readonly string[]): readonly Filter[] => {
  const texts = values.map(value => entryText(p, value));
  return texts.length === 0 ? [] : [{ [`ix.${side}`]: texts.length === 1 ? texts[0] : { $in: texts } }];
};
/** Some entry passes this on both its sides. */
const entry = (test: Filter): Filter => ({ ix: { $elemMatch: test } });

/** What the entries must be: one of these. Atoms of one shape become one list, however long. */
function testsOf(tested: Tested, atoms: readonly Atom[]): readonly Filter[] {
  return [
    ...tokenTests(tested, ofKind(atoms, 'token')),
    ...stringTests(tested, ofKind(atoms, 'string')),
    ...ofKind(atoms, 'date').map(atom => dateTest(atom, entrySpan(tested.p))),
    ...referenceTests(tested, ofKind(atoms, 'reference')),
    ...has(
      'k',
      tested,
      ofKind(atoms, 'uri').map(atom => atom.uri),
    ),
  ];
}
function tokenTests(tested: Tested, atoms: readonly AtomOf<'token'>[]): readonly Filter[] {
  if (atoms.some(({ system, code }) => system === undefined && code === undefined)) return [entry({ k: textsOf(tested.p) })];
  const codes = atoms.flatMap(({ system, code }) => (system === undefined ? [code!] : []));
  const systems = atoms.flatMap(({ system, code }) => (code === undefined ? [system!] : []));
  const both = Map.groupBy(
    atoms.filter(({ system, code }) => system !== undefined && code !== undefined),
    atom => atom.system!,
  );
  return [
    ...has('k', tested, codes),
    ...has('h', tested, systems),
    ...[...both].map(([system, alike]) => {
      const texts = alike.map(atom => entryText(tested.p, atom.code!));
      return entry({ k: texts.length === 1 ? texts[0] : { $in: texts }, h: entryText(tested.p, system) });
    }),
  ];
}
function stringTests(tested: Tested, atoms: readonly AtomOf<'string'>[]): readonly Filter[] {
  const of = (how: string): readonly string[] => atoms.filter(atom => atom.how === how).map(atom => atom.text);
  return [
    ...has('h', tested, of('exact')),
    ...of('starts').map(text => entry({ k: startsWith(entryText(tested.p, text)) })),
    ...of('contains').map(text => entry({ k: { ...textsOf(tested.p), $regex: `^${literally(`${tested.p} `)}.*${literally(text)}`, $options: 's' } })),
  ];
}
/** A range that an index can seek. */
const startsWith = (text: string): Filter => ({ $gte: text, $lt: afterPrefix(text)! });

/** The text as a regular expression that stands for nothing but itself. */
const literally = (text: string): string =>
  text.replaceAll(/[\\^$.|?*+()[\]{}\s\p{Cc}]/gu, one => (one > '\x7f' || one === ' ' ? one : `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`));

function referenceTests(tested: Tested, atoms: readonly AtomOf<'reference'>[]): readonly Filter[] {
  const typed = atoms.flatMap(({ type, id }) => (type === undefined ? [] : [targetOf(type, id)]));
  const untyped = atoms.flatMap(({ type, id }) => (type === undefined ? [id] : []));
  const ours = untyped.map(id =>
    tested.ofAll
      ? entry({ k: { ...textsOf(tested.p), $regex: `^${literally(`${tested.p} `)}[A-Za-z]+/${literally(id)}$` } })
      : // What is not ours begins with a slash, which comes before all letters.
        entry({ h: entryText(tested.p, id), k: { $gte: entryText(tested.p, 'A'), $lt: textsOf(tested.p).$lt } }),
  );
  return [...has('k', tested, typed), ...ours];
}

const datesIn = ({ anyOf: atoms }: Test): readonly AtomOf<'date'>[] => ofKind(atoms, 'date');

type Comparison = '$lt' | '$lte' | '$gt' | '$gte';
/** How a span of time is asked: comparisons of its beginning, and of its end. */
type AskSpan = (low: Partial<Record<Comparison, number>>, high: Partial<Record<Comparison, number>>) => Filter;

/** The span of some entry. */
const entrySpan =
  (p: string): AskSpan =>
  (low, high) => {
    const side = (test: Partial<Record<Comparison, number>>): Filter =>
      Object.fromEntries(Object.entries(test).map(([how, moment]) => [how, entryText(p, momentText(moment))]));
    const [from, to] = [side(low), side(high)];
    // One side must keep to the parameter; the other goes with it.
    return entry({
      ...(Object.keys(low).length === 0 ? {} : { k: { ...textsOf(p), ...from } }),
      ...(Object.keys(high).length === 0 ? {} : { h: { ...textsOf(p), ...to } }),
    });
  };
/** One moment, as a span. */
const momentSpan =
  (field: string): AskSpan =>
  (low, high) => ({ [field]: { ...low, ...high } });

/** R4's prefixes: a span of a value against the span `low` … `high` that is asked for. */
function dateTest({ how, low: first, high: last }: AtomOf<'date'>, span: AskSpan): Filter {
  const [low, high] = [clamp(first), clamp(last)];
  const within = span({ $gte: low }, { $lte: high });
  switch (how) {
    case 'eq':
      return within;
    case 'ne':
      return { $or: [span({ $lt: low }, {}), span({}, { $gt: high })] };
    case 'gt':
      return span({}, { $gt: high });
    case 'lt':
      return span({ $lt: low }, {});
    case 'ge':
      return { $or: [span({}, { $gt: high }), within] };
    case 'le':
      return { $or: [span({ $lt: low }, {}), within] };
    case 'sa':
      return span({ $gt: high }, {});
    case 'eb':
      return span({}, { $lt: low });
    case 'ap':
      return span({ $lte: high }, { $gte: low });
  }
}
