import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { appStands } from '../../src/access/app-consent.ts';
import { verifyChain } from '../../src/audit/chain.ts';
import type { Occurrence } from '../../src/audit/occurrence.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { validate } from '../../src/fhir/validate/validate.ts';
import { type AppAuthorization, authorizeApp, endApp, handOf, type Person } from '../../src/interaction/app-consent.ts';
import type { Answer, Interaction } from '../../src/interaction/interaction.ts';
import { makeNote } from '../../src/interaction/occurrence.ts';
import { runInteraction } from '../../src/interaction/run.ts';
import { designate, openStrangers } from './strangers.ts';
import { type Client, resourcesOf, type World } from './world.ts';

jest.setTimeout(60_000);
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

const scope = 'launch/patient patient/Observation.rs patient/MedicationStatement.cruds offline_access';
const herself: Person = { account: 'mary', who: 'Patient/mary', record: 'Patient/mary', address: '203.0.113.9' };
const daughter: Person = { account: 'anna', who: 'RelatedPerson/anna-for-mary', record: 'Patient/mary' };

const take = (interaction: unknown, id: string, person: Person): Promise<Answer> =>
  runInteraction(interaction as Interaction, { method: 'POST', path: ['Consent', id], query: [], headers: {} }, handOf(person), world.app.parts);
/** The grant, the line of the log and the Consent in one commit. */
function authorize(id: string, person: Person, more: Partial<AppAuthorization> = {}): Promise<Answer> {
  const note = makeNote(world.app.parts);
  const line: Occurrence = { code: 'authorize', client: 'med-app', account: person.account, who: person.who, record: person.record, text: scope };
  const also = [
    { op: 'document', kind: 'grant', id: `grant-${id}`, value: { id: `grant-${id}`, active: true }, expect: 'absent' } as const,
    ...note({ ...line, consents: [`Consent/${id}`] }),
  ];
  const app = { id, patient: person.record, performer: person.who, client: { id: 'med-app', name: 'Medication list' }, scope, also };
  return take(authorizeApp({ ...app, ...more }, world.app.parts.base), id, person);
}
const end = (id: string, person: Person): Promise<Answer> =>
  take(endApp(id, [{ op: 'document', kind: 'grant', id: `grant-${id}`, value: { id: `grant-${id}`, active: false } }], world.app.parts.base), id, person);
const epoch = async (): Promise<number> => (await world.app.store.epochs(['record:Patient/mary']))[0]!;
const grant = (id: string): Promise<unknown> => world.app.store.document('grant', `grant-${id}`);

describe('a person lets an app in', () => {
  test('Consent, grant, Provenance and the line of the log come in one commit, and name the person', async () => {
    const answer = await authorize('a1', herself);
    expect(answer.status).toBe(201);
    const { status, body } = await mary.get('Consent/a1');
    expect(status).toBe(200);
    expect(validate(body)).toEqual([]);
    expect(body).toMatchObject({
      status: 'active',
      patient: { reference: 'Patient/mary' },
      performer: [{ reference: 'Patient/mary' }],
      contained: [{ resourceType: 'Device', identifier: [{ value: 'med-app' }], deviceName: [{ name: 'Medication list' }] }],
      extension: [{ valueString: scope }],
      provision: { type: 'permit', class: [{ code: 'MedicationStatement' }, { code: 'Observation' }] },
    });
    expect(await grant('a1')).toEqual({ id: 'grant-a1', active: true });
    const [provenance] = resourcesOf((await mary.get('Provenance?target=Consent/a1')).body) as unknown as { agent: { who: object }[] }[];
    expect(provenance!.agent[0]!.who).toEqual({ reference: 'Patient/mary' });
    const log = resourcesOf((await mary.get('AuditEvent?_count=100')).body) as unknown as {
      subtype: { code: string }[];
      agent: { who: object; altId?: string }[];
    }[];
    const lines = log.filter(line => JSON.stringify(line).includes('Consent/a1'));
    expect(lines.map(line => line.subtype[0]!.code)).toEqual(expect.arrayContaining(['authorize', 'create']));
    for (const line of lines) expect(line.agent.map(agent => agent.who)).toContainEqual({ reference: 'Patient/mary' });
    expect((await verifyChain(world.app.store.chain())).faults).toEqual([]);
  });

  test('a caregiver does so within her own rights: on behalf of the patient', async () => {
    await designate(ima, 'Observation');
    await authorize('a2', daughter);
    const [provenance] = resourcesOf((await mary.get('Provenance?target=Consent/a2')).body) as unknown as { agent: object[] }[];
    expect(provenance!.agent[0]).toMatchObject({ who: { reference: 'RelatedPerson/anna-for-mary' }, onBehalfOf: { reference: 'Patient/mary' } });
    // The patient sees all of them, the caregiver her own.
    await authorize('a1', herself);
    expect((await mary.get('Consent/a2')).status).toBe(200);
    expect([(await anna.get('Consent/a2')).status, (await anna.get('Consent/a1')).status]).toEqual([200, 404]);
    expect(resourcesOf((await anna.get('Consent')).body).map(one => one.id)).not.toContain('a1');
  });

  test('it permits nobody anything: neither the app nor who let it in, nor anybody who is enrolled', async () => {
    await authorize('a2', daughter);
    expect((await anna.get('Observation')).status).toBe(403);
    for (const stranger of [john, harbor]) expect((await stranger.get('Consent/a2')).status).toBe(404);
  });

  test('nobody else lets an app in, and none is let in twice: then nothing is stored at all', async () => {
    const john = { account: 'john', who: 'Patient/john', record: 'Patient/mary' } as const;
    await expect(authorize('b1', john)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(authorize('b2', { ...daughter, record: 'Patient/john' })).rejects.toMatchObject({ code: 'forbidden' });
    for (const id of ['b1', 'b2']) expect(await grant(id)).toBeUndefined();
    await authorize('a1', herself);
    await expect(authorize('a1', herself)).rejects.toMatchObject({ code: 'duplicate' });
    // The grant is there already: the Consent does not come either.
    const taken = [{ op: 'document', kind: 'grant', id: 'grant-a1', value: {}, expect: 'absent' } as const];
    await expect(authorize('c1', herself, { also: taken })).rejects.toMatchObject({ code: 'conflict' });
    expect((await mary.get('Consent/c1')).status).toBe(404);
  });
});

describe('what happened beside the road, in the log', () => {
  const codes = ['sign-in', 'credentials', 'authorize', 'token', 'refresh', 'revoke'] as const;
  const linesOf = async (client: Client): Promise<readonly string[]> =>
    resourcesOf((await client.get('AuditEvent?_count=500')).body)
      .map(line => JSON.stringify(line))
      .filter(line => line.includes('110114'));
  const happen = async (): Promise<void> => {
    const note = makeNote(world.app.parts);
    const about: Omit<Occurrence, 'code'> = { account: 'mary', who: 'Patient/mary', record: 'Patient/mary', client: 'med-app', text: scope };
    expect((await world.app.store.commit([...codes.flatMap(code => note({ ...about, code })), ...note({ code: 'key' })], world.app.now())).ok).toBe(true);
  };

  test('is the patient’s to read, and nobody’s whose consent does not name the log', async () => {
    // The tokens of this world are in it already.
    const before = (await linesOf(mary)).length;
    const others = [anna, john, ima, harbor];
    const theirs = await Promise.all(others.map(linesOf));
    await happen();
    await designate(ima, 'Observation', 'MedicationStatement');
    expect(await linesOf(mary)).toHaveLength(before + codes.length);
    expect(await Promise.all(others.map(linesOf))).toEqual(theirs);
    expect(JSON.stringify(theirs)).not.toContain('Patient/mary');
  });

  test('with the log named, a caregiver still reads none of what is about apps and sign-in', async () => {
    await happen();
    await designate(ima, 'Observation', 'AuditEvent', 'Consent');
    expect((await anna.get('AuditEvent')).status).toBe(200);
    expect(await linesOf(anna)).toEqual([]);
  });

  test('is found by the patient, and by who did it', async () => {
    const found = async (search: string): Promise<number> => (await mary.get(`AuditEvent?${search}&_summary=count`)).body.total;
    const before = await found('outcome=0&agent=Patient/mary');
    await happen();
    // The search for it before is in it too.
    expect(await found('outcome=0&agent=Patient/mary')).toBe(before + 1 + codes.length);
  });
});

describe('it ends', () => {
  test('by the server’s hand with the grant, once and again', async () => {
    await authorize('a1', herself);
    const before = await epoch();
    expect((await end('a1', herself)).status).toBe(200);
    expect(await epoch()).toBeGreaterThan(before);
    expect((await mary.get('Consent/a1')).body).toMatchObject({ status: 'inactive', meta: { versionId: '2' } });
    expect(await grant('a1')).toMatchObject({ active: false });
    expect((await end('a1', herself)).status).toBe(200);
    expect((await mary.get('Consent/a1')).body.meta.versionId).toBe('2');
    const designation = await designate(ima, 'Observation');
    await expect(end(designation.id, herself)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('by the patient’s PUT of `inactive` with all else equal; the record’s epoch rises', async () => {
    const made = await epoch();
    await authorize('a1', herself);
    const before = await epoch();
    expect(before).toBeGreaterThan(made);
    const { body } = await mary.get('Consent/a1');
    expect((await mary.put('Consent/a1', { ...body, status: 'inactive', dateTime: '2020' })).status).toBe(403);
    expect((await mary.put('Consent/a1', { ...body, status: 'inactive' })).status).toBe(200);
    expect(await epoch()).toBeGreaterThan(before);
    expect((await mary.put('Consent/a1', body)).status).toBe(403);
  });

  test('the patient ends what a caregiver let in; a caregiver ends nothing by the API', async () => {
    await designate(ima, 'Observation');
    await authorize('a2', daughter);
    const { body } = await anna.get('Consent/a2');
    expect((await anna.put('Consent/a2', { ...body, status: 'inactive' })).status).toBe(403);
    expect((await mary.put('Consent/a2', { ...body, status: 'inactive' })).status).toBe(200);
    // The word of the caregiver does not bring it back.
    expect((await anna.put('Consent/a2', body)).status).toBe(403);
  });

  test('with its period', async () => {
    await authorize('a1', herself, { until: '2036-01-01T00:00:00.000Z' });
    const { body } = (await mary.get('Consent/a1')) as { body: Resource };
    const now = world.app.now();
    expect([now, '2035-12-31T23:59:59.999Z', '2036-01-01T00:00:00.001Z', '2001-01-01T00:00:00.000Z'].map(at => appStands(body, at))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(appStands({ ...body, status: 'inactive' }, now)).toBe(false);
  });
});
