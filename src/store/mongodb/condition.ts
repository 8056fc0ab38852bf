import type { KeyName, ResourceType } from '../../fhir/types.ts';
import { nameOf } from '../../fhir/types.ts';
import type { Atom, PlainAtom, Predicate, SearchParam, Test } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import { type Element, elementsOf, spansOf } from './element.ts';
import type { Joins } from './joins.ts';
import { entryText, numberText, paramOf, textsOf, wordText } from './texts.ts';

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
      return p === undefined ? nothing : hasAny(where.param, p);
    }
    case 'keys': {
      const names: readonly KeyName[] = [...new Set(where.keys.filter(key => key.type === type).map(nameOf))];
      return { _id: names.length === 1 ? names[0] : { $in: names } };
    }
    case 'updated':
      return anyOf(
        ofKind(where.test.anyOf, 'date').flatMap(({ how, low, high }) =>
          spansOf(how, clamp(low), clamp(high)).map(span => ({ u: { ...span.low, ...span.high } })),
        ),
      );
    case 'granted':
      return joins.granted(where.effect, where.ask);
  }
}

type AtomOf<K extends Atom['kind']> = Extract<Atom, { kind: K }>;
const ofKind = <K extends Atom['kind']>(atoms: readonly Atom[], kind: K): readonly AtomOf<K>[] => atoms.filter((atom): atom is AtomOf<K> => atom.kind === kind);

const hasAny = ({ kind }: SearchParam, p: string): Filter => (kind === 'words' ? { w: { $elemMatch: textsOf(p) } } : entry({ k: textsOf(p) }));

function someOf(param: SearchParam, { anyOf: atoms }: Test, type: ResourceType): Filter {
  const p = paramOf(param, type);
  if (p === undefined) return nothing;
  switch (param.kind) {
    case 'words':
      return anyOf(ofKind(atoms, 'words').map(({ words }) => (words.length === 0 ? hasAny(param, p) : { w: { $all: words.map(word => wordText(p, word)) } })));
    case 'position':
      return anyOf(ofKind(atoms, 'position').map(atom => nearTest(atom, p)));
    case 'composite':
      return anyOf(together(ofKind(atoms, 'composite').flatMap(atom => compositeElements(atom, param, p))));
    default: {
      const place = { k: 'k', h: 'h', begin: entryText(p, ''), ofAll: param.base.length === 0 };
      return anyOf(together(atoms.filter((atom): atom is PlainAtom => atom.kind === param.kind).flatMap(atom => elementsOf(atom, place))));
    }
  }
}

/** Some entry passes this on all its sides. */
const entry = (test: Filter): Filter => ({ ix: { $elemMatch: test } });

/** Some entry is one of these. What is alike but for one text becomes one list, however long. */
function together(elements: readonly Element[]): readonly Filter[] {
  const alike = Map.groupBy(elements, element => {
    const side = listed(element);
    return JSON.stringify([side, Object.entries({ ...element, ...(side === undefined ? {} : { [side]: '' }) })]);
  });
  return [...alike.values()].map(those => {
    const [first] = those;
    const side = listed(first!);
    if (side === undefined) return entry(first!);
    const texts = [...new Set(those.map(element => element[side]))];
    const text = texts.length === 1 ? texts[0] : { $in: texts };
    return Object.keys(first!).length === 1 ? { [`ix.${side}`]: text } : entry({ ...first, [side]: text });
  });
}
/** The side whose text may be one of several. */
const listed = ({ k, h }: Element): 'k' | 'h' | undefined => (typeof k === 'string' ? 'k' : typeof h === 'string' ? 'h' : undefined);

/** Every way in which all parts of one occurrence can be what is asked. */
function compositeElements({ parts }: AtomOf<'composite'>, { components = [] }: SearchParam, p: string): readonly Element[] {
  if (parts.some((part, at) => part.kind !== components[at]?.kind)) return [];
  // The parameter itself, for parts that ask nothing of the first one's sides.
  let ways: readonly Element[] = [{}];
  for (const [at, part] of parts.entries()) {
    const place = at === 0 ? { k: 'k', h: 'h', begin: entryText(p, '') } : { k: `k${at + 1}`, h: `h${at + 1}`, begin: '' };
    const elements = elementsOf(part, place);
    ways = ways.flatMap(way => elements.map(element => ({ ...way, ...element })));
  }
  return ways;
}

/** What a double loses in a square and its root. */
const SLACK = 1e-9;
/** As in ../../search/kinds/position.ts. What lies too far north or south an index leaves out. */
function nearTest({ x, y, z, reach }: AtomOf<'position'>, p: string): Filter {
  const far = Math.sqrt(reach) + SLACK;
  const [south, north] = [entryText(p, numberText(z - far)), entryText(p, numberText(z + far))];
  const square = (side: string, from: number): object => ({ $multiply: [{ $subtract: [`$$e.${side}`, from] }, { $subtract: [`$$e.${side}`, from] }] });
  // Taken away is what is to be added, since a sum of three is rounded once, not twice.
  const distance = { $subtract: [{ $add: [square('x', x), square('y', y)] }, { $multiply: [{ $subtract: [z, '$$e.z'] }, { $subtract: ['$$e.z', z] }] }] };
  const within = { $and: [{ $gte: ['$$e.k', south] }, { $lte: ['$$e.k', north] }, { $lte: [distance, reach] }] };
  return allOf([entry({ k: { $gte: south, $lte: north } }), { $expr: { $anyElementTrue: [{ $map: { input: '$ix', as: 'e', in: within } }] } }]);
}
