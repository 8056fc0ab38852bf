import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Problem } from '../../src/fhir/problem.ts';
import type { Answer, FhirRequest } from '../../src/interaction/interaction.ts';
import { makeInteractions } from '../../src/interaction/interactions.ts';
import { printBody } from '../../src/interaction/print.ts';
import { routeFor, run } from '../../src/interaction/run.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { agreement, designation, lisinopril } from '../http/resources.ts';
import { bupe, citing, designate, made, openStrangers, type Strangers } from '../http/strangers.ts';

// Somebody else is quicker: between the decision of a write and its commit something happens that the decision would have been another with.
let strangers: Strangers;
beforeEach(async () => {
  strangers = await openStrangers();
});
afterEach(() => strangers.world.end());

/** Sends a request whose first commit comes only after `meanwhile`. */
async function sendLate(token: string, request: Omit<FhirRequest, 'query' | 'headers'>, meanwhile: () => Promise<unknown>): Promise<Answer> {
  const { app } = strangers.world;
  let first = true;
  const store: ResourceStore = {
    ...app.store,
    async commit(changes, at) {
      if (first) {
        first = false;
        await meanwhile();
      }
      return app.store.commit(changes, at);
    },
  };
  const parts = { ...app.parts, store };
  const whole: FhirRequest = { ...request, query: [], headers: {} };
  const answer = await run(routeFor(whole), whole, await app.verify(token), parts, makeInteractions(parts, Buffer.alloc(32), undefined));
  expect(first).toBe(false);
  return answer;
}
const tokenOf = (client: string, scope: string, account?: string): Promise<string> =>
  strangers.world.token(client, scope, account, account === undefined ? undefined : 'Patient/mary');

test('a consent that ends between decision and commit: nothing is written (ARCHITECTURE §3)', async () => {
  const { ima, mary } = strangers;
  const consent = await designate(ima, 'MedicationStatement');
  const token = await tokenOf('med-app', 'patient/*.cruds', 'anna');
  const late = sendLate(token, { method: 'POST', path: ['MedicationStatement'], body: lisinopril() }, () =>
    mary.put(`Consent/${consent.id}`, { ...consent, status: 'inactive' }).expect(200),
  );
  await expect(late).rejects.toMatchObject({ code: 'forbidden' });
  expect((await mary.get('MedicationStatement?_total=accurate')).body.total).toBe(0);
});

test('a statement that cites a Medication just before it becomes sensitive is labelled too', async () => {
  const { ima, anna } = strangers;
  const medication = await made(ima.post('Medication', { resourceType: 'Medication', code: { text: 'tablet' } }));
  await designate(ima, 'MedicationStatement', 'Medication');
  const token = await tokenOf('ehr-ima', 'system/*.cruds');
  let id = '';
  await sendLate(token, { method: 'PUT', path: ['Medication', medication.id], body: { ...medication, code: bupe } }, async () => {
    id = (await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${medication.id}`)))).id;
  });
  expect((await anna.get(`MedicationStatement/${id}`)).status).toBe(404);
});

test('a statement is labelled by a Medication that is stamped anew, or comes, just before the statement does', async () => {
  const { ima, anna } = strangers;
  await designate(ima, 'MedicationStatement', 'Medication');
  const token = await tokenOf('ehr-ima', 'system/*.cruds');
  const tablet = await made(ima.post('Medication', { resourceType: 'Medication', code: { text: 'tablet' } }));
  const ingredient = [{ itemReference: { reference: `Medication/${tablet.id}` } }];
  const kit = await made(ima.post('Medication', { resourceType: 'Medication', code: { text: 'kit' }, ingredient }));
  await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${kit.id}`)));
  const late = async (medication: string, meanwhile: () => Promise<unknown>): Promise<void> => {
    const { body } = await sendLate(token, { method: 'POST', path: ['MedicationStatement'], body: citing('Patient/mary', medication) }, meanwhile);
    const { id } = JSON.parse(Buffer.from(printBody(body!)).toString());
    expect((await anna.get(`MedicationStatement/${id}`)).status).toBe(404);
  };
  await late(`Medication/${kit.id}`, () => ima.put(`Medication/${tablet.id}`, { ...tablet, code: bupe }).expect(200));
  await late('Medication/not-there-yet', () =>
    ima.put('Medication/not-there-yet', { resourceType: 'Medication', id: 'not-there-yet', code: bupe }).expect(201),
  );
});

test('an entry about a Patient that comes just before it is in the record of the Patient', async () => {
  const { ima, world } = strangers;
  const token = await tokenOf('ehr-ima', 'system/*.cruds');
  const body = { ...lisinopril(), subject: { reference: 'Patient/newcomer' } };
  const answer = await sendLate(token, { method: 'POST', path: ['MedicationStatement'], body }, () =>
    ima.put('Patient/newcomer', { resourceType: 'Patient', id: 'newcomer' }).expect(201),
  );
  const { id } = JSON.parse(Buffer.from(printBody(answer.body!)).toString());
  expect((await world.app.store.read({ type: 'MedicationStatement', id }))?.facets.records).toEqual(['Patient/newcomer']);
});

test('an entry that becomes sensitive just before a caregiver deletes it stays', async () => {
  const { ima, anna, mary, world } = strangers;
  const medication = await made(ima.post('Medication', { resourceType: 'Medication', code: { text: 'tablet' } }));
  await made(ima.post('MedicationStatement', citing('Patient/mary', `Medication/${medication.id}`)));
  await designate(ima, 'MedicationStatement', 'Medication');
  const { id } = await made(anna.post('MedicationStatement', citing('Patient/mary', `Medication/${medication.id}`)));
  const late = sendLate(await tokenOf('med-app', 'patient/*.cruds', 'anna'), { method: 'DELETE', path: ['MedicationStatement', id] }, () =>
    ima.put(`Medication/${medication.id}`, { ...medication, code: bupe }).expect(200),
  );
  await expect(late).rejects.toMatchObject({ code: 'not-found' });
  expect((await mary.get(`MedicationStatement/${id}`)).status).toBe(200);
  expect((await world.app.store.read({ type: 'MedicationStatement', id }))?.versionId).toBe('1');
});

test('whoever goes on writing under a Consent does not hold off its end', async () => {
  const { ima, anna } = strangers;
  const { app } = strangers.world;
  const consent = await designate(ima, 'MedicationStatement');
  const store: ResourceStore = {
    ...app.store,
    async commit(changes, at) {
      // Each of her entries makes a Provenance that names the Consent.
      if (changes.some(change => change.op === 'grants')) await made(anna.post('MedicationStatement', lisinopril()));
      return app.store.commit(changes, at);
    },
  };
  const parts = { ...app.parts, store };
  const request: FhirRequest = { method: 'PUT', path: ['Consent', consent.id], body: { ...consent, status: 'inactive' }, query: [], headers: {} };
  const caller = await app.verify(await tokenOf('med-app', 'patient/Consent.cruds', 'mary'));
  expect((await run(routeFor(request), request, caller, parts, makeInteractions(parts, Buffer.alloc(32), undefined))).status).toBe(200);
  expect((await anna.post('MedicationStatement', lisinopril())).status).toBe(403);
});

test('what may be stored after all is told so, though the log cannot be written either', async () => {
  const { app } = strangers.world;
  const words = ['it is not known whether this was stored', 'try again later'];
  const parts = { ...app.parts, store: { ...app.store, commit: () => Promise.reject(new Problem('unavailable', words.shift()!)) } };
  const caller = await app.verify(await tokenOf('ehr-ima', 'system/*.cruds'));
  const request: FhirRequest = { method: 'POST', path: ['MedicationStatement'], body: lisinopril(), query: [], headers: {} };
  const told = (sent: FhirRequest) => run(routeFor(sent), sent, caller, parts, makeInteractions(parts, Buffer.alloc(32), undefined));
  await expect(told(request)).rejects.toMatchObject({ code: 'unavailable', message: 'it is not known whether this was stored' });
  // What is refused for another reason is answered only when that is in the log.
  words.splice(0, words.length, 'try again later');
  await expect(told({ ...request, method: 'GET', path: ['MedicationStatement', 'nowhere'] })).rejects.toMatchObject({ code: 'unavailable' });
});

test('a designation beside one that was quicker is refused', async () => {
  const { ima } = strangers;
  const signed = await made(ima.post('DocumentReference', agreement()));
  const lodged = designation(`DocumentReference/${signed.id}`);
  const token = await tokenOf('ehr-ima', 'system/*.cruds');
  const late = sendLate(token, { method: 'POST', path: ['Consent'], body: lodged }, () => made(ima.post('Consent', lodged)));
  await expect(late).rejects.toMatchObject({ code: 'duplicate' });
});

test('an update decided on a version that is not the current one any more is decided anew', async () => {
  const { ima, mary } = strangers;
  const entry = await made(ima.post('MedicationStatement', lisinopril()));
  const token = await tokenOf('ehr-ima', 'system/*.cruds');
  const answer = await sendLate(token, { method: 'PUT', path: ['MedicationStatement', entry.id], body: { ...entry, status: 'stopped' } }, () =>
    ima.put(`MedicationStatement/${entry.id}`, { ...entry, status: 'on-hold' }).expect(200),
  );
  expect(JSON.parse(Buffer.from(printBody(answer.body!)).toString()).meta.versionId).toBe('3');
  expect((await mary.get(`MedicationStatement/${entry.id}/_history`)).body.entry).toHaveLength(3);
});
