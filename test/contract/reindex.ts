import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import { storedResource } from '../../src/audit/event.ts';
import { searchParameters } from '../../src/fhir/definitions/definitions.ts';
import { nameOf, type ResourceKey } from '../../src/fhir/types.ts';
import { type Predicate, queryOf, type SearchParam } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import type { Reindexed, ResourceStore } from '../../src/store/store.ts';
import type { ResourceOf } from '../../src/store/transfer.ts';
import { at, event, keyOf, namesOf, type Open, put, registry, remove, some, token, write } from './world.ts';

const gender = searchParameters.find(each => each.code === 'gender')!;
const custom = { ...gender, url: 'http://example.org/SearchParameter/married', code: 'married', base: ['Patient'], expression: 'Patient.maritalStatus' };
/** R4's parameters and one more. */
const more = buildRegistry(undefined, [custom]);
const married = more.param('Patient', 'married')!;

export function reindexContract(open: Open): void {
  describe('reindex', () => {
    let store: ResourceStore;
    let known = registry;
    beforeAll(async () => {
      ({ store } = await open(type => known.paramsOf(type)));
    });
    afterAll(() => store.close());

    const patient = (id: string, code = 'M') => put(`Patient/${id}`, { maritalStatus: { coding: [{ code }] }, active: true });
    const found = async (param: SearchParam, ...codes: string[]): Promise<string[]> => {
      const where: Predicate = { op: 'some', param, test: { anyOf: codes.map(code => token(code)) } };
      return (await store.keys(queryOf('Patient', where, 1000))).map(nameOf).sort();
    };
    async function reindexAll(type: string, limit: number, resourceOf: ResourceOf = storedResource): Promise<readonly Reindexed[]> {
      const made: Reindexed[] = [];
      for (;;) {
        const one = await store.reindex(type, made.at(-1)?.after, limit, resourceOf);
        if (one === undefined) return made;
        made.push(one);
      }
    }

    test('what was stored before a parameter came is found by it afterwards, live resources only, portion by portion', async () => {
      await write(store, ...['a', 'b', 'c', 'd', 'e', 'gone'].map(id => patient(id)), put('Person/p', { active: true }));
      await write(store, remove('Patient/gone'));
      known = more;
      expect(await found(married, 'M')).toEqual([]);
      expect((await reindexAll('Patient', 2)).map(({ made, failed }) => [made, failed])).toEqual([
        [2, []],
        [2, []],
        [1, []],
      ]);
      expect(await found(married, 'M')).toEqual(['Patient/a', 'Patient/b', 'Patient/c', 'Patient/d', 'Patient/e']);
      expect(await store.count(queryOf('Patient', some('Patient', 'active', token('true')), 10))).toBe(5);
    });
    test('it changes no version, and doing it again changes nothing', async () => {
      const before = await store.read(keyOf('Patient/a'));
      await reindexAll('Patient', 100);
      const after = await store.read(keyOf('Patient/a'));
      expect([after!.versionId, after!.lastUpdated, Buffer.from(after!.body)]).toEqual([before!.versionId, before!.lastUpdated, Buffer.from(before!.body)]);
      expect(await found(married, 'M')).toHaveLength(5);
      expect(await store.history({ of: keyOf('Patient/a'), limit: 10 })).toHaveLength(1);
    });
    test('what is not a parameter any more is taken away', async () => {
      known = registry;
      await reindexAll('Patient', 100);
      expect(await found(married, 'M')).toEqual([]);
      known = more;
      await reindexAll('Patient', 100);
    });
    test('nothing is done for a type of which there is nothing', async () => {
      expect(await store.reindex('Basic', undefined, 10, storedResource)).toBeUndefined();
    });
    test('a resource that cannot be read is named, stays as it was, and holds up no other', async () => {
      const broken: ResourceOf = (key: ResourceKey, body) => {
        if (key.id === 'b') throw new SyntaxError('it is no JSON');
        return storedResource(key, body);
      };
      known = registry;
      const [one] = await reindexAll('Patient', 100, broken);
      expect([one!.made, one!.failed.map(nameOf)]).toEqual([4, ['Patient/b']]);
      expect(await found(married, 'M')).toEqual(['Patient/b']);
      known = more;
    });
    test('lines of the log are found as before, and the chain is as it was', async () => {
      await write(store, event('line'));
      await reindexAll('AuditEvent', 10);
      expect(await verifyChain(store.chain())).toMatchObject({ faults: [], events: 1 });
    });
    test('a resource that is changed meanwhile is found by what it is in the end', async () => {
      known = registry;
      const ids = Array.from({ length: 30 }, (_, at) => `w${at}`);
      await write(store, ...ids.map(id => patient(id, 'S')));
      known = more;
      let over = false;
      // Some are changed, and some only held to be as they are.
      const changing = ids.map(async (id, place) => {
        for (let round = 0; !over && round < 5; round++) {
          const held = { op: 'expect', key: keyOf(`Patient/${id}`), expect: { versionId: '1' } } as const;
          await store.commit([place % 2 === 0 ? patient(id, round % 2 === 0 ? 'W' : 'D') : held], at(1));
        }
      });
      await reindexAll('Patient', 4);
      over = true;
      await Promise.all(changing);
      const stored = await store.readMany(ids.map(id => ({ type: 'Patient', id })));
      const codeOf = (version: (typeof stored)[number]): string =>
        (version.parsed() as unknown as { maritalStatus: { coding: [{ code: string }] } }).maritalStatus.coding[0].code;
      for (const code of ['S', 'W', 'D'])
        expect([code, await found(married, code)]).toEqual([code, namesOf(stored.filter(version => codeOf(version) === code)).sort()]);
    });
  });
}
