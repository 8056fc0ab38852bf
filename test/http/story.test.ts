import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import { agreement, buprenorphine, designation, lisinopril, statement } from './resources.ts';
import { type Client, openWorld, resourcesOf, type World } from './world.ts';

// One story, in order: each step stands on the ones before it.
let world: World;
let ehr: Client;
let mary: Client;
let anna: Client;
const ids: Record<string, string> = {};

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  mary = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'mary'));
  anna = world.as(await world.token('med-app', 'patient/*.cruds', 'anna', 'Patient/mary'));
});
afterAll(() => world.end());

test("the practice's EHR writes the medication list", async () => {
  const plain = await ehr.post('MedicationStatement', lisinopril());
  expect(plain.status).toBe(201);
  ids.lisinopril = plain.body.id;
  const sensitive = await ehr.post('MedicationStatement', buprenorphine());
  expect(sensitive.status).toBe(201);
  ids.buprenorphine = sensitive.body.id;
  expect(sensitive.body.meta.security.map((coding: { code: string }) => coding.code)).toEqual(expect.arrayContaining(['R']));
});

test('the patient reads all of it', async () => {
  const list = await mary.get('MedicationStatement?_total=accurate');
  expect(list.status).toBe(200);
  expect(list.body.total).toBe(2);
  expect(resourcesOf(list.body).map(one => one.id)).toEqual([ids.lisinopril, ids.buprenorphine]);
});

test('the patient cannot change what the practice wrote, and is told whom to ask', async () => {
  const stored = (await mary.get(`MedicationStatement/${ids.lisinopril}`)).body;
  const answer = await mary.put(`MedicationStatement/${ids.lisinopril}`, { ...stored, status: 'stopped' });
  expect(answer.status).toBe(403);
  expect(answer.body.issue[0].diagnostics).toContain('Communication/$correction-request');
  expect((await mary.delete(`MedicationStatement/${ids.lisinopril}`)).status).toBe(403);
  expect((await mary.get(`MedicationStatement/${ids.lisinopril}`)).body.meta.versionId).toBe('1');
});

test('the patient adds an own entry and changes it', async () => {
  const made = await mary.post('MedicationStatement', statement('5640', 'ibuprofen'));
  expect(made.status).toBe(201);
  ids.ibuprofen = made.body.id;
  const changed = await mary.put(`MedicationStatement/${ids.ibuprofen}`, { ...made.body, status: 'completed' }, { 'If-Match': made.headers.etag! });
  expect(changed.status).toBe(200);
  expect(changed.body.meta.versionId).toBe('2');
});

test('before any consent the daughter is refused, whatever she asks for', async () => {
  for (const path of ['MedicationStatement', `MedicationStatement/${ids.lisinopril}`, 'MedicationStatement/nowhere']) {
    const answer = await anna.get(path);
    expect([path, answer.status]).toEqual([path, 403]);
  }
});

test('the practice lodges the designation with the signed agreement: active at once', async () => {
  const signed = await ehr.post('DocumentReference', agreement());
  expect(signed.status).toBe(201);
  const lodged = await ehr.post('Consent', designation(`DocumentReference/${signed.body.id}`));
  expect([lodged.status, lodged.body.issue]).toEqual([201, undefined]);
  expect(lodged.body.status).toBe('active');
  ids.consent = lodged.body.id;
});

test('the daughter reads the list without the sensitive entry, and with an exact total', async () => {
  const list = await anna.get('MedicationStatement?_total=accurate');
  expect(list.status).toBe(200);
  expect(list.body.total).toBe(2);
  expect(resourcesOf(list.body).map(one => one.id)).toEqual([ids.lisinopril, ids.ibuprofen]);
  expect((await anna.get('MedicationStatement?_summary=count')).body.total).toBe(2);
});

test('what is hidden from her answers byte for byte like what is not there', async () => {
  const hidden = await anna.get(`MedicationStatement/${ids.buprenorphine}`);
  const absent = await anna.get('MedicationStatement/5b0c5e4e-0000-4000-8000-000000000000');
  expect(hidden.status).toBe(404);
  expect(absent.status).toBe(404);
  expect(JSON.stringify(hidden.body).replaceAll(ids.buprenorphine!, 'ID')).toBe(
    JSON.stringify(absent.body).replaceAll('5b0c5e4e-0000-4000-8000-000000000000', 'ID'),
  );
  const names = ({ headers }: { headers: Record<string, string> }): string[] => Object.keys(headers).sort();
  expect(names(hidden)).toEqual(names(absent));
  expect((await anna.get(`MedicationStatement?_id=${ids.buprenorphine}&_total=accurate`)).body.total).toBe(0);
  expect((await anna.put(`MedicationStatement/${ids.buprenorphine}`, buprenorphine({ id: ids.buprenorphine! }))).status).toBe(404);
  expect((await anna.delete(`MedicationStatement/${ids.buprenorphine}`)).status).toBe(404);
  expect((await anna.get(`MedicationStatement/${ids.buprenorphine}/_history`)).status).toBe(404);
});

test('the daughter adds an entry for her mother: authored by her, on behalf of the patient, under the Consent', async () => {
  const made = await anna.post('MedicationStatement', statement('161', 'acetaminophen'));
  expect(made.status).toBe(201);
  ids.acetaminophen = made.body.id;
  const [provenance] = resourcesOf((await mary.get(`Provenance?target=MedicationStatement/${ids.acetaminophen}`)).body) as unknown as {
    agent: { who: object; onBehalfOf: object }[];
    entity: { what: object }[];
  }[];
  expect(provenance!.agent[0]).toMatchObject({ who: { reference: 'RelatedPerson/anna-for-mary' }, onBehalfOf: { reference: 'Patient/mary' } });
  expect(provenance!.entity).toEqual([expect.objectContaining({ what: { reference: `Consent/${ids.consent}` } })]);
});

test('the daughter cannot change provider entries, grant anything, or write other types', async () => {
  const stored = (await anna.get(`MedicationStatement/${ids.lisinopril}`)).body;
  expect((await anna.put(`MedicationStatement/${ids.lisinopril}`, { ...stored, status: 'stopped' })).status).toBe(403);
  const grant = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds', 'anna', 'Patient/mary'));
  expect((await grant.post('Consent', designation('DocumentReference/x'))).status).toBe(403);
  expect(
    (await anna.post('Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/mary' } })).status,
  ).toBe(403);
});

test('the patient reads who saw what, under which consent', async () => {
  const events = resourcesOf((await mary.get('AuditEvent?_count=200')).body) as unknown as {
    meta: { profile?: string[] };
    action: string;
    agent: { who: { reference?: string } }[];
    entity: { what?: { reference?: string } }[];
  }[];
  const hers = events.filter(event => event.agent.some(agent => agent.who.reference === 'RelatedPerson/anna-for-mary'));
  expect(hers.map(event => event.action)).toEqual(expect.arrayContaining(['E', 'C', 'R']));
  const created = hers.find(
    event => event.action === 'C' && event.meta.profile?.includes('https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientCreate'),
  );
  expect(created?.entity.map(entity => entity.what?.reference)).toEqual(expect.arrayContaining(['Patient/mary', `Consent/${ids.consent}`]));
  const byHer = await mary.get('AuditEvent?agent=RelatedPerson/anna-for-mary&action=E');
  expect(byHer.body.entry.length).toBeGreaterThan(0);
});

test('the patient ends the consent: the next request on a live token and on an open cursor is refused', async () => {
  const page = await anna.get('MedicationStatement?_count=1');
  const next: string = page.body.link.find((link: { relation: string }) => link.relation === 'next').url;
  expect((await anna.get(next)).status).toBe(200);
  const stored: Resource = (await mary.get(`Consent/${ids.consent}`)).body;
  const ended = await mary.put(`Consent/${ids.consent}`, { ...stored, status: 'inactive' });
  expect([ended.status, ended.body.issue]).toEqual([200, undefined]);
  expect((await anna.get('MedicationStatement')).status).toBe(403);
  expect((await anna.get(next)).status).toBe(403);
  expect((await anna.get(`MedicationStatement/${ids.acetaminophen}`)).status).toBe(403);
  expect((await anna.post('MedicationStatement', lisinopril())).status).toBe(403);
  expect((await mary.get(`MedicationStatement/${ids.acetaminophen}`)).status).toBe(200);
});

test('the log is sound', async () => {
  const { verifyChain } = await import('../../src/audit/chain.ts');
  const result = await verifyChain(world.app.store.chain());
  expect(result.faults).toEqual([]);
  expect(result.events).toBeGreaterThan(20);
});
