import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/types.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { after } from '../../src/search/kinds/quantity.ts';
import { matches } from '../../src/search/match.ts';
import type { Atom, IndexValue, Kind, PlainAtom, PlainValue, Predicate, SearchParam, SortKey } from '../../src/search/query.ts';
import { conditionOf } from '../../src/store/mongodb/condition.ts';
import { foundBy } from '../../src/store/mongodb/entries.ts';
import { makeJoins } from '../../src/store/mongodb/joins.ts';
import { keyStages } from '../../src/store/mongodb/order.ts';
import { numberText } from '../../src/store/mongodb/texts.ts';
import { facetsOf } from '../contract/world.ts';
import { evaluated, passesFilter } from '../mongodb/evaluate.ts';

// What the store asks of MongoDB, evaluated here: the same as a predicate means in memory. Needs no server.
const one = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const texts = one('', 'a', 'ab', 'a b', 'b', 'A', '!', ' ', '/', '$a', 'a|b', 'ä', '\u{10ffff}', '\u{ffff}', '\u0000', 'a\u0000', '0', '1 a', '.*', 'a\nb');
const numbers = one(0, 1, -1, 2, 1.5, -1.5, 1e300, -1e300, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, after(1), 0.1 + 0.2, 0.3);
const spanArb = fc.tuple(numbers, numbers).map(([one, other]) => ({ low: Math.min(one, other), high: Math.max(one, other) }));
const momentArb = one(-8.64e15, -1, 0, 1, 1_700_000_000_000, 1_700_000_000_001, 8.64e15);
const periodArb = fc.tuple(momentArb, momentArb).map(([one, other]) => ({ low: Math.min(one, other), high: Math.max(one, other) }));
const howArb = one('eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap' as const) as fc.Arbitrary<'eq'>;
const placeArb = one<readonly [number, number, number]>([1, 0, 0], [0, 1, 0], [0, 0, -1], [0.6, 0.8, 0], [0.36, 0.48, 0.8], [0.48, 0.36, 0.8]);
const ofType = one('', 'Patient', 'Group');

type Plain = PlainValue['kind'];
const valueArbs: Readonly<Record<Plain, fc.Arbitrary<PlainValue>>> = {
  token: fc.record({ kind: fc.constant('token'), system: texts, code: texts }),
  string: fc.record({ kind: fc.constant('string'), text: texts, exact: texts }),
  date: periodArb.map(period => ({ kind: 'date', ...period })),
  reference: fc.record({ kind: fc.constant('reference'), type: ofType, id: texts }),
  uri: fc.record({ kind: fc.constant('uri'), uri: fc.oneof(texts, one('u', 'u/a', 'u/', 'ua', 'u0')) }),
  quantity: fc.tuple(texts, spanArb).map(([unit, span]) => ({ kind: 'quantity', unit, ...span })),
};
const atomArbs: Readonly<Record<Plain, fc.Arbitrary<PlainAtom>>> = {
  token: fc.record({ system: texts, code: texts }, { requiredKeys: [] }).map(atom => ({ kind: 'token', ...atom })),
  string: fc.record({ kind: fc.constant('string'), how: one<'exact' | 'starts' | 'contains'>('starts', 'contains', 'exact'), text: texts }),
  date: fc.tuple(howArb, periodArb).map(([how, period]) => ({ kind: 'date', how, ...period })),
  // An id without a type is of ours, where no two types are looked for.
  reference: fc.oneof(
    fc.record({ kind: fc.constant('reference'), type: ofType, id: texts }),
    one('a', '1').map((id): PlainAtom => ({ kind: 'reference', id })),
  ),
  uri: fc.record({ kind: fc.constant('uri'), how: one<'is' | 'under'>('is', 'under'), uri: one('u', 'u/a', 'a', '/', '') }),
  quantity: fc.tuple(howArb, texts, spanArb).map(([how, unit, span]) => ({ kind: 'quantity', how, unit, ...span })),
};
const plainKinds = Object.keys(valueArbs) as readonly Plain[];

/** What a parameter offers, and what may be asked of it. */
interface Case {
  readonly param: SearchParam;
  readonly atoms: readonly Atom[];
}
const paramOf = (code: string, kind: Kind, base: readonly string[], values: readonly IndexValue[], components?: readonly SearchParam[]): SearchParam => ({
  code,
  kind,
  base,
  targets: [],
  extract: () => values,
  ...(components === undefined ? {} : { components }),
});
const many = <T>(arbitrary: fc.Arbitrary<T>, minLength = 0) => fc.array(arbitrary, { minLength, maxLength: 4 });

const plainCase = (code: string): fc.Arbitrary<Case> =>
  fc.tuple(one(...plainKinds), one<readonly string[]>([], ['Patient'])).chain(([kind, base]) =>
    fc.record({ values: many(valueArbs[kind]), atoms: many(atomArbs[kind]) }).map(({ values, atoms }) => {
      // In memory an absolute one of no type has the id that is asked for without one only by chance.
      const kept = values.filter(value => value.kind !== 'reference' || value.type !== '' || value.id !== 'a');
      return { param: paramOf(code, kind, base, kept), atoms };
    }),
  );
const compositeCase = (code: string): fc.Arbitrary<Case> =>
  fc.array(one(...plainKinds), { minLength: 2, maxLength: 3 }).chain(kinds => {
    const components = kinds.map((kind, at) => paramOf(`part${at}`, kind, ['Patient'], []));
    const values = fc.tuple(...kinds.map(kind => valueArbs[kind])).map((parts): IndexValue => ({ kind: 'composite', parts }));
    const atoms = fc.tuple(...kinds.map(kind => atomArbs[kind])).map((parts): Atom => ({ kind: 'composite', parts }));
    return fc
      .record({ values: many(values), atoms: many(atoms) })
      .map(made => ({ param: paramOf(code, 'composite', ['Patient'], made.values, components), ...made }));
  });
const positionCase = (code: string): fc.Arbitrary<Case> =>
  fc.record({ places: many(placeArb), from: placeArb, to: placeArb }).map(({ places, from: [x, y, z], to: [a, b, c] }) => {
    // Just as far as another place, so that rounding tells.
    const reach = (a - x) * (a - x) + (b - y) * (b - y) + (c - z) * (c - z);
    const values = places.map(([x, y, z]): IndexValue => ({ kind: 'position', x, y, z }));
    return { param: paramOf(code, 'position', ['Patient'], values), atoms: [{ kind: 'position', x, y, z, reach }] };
  });
const wordArb = one('a', 'ab', 'b', 'ä', '1', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(66));
const wordsCase = (code: string): fc.Arbitrary<Case> =>
  fc.record({ words: fc.uniqueArray(wordArb), atoms: many(fc.uniqueArray(wordArb, { minLength: 1, maxLength: 3 })) }).map(({ words, atoms }) => ({
    param: paramOf(code, 'words', [], words.length === 0 ? [] : [{ kind: 'words', words }]),
    atoms: atoms.map(each => ({ kind: 'words', words: each })),
  }));
/** Codes of which one is the beginning of another. */
const caseArb = (code: string): fc.Arbitrary<Case> =>
  fc.oneof({ weight: 3, arbitrary: plainCase(code) }, { weight: 2, arbitrary: compositeCase(code) }, positionCase(code), wordsCase(code));
const casesArb = fc.tuple(caseArb('c'), caseArb('c-d'), caseArb('c:text'));

const indexed: Indexed = {
  resource: { resourceType: 'Patient', id: 'p' } as Resource,
  facets: facetsOf({ type: 'Patient', id: 'p' }),
  updated: 1_700_000_000_000,
};
const documentOf = (params: readonly SearchParam[]) => ({ _id: 'Patient/p', t: 'Patient', u: indexed.updated, ...foundBy(indexed, params) });

describe('memory = what is asked of MongoDB', () => {
  test('every kind, alone and denied, beside values of other parameters', () => {
    fc.assert(
      fc.property(casesArb, cases => {
        const document = documentOf(cases.map(each => each.param));
        for (const { param, atoms } of cases) {
          const asked: Predicate[] = [...atoms.map(atom => [atom]), atoms].map(anyOf => ({ op: 'some', param, test: { anyOf } }));
          for (const where of [...asked, { op: 'has', param } as const]) {
            const expected = matches(where, indexed, []);
            expect([where, passesFilter(conditionOf(where, 'Patient', makeJoins()), document)]).toEqual([where, expected]);
            expect(passesFilter(conditionOf({ op: 'not', term: where }, 'Patient', makeJoins()), document)).toBe(!expected);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('lastUpdated', () => {
    fc.assert(
      fc.property(many(atomArbs.date, 1), anyOf => {
        const where: Predicate = { op: 'updated', test: { anyOf } };
        expect(passesFilter(conditionOf(where, 'Patient', makeJoins()), documentOf([]))).toBe(matches(where, indexed, []));
      }),
    );
  });

  test('the number in no unit that it is sorted by: the least, or the greatest of those that come last', () => {
    fc.assert(
      fc.property(many(valueArbs.quantity), fc.boolean(), (values, descending) => {
        const sort: readonly SortKey[] = [{ by: paramOf('c', 'quantity', ['Patient'], values), descending }];
        const [stage] = keyStages(sort, [{ type: 'Patient', where: { op: 'all' }, links: [] }]);
        const key = evaluated((stage!.$addFields as { k0: unknown }).k0, { ROOT: documentOf([sort[0]!.by as SearchParam]) });
        const bare = values
          .filter(value => value.kind === 'quantity' && value.unit === '')
          .map(value => (value as { low: number; high: number })[descending ? 'high' : 'low']);
        const best = descending ? Math.max(...bare) : Math.min(...bare);
        expect(key).toBe(bare.length === 0 ? null : `0 ${numberText(best)}`);
      }),
    );
  });
});

test('numbers are ordered as their texts are', () => {
  fc.assert(
    fc.property(fc.oneof(numbers, fc.double({ noNaN: true })), fc.oneof(numbers, fc.double({ noNaN: true })), (left, right) => {
      expect(Math.sign(left - right) || 0).toBe(Number(numberText(left) > numberText(right)) - Number(numberText(left) < numberText(right)));
    }),
    { numRuns: 1000 },
  );
  expect(numberText(-0)).toBe(numberText(0));
});
