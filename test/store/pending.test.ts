import { expect, test } from '@jest/globals';
import { Problem } from '../../src/fhir/problem.ts';
import { all, not, queryOf, type SearchQuery } from '../../src/search/query.ts';
import { guardedBy } from '../../src/store/pending.ts';
import { at, keyOf, param, put, some, token, write } from '../contract/world.ts';
import { openScratch } from '../engine.ts';

const born = param('Patient', 'birthdate');
const active = some('Patient', 'active', token('true'));

/** A store of which Patients are not indexed by when they were born. */
async function opened() {
  const writes: number[] = [];
  const store = guardedBy(
    {
      idle: () => false,
      async check(type, { code }) {
        if (type === 'Patient' && code === 'birthdate') throw new Problem('unavailable', 'not yet');
      },
      writes: async () => void writes.push(1),
    },
    await openScratch(),
  );
  await write(store, put('Patient/p', { active: true }));
  return { store, writes };
}

test('whatever asks for resources by a parameter that is not indexed yet is refused, and nothing else is', async () => {
  const { store } = await opened();
  const query = (members: Partial<SearchQuery>): SearchQuery => ({ ...queryOf('Patient', active, 10), ...members });
  const has = { op: 'has', param: born } as const;
  const link = (how: 'refers-to' | 'referred-by', type: string) =>
    [{ how, param: param('Observation', 'patient'), ends: [{ type, where: type === 'Patient' ? has : all, links: [] }] }] as const;
  const asked: readonly SearchQuery[] = [
    query({ branches: [{ type: 'Patient', where: has, links: [] }] }),
    query({ branches: [{ type: 'Patient', where: { op: 'or', terms: [active, not(has)] }, links: [] }] }),
    query({ branches: [{ type: 'Observation', where: all, links: link('refers-to', 'Patient') }] }),
    query({ sort: [{ by: born, descending: false }] }),
  ];
  for (const one of asked) {
    await expect(store.search(one)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.keys(one)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.count(one)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.commit([{ op: 'when', query: one, matches: [] }, put('Patient/x')], at(0))).rejects.toMatchObject({ code: 'unavailable' });
  }
  await expect(store.linked([keyOf('Patient/p')], born, 'refers-to')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await store.read(keyOf('Patient/x'))).toBeUndefined();
  expect(await store.count(query({}))).toBe(1);
  expect(await store.count(query({ branches: [{ type: 'Patient', where: all, links: link('referred-by', 'Observation') }] }))).toBe(0);
  await store.close();
});

test('whoever writes resources is told of before, and who does not is not', async () => {
  const { store, writes } = await opened();
  expect(writes).toHaveLength(1);
  await write(store, { op: 'document', kind: 'note', id: 'x', value: 1 }, { op: 'expect', key: keyOf('Patient/p'), expect: 'any' });
  expect(writes).toHaveLength(1);
  await store.close();
});
