import { describe, expect, test } from '@jest/globals';
import type { Criteria, LoadedGrant } from '../../src/search/grant.ts';
import { covers, granted } from '../../src/search/granted.ts';
import type { Facets, Indexed } from '../../src/search/indexed.ts';
import type { Ask } from '../../src/search/query.ts';

const facets: Facets = {
  records: ['Patient/mary'],
  origin: { kind: 'organization', by: 'ima' },
  confidentiality: 2,
  sensitivity: [],
  codes: [{ system: 'http://loinc.org', code: '718-7' }, { code: 'local' }],
  clinicalDate: { low: 100, high: 200 },
  authors: ['Practitioner/lee'],
  about: ['Observation/1'],
};
const observation = (over: Partial<Facets> = {}): Indexed => ({
  resource: { resourceType: 'Observation', id: '1', meta: { profile: ['http://p/bp|2'] }, encounter: { reference: 'Encounter/e' } },
  facets: { ...facets, ...over },
});
const provenance = (targetTypes: readonly string[], over: Partial<Facets> = {}): Indexed => ({
  resource: { resourceType: 'Provenance', id: 'p' },
  facets: { ...facets, targetTypes, about: targetTypes.map(type => `${type}/1` as const), ...over },
});
const grant = (over: Partial<LoadedGrant> = {}): LoadedGrant => ({
  consent: 'Consent/1',
  record: 'Patient/mary',
  effect: 'permit',
  depth: 0,
  actors: ['RelatedPerson/anna'],
  actions: ['access'],
  during: { low: -Infinity, high: Infinity },
  what: {},
  ...over,
});
const ask: Ask = { actors: ['RelatedPerson/anna', 'Organization/ima'], purpose: 'FAMRQT', action: 'access', at: '2024-03-01T00:00:00.000Z' };
const at = Date.parse(ask.at);
const permits = (grants: readonly LoadedGrant[], of = observation()) => granted('permit', ask, of, grants);
const denies = (grants: readonly LoadedGrant[], of = observation()) => granted('deny', ask, of, grants);

describe('when a grant applies', () => {
  test.each<[string, Partial<LoadedGrant>, boolean]>([
    ['it names one of the actors', {}, true],
    ['it names another', { actors: ['RelatedPerson/ben'] }, false],
    ['it names nobody', { actors: [] }, false],
    ['it is about another record', { record: 'Patient/tom' }, false],
    ['the purpose is among its own', { purposes: ['FAMRQT'] }, true],
    ['the purpose is not', { purposes: ['TREAT'] }, false],
    ['the action is not', { actions: ['correct'] }, false],
    ['it begins at this very moment', { during: { low: at, high: Infinity } }, true],
    ['it ends at this very moment', { during: { low: 0, high: at } }, true],
    ['it begins in a millisecond', { during: { low: at + 1, high: Infinity } }, false],
    ['it ended a millisecond ago', { during: { low: 0, high: at - 1 } }, false],
  ])('%s', (_, over, applies) => expect(permits([grant(over)])).toBe(applies));
  test('a denial may bind anyone', () => expect(denies([grant({ effect: 'deny', actors: 'anyone' })])).toBe(true));
});

describe('what criteria cover', () => {
  const sensitive = observation({ confidentiality: 4, sensitivity: ['HIV', 'SUD'] });
  const data = (over: Partial<NonNullable<Criteria['data']>>): Criteria => ({ data: { instances: [], related: [], dependents: [], authors: [], ...over } });
  test.each<[string, Criteria, boolean, Indexed?]>([
    ['nothing asked', {}, true],
    ['its class', { classes: ['Condition', 'Observation'] }, true],
    ['another class', { classes: ['Condition'] }, false],
    ['no class at all', { classes: [] }, false],
    ['its profile, whatever the version', { profiles: ['http://p/bp'] }, true],
    ['its profile in that version', { profiles: ['http://p/bp|2'] }, true],
    ['its profile in another version', { profiles: ['http://p/bp|1'] }, false],
    ['class or profile: one suffices', { classes: ['Condition'], profiles: ['http://p/bp'] }, true],
    ['a class left out', { notClasses: ['Observation'] }, false],
    ['another class left out', { notClasses: ['Task'] }, true],
    ['its code', { codes: [{ system: 'http://loinc.org', code: '718-7' }] }, true],
    ['its code without system: any', { codes: [{ code: '718-7' }] }, true],
    ['its code in another system', { codes: [{ system: 'http://snomed.info/sct', code: '718-7' }] }, false],
    ['a code in no system', { codes: [{ system: '', code: 'local' }] }, true],
    ['a system without code', { codes: [{ system: 'http://loinc.org' }] }, false],
    ['up to its confidentiality', { upTo: 2 }, true],
    ['up to less', { upTo: 1 }, false],
    ['all its sensitivities named', { onlySensitivities: ['SUD', 'HIV', 'PSY'] }, true, sensitive],
    ['one of them not named', { onlySensitivities: ['SUD'] }, false, sensitive],
    ['no sensitivity needs no name', { onlySensitivities: [] }, true],
    ['one of them ruled out', { notSensitivities: ['SUD'] }, false, sensitive],
    ['another ruled out', { notSensitivities: ['PSY'] }, true, sensitive],
    ['labelled by any sensitivity', { labelled: { anyOf: ['SUD'] } }, true, sensitive],
    ['labelled by confidentiality', { labelled: { atLeast: 4, anyOf: [] } }, true, sensitive],
    ['labelled by neither', { labelled: { atLeast: 5, anyOf: ['PSY'] } }, false, sensitive],
    ['labelled by nothing', { labelled: { anyOf: [] } }, false, sensitive],
    ['dates that touch its end', { dates: { low: 200, high: 300 } }, true],
    ['dates that touch its begin', { dates: { low: -Infinity, high: 100 } }, true],
    ['dates after it', { dates: { low: 201, high: Infinity } }, false],
    ['itself', data({ instances: ['Observation/1'] }), true],
    ['another', data({ instances: ['Observation/2'] }), false],
    ['what refers to the encounter', data({ dependents: ['Encounter/e'] }), true],
    ['the named one of dependents itself', data({ dependents: ['Observation/1'] }), true],
    ['by its author', data({ authors: ['Practitioner/lee'] }), true],
    ['data of no kind', data({}), false],
    ['all members must hold', { classes: ['Observation'], upTo: 1 }, false],
  ])('%s', (_, what, expected, of = observation()) => {
    expect(covers(grant({ what }), of)).toBe(expected);
    expect(covers(grant({ what, effect: 'deny' }), of)).toBe(expected);
  });
  test('related: what the named one refers to, as it was loaded', () => {
    const what = data({ related: ['List/l'] });
    expect(covers(grant({ what, relatedTo: ['List/l', 'Observation/1'] }), observation())).toBe(true);
    expect(covers(grant({ what, relatedTo: ['List/l'] }), observation())).toBe(false);
    expect(covers(grant({ what }), observation())).toBe(false);
  });
});

describe('a Provenance, which stands for its targets', () => {
  const both = provenance(['Observation', 'Task']);
  const covered = (what: Criteria, effect: 'permit' | 'deny', of = both) => covers(grant({ what, effect }), of);
  test('is covered by class: a permit needs all targets, a denial one', () => {
    expect([covered({ classes: ['Observation'] }, 'permit'), covered({ classes: ['Observation', 'Task'] }, 'permit')]).toEqual([false, true]);
    expect(covered({ classes: ['Observation'] }, 'deny')).toBe(true);
    expect([covered({ classes: ['Provenance'] }, 'permit'), covered({ classes: ['Provenance'] }, 'deny')]).toEqual([false, false]);
  });
  test('is left out with any of its targets', () => expect(covered({ notClasses: ['Task'] }, 'permit')).toBe(false));
  test('of several targets: no permit that picks by code, profile, date or data covers it, a denial does', () => {
    const picks: Criteria[] = [
      { codes: [{ code: '718-7' }] },
      { dates: { low: 0, high: 1000 } },
      { profiles: ['http://p/bp'] },
      { data: { instances: ['Observation/1', 'Task/1'], related: [], dependents: [], authors: [] } },
    ];
    for (const what of picks) expect(covered(what, 'permit')).toBe(false);
    expect(picks.map(what => covered(what, 'deny'))).toEqual([true, true, false, true]);
    expect(covered({ codes: [{ code: '718-7' }] }, 'permit', provenance(['Observation']))).toBe(true);
  });
  test('of several targets: labels count, since they are the highest and all of them', () =>
    expect(covered({ upTo: 2, onlySensitivities: [] }, 'permit')).toBe(true));
});

describe('what one Consent says', () => {
  const deny = (depth: number, what: Criteria = {}) => grant({ effect: 'deny', depth, what });
  test('the deepest node that covers decides', () => {
    expect(permits([grant(), deny(1)])).toBe(false);
    expect(permits([grant(), deny(1), grant({ depth: 2 })])).toBe(true);
    expect(denies([grant(), deny(1), grant({ depth: 2 })])).toBe(false);
  });
  test('a deeper node that does not cover has no say', () => expect(permits([grant(), deny(1, { classes: ['Condition'] })])).toBe(true));
  test('ties deny', () => {
    const tied = [grant({ depth: 1 }), deny(1)];
    expect([permits(tied), denies(tied)]).toEqual([false, true]);
  });
  test('a node that does not apply has no say', () => expect(permits([grant(), grant({ effect: 'deny', depth: 1, purposes: ['TREAT'] })])).toBe(true));
});

describe('several Consents and records', () => {
  const other = (over: Partial<LoadedGrant>) => grant({ consent: 'Consent/2', ...over });
  test('each Consent speaks for itself: both answers hold, and who asks lets the denial win', () => {
    const grants = [grant({ depth: 3 }), other({ effect: 'deny' })];
    expect([permits(grants), denies(grants)]).toEqual([true, true]);
  });
  test('a resource in two records needs both to permit, one suffices to deny', () => {
    const shared = observation({ records: ['Patient/mary', 'Patient/tom'] });
    expect(permits([grant()], shared)).toBe(false);
    expect(permits([grant(), other({ record: 'Patient/tom' })], shared)).toBe(true);
    expect(denies([grant(), other({ record: 'Patient/tom', effect: 'deny' })], shared)).toBe(true);
  });
  test('a resource in no record is neither permitted nor denied', () => {
    const free = observation({ records: [] });
    expect([permits([grant()], free), denies([grant({ effect: 'deny', actors: 'anyone' })], free)]).toEqual([false, false]);
  });
  test('without grants nothing is permitted or denied', () => expect([permits([]), denies([])]).toEqual([false, false]));
});
