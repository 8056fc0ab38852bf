import { afterEach, beforeEach, expect, test } from '@jest/globals';
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
  const answer = await run(routeFor(whole), whole, await app.verify(token), parts, makeInteractions(parts, Buffer.alloc(32), true));
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
