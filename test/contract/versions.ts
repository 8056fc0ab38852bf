import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseJson } from '../../src/fhir/json.ts';
import { Problem } from '../../src/fhir/problem.ts';
import type { Resource } from '../../src/fhir/types.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { at, event, expecting, facetsOf, keyOf, madeBy, namesOf, type Open, put, remove, some, token, write } from './world.ts';

export function versionsContract(open: Open): void {
  describe('versions', () => {
    let store: ResourceStore;
    beforeAll(async () => {
      ({ store } = await open());
    });
    afterAll(() => store.close());

    test('a new resource is version 1 and reads as it was made', async () => {
      const facets = { clinicalDate: { low: -Infinity, high: Infinity }, sensitivity: ['HIV'] };
      const [made] = madeBy(
        await store.commit([put('Patient/new', { active: true, meta: { profile: ['http://p'], versionId: '9' } }, 'absent', facets)], at(1)),
      );
      const read = await store.read(keyOf('Patient/new'));
      for (const version of [made, read]) {
        expect(version).toMatchObject({
          key: keyOf('Patient/new'),
          versionId: '1',
          lastUpdated: at(1),
          deleted: false,
          facets: facetsOf(keyOf('Patient/new'), facets),
        });
        expect(version!.parsed()).toEqual({
          resourceType: 'Patient',
          id: 'new',
          meta: { profile: ['http://p'], versionId: '1', lastUpdated: at(1) },
          active: true,
        });
        expect(JSON.parse(Buffer.from(version!.body).toString())).toEqual(version!.parsed());
      }
      expect(Buffer.from(read!.body).toString()).toMatch(/^\{"resourceType":"Patient","id":"new","meta":\{/);
    });
    test('numbers keep the form in which they came', async () => {
      const resource = parseJson('{"resourceType":"Observation","id":"decimal","valueQuantity":{"value":1.00}}') as Resource;
      await write(store, { ...put('Observation/decimal'), resource });
      const version = await store.read(keyOf('Observation/decimal'));
      expect(Buffer.from(version!.body).toString()).toContain('"value":1.00');
      await write(store, { ...put('Observation/decimal'), resource: version!.parsed() });
      expect(Buffer.from((await store.read(keyOf('Observation/decimal')))!.body).toString()).toContain('"value":1.00');
    });
    test('versions are numbered without gaps, deletions included, and all of them stay', async () => {
      madeBy(await store.commit([put('Patient/old', { gender: 'male' }, 'absent', { confidentiality: 4 })], at(1)));
      madeBy(await store.commit([put('Patient/old', { gender: 'female' }, { versionId: '1' }, { confidentiality: 3 })], at(2)));
      const [deletion] = madeBy(await store.commit([remove('Patient/old', { versionId: '2' })], at(3)));
      expect(deletion).toMatchObject({ versionId: '3', lastUpdated: at(3), deleted: true, facets: { confidentiality: 3 } });
      expect(deletion!.body).toHaveLength(0);
      expect(() => deletion!.parsed()).toThrow(Problem);
      expect(await store.read(keyOf('Patient/old'))).toMatchObject({ versionId: '3', deleted: true, facets: { confidentiality: 3 } });
      madeBy(await store.commit([put('Patient/old', { gender: 'other' }, { versionId: '3' })], at(4)));
      const history = await store.history({ of: keyOf('Patient/old'), limit: 10 });
      expect(history.map(({ versionId, deleted, lastUpdated }) => [versionId, deleted, lastUpdated])).toEqual([
        ['4', false, at(4)],
        ['3', true, at(3)],
        ['2', false, at(2)],
        ['1', false, at(1)],
      ]);
      expect((await store.read(keyOf('Patient/old'), '1'))!.parsed()).toMatchObject({ gender: 'male', meta: { versionId: '1', lastUpdated: at(1) } });
      expect((await store.read(keyOf('Patient/old'), '1'))!.facets.confidentiality).toBe(4);
      for (const none of ['0', '5', '01', '1.5', 'x', '-1', '16777217']) expect(await store.read(keyOf('Patient/old'), none)).toBeUndefined();
    });
    test('a page of the history ends where it is told and goes on before a version', async () => {
      for (let n = 0; n < 5; n++) await write(store, put('Patient/paged'));
      const page = async (limit: number, before?: number): Promise<string[]> =>
        (await store.history({ of: keyOf('Patient/paged'), limit, ...(before === undefined ? {} : { before }) })).map(version => version.versionId);
      expect(await page(2)).toEqual(['5', '4']);
      expect(await page(2, 4)).toEqual(['3', '2']);
      expect(await page(2, 2)).toEqual(['1']);
      expect(await page(2, 1)).toEqual([]);
      expect(await page(0)).toEqual([]);
      expect(await store.history({ of: keyOf('Patient/nobody'), limit: 5 })).toEqual([]);
    });
    test('deleting again makes nothing and answers the deletion; what never was cannot be deleted', async () => {
      await write(store, put('Patient/twice'), remove('Patient/twice'));
      const made = await write(store, remove('Patient/twice'), put('Patient/beside'));
      expect(made.map(version => version.versionId)).toEqual(['2', '1']);
      expect(await store.commit([remove('Patient/nobody')], at(1))).toEqual({ ok: false, at: 0, why: 'version' });
    });
    test('one commit may change a resource several times', async () => {
      const made = await write(
        store,
        put('Patient/often', { gender: 'male' }, 'absent'),
        put('Patient/often', {}, { versionId: '1' }),
        remove('Patient/often'),
        put('Patient/often'),
      );
      expect(made.map(version => version.versionId)).toEqual(['1', '2', '3', '4']);
      expect(await store.history({ of: keyOf('Patient/often'), limit: 9 })).toHaveLength(4);
    });
    test('what is only referred to is not there', async () => {
      await write(store, put('Observation/refers', { subject: { reference: 'Patient/referred' } }));
      expect(await store.read(keyOf('Patient/referred'))).toBeUndefined();
      expect(await store.readMany([keyOf('Patient/referred')])).toEqual([]);
      expect(await store.commit([expecting('Patient/referred', 'absent'), put('Patient/referred', {}, 'absent')], at(1))).toMatchObject({ ok: true });
      expect(await store.read(keyOf('Patient/referred'))).toMatchObject({ versionId: '1' });
    });
    test('many are read at once, deletions too', async () => {
      await write(store, put('Patient/m1'), put('Patient/m2'), remove('Patient/m2'));
      const found = await store.readMany(['Patient/m1', 'Patient/m2', 'Patient/m3', 'Patient/m1'].map(keyOf));
      expect(namesOf(found).sort()).toEqual(['Patient/m1', 'Patient/m2']);
    });
    test('restamping changes facets and labels of the version in place', async () => {
      const before = facetsOf(keyOf('Patient/stamped'));
      await write(store, put('Patient/stamped', { gender: 'male' }), put('Patient/stamped', { gender: 'female' }));
      const security = [{ code: 'V' }];
      const restamp = (from = before) =>
        store.commit(
          [
            {
              op: 'restamp',
              key: keyOf('Patient/stamped'),
              resource: { resourceType: 'Patient', id: 'stamped', gender: 'female', meta: { security } },
              facets: { ...before, confidentiality: 5 },
              expect: { versionId: '2', facets: from },
            },
          ],
          at(9),
        );
      expect(await restamp({ ...before, confidentiality: 1 })).toEqual({ ok: false, at: 0, why: 'version' });
      expect(await restamp()).toEqual({ ok: true, made: [] });
      const version = await store.read(keyOf('Patient/stamped'));
      expect(version).toMatchObject({ versionId: '2', lastUpdated: at(0), facets: { confidentiality: 5 } });
      expect(version!.parsed().meta).toEqual({ security, versionId: '2', lastUpdated: at(0) });
      expect(await store.history({ of: keyOf('Patient/stamped'), limit: 9 })).toHaveLength(2);
      const labelled = { branches: [{ type: 'Patient', where: some('Patient', '.confidentiality', token('5')), links: [] }], sort: [], limit: 9 };
      expect(namesOf((await store.search(labelled)).versions)).toEqual(['Patient/stamped']);
      expect(await restamp()).toEqual({ ok: false, at: 0, why: 'version' });
      const key = keyOf('Patient/stamped');
      for (const stale of [put('Patient/stamped', {}, { versionId: '2', facets: before }), remove('Patient/stamped', { versionId: '2', facets: before })])
        expect(await store.commit([stale], at(9))).toEqual({ ok: false, at: 0, why: 'version' });
      expect(await store.commit([expecting('Patient/stamped', { versionId: '2', facets: before })], at(9))).toEqual({ ok: false, at: 0, why: 'version' });
      const { facets } = (await store.read(key))!;
      expect(await store.commit([expecting('Patient/stamped', { versionId: '2', facets })], at(9))).toMatchObject({ ok: true });
    });
    test('totals count what is live', async () => {
      const { store: fresh } = await open();
      await write(fresh, put('Patient/a'), put('Patient/b'), put('Observation/a', { subject: { reference: 'Patient/z' } }), event('e1'));
      await write(fresh, put('Patient/a'), remove('Patient/b'), remove('Observation/a'));
      expect(await fresh.totals()).toEqual({ Patient: 1, AuditEvent: 1 });
      await write(fresh, put('Patient/b'));
      expect(await fresh.totals()).toEqual({ Patient: 2, AuditEvent: 1 });
      await fresh.close();
    });
  });
}
