import { expect, test } from '@jest/globals';
import { agreement, designation } from './http/resources.ts';
import { openWorld } from './http/world.ts';

test('x', async () => {
  const world = await openWorld();
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  const second = (await ehr.post('DocumentReference', agreement())).body;
  const r2 = await ehr.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { resource: { ...second, description: 'x' }, request: { method: 'PUT', url: `DocumentReference/${second.id}` } },
      { resource: designation(`DocumentReference/${second.id}`), request: { method: 'POST', url: 'Consent' } },
    ],
  });
  const c = r2.body.entry[1].resource;
  const mary = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds', 'mary'));
  const e = await mary.put(`Consent/${c.id}`, { ...c, status: 'inactive' });
  const made = await ehr.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001', resource: agreement(), request: { method: 'POST', url: 'DocumentReference' } },
      { resource: designation('urn:uuid:00000000-0000-4000-8000-000000000001'), request: { method: 'POST', url: 'Consent' } },
    ],
  });
  expect([r2.status, c.sourceReference, e.status, made.status, made.body.issue]).toEqual([]);
  await world.end();
});
