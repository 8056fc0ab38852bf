import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lisinopril } from './resources.ts';
import { bupe, citing, designate, hiv, list, made, observation, openStrangers, report, told } from './strangers.ts';
import type { Client, World } from './world.ts';

let world: World;
let ima: Client;
let harbor: Client;
let mary: Client;
let john: Client;
let anna: Client;
beforeEach(async () => {
  ({ world, ima, harbor, mary, john, anna } = await openStrangers());
});
afterEach(() => world.end());

describe('references reach no other record', () => {
  test('whoever contributed a Device does not move what others wrote about it to another patient', async () => {
    const device = await made(harbor.post('Device', { resourceType: 'Device', patient: { reference: 'Patient/mary' } }));
    const theirs = await made(ima.post('Observation', hiv(`Device/${device.id}`)));
    const hers = await made(mary.post('Observation', observation(`Device/${device.id}`)));
    await harbor.put(`Device/${device.id}`, { ...device, patient: { reference: 'Patient/john' } });
    const seen = [await john.get(`Observation/${theirs.id}`), await john.get(`Observation/${hers.id}`), await mary.get(`Observation/${hers.id}`)];
    expect(seen.map(answer => answer.status)).toEqual([404, 404, 200]);
  });

  test('planting the missing target of a reference pulls nothing into the planter’s record', async () => {
    const theirs = await made(ima.post('List', list(undefined, 'Observation/future')));
    const about = await made(ima.post('Observation', observation('Device/pump7')));
    await made(harbor.put('Observation/future', { ...hiv('Patient/john'), id: 'future' }));
    const device = {
      resourceType: 'Device',
      id: 'pump7',
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] },
      patient: { reference: 'Patient/john' },
    };
    await made(harbor.put('Device/pump7', device));
    expect([(await john.get(`List/${theirs.id}`)).status, (await john.get(`Observation/${about.id}`)).status]).toEqual([404, 404]);
  });

  test('citing a hidden Medication does not open it', async () => {
    const medication = await made(ima.post('Medication', { resourceType: 'Medication', code: bupe }));
    await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${medication.id}`)));
    expect((await john.get(`Medication/${medication.id}`)).status).toBe(404);
    await john.post('MedicationStatement', citing('Patient/john', `Medication/${medication.id}`));
    expect((await john.get(`Medication/${medication.id}`)).status).toBe(404);
  });

  test('a citation shows neither existence nor sensitivity of what is hidden in another record', async () => {
    const hidden = await made(ima.post('Observation', hiv('Patient/mary')));
    const answers = [
      await john.post('DiagnosticReport', report('Patient/john', `Observation/${hidden.id}`)),
      await john.post('DiagnosticReport', report('Patient/john', 'Observation/ghost')),
    ];
    expect(told(answers[0]!, hidden.id)).toEqual(told(answers[1]!, 'ghost'));
  });

  test('another organization’s Medication lowers no label of a statement that it did not contribute', async () => {
    const medication = await made(harbor.post('Medication', { resourceType: 'Medication', code: { text: 'buprenorphine' } }));
    const entry = await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${medication.id}`)));
    await designate(ima, 'MedicationStatement', 'Medication');
    expect((await anna.get(`MedicationStatement/${entry.id}`)).status).toBe(404);
    await harbor.put(`Medication/${medication.id}`, { resourceType: 'Medication', id: medication.id, code: { text: 'aspirin' } });
    expect((await anna.get(`MedicationStatement/${entry.id}`)).status).toBe(404);
  });

  test('a Medication that is cited through another Medication is closed with it', async () => {
    const part = await made(ima.post('Medication', { resourceType: 'Medication', code: bupe }));
    const whole = await made(
      ima.post('Medication', { resourceType: 'Medication', code: { text: 'mix' }, ingredient: [{ itemReference: { reference: `Medication/${part.id}` } }] }),
    );
    await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${whole.id}`)));
    expect((await john.get(`Medication/${whole.id}`)).status).toBe(404);
    expect((await john.get(`Medication/${part.id}`)).status).toBe(404);
  });

  test('superseded and deleted versions have the labels that their Medication has today', async () => {
    const medication = await made(ima.post('Medication', { resourceType: 'Medication', code: { text: 'tablet' } }));
    const more = { note: [{ text: 'take 8 mg' }] };
    const changed = await made(ima.post('MedicationStatement', { ...citing('Patient/mary', `Medication/${medication.id}`), ...more }));
    const deleted = await made(ima.post('MedicationStatement', { ...citing('Patient/mary', `Medication/${medication.id}`), ...more }));
    await ima.put(`MedicationStatement/${changed.id}`, { ...lisinopril(), id: changed.id });
    await ima.delete(`MedicationStatement/${deleted.id}`);
    await designate(ima, 'MedicationStatement', 'Medication');
    await ima.put(`Medication/${medication.id}`, { resourceType: 'Medication', id: medication.id, code: bupe });
    expect((await anna.get(`MedicationStatement/${changed.id}/_history/1`)).status).toBe(404);
    expect((await anna.get(`MedicationStatement/${deleted.id}/_history/1`)).status).toBe(404);
  });

  test('moving a misfiled entry is in both logs, and shows nothing of one person’s Consents to the other', async () => {
    const entry = await made(harbor.post('Observation', observation('Patient/mary')));
    await new Promise(resolve => setTimeout(resolve, 5));
    const since = new Date().toISOString();
    expect((await harbor.put(`Observation/${entry.id}`, { ...entry, subject: { reference: 'Patient/john' } })).status).toBe(200);
    const log = await mary.get(`AuditEvent?date=ge${encodeURIComponent(since)}&action=U&_total=accurate`);
    const seen = JSON.stringify([(await john.get(`Provenance?target=Observation/${entry.id}`)).body, (await john.get('AuditEvent?_count=100')).body]);
    expect([log.body.total, seen.includes('enrolment-mary')]).toEqual([1, false]);
  });

  test('planting the Medication that somebody else’s statement cites labels nothing', async () => {
    const entry = await made(ima.post('MedicationStatement', citing('Patient/mary', 'Medication/m77')));
    await designate(ima, 'MedicationStatement');
    await made(harbor.put('Medication/m77', { resourceType: 'Medication', id: 'm77', code: bupe }));
    expect((await anna.get(`MedicationStatement/${entry.id}`)).status).toBe(200);
  });
});
