import fc from 'fast-check';
import { rangeOf } from '../../src/fhir/datetime.ts';
import { parsePosition } from '../../src/search/kinds/position.ts';
import { parseQuantity } from '../../src/search/kinds/quantity.ts';
import { fold } from '../../src/search/kinds/string.ts';
import { parseWords } from '../../src/search/kinds/words.ts';
import type { Atom, IndexValue, PlainAtom, PlainValue, Prefix, SearchParam } from '../../src/search/query.ts';
import { codes, dates, ids, labels, names, numbers, places, profiles, recordIds, systems, types, units, urls } from './population.ts';

const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
export const howArb = one(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const);
/** Each member may be missing. */
export const partial = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const tokenCodes = [...codes, ...recordIds, ...labels, 'ima', 'true', 'false', '0', '1', '2', '3', 'Patient', 'Observation'];
export const plainArbs: Readonly<Record<PlainAtom['kind'], fc.Arbitrary<PlainAtom>>> = {
  token: partial({ system: one(['', 'organization', ...systems]), code: one(tokenCodes) }).map(atom => ({ kind: 'token', ...atom })),
  string: fc.oneof(
    one(names).chain(name =>
      fc.nat(name.length - 1).map((length): PlainAtom => ({ kind: 'string', how: 'starts', text: fold(name.slice(0, length + 1)) || 'm' })),
    ),
    one(names).chain(name => fc.nat(name.length - 1).map((at): PlainAtom => ({ kind: 'string', how: 'contains', text: fold(name.slice(at)) || 'm' }))),
    one(names).map((text): PlainAtom => ({ kind: 'string', how: 'exact', text })),
  ),
  date: fc.tuple(howArb, one(dates)).map(([how, date]): PlainAtom => ({ kind: 'date', how, ...rangeOf(date)! })),
  reference: fc.oneof(
    fc.record({ type: one([...types, 'Practitioner', 'Consent']), id: one(ids) }).map((atom): PlainAtom => ({ kind: 'reference', ...atom })),
    one(ids).map((id): PlainAtom => ({ kind: 'reference', id })),
    one(urls).map((id): PlainAtom => ({ kind: 'reference', type: '', id })),
  ),
  uri: fc.oneof(
    one([...profiles, ...urls]).map((uri): PlainAtom => ({ kind: 'uri', how: 'is', uri })),
    one(['http://p', 'http://p/bp', 'http://q/one', 'https://elsewhere.example']).map((uri): PlainAtom => ({ kind: 'uri', how: 'under', uri })),
  ),
  quantity: fc
    .tuple(
      howArb,
      one([...numbers.slice(0, -1), 5400, 1e-3]),
      fc.oneof(fc.constant(''), one(units.flatMap(unit => [`||${unit}`, `|http://unitsofmeasure.org|${unit}`, `|${systems[0]}|${unit}`]))),
    )
    .map(([how, number, unit]) => parseQuantity(`${how}${number}${unit}`)!),
};
/** Of the codes that an Observation has, so that a composite is found for its other part. */
const partArbs = {
  ...plainArbs,
  token: fc.oneof(
    partial({ system: one(['', ...systems]), code: one(codes) }).map((atom): PlainAtom => ({ kind: 'token', ...atom })),
    one(codes).map((code): PlainAtom => ({ kind: 'token', code })),
    one(systems).map((system): PlainAtom => ({ kind: 'token', system })),
  ),
};
/** Of the kind of a parameter. */
export function atomArb({ kind, components = [] }: SearchParam): fc.Arbitrary<Atom> {
  switch (kind) {
    case 'composite':
      return fc.tuple(...components.map(part => partArbs[part.kind as PlainAtom['kind']])).map((parts): Atom => ({ kind, parts }));
    case 'position':
      return fc
        .tuple(one(places), one(['', '0', '1', '30', '20100']))
        .map(([{ latitude, longitude }, distance]) => parsePosition(`${latitude}|${longitude}|${distance}|km`)!);
    case 'words':
      return fc.array(one([...names, ...codes, ...units]), { minLength: 1, maxLength: 2 }).map(texts => parseWords(texts.join(' '))!);
    default:
      return plainArbs[kind];
  }
}

/** What asks for a value like this one, so that what is asked is there: `how` where values have spans, `loosely` with less than all that is known of it. */
export function atomLike(value: PlainValue, how: Prefix, loosely: boolean): PlainAtom;
export function atomLike(value: IndexValue, how: Prefix, loosely: boolean): Atom;
export function atomLike(value: IndexValue, how: Prefix, loosely: boolean): Atom {
  switch (value.kind) {
    case 'token':
      return loosely ? { kind: 'token', code: value.code } : value;
    case 'string':
      return loosely ? { kind: 'string', how: 'starts', text: value.text.slice(0, 2) } : { kind: 'string', how: 'exact', text: value.exact };
    case 'date':
    case 'quantity':
      // A period may end before it begins; what is asked for never does.
      return { ...value, how, low: Math.min(value.low, value.high), high: Math.max(value.low, value.high) };
    case 'reference':
      return loosely && value.type !== '' ? { kind: 'reference', id: value.id } : value;
    case 'uri':
      return loosely ? { kind: 'uri', how: 'under', uri: value.uri.slice(0, Math.max(1, value.uri.lastIndexOf('/'))) } : { ...value, how: 'is' };
    case 'composite':
      return { kind: 'composite', parts: value.parts.map(part => atomLike(part, how, loosely)) };
    case 'position':
      return { ...value, reach: loosely ? 1e-4 : 0 };
    case 'words':
      return { kind: 'words', words: loosely ? value.words.slice(0, 1) : value.words };
  }
}
