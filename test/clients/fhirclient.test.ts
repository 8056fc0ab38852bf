import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { exportJWK, type JWK } from 'jose';
import { type AuthWorld, anna, clientKey, designate, drLee, mary, openAuthWorld, publicApp, REDIRECT, walk } from '../auth/world.ts';
import { buprenorphine, lisinopril } from '../http/resources.ts';
import { keepSmart, type SmartClient, type SmartConfig, smart } from './fhirclient.ts';

// SMART on FHIR's own JS library, as a server uses it: https://docs.smarthealthit.org/client-js/
jest.setTimeout(60_000);
const SECRET = 'a-long-and-random-secret-of-the-app';
const app = { client_name: 'Medication list', kind: 'app', redirect_uris: [REDIRECT], scope: publicApp.scope } as const;
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs patient/MedicationStatement.rs';

let world: AuthWorld;
let jwksServer: Server;
let jwksUri: string;
let encounter: string;
const keys: Record<string, { readonly secret: JWK; readonly open: JWK }> = {};

beforeAll(async () => {
  for (const alg of ['RS384', 'ES384']) {
    const { secret, open } = await clientKey(alg, `key-${alg}`);
    keys[alg] = { secret: { ...(await exportJWK(secret)), alg, kid: `key-${alg}` }, open };
  }
  jwksServer = createServer((_request, response) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [keys.RS384!.open] })));
  await new Promise<void>(resolve => jwksServer.listen(0, '127.0.0.1', resolve).unref());
  jwksUri = `http://127.0.0.1:${(jwksServer.address() as AddressInfo).port}/jwks.json`;
  world = await openAuthWorld({}, [
    publicApp,
    { ...app, client_id: 'symmetric', client_secret: SECRET },
    { ...app, client_id: 'inline-keys', jwks: { keys: [keys.ES384!.open] } },
    { ...app, client_id: 'keys-by-url', jwks_uri: jwksUri },
    { client_id: 'launcher', client_name: "IMA's EHR", kind: 'system', organization: 'ima', scope: 'system/Patient.rs system/Encounter.rs', launch: true },
  ]);
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  for (const resource of [lisinopril(), buprenorphine()]) expect((await ehr.post('MedicationStatement', resource)).status).toBe(201);
  const visit = await ehr.post('Encounter', {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/mary' },
  });
  encounter = visit.body.id;
});
afterAll(async () => {
  await world.end();
  jwksServer.close();
});

/** One request for a page of the app, and where it leads on to. */
function pageOfApp(url: string) {
  const { pathname, search, host } = new URL(url);
  let left = '';
  const request = { url: `${pathname}${search}`, headers: { host }, socket: {} } as unknown as IncomingMessage;
  const writeHead = (_status: number, { location }: { readonly location: string }): void => {
    left = location;
  };
  const response = { writeHead, end: () => undefined };
  return { request, response: response as unknown as ServerResponse, left: () => left };
}
type Options = Parameters<typeof walk>[3] & { readonly query?: Readonly<Record<string, string>>; readonly browser?: ReturnType<AuthWorld['browser']> };
/** From the app's launch address through the pages, back to the app, and on until it has its token. */
async function launched(config: Omit<SmartConfig, 'redirectUri'>, person = mary, options: Options = {}): Promise<SmartClient> {
  const kept = keepSmart();
  const start = pageOfApp(`${new URL('/launch', REDIRECT)}?${new URLSearchParams(options.query ?? { iss: world.base })}`);
  await smart(start.request, start.response, kept).authorize({ ...config, redirectUri: REDIRECT });
  const back = await walk(options.browser ?? world.browser(), start.left(), person, options);
  const end = pageOfApp(back.href);
  return smart(end.request, end.response, kept).ready();
}
const statusOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 200,
    error => (error as { statusCode?: number; status?: number }).statusCode ?? (error as { status?: number }).status,
  );
const total = async (client: SmartClient, path: string): Promise<unknown> => (await client.request(`${path}?_total=accurate`)).total;

test('public app, standalone launch with PKCE: reads, refreshes, and is cut off when the person ends it', async () => {
  const browser = world.browser();
  const client = await launched({ clientId: publicApp.client_id, scope: SCOPE }, mary, { browser });
  expect(client.state).toMatchObject({ codeChallengeMethods: ['S256'], codeVerifier: expect.any(String) });
  expect([client.patient.id, client.user.resourceType, client.user.id]).toEqual(['mary', 'Patient', 'mary']);
  expect(await client.patient.read()).toMatchObject({ resourceType: 'Patient', id: 'mary' });
  expect(await client.user.read()).toMatchObject({ resourceType: 'Patient', id: 'mary' });
  expect(client.getIdToken()).toMatchObject({ iss: world.issuer, fhirUser: `${world.base}/Patient/mary` });
  expect(await total(client, 'MedicationStatement')).toBe(2);
  expect(await statusOf(client.request('Condition'))).toBe(403);

  const before = client.state.tokenResponse!;
  const { tokenResponse: after } = await client.refresh();
  expect([after!.access_token === before.access_token, after!.refresh_token === before.refresh_token]).toEqual([false, false]);
  expect([after!.patient, after!.scope]).toEqual(['mary', SCOPE]);
  expect(await total(client, 'MedicationStatement')).toBe(2);

  const apps = await browser.go('/apps');
  const end = /href="(\/apps\/[^"]+\/end)"/.exec(apps.html)![1]!;
  const asked = await browser.go(end);
  expect((await browser.submit(asked.forms.find(form => form.action.endsWith(end))!)).status).toBe(200);
  expect(await statusOf(client.request('MedicationStatement'))).toBe(401);
  const again = await world.post('/token', { grant_type: 'refresh_token', refresh_token: String(after!.refresh_token) });
  expect([again.status, again.body.error]).toEqual([400, 'invalid_grant']);
});

test('symmetric confidential app: launch and refresh with its secret; a wrong secret gets no token', async () => {
  const client = await launched({ clientId: 'symmetric', clientSecret: SECRET, scope: SCOPE });
  expect(await total(client, 'MedicationStatement')).toBe(2);
  const { tokenResponse } = await client.refresh();
  expect(tokenResponse).toMatchObject({ patient: 'mary', token_type: 'Bearer' });
  expect(await total(client, 'MedicationStatement')).toBe(2);
  await expect(launched({ clientId: 'symmetric', clientSecret: 'wrong', scope: SCOPE })).rejects.toThrow(/invalid_client/);
  await expect(launched({ clientId: 'symmetric', scope: SCOPE })).rejects.toThrow(/invalid_client/);
});

test.each(['inline-keys', 'keys-by-url'])('asymmetric app, %s: launch with an assertion', async clientId => {
  const clientPrivateJwk = keys[clientId === 'inline-keys' ? 'ES384' : 'RS384']!.secret;
  const jku = clientId === 'inline-keys' ? {} : { clientPublicKeySetUrl: jwksUri };
  const client = await launched({ clientId, clientPrivateJwk, ...jku, scope: SCOPE });
  expect(client.patient.id).toBe('mary');
  expect(await total(client, 'MedicationStatement')).toBe(2);
  // The library shows no assertion when it refreshes, so that nobody knows who asks: refused, and the token that is there goes on.
  await expect(client.refresh()).rejects.toThrow(/invalid_request|invalid_client/);
  expect(await total(client, 'MedicationStatement')).toBe(2);
  await expect(launched({ clientId, scope: SCOPE })).rejects.toThrow(/invalid_client/);
});

test('EHR launch: the context comes from the EHR, for whoever was signed in there', async () => {
  const made = await fetch(`${world.issuer}/launch`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await world.token('launcher', 'system/Patient.rs system/Encounter.rs')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ client: publicApp.client_id, account: drLee.username, patient: 'mary', encounter, intent: 'review', need_patient_banner: false }),
  });
  const { launch } = (await made.json()) as { launch: string };
  expect([made.status, typeof launch]).toEqual([201, 'string']);
  const scope = 'launch openid fhirUser patient/MedicationStatement.rs patient/Encounter.r patient/Practitioner.r';
  const client = await launched({ clientId: publicApp.client_id, scope }, drLee, { query: { iss: world.base, launch } });
  expect(client.state.tokenResponse).toMatchObject({ patient: 'mary', encounter, intent: 'review', need_patient_banner: false });
  expect([client.patient.id, client.encounter.id, client.user.resourceType, client.user.id]).toEqual(['mary', encounter, 'Practitioner', 'lee']);
  expect(await client.encounter.read()).toMatchObject({ resourceType: 'Encounter', id: encounter });
  expect(await client.user.read()).toMatchObject({ resourceType: 'Practitioner', id: 'lee' });
  expect(await total(client, 'MedicationStatement')).toBe(2);
  // A launch is good once.
  await expect(launched({ clientId: publicApp.client_id, scope }, drLee, { query: { iss: world.base, launch } })).rejects.toThrow();
});

test('a person who refuses: the app is told access_denied', async () => {
  await expect(launched({ clientId: publicApp.client_id, scope: SCOPE }, mary, { deny: true })).rejects.toThrow(/access_denied/);
});

test('a caregiver whom a consent permits the medications: the app sees those, and nothing else of the record', async () => {
  await designate(world);
  const client = await launched({ clientId: publicApp.client_id, scope: SCOPE }, anna);
  expect(client.state.tokenResponse).toMatchObject({ patient: 'mary', need_patient_banner: true });
  expect([client.user.resourceType, client.user.id]).toEqual(['RelatedPerson', 'anna-for-mary']);
  expect(await total(client, 'MedicationStatement')).toBeGreaterThan(0);
  expect(await client.patient.read()).toMatchObject({ id: 'mary' });
  expect(await statusOf(client.request('Observation'))).toBeGreaterThanOrEqual(403);
});
