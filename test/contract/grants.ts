import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Grant } from '../../src/search/grant.ts';
import type { Ask } from '../../src/search/query.ts';
import type { Change, ResourceStore } from '../../src/store/store.ts';
import { at, namesOf, type Open, put, remove, write } from './world.ts';

const always = { low: -Infinity, high: Infinity };
const grant = (more: Partial<Grant> = {}): Grant => ({
  consent: 'Consent/1',
  record: 'Patient/mary',
  effect: 'permit',
  depth: 0,
  actors: ['Practitioner/lee'],
  actions: ['access'],
  during: always,
  what: {},
  ...more,
});
const replace = (consent: Grant['consent'], ...rows: Grant[]): Change => ({
  op: 'grants',
  consent,
  record: 'Patient/mary',
  rows: rows.map(row => ({ ...row, consent })),
});
const ask: Ask = { actors: ['Practitioner/lee'], purpose: 'TREAT', action: 'access', at: at(5) };

/** The cases in which a reader of grants.ts would slip; what they mean in all combinations is tested by test/property/agreement.test.ts. */
export function grantsContract(open: Open): void {
  describe('grants', () => {
    let store: ResourceStore;
    beforeAll(async () => {
      ({ store } = await open());
      await write(
        store,
        put('Observation/plain', { subject: { reference: 'Patient/mary' } }),
        put('Observation/coded', {}, 'any', { codes: [{ system: 'http://s', code: 'c' }] }),
        put('Observation/secret', {}, 'any', { confidentiality: 4, sensitivity: ['HIV'] }),
        put('Observation/both', {}, 'any', { records: ['Patient/mary', 'Patient/tom'] }),
        put('Observation/nobody', {}, 'any', { records: [] }),
      );
    });
    afterAll(() => store.close());

    async function shown(effect: 'permit' | 'deny', by: Partial<Ask> = {}): Promise<string[]> {
      const query = { branches: [{ type: 'Observation', where: { op: 'granted', effect, ask: { ...ask, ...by } } as const, links: [] }], sort: [], limit: 99 };
      const { versions } = await store.search(query);
      expect(await store.count(query)).toBe(versions.length);
      return namesOf(versions).map(name => name.slice('Observation/'.length));
    }

    test('nothing is permitted without a grant', async () => {
      expect(await shown('permit')).toEqual([]);
      expect(await shown('deny')).toEqual([]);
    });
    test('a resource in two records needs both, one in none is never permitted', async () => {
      await write(store, replace('Consent/1', grant()));
      expect(await shown('permit')).toEqual(['plain', 'coded', 'secret']);
      await write(store, { op: 'grants', consent: 'Consent/tom', record: 'Patient/tom', rows: [grant({ consent: 'Consent/tom', record: 'Patient/tom' })] });
      expect(await shown('permit')).toEqual(['plain', 'coded', 'secret', 'both']);
      expect(await shown('permit', { actors: ['Practitioner/kim'] })).toEqual([]);
      expect(await shown('permit', { action: 'correct' })).toEqual([]);
    });
    test('the deepest node that covers decides, and a tie denies', async () => {
      await write(store, replace('Consent/1', grant(), grant({ depth: 1, effect: 'deny', what: { labelled: { anyOf: ['HIV'] } } })));
      expect(await shown('permit')).toEqual(['plain', 'coded', 'both']);
      expect(await shown('deny')).toEqual(['secret']);
      await write(store, replace('Consent/1', grant(), grant({ effect: 'deny', what: { codes: [{ code: 'c' }] } })));
      expect(await shown('deny')).toEqual(['coded']);
      expect(await shown('permit')).toEqual(['plain', 'secret', 'both']);
    });
    test('another Consent may deny for anyone', async () => {
      await write(
        store,
        replace('Consent/1', grant()),
        replace('Consent/2', grant({ effect: 'deny', actors: 'anyone', what: { labelled: { atLeast: 4, anyOf: [] } } })),
      );
      expect(await shown('deny', { actors: [] })).toEqual(['secret']);
      await write(store, replace('Consent/2'));
      expect(await shown('deny', { actors: [] })).toEqual([]);
    });
    test('periods include both their ends, purposes are any where none is named', async () => {
      const [low, high] = [Date.parse(at(2)), Date.parse(at(4))];
      await write(store, replace('Consent/1', grant({ during: { low, high }, purposes: ['TREAT'], what: { upTo: 2 } })));
      for (const [n, length] of [0, 0, 3, 3, 3, 0].entries()) expect(await shown('permit', { at: at(n) })).toHaveLength(length);
      expect(await shown('permit', { at: at(3), purpose: 'FAMRQT' })).toEqual([]);
    });
    test('each change of the grants of a record raises its epoch', async () => {
      const [before] = await store.epochs(['record:Patient/mary']);
      await write(store, replace('Consent/9', grant()));
      await write(store, replace('Consent/9'));
      expect(await store.epochs(['record:Patient/mary', 'record:Patient/unknown'])).toEqual([before! + 2, 0]);
      expect(await store.commit([{ op: 'epoch', of: 'record:Patient/mary', is: before! }, put('Patient/x')], at(1))).toEqual({
        ok: false,
        at: 0,
        why: 'epoch',
      });
      expect(await store.commit([{ op: 'epoch', of: 'record:Patient/mary', is: before! + 2 }, put('Patient/x')], at(1))).toMatchObject({ ok: true });
    });
    test('grants are loaded by record and actor as they were given, what is related resolved to what is stored now', async () => {
      const named = grant({
        actors: ['Practitioner/lee', 'Organization/ima'],
        purposes: ['TREAT'],
        what: { dates: { low: -Infinity, high: 5 }, codes: [{ code: 'c' }], data: { instances: [], related: ['Encounter/e'], dependents: [], authors: [] } },
      });
      const anyone = grant({ effect: 'deny', actors: 'anyone', during: { low: 1, high: Infinity } });
      await write(store, replace('Consent/1', named, anyone), replace('Consent/2'));
      expect(await store.grants(['Patient/mary'], ['Organization/ima', 'Practitioner/lee'])).toEqual([{ ...named, relatedTo: ['Encounter/e'] }, anyone]);
      expect(await store.grants(['Patient/mary'], [])).toEqual([anyone]);
      expect(await store.grants(['Patient/other'], ['Practitioner/lee'])).toEqual([]);

      expect(await shown('permit')).toEqual([]);
      await write(store, put('Encounter/e', { subject: { reference: 'Patient/mary' }, reasonReference: [{ reference: 'Observation/coded' }] }));
      const [loaded] = await store.grants(['Patient/mary'], ['Practitioner/lee']);
      expect(new Set(loaded!.relatedTo)).toEqual(new Set(['Encounter/e', 'Patient/mary', 'Observation/coded']));
      await write(store, remove('Encounter/e'));
      expect((await store.grants(['Patient/mary'], ['Practitioner/lee']))[0]!.relatedTo).toEqual(['Encounter/e']);
    });
  });
}
