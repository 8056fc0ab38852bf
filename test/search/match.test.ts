import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as facets from '../../src/search/facets.ts';
import type { Facets, Indexed } from '../../src/search/indexed.ts';
import { matches, passes } from '../../src/search/match.ts';
import type { Atom, Predicate, SearchParam } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { grantArb, indexedArb, linkArb, load, populationArb, predicateArb, sortArb } from './arbitraries.ts';
import { finds } from './memory.ts';

const registry = buildRegistry();
const stamped: Facets = {
  records: ['Patient/mary', 'Patient/tom'],
  origin: { kind: 'organization', by: 'ima' },
  confidentiality: 3,
  sensitivity: ['HIV'],
  codes: [{ system: 'http://loinc.org', code: '718-7' }, { code: 'x' }, { system: 'http://no-code' }],
  clinicalDate: { low: -Infinity, high: 5 },
  authors: ['Practitioner/lee'],
  about: ['Observation/1'],
};
const observation: Indexed = {
  resource: {
    resourceType: 'Observation',
    id: '1',
    meta: { profile: ['http://p|2'] },
    status: 'final',
    subject: { reference: 'Patient/mary' },
    contained: [{ resourceType: 'Observation', subject: { reference: 'Patient/tom' } }],
  },
  facets: stamped,
  updated: 1000,
};
const status = registry.param('Observation', 'status')!;
const holds = (where: Predicate, of: Indexed = observation) => matches(where, of, []);
const status_ = (code: string): Predicate => ({ op: 'some', param: status, test: { anyOf: [{ kind: 'token', code }] } });

describe('what a predicate means for one resource', () => {
  test('constants', () => expect([holds({ op: 'all' }), holds({ op: 'none' })]).toEqual([true, false]));
  test('and, or, not', () => {
    const [yes, no] = [status_('final'), status_('draft')];
    expect([
      holds({ op: 'and', terms: [yes, yes] }),
      holds({ op: 'and', terms: [yes, no] }),
      holds({ op: 'or', terms: [no, yes] }),
      holds({ op: 'not', term: no }),
    ]).toEqual([true, false, true, true]);
    expect([holds({ op: 'and', terms: [] }), holds({ op: 'or', terms: [] })]).toEqual([true, false]);
  });
  test('some: any of the atoms', () =>
    expect(
      holds({
        op: 'some',
        param: status,
        test: {
          anyOf: [
            { kind: 'token', code: 'a' },
            { kind: 'token', code: 'final' },
          ],
        },
      }),
    ).toBe(true));
  test('has', () => expect([holds({ op: 'has', param: status }), holds({ op: 'has', param: registry.param('Observation', 'code')! })]).toEqual([true, false]));
  test('keys: type and id', () =>
    expect([holds({ op: 'keys', keys: [{ type: 'Observation', id: '1' }] }), holds({ op: 'keys', keys: [{ type: 'Patient', id: '1' }] })]).toEqual([
      true,
      false,
    ]));
  test('updated, which never holds of what is not stored', () => {
    const updated = (how: 'eq' | 'sa' | 'ne', low: number, high: number): Atom => ({ kind: 'date', how, low, high });
    const either = { op: 'updated', test: { anyOf: [updated('sa', 0, 1000), updated('eq', 1000, 1999)] } } as const;
    expect([holds(either), holds({ op: 'updated', test: { anyOf: [updated('sa', 0, 1000)] } })]).toEqual([true, false]);
    expect(holds({ op: 'updated', test: { anyOf: [updated('ne', 0, 1)] } }, { resource: observation.resource, facets: stamped })).toBe(false);
  });
  test('kinds never meet', () => expect(passes({ kind: 'uri', how: 'is', uri: 'x' }, { kind: 'token', system: '', code: 'x' })).toBe(false));
});

describe('facets as parameters', () => {
  const of = (param: SearchParam, facetsOf: Partial<Facets> = {}) => param.extract({ ...observation, facets: { ...stamped, ...facetsOf } });
  const token = (code: string, system = '') => ({ kind: 'token', system, code });
  test.each<[SearchParam, object[]]>([
    [facets.record, [token('Patient/mary'), token('Patient/tom')]],
    [facets.records, [token('2')]],
    [facets.origin, [token('ima', 'organization')]],
    [facets.confidentiality, [token('3')]],
    [facets.sensitivity, [token('HIV')]],
    [facets.codes, [token('718-7', 'http://loinc.org'), token('x')]],
    [facets.clinicalDate, [{ kind: 'date', low: -8.64e15, high: 5 }]],
    [facets.author, [{ kind: 'reference', type: 'Practitioner', id: 'lee' }]],
    [facets.about, [{ kind: 'reference', type: 'Observation', id: '1' }]],
    [facets.targetType, []],
    [facets.cites, []],
    [
      facets.ref,
      [
        { kind: 'reference', type: 'Patient', id: 'mary' },
        { kind: 'reference', type: 'Patient', id: 'tom' },
      ],
    ],
    [
      facets.profile,
      [
        { kind: 'uri', uri: 'http://p' },
        { kind: 'uri', uri: 'http://p|2' },
      ],
    ],
  ])('$code', (param, found) => expect(of(param)).toEqual(found));
  test('.records counts to more than one', () =>
    expect(
      [[], ['Patient/a'], ['Patient/a', 'Patient/b', 'Patient/c']].map(records => of(facets.records, { records: records as Facets['records'] })[0]),
    ).toEqual([token('0'), token('1'), token('2')]));
});

/** Whether the arbitraries that the stores are tested with say anything: every op is decided both ways, and nothing throws. */
describe('the arbitraries', () => {
  const tally = (sample: readonly boolean[]) => sample.filter(Boolean).length / sample.length;
  test('predicates over resources and grants hold now and then', () => {
    const sampled = fc.sample(fc.tuple(predicateArb(registry), indexedArb, fc.array(grantArb, { maxLength: 6 })), { numRuns: 2000, seed: 1 });
    const share = tally(
      sampled.map(([where, indexed, grants]) =>
        matches(
          where,
          indexed,
          grants.map(grant => load(grant, [indexed])),
        ),
      ),
    );
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.8);
  });
  test('grants permit and deny now and then', () => {
    const ask = { actors: ['RelatedPerson/anna'], purpose: 'TREAT', action: 'access', at: '2024-02-29T23:30:00.000Z' } as const;
    const sampled = fc.sample(fc.tuple(indexedArb, fc.array(grantArb, { minLength: 4, maxLength: 10 })), { numRuns: 2000, seed: 1 });
    for (const effect of ['permit', 'deny'] as const) {
      const share = tally(
        sampled.map(([indexed, grants]) =>
          matches(
            { op: 'granted', effect, ask },
            indexed,
            grants.map(grant => load(grant, [indexed])),
          ),
        ),
      );
      expect(share).toBeGreaterThan(0.05);
    }
  });
  test('chains find something now and then', () => {
    const where: Predicate = { op: 'all' };
    const sampled = fc.sample(fc.tuple(populationArb(20), linkArb(registry, 'Observation')), { numRuns: 300, seed: 1 });
    expect(tally(sampled.map(([population, link]) => finds({ type: 'Observation', where, links: [link] }, population, []).length > 0))).toBeGreaterThan(0.02);
  });
  test('sorts are by what can be sorted by', () =>
    fc.assert(
      fc.property(sortArb(registry), sort => sort.every(({ by }) => by === 'updated' || ['token', 'string', 'date', 'uri', 'quantity'].includes(by.kind))),
    ));
  test('a predicate and its opposite never agree', () =>
    fc.assert(fc.property(predicateArb(registry), indexedArb, (term, indexed) => matches(term, indexed, []) !== matches({ op: 'not', term }, indexed, []))));
});
