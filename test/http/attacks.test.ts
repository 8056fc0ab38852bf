import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import { activateAs } from '../../src/cli/consent.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { actions, agreement, classes, confidentiality, consent, designation, lisinopril, statement } from './resources.ts';
import { type Client, openWorld, resourcesOf, type World } from './world.ts';

// What somebody would try. Each begins with a family and a practice of its own.
let world: World;
let ehr: Client;
let harbor: Client;
let mary: Client;
let anna: Client;

beforeEach(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  harbor = world.as(await world.token('ehr-harbor', 'system/*.cruds'));
  mary = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'mary'));
  anna = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'anna', 'Patient/mary'));
});
afterEach(async () => {
  // Whatever was tried, the log tells it as it was.
  const { faults } = await verifyChain(world.app.store.chain());
  await world.end();
  expect(faults).toEqual([]);
});

const made = async (answer: PromiseLike<{ status: number; body: Resource & { issue?: unknown } }>): Promise<Resource & { id: string }> => {
  const { status, body } = await answer;
  expect([status, body.issue]).toEqual([201, undefined]);
  return body as Resource & { id: string };
};
const designate = async (more: object = {}): Promise<Resource & { id: string }> => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  return made(ehr.post('Consent', designation(`DocumentReference/${signed.id}`, more)));
};
const harborNamed = (kind: string, more: object = {}): Resource =>
  consent({ kind, actor: 'Organization/harbor', provision: { ...actions('access'), ...classes('MedicationStatement') }, more });

test('an organization lodges a consent for its own practitioner: it gives nothing until the person activates it', async () => {
  await made(ehr.post('MedicationStatement', lisinopril()));
  const lodged = await made(ehr.post('Consent', consent({ kind: 'authorized-user', actor: 'Practitioner/lee', provision: actions('access') })));
  expect(lodged.status).toBe('proposed');
  expect((await ehr.put(`Consent/${lodged.id}`, { ...lodged, status: 'active' })).status).toBe(403);
});

test('an organization that has nothing to do with the patient lodges nothing, of whatever kind, and learns nothing', async () => {
  for (const kind of ['authorized-user', 'share', 'enrolment', 'guardian', 'app', 'primary-caregiver', 'restriction']) {
    const answer = await harbor.post('Consent', harborNamed(kind));
    expect([kind, answer.status]).toEqual([kind, 403]);
    const ghost = await harbor.post('Consent', { ...harborNamed(kind), patient: { reference: 'Patient/ghost' } });
    expect([kind, ghost.status, ghost.body.issue[0].diagnostics]).toEqual([kind, 403, answer.body.issue[0].diagnostics]);
  }
  expect((await harbor.get('MedicationStatement?_total=accurate')).body.total).toBe(0);
});

test('a designation needs the agreement, the verification and a hat, and reaches no further than R', async () => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  const good = designation(`DocumentReference/${signed.id}`);
  const { sourceReference: _source, ...unsigned } = good;
  const { verification: _verification, ...unverified } = good;
  const provision = good.provision as object;
  const bad: readonly Resource[] = [
    unsigned as Resource,
    unverified as Resource,
    designation('DocumentReference/nowhere'),
    { ...good, provision: { ...provision, ...confidentiality('V') } },
    { ...good, provision: { ...provision, securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] } },
    { ...good, provision: { ...provision, actor: [{ role: { text: 'x' }, reference: { reference: 'Practitioner/lee' } }] } },
    { ...good, verification: [{ verified: false, verifiedWith: { reference: 'Patient/mary' } }] },
  ];
  for (const resource of bad) expect((await ehr.post('Consent', resource)).status).toBeGreaterThanOrEqual(400);
  expect((await anna.get('MedicationStatement')).status).toBe(403);
  expect((await ehr.put('Consent/chosen', { ...good, id: 'chosen' })).status).toBe(404);
  const lodged = await made(ehr.post('Consent', good));
  expect(lodged.sourceReference).toEqual({ reference: `DocumentReference/${signed.id}/_history/1` });
});

test('one primary caregiver a patient, also under parallel writes', async () => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  const answers = await Promise.all(Array.from({ length: 20 }, () => ehr.post('Consent', designation(`DocumentReference/${signed.id}`))));
  const statuses = answers.map(answer => answer.status).sort();
  expect(statuses.filter(status => status === 201)).toHaveLength(1);
  expect(statuses.filter(status => status === 409)).toHaveLength(19);
});

test('an app neither rewrites nor deletes nor ends a restriction, and whom it restricts does not see it', async () => {
  await made(ehr.post('MedicationStatement', lisinopril()));
  await designate();
  expect((await anna.get('MedicationStatement?_total=accurate')).body.total).toBe(1);
  const proposed = await made(
    mary.post('Consent', consent({ kind: 'restriction', actor: 'RelatedPerson/anna-for-mary', provision: classes('MedicationStatement') })),
  );
  expect(proposed.status).toBe('proposed');
  expect((await anna.get('MedicationStatement?_total=accurate')).body.total).toBe(1);
  await activateAs(world.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' });
  expect((await anna.get('MedicationStatement?_total=accurate')).body.total).toBe(0);

  const active = (await mary.get(`Consent/${proposed.id}`)).body;
  expect(active.status).toBe('active');
  expect((await mary.put(`Consent/${proposed.id}`, { ...active, provision: { type: 'deny' } })).status).toBe(403);
  expect((await mary.put(`Consent/${proposed.id}`, { ...active, status: 'inactive' })).status).toBe(403);
  expect((await mary.put(`Consent/${proposed.id}`, { ...active, status: 'entered-in-error' })).status).toBe(403);
  expect((await mary.delete(`Consent/${proposed.id}`)).status).toBe(405);
  expect((await anna.get(`Consent/${proposed.id}`)).status).toBe(404);
  expect((await anna.get(`Consent/${proposed.id}/_history`)).status).toBe(404);
  expect(resourcesOf((await anna.get('Consent')).body).map(one => one.id)).not.toContain(proposed.id);
});

test('a proposal that was changed after the person saw it is not activated', async () => {
  const proposed = await made(
    mary.post('Consent', consent({ kind: 'share', actor: 'Organization/harbor', provision: { ...actions('access'), ...classes('Observation') } })),
  );
  const widened = await mary.put(`Consent/${proposed.id}`, {
    ...proposed,
    provision: { ...(proposed.provision as object), ...classes('Observation', 'MedicationStatement') },
  });
  expect(widened.status).toBe(200);
  await expect(activateAs(world.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' })).rejects.toThrow('version');
  await expect(activateAs(world.app, proposed.id, '2', 'mary', { password: 'guessed' })).rejects.toThrow('not right');
  await expect(activateAs(world.app, proposed.id, '2', 'anna', { password: 'correct-horse-battery-2' })).rejects.toThrow('not right');
  expect((await mary.get(`Consent/${proposed.id}`)).body.status).toBe('proposed');
  await made(mary.post('MedicationStatement', lisinopril()));
  expect((await harbor.get('MedicationStatement?_total=accurate')).body.total).toBe(0);
  await activateAs(world.app, proposed.id, '2', 'mary', { password: 'correct-horse-battery-1' });
  expect((await harbor.get('MedicationStatement?_total=accurate')).body.total).toBe(1);
});

test('a Medication that becomes sensitive takes the statement that cites it, and its Provenance, out of sight in the same commit', async () => {
  const medication = await made(ehr.post('Medication', { resourceType: 'Medication', code: { text: 'a tablet' } }));
  const cites = {
    resourceType: 'MedicationStatement',
    status: 'active',
    subject: { reference: 'Patient/mary' },
    medicationReference: { reference: `Medication/${medication.id}` },
  };
  const citing = await made(ehr.post('MedicationStatement', cites));
  await designate();
  expect((await anna.get(`MedicationStatement/${citing.id}`)).status).toBe(200);
  expect((await anna.get(`Provenance?target=MedicationStatement/${citing.id}`)).body.total).toBe(1);
  const sensitive = { ...medication, code: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '1819', display: 'buprenorphine' }] } };
  expect((await ehr.put(`Medication/${medication.id}`, sensitive)).status).toBe(200);
  expect((await anna.get(`MedicationStatement/${citing.id}`)).status).toBe(404);
  expect((await anna.get('MedicationStatement?_total=accurate')).body.total).toBe(0);
  expect((await anna.get(`Provenance?target=MedicationStatement/${citing.id}`)).body.total).toBe(0);
  expect((await anna.get(`Medication/${medication.id}`)).status).toBe(404);
  const hers = await mary.get(`MedicationStatement/${citing.id}`);
  expect(hers.body.meta.versionId).toBe('1');
  expect(hers.body.meta.security.map((coding: { code: string }) => coding.code)).toContain('R');
});

test('a search for two patients’ logs at once shows one’s own', async () => {
  await made(ehr.put('Patient/john', { resourceType: 'Patient', id: 'john', name: [{ family: 'Other' }] }));
  await ehr.get('Patient/john');
  const both = await mary.get('AuditEvent?patient=Patient/mary,Patient/john&_count=500');
  expect(both.status).toBe(200);
  expect(JSON.stringify(both.body)).not.toContain('Patient/john"');
  expect((await mary.get('AuditEvent?patient=Patient/john&_total=accurate')).body.total).toBe(0);
  expect((await anna.get('AuditEvent')).status).toBe(403);
});

test('what another organization wrote about a patient who was not there yet does not come into the record later', async () => {
  const planted = await made(harbor.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/newcomer' } })));
  const own = await made(ehr.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/newcomer' } })));
  await made(ehr.put('Patient/newcomer', { resourceType: 'Patient', id: 'newcomer' }));
  const enrolled = await harbor.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/newcomer' } }));
  expect(enrolled.status).toBe(403);
  expect((await world.app.store.read({ type: 'MedicationStatement', id: planted.id }))?.facets.records).toEqual([]);
  expect((await world.app.store.read({ type: 'MedicationStatement', id: own.id }))?.facets.records).toEqual(['Patient/newcomer']);
});

test('nobody moves an entry to another record, and a patient writes into none but the own', async () => {
  await made(ehr.put('Patient/john', { resourceType: 'Patient', id: 'john' }));
  const own = await made(mary.post('MedicationStatement', statement('5640', 'ibuprofen')));
  expect((await mary.put(`MedicationStatement/${own.id}`, { ...own, subject: { reference: 'Patient/john' } })).status).toBe(403);
  expect((await mary.put(`MedicationStatement/${own.id}`, { ...own, subject: { reference: 'Patient/nobody' } })).status).toBe(403);
  const there = await mary.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/john' } }));
  const nowhere = await mary.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/nobody' } }));
  expect([there.status, there.body.issue[0].diagnostics]).toEqual([403, nowhere.body.issue[0].diagnostics]);
  expect(nowhere.status).toBe(403);
});

test('an authorization that is withdrawn ends its tokens at the next request', async () => {
  const token = await world.token('med-app', 'patient/*.cruds', 'mary');
  const app = world.as(token);
  expect((await app.get('MedicationStatement')).status).toBe(200);
  const { grant } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { grant: string };
  const kept = (await world.app.store.document('grant', grant)) as object;
  await world.app.store.commit([{ op: 'document', kind: 'grant', id: grant, value: { ...kept, active: false } }], world.app.now());
  const answer = await app.get('MedicationStatement');
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain('invalid_token');
});

test('a conditional create tells nothing of what is hidden', async () => {
  await designate();
  await made(ehr.post('MedicationStatement', statement('1819', 'buprenorphine', { identifier: [{ system: 'urn:x', value: 'hidden' }] })));
  const answer = await anna.post('MedicationStatement', statement('161', 'acetaminophen', { identifier: [{ system: 'urn:x', value: 'hidden' }] }), {
    'If-None-Exist': 'identifier=urn:x|hidden',
  });
  expect(answer.status).toBe(201);
  const other = await harbor.post('Patient', { resourceType: 'Patient' }, { 'If-None-Exist': '_id=mary' });
  expect(other.status).toBe(201);
});

test('the agreement behind a designation in force is not deleted', async () => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  await made(ehr.post('Consent', designation(`DocumentReference/${signed.id}`)));
  expect((await ehr.delete(`DocumentReference/${signed.id}`)).status).toBeGreaterThanOrEqual(403);
  expect((await ehr.get(`DocumentReference/${signed.id}`)).status).toBe(200);
});

test('nor behind a hundred proposals, nor moved to another patient, until the designation ends', async () => {
  await ehr.put('Patient/zed', { resourceType: 'Patient', id: 'zed' });
  const signed = await made(ehr.post('DocumentReference', agreement()));
  const name = `DocumentReference/${signed.id}`;
  const source = { sourceReference: { reference: name } };
  for (let at = 0; at < 101; at++)
    await made(ehr.post('Consent', consent({ kind: 'share', actor: 'Organization/harbor', provision: actions('access'), more: source })));
  const lodged = await made(ehr.post('Consent', designation(name)));
  const move = { ...signed, subject: { reference: 'Patient/zed' } };
  expect([(await ehr.delete(name)).status, (await ehr.put(name, move)).status]).toEqual([403, 403]);
  expect((await ehr.put(name, { ...signed, description: 'signed' })).status).toBe(200);
  expect((await mary.get(`${name}/_history/1`)).status).toBe(200);
  expect((await mary.put(`Consent/${lodged.id}`, { ...lodged, status: 'inactive' })).status).toBe(200);
  expect((await ehr.delete(name)).status).toBe(204);
});

test('an agreement that is deleted just when it is lodged: one of the two is refused', async () => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  const name = `DocumentReference/${signed.id}`;
  const [lodged, removed] = await Promise.all([ehr.post('Consent', designation(name)), ehr.delete(name)]);
  expect([lodged.status === 201, removed.status === 204].filter(Boolean)).toHaveLength(1);
});

test('a Provenance is sent only by who may change its targets, in the sender’s own name', async () => {
  const entry = await made(ehr.post('MedicationStatement', lisinopril()));
  const provenance = (who: string): object => ({
    resourceType: 'Provenance',
    target: [{ reference: `MedicationStatement/${entry.id}` }],
    recorded: '2026-11-24T00:00:00Z',
    agent: [{ who: { reference: who } }],
  });
  expect((await harbor.post('Provenance', provenance('Organization/harbor'))).status).toBeGreaterThanOrEqual(403);
  expect((await ehr.post('Provenance', provenance('Patient/mary'))).status).toBe(403);
  const kept = await made(ehr.post('Provenance', provenance('Organization/ima')));
  expect((await ehr.delete(`Provenance/${kept.id}`)).status).toBe(405);
  expect((await ehr.put(`Provenance/${kept.id}`, kept)).status).toBe(405);
});

test('a chain tries nothing on what is hidden at its end, and a condition has no chain', async () => {
  await made(ehr.post('MedicationStatement', lisinopril()));
  expect((await ehr.get('MedicationStatement?subject:Patient.family=Reyes&_total=accurate')).body.total).toBe(1);
  for (const name of ['Reyes', 'Nobody']) {
    const search = await harbor.get(`MedicationStatement?subject:Patient.family=${name}&_total=accurate`);
    expect([name, search.status, search.body.total]).toEqual([name, 200, 0]);
    const answer = await harbor.post('Patient', { resourceType: 'Patient' }, { 'If-None-Exist': `link:Patient.family=${name}` });
    expect([name, answer.status]).toEqual([name, 400]);
  }
});

test('a Medication that several records cite is seen from each of them, and by nobody else', async () => {
  const medication = await made(ehr.post('Medication', { resourceType: 'Medication', code: { text: 'a tablet' } }));
  await designate();
  expect((await harbor.get(`Medication/${medication.id}`)).status).toBe(200);
  await made(ehr.put('Patient/john', { resourceType: 'Patient', id: 'john' }));
  for (const id of ['mary', 'john']) {
    const cites = {
      resourceType: 'MedicationStatement',
      status: 'active',
      subject: { reference: `Patient/${id}` },
      medicationReference: { reference: `Medication/${medication.id}` },
    };
    await made(ehr.post('MedicationStatement', cites));
  }
  expect((await mary.get(`Medication/${medication.id}`)).status).toBe(200);
  expect((await anna.get(`Medication/${medication.id}`)).status).toBe(200);
  expect(resourcesOf((await anna.get('MedicationStatement?_include=MedicationStatement:medication')).body).map(one => one.resourceType)).toEqual([
    'MedicationStatement',
    'Medication',
  ]);
  expect((await harbor.get(`Medication/${medication.id}`)).status).toBe(404);
});

test('a reference to this server by its whole address is the same as by its name', async () => {
  const base = `${world.url}/fhir`;
  const entry = await made(ehr.post('MedicationStatement', lisinopril({ subject: { reference: `${base}/Patient/mary` } })));
  expect(entry.subject).toEqual({ reference: 'Patient/mary' });
  expect((await mary.get(`MedicationStatement/${entry.id}`)).status).toBe(200);
  expect((await mary.post('MedicationStatement', lisinopril({ subject: { reference: `${base}/Patient/john` } }))).status).toBe(403);
  expect((await harbor.post('MedicationStatement', lisinopril({ subject: { reference: `${base}/Patient/mary/_history/1` } }))).status).toBe(403);
  expect((await harbor.post('MedicationStatement', lisinopril({ subject: { reference: 'Patient/mary/_history/1' } }))).status).toBe(403);
});

test('an old version is hidden with the current one', async () => {
  await designate();
  const entry = await made(ehr.post('MedicationStatement', lisinopril()));
  expect((await anna.get(`MedicationStatement/${entry.id}/_history/1`)).status).toBe(200);
  const restricted = { ...entry, meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] } };
  expect((await ehr.put(`MedicationStatement/${entry.id}`, restricted)).status).toBe(200);
  expect((await anna.get(`MedicationStatement/${entry.id}/_history/1`)).status).toBe(404);
  expect((await anna.get(`MedicationStatement/${entry.id}/_history`)).status).toBe(404);
  expect((await mary.get(`MedicationStatement/${entry.id}/_history/1`)).status).toBe(200);
});

test('whoever may read an entry and not change it sends no Provenance for it', async () => {
  const app = world.as(await world.token('med-app', 'patient/*.cruds patient/Provenance.cruds', 'mary'));
  const entry = await made(ehr.post('MedicationStatement', lisinopril()));
  const provenance = {
    resourceType: 'Provenance',
    target: [{ reference: `MedicationStatement/${entry.id}` }],
    recorded: '2026-11-24T00:00:00Z',
    agent: [{ who: { reference: 'Patient/mary' } }],
  };
  expect((await app.post('Provenance', provenance)).status).toBe(403);
  const own = await made(mary.post('MedicationStatement', lisinopril()));
  await made(app.post('Provenance', { ...provenance, target: [{ reference: `MedicationStatement/${own.id}` }] }));
});

test('an account with a second factor activates nothing without it', async () => {
  const { TOTP } = await import('otpauth');
  const secret = 'JBSWY3DPEHPK3PXP';
  const kept = (await world.app.store.document('account', 'mary')) as object;
  await world.app.store.commit([{ op: 'document', kind: 'account', id: 'mary', value: { ...kept, totp: secret } }], world.app.now());
  const proposed = await made(mary.post('Consent', consent({ kind: 'share', actor: 'Organization/harbor', provision: classes('Observation') })));
  const password = 'correct-horse-battery-1';
  const right = new TOTP({ secret }).generate();
  const wrong = right === '000000' ? '000001' : '000000';
  await expect(activateAs(world.app, proposed.id, '1', 'mary', { password })).rejects.toThrow('not right');
  await expect(activateAs(world.app, proposed.id, '1', 'mary', { password, totp: wrong })).rejects.toThrow('not right');
  await activateAs(world.app, proposed.id, '1', 'mary', { password, totp: right });
  expect((await mary.get(`Consent/${proposed.id}`)).body.status).toBe('active');
});

test('a designation does not rest on an agreement that the same transaction deletes', async () => {
  const signed = await made(ehr.post('DocumentReference', agreement()));
  const answer = await ehr.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { request: { method: 'DELETE', url: `DocumentReference/${signed.id}` } },
      { resource: designation(`DocumentReference/${signed.id}`), request: { method: 'POST', url: 'Consent' } },
    ],
  });
  expect(answer.status).toBe(403);
  expect((await ehr.get(`DocumentReference/${signed.id}`)).status).toBe(200);
});
