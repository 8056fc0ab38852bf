import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import { agreement, lisinopril } from './resources.ts';
import { hiv, list, made, observation, openStrangers, told } from './strangers.ts';
import type { Client, World } from './world.ts';

let world: World;
let ima: Client;
let harbor: Client;
let mary: Client;
let anna: Client;
beforeEach(async () => {
  ({ world, ima, harbor, mary, anna } = await openStrangers());
});
afterEach(() => world.end());

describe('absent and forbidden look alike', () => {
  test('DELETE and PUT without scope over the type are refused alike', async () => {
    const hidden = await made(ima.post('Observation', hiv('Patient/mary')));
    const poor = world.as(await world.token('med-app', 'patient/Patient.rs', 'john'));
    expect(told(await poor.delete(`Observation/${hidden.id}`), hidden.id)).toEqual(told(await poor.delete('Observation/ghost'), 'ghost'));
    const put = (id: string) => poor.put(`Observation/${id}`, { ...observation('Patient/john'), id });
    expect(told(await put(hidden.id), hidden.id)).toEqual(told(await put('ghost'), 'ghost'));
  });

  test('DELETE by a caregiver without any consent is refused alike', async () => {
    const hidden = await made(harbor.post('Observation', hiv('Patient/john')));
    expect(told(await anna.delete(`Observation/${hidden.id}`), hidden.id)).toEqual(told(await anna.delete('Observation/ghost'), 'ghost'));
  });

  test('a patient’s own entry that refers to somebody else’s is refused like one that refers to nothing', async () => {
    const hidden = await made(harbor.post('Observation', observation('Patient/john')));
    const tries: readonly [string, (id: string) => Resource, string][] = [
      ['List', id => list('Patient/mary', `Observation/${id}`), hidden.id],
      ['DocumentReference', id => agreement({ context: { sourcePatientInfo: { reference: `Patient/${id}` } } }) as Resource, 'john'],
      [
        'Appointment',
        id => ({
          resourceType: 'Appointment',
          status: 'proposed',
          participant: ['mary', id].map(one => ({ actor: { reference: `Patient/${one}` }, status: 'accepted' })),
        }),
        'john',
      ],
    ];
    for (const [type, body, id] of tries)
      expect([type, told(await mary.post(type, body(id)), id)]).toEqual([type, told(await mary.post(type, body('ghost')), 'ghost')]);
  });

  test('a Provenance about what is hidden is refused like one about nothing', async () => {
    const inRecord = await made(harbor.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/john' } })));
    const recordless = await made(harbor.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/unknown' } })));
    const about = (id: string) =>
      ima.post('Provenance', {
        resourceType: 'Provenance',
        target: [{ reference: `MedicationStatement/${id}` }],
        recorded: '2026-11-24T00:00:00Z',
        agent: [{ who: { reference: 'Organization/ima' } }],
      });
    const ghost = told(await about('ghost'), 'ghost');
    expect([told(await about(recordless.id), recordless.id), told(await about(inRecord.id), inRecord.id)]).toEqual([ghost, ghost]);
  });
});
