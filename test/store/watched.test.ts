import { expect, test } from '@jest/globals';
import type { Predicate } from '../../src/search/query.ts';
import { shapeOf, watched } from '../../src/store/watched.ts';
import { at, event, keyOf, param, put, reference, some, token } from '../contract/world.ts';
import { openScratch, scratchStore } from '../engine.ts';

const secret = 'Kowalski';
const where: Predicate = {
  op: 'and',
  terms: [
    some('Patient', 'identifier', token(secret), token(secret)),
    { op: 'not', term: { op: 'or', terms: [some('Patient', 'name', { kind: 'string', text: secret, match: 'starts' } as never), { op: 'all' }] } },
    { op: 'keys', keys: [keyOf(`Patient/${secret}`)] },
    some('Patient', 'general-practitioner', reference(`Practitioner/${secret}`)),
  ],
};
const query = { branches: [{ type: 'Patient', where, links: [] }], sort: [{ by: param('Patient', 'name'), descending: true }], limit: 3 } as const;

test('a query is shown as types, parameters and numbers of values, never the values', () => {
  expect(shapeOf(query)).toBe('Patient and(identifier=2, not(or(name=1, all)), _id=1, general-practitioner=1) sort -name');
});

test('what takes long is told, without values; what does not is not', async () => {
  const store = await openScratch(scratchStore());
  const told: string[] = [];
  const all = watched(store, 0, what => void told.push(what));
  await all.commit([put(`Patient/${secret}`, { name: [{ family: secret }] }), event(`e-${secret}`)], at(0));
  await all.search({ branches: [{ type: 'Patient', where: { op: 'all' }, links: [] }], sort: [], limit: 3 });
  await all.count({ branches: [{ type: 'Patient', where: { op: 'all' }, links: [] }], sort: [], limit: 3 });
  await all.grants([`Patient/${secret}`], [`Patient/${secret}`]);
  await all.linked([keyOf(`Patient/${secret}`)], param('Patient', 'organization'), 'refers-to');
  expect(told).toEqual([
    'commit put event (2)',
    'search Patient all',
    'count Patient all',
    'grants (1 records, 1 actors)',
    'linked refers-to organization (1)',
  ]);
  const quick = watched(store, 60_000, what => void told.push(what));
  await quick.totals();
  await quick.count({ branches: [{ type: 'Patient', where: { op: 'all' }, links: [] }], sort: [], limit: 3 });
  expect(told).toHaveLength(5);
  await store.close();
});
