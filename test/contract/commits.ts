import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { queryOf } from '../../src/search/query.ts';
import type { Change, Committed, ResourceStore } from '../../src/store/store.ts';
import { at, event, expecting, keyOf, madeBy, type Open, put, remove, some, token, write } from './world.ts';

const refused = (why: string, index = 0): Committed => ({ ok: false, at: index, why }) as Committed;

export function commitsContract(open: Open): void {
  describe('commits', () => {
    let store: ResourceStore;
    beforeAll(async () => {
      ({ store } = await open());
    });
    afterAll(() => store.close());

    test('expectations: absent is what never was, a version is the current one', async () => {
      await write(store, put('Patient/e'));
      expect(await store.commit([put('Patient/e', {}, 'absent')], at(1))).toEqual(refused('version'));
      expect(await store.commit([put('Patient/e', {}, { versionId: '2' })], at(1))).toEqual(refused('version'));
      expect(await store.commit([put('Patient/none', {}, { versionId: '1' })], at(1))).toEqual(refused('version'));
      expect(
        await store.commit([expecting('Patient/e', { versionId: '1' }), expecting('Patient/none', 'absent'), expecting('Patient/none', 'any')], at(1)),
      ).toEqual({ ok: true, made: [] });
      await write(store, remove('Patient/e', { versionId: '1' }));
      expect(await store.commit([put('Patient/e', {}, 'absent')], at(1))).toEqual(refused('version'));
      expect(await store.commit([expecting('Patient/e', 'absent')], at(1))).toEqual(refused('version'));
      expect(await store.commit([expecting('Patient/e', { versionId: '2' }), remove('Patient/e', { versionId: '1' })], at(1))).toEqual(refused('version', 1));
    });

    test('all changes are made or none', async () => {
      const note = { op: 'document', kind: 'note', id: 'half', value: 1 } as const;
      const grants = { op: 'grants', consent: 'Consent/half', record: 'Patient/half', rows: [] } as const;
      await write(store, put('Patient/kept', { gender: 'male' }));
      const changes: Change[] = [
        put('Patient/half'),
        put('Patient/kept', { gender: 'female' }),
        event('half'),
        note,
        grants,
        expecting('Patient/none', { versionId: '1' }),
      ];
      expect(await store.commit(changes, at(1))).toEqual(refused('version', 5));
      expect(await store.read(keyOf('Patient/half'))).toBeUndefined();
      expect(await store.read(keyOf('AuditEvent/half'))).toBeUndefined();
      expect((await store.read(keyOf('Patient/kept')))!.parsed()).toMatchObject({ gender: 'male' });
      expect(await store.document('note', 'half')).toBeUndefined();
      expect(await store.epochs(['record:Patient/half'])).toEqual([0]);
      const women = queryOf('Patient', some('Patient', 'gender', token('female')), 9);
      expect((await store.search(women)).versions).toEqual([]);
    });

    test('a commit that fails does not harm those beside it, and what it named first can be named again', async () => {
      const system = 'http://only.here';
      const coded = (id: string): Change => put(`Basic/${id}`, { code: { coding: [{ system, code: id }] } });
      const [bad, good, again] = await Promise.all([
        store.commit([coded('bad'), expecting('Patient/none', { versionId: '1' })], at(1)),
        store.commit([coded('good')], at(1)),
        store.commit([coded('again')], at(1)),
      ]);
      expect([bad.ok, good.ok, again.ok]).toEqual([false, true, true]);
      expect(await store.count(queryOf('Basic', some('Basic', 'code', { kind: 'token', system }), 9))).toBe(2);
      const broken = {
        ...put('Patient/broken'),
        resource: Object.defineProperty({ resourceType: 'Patient' }, 'name', {
          enumerable: true,
          get: () => {
            throw new Error('no name');
          },
        }),
      };
      const [thrown, fine] = await Promise.allSettled([store.commit([broken], at(1)), store.commit([put('Patient/fine')], at(1))]);
      expect([thrown.status, fine.status]).toEqual(['rejected', 'fulfilled']);
      expect(await store.read(keyOf('Patient/broken'))).toBeUndefined();
    });

    test('of 50 conditional creates at once one makes the resource', async () => {
      const query = queryOf('Patient', some('Patient', 'identifier', token('42', 'http://mrn')), 2);
      const create = (n: number): Promise<Committed> =>
        store.commit([{ op: 'when', query, matches: [] }, put(`Patient/c${n}`, { identifier: [{ system: 'http://mrn', value: '42' }] }, 'absent')], at(1));
      const all = await Promise.all(Array.from({ length: 50 }, (_, n) => create(n)));
      expect(all.filter(one => one.ok)).toHaveLength(1);
      expect(all.filter(one => !one.ok)).toEqual(Array(49).fill(refused('matches')));
      expect(await store.count(query)).toBe(1);
      const winner = all.findIndex(one => one.ok);
      expect(await store.commit([{ op: 'when', query, matches: [keyOf(`Patient/c${winner}`)] }], at(1))).toMatchObject({ ok: true });
      expect(await store.commit([{ op: 'when', query, matches: [keyOf('Patient/other')] }], at(1))).toEqual(refused('matches'));
      expect(await store.commit([{ op: 'when', query, matches: [keyOf(`Patient/c${winner}`), keyOf('Patient/other')] }], at(1))).toEqual(refused('matches'));
    });

    test('of 50 updates of one version at once one is made', async () => {
      await write(store, put('Patient/u'));
      const all = await Promise.all(Array.from({ length: 50 }, () => store.commit([put('Patient/u', {}, { versionId: '1' })], at(1))));
      expect(all.filter(one => one.ok)).toHaveLength(1);
      expect(await store.read(keyOf('Patient/u'))).toMatchObject({ versionId: '2' });
    });

    test('of 200 updates at once all are made', async () => {
      const all = await Promise.all(Array.from({ length: 200 }, () => store.commit([put('Patient/many')], at(1))));
      expect(all.map(one => madeBy(one)[0]!.versionId)).toEqual(Array.from({ length: 200 }, (_, n) => String(n + 1)));
    });

    test('a search that begins after a commit sees it', async () => {
      const query = queryOf('Basic', some('Basic', 'identifier', token('seen')), 9);
      await write(store, put('Basic/seen', { identifier: [{ value: 'seen' }] }));
      expect(await store.count(query)).toBe(1);
      await write(store, put('Basic/seen', { identifier: [{ value: 'changed' }] }));
      expect(await store.count(query)).toBe(0);
      await write(store, put('Basic/seen', { identifier: [{ value: 'seen' }] }), remove('Basic/seen'));
      expect(await store.count(query)).toBe(0);
    });

    test('a closed store makes what was asked before and refuses what comes after', async () => {
      const { store: closing } = await open();
      const before = closing.commit([put('Patient/last')], at(1));
      await closing.close();
      expect(await before).toMatchObject({ ok: true });
      await expect(closing.commit([put('Patient/late')], at(1))).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}
