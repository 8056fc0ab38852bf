import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { rotateKeys } from '../../src/auth/keys.ts';
import { makeLaunch } from '../../src/auth/launch.ts';
import { scratch } from '../http/world.ts';
import { type AuthWorld, anna, authorizationRequest, clientKey, designate, drLee, launch, mary, openAuthWorld, publicApp, REDIRECT } from './world.ts';

const launcher = {
  client_id: 'ehr',
  client_name: "IMA's EHR",
  kind: 'system',
  organization: 'ima',
  scope: 'system/*.rs',
  client_secret: 'a-long-and-random-secret-of-the-ehr',
} as const;
const basic = { Authorization: `Basic ${Buffer.from(`ehr:${launcher.client_secret}`).toString('base64')}` };
let world: AuthWorld;
beforeAll(async () => {
  world = await openAuthWorld({ KINDRED_REGISTRATION: 'open' }, [
    publicApp,
    { ...launcher, launch: true, introspect: true },
    { ...launcher, client_id: 'plain' },
  ]);
});
afterAll(() => world.end());
const json = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${world.url}${path}`, { headers });
  // biome-ignore lint/suspicious/noExplicitAny: what servers answer
  return { status: response.status, headers: response.headers, body: (response.status === 200 ? await response.json() : undefined) as any };
};
const ehrToken = async (id = 'ehr') =>
  (
    await world.post(
      '/token',
      { grant_type: 'client_credentials', scope: 'system/*.rs' },
      { Authorization: `Basic ${Buffer.from(`${id}:${launcher.client_secret}`).toString('base64')}` },
    )
  ).body.access_token as string;

describe('discovery (§Conformance)', () => {
  test('smart-configuration has all required and recommended fields, for any origin', async () => {
    const { body, headers } = await json('/fhir/.well-known/smart-configuration', { Origin: 'https://app.example' });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('content-type')).toContain('application/json');
    for (const field of [
      'issuer',
      'jwks_uri',
      'authorization_endpoint',
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
      'registration_endpoint',
      'management_endpoint',
      'grant_types_supported',
      'scopes_supported',
      'response_types_supported',
      'capabilities',
      'code_challenge_methods_supported',
      'token_endpoint_auth_methods_supported',
      'token_endpoint_auth_signing_alg_values_supported',
      'user_access_brand_bundle',
      'user_access_brand_identifier',
    ])
      expect([field, body[field]]).toEqual([field, expect.anything()]);
    expect(body.code_challenge_methods_supported).toEqual(['S256']);
  });

  test('openid-configuration, RFC 8414 metadata and smart-configuration agree', async () => {
    const smart = (await json('/fhir/.well-known/smart-configuration')).body;
    const openid = (await json('/auth/.well-known/openid-configuration')).body;
    const oauth = (await json('/.well-known/oauth-authorization-server/auth')).body;
    for (const field of [
      'issuer',
      'jwks_uri',
      'authorization_endpoint',
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
      'registration_endpoint',
    ])
      expect([field, openid[field], oauth[field]]).toEqual([field, smart[field], smart[field]]);
    expect(openid.id_token_signing_alg_values_supported).toEqual(['RS256']);
    expect(openid.code_challenge_methods_supported).toEqual(['S256']);
    for (const scope of ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access']) expect(openid.scopes_supported).toContain(scope);
  });

  test('keys are published without their secret halves', async () => {
    const { body } = await json('/auth/jwks');
    expect(body.keys.map((key: { alg: string }) => key.alg).sort()).toEqual(['ES256', 'RS256']);
    for (const key of body.keys) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key[secret]).toBeUndefined();
  });

  test('the CapabilityStatement names the endpoints (oauth-uris)', async () => {
    const { body } = await json('/fhir/metadata');
    expect(JSON.stringify(body.rest[0].security)).toContain(`${world.issuer}/authorize`);
  });

  test('user-access brands: a Bundle with an ETag (§User-access brands)', async () => {
    const { body } = await json('/fhir/.well-known/smart-configuration');
    const bundle = await fetch(body.user_access_brand_bundle, { headers: { Origin: 'https://app.example' } });
    expect([bundle.status, bundle.headers.get('access-control-allow-origin'), bundle.headers.get('etag')]).toEqual([200, '*', expect.stringMatching(/^W\//)]);
    const { type, entry } = (await bundle.json()) as { type: string; entry: { resource: { resourceType: string; name?: string } }[] };
    expect(JSON.stringify(entry)).toContain(JSON.stringify(body.user_access_brand_identifier));
    expect([type, entry.map(one => one.resource.resourceType).sort()]).toEqual(['collection', ['Endpoint', 'Organization', 'Organization', 'Organization']]);
    expect((await fetch(body.user_access_brand_bundle, { headers: { 'If-None-Match': bundle.headers.get('etag')! } })).status).toBe(304);
  });

  test('style (context-style): every value is one that apps know', async () => {
    const { body } = await json('/smart-style.json');
    expect(Object.keys(body)).toEqual(expect.arrayContaining(['color_background', 'color_text', 'font_family_body']));
  });
});

describe('browsers of apps (CORS)', () => {
  test('FHIR is open to any origin, without cookies; the token endpoint to registered ones', async () => {
    const preflight = await fetch(`${world.base}/Patient/mary`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-credentials')]).toEqual([
      204,
      '*',
      null,
    ]);
    const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: REDIRECT, client_id: 'phone', code_verifier: 'x'.repeat(43) };
    const own = await world.post('/token', form, { Origin: new URL(REDIRECT).origin });
    expect(own.headers.get('access-control-allow-origin')).toBe(new URL(REDIRECT).origin);
    const strange = await world.post('/token', form, { Origin: 'https://evil.example' });
    expect([strange.status, strange.headers.get('access-control-allow-origin')]).toEqual([400, null]);
  });
});

describe('EHR launch (§Launch App: EHR Launch)', () => {
  const make = async (body: object, token?: string) => {
    const response = await fetch(`${world.issuer}/launch`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token ?? (await ehrToken())}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { launch: string; error?: string; error_description?: string } };
  };

  test("a practitioner's app gets the patient, the encounter and the intent of the EHR, and a launch is good once", async () => {
    const ehr = await ehrToken('plain');
    expect(ehr).toEqual(expect.any(String));
    const writer = await world.token('ehr-ima', 'system/*.cruds');
    const encounter = await fetch(`${world.base}/Encounter`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${writer}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: 'Patient/mary' },
      }),
    });
    const { id } = (await encounter.json()) as { id: string };
    const made = await make({ client: 'phone', account: 'dr-lee', patient: 'mary', encounter: id, intent: 'reconcile', need_patient_banner: false });
    expect(made.status).toBe(201);
    const { redeem } = await launch(world, 'launch openid fhirUser patient/Patient.rs', drLee, { more: { launch: made.body.launch } });
    const { body } = await redeem();
    expect(body).toMatchObject({ patient: 'mary', encounter: id, intent: 'reconcile', need_patient_banner: false });
    expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
    const introspected = (await world.post('/introspect', { token: body.access_token }, basic)).body;
    expect(introspected).toMatchObject({
      active: true,
      patient: 'mary',
      encounter: id,
      intent: 'reconcile',
      sub: 'dr-lee',
      fhirUser: `${world.base}/Practitioner/lee`,
    });
    const again = await world.browser().go(authorizationRequest(world, 'launch patient/Patient.rs', { launch: made.body.launch }).url);
    expect(again.left?.searchParams.get('error')).toBe('invalid_request');
  });

  test('a patient is launched for the own record only', async () => {
    const value = await makeLaunch({ client: 'phone', patient: 'mary' }, world.app);
    const { redeem } = await launch(world, 'launch patient/Patient.rs', mary, { more: { launch: value } });
    expect((await redeem()).body.patient).toBe('mary');
    await world.app.run(
      { method: 'PUT', path: ['Patient', 'paul'], query: [], headers: {}, body: { resourceType: 'Patient', id: 'paul' } },
      await world.app.verify(await world.token('ehr-ima', 'system/*.cruds')),
    );
    const others = await makeLaunch({ client: 'phone', patient: 'paul' }, world.app);
    expect((await launch(world, 'launch patient/Patient.rs', mary, { more: { launch: others } })).code).toBe('');
  });

  test('who may make one: a system that is registered for it, for people of its organization, about what there is', async () => {
    expect((await make({ client: 'phone', patient: 'mary' }, await ehrToken('plain'))).status).toBe(403);
    expect((await make({ client: 'phone', patient: 'mary' }, 'nonsense')).status).toBe(401);
    for (const [body, text] of [
      [{ client: 'nobody', patient: 'mary' }, 'client'],
      [{ client: 'phone', patient: 'unknown' }, 'Patient'],
      [{ client: 'phone', account: 'mary', patient: 'mary' }, 'account'],
      [{ client: 'phone', patient: 'mary', more: 1 }, 'additional'],
      [{ patient: 'mary' }, 'client'],
    ] as const) {
      const made = await make(body);
      expect([text, made.status, made.body.error_description]).toEqual([text, 400, expect.stringContaining(text)]);
    }
  });

  test('a launch for one app is not good for another', async () => {
    await world.add({ ...publicApp, client_id: 'another', client_name: 'Another' });
    const value = await makeLaunch({ client: 'another', patient: 'mary' }, world.app);
    const page = await world.browser().go(authorizationRequest(world, 'launch patient/Patient.rs', { launch: value }).url);
    expect(page.left?.searchParams.get('error')).toBe('invalid_request');
  });
});

describe('introspection (§Token Introspection)', () => {
  test('an authorised client shows its secret or a bearer token; others hear that it is not active', async () => {
    await designate(world);
    const { body } = await (await launch(world, 'launch/patient openid fhirUser patient/Patient.rs', anna)).redeem();
    const form = { token: body.access_token };
    const told = (await world.post('/introspect', form, basic)).body;
    expect(told).toMatchObject({
      active: true,
      client_id: 'phone',
      scope: body.scope,
      patient: 'mary',
      iss: world.issuer,
      sub: 'anna',
      fhirUser: `${world.base}/RelatedPerson/anna-for-mary`,
    });
    const bearer = (await world.post('/introspect', form, { Authorization: `Bearer ${await ehrToken()}` })).body;
    expect(bearer).toMatchObject({ active: true, patient: 'mary', fhirUser: told.fhirUser });
    expect((await world.post('/introspect', form, { Authorization: `Bearer ${await ehrToken('plain')}` })).body).toEqual({ active: false });
    expect((await world.post('/introspect', form, { Authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await world.post('/introspect', form)).status).toBe(400);
    expect((await world.post('/introspect', { token: 'nonsense' }, basic)).body).toEqual({ active: false });
  });
});

describe('dynamic registration (RFC 7591)', () => {
  const register = async (at: AuthWorld, body: object | string) => {
    const response = await fetch(`${at.issuer}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: what servers answer
    return { status: response.status, body: (await response.json()) as any };
  };
  const metadata = {
    client_name: 'New app',
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'none',
    scope: 'launch/patient patient/MedicationStatement.rs',
  };

  test('an app that registered may be used where registration is open', async () => {
    const { status, body } = await register(world, metadata);
    expect([status, body]).toEqual([201, expect.objectContaining({ client_id: expect.any(String), scope: metadata.scope, redirect_uris: [REDIRECT] })]);
    for (const ours of ['smart_scope', 'kind', 'introspect']) expect(Object.keys(body)).not.toContain(ours);
    const { redeem } = await launch(world, 'launch/patient patient/*.cruds patient/MedicationStatement.rs', mary, { more: { client_id: body.client_id } });
    expect((await redeem({ client_id: body.client_id })).body.scope).toBe('launch/patient patient/MedicationStatement.rs');
  });

  test('a secret is shown once and kept hashed', async () => {
    const { body } = await register(world, { ...metadata, token_endpoint_auth_method: 'client_secret_basic' });
    const kept = JSON.stringify(await world.app.store.document('client', body.client_id));
    expect([body.client_secret.length > 30, kept.includes(body.client_secret)]).toEqual([true, false]);
  });

  test('it is held for approval otherwise, and a system always', async () => {
    const { open } = await clientKey('ES384', 'k1');
    const system = await register(world, { client_name: 'System', grant_types: ['client_credentials'], jwks: { keys: [open] }, scope: 'system/*.rs' });
    expect([system.status, ((await world.app.store.document('client', system.body.client_id)) as { status: string }).status]).toEqual([201, 'held']);
    const held = await openAuthWorld();
    try {
      const { body } = await register(held, metadata);
      const page = await held.browser().go(authorizationRequest(held, 'patient/Patient.rs', { client_id: body.client_id }).url);
      expect([page.left, page.status]).toEqual([undefined, 400]);
      const forbidden = await openAuthWorld({ KINDRED_REGISTRATION: 'off' });
      expect((await fetch(`${forbidden.issuer}/register`, { method: 'POST', body: '{}' })).status).toBe(404);
      await forbidden.end();
    } finally {
      await held.end();
    }
  });

  test.each<[string, object | string, string]>([
    ['no name', { ...metadata, client_name: undefined }, 'client_name'],
    ['no redirect URI', { ...metadata, redirect_uris: undefined }, '/redirect_uris'],
    ['an insecure one', { ...metadata, redirect_uris: ['http://app.example/callback'] }, '/redirect_uris'],
    ['javascript:', { ...metadata, redirect_uris: ['javascript:alert(1)'] }, '/redirect_uris'],
    ['a fragment', { ...metadata, redirect_uris: ['https://app.example/#x'] }, '/redirect_uris'],
    ['an unknown scope', { ...metadata, scope: 'patient/Nonsense.rs' }, '/scope'],
    ['keys missing', { ...metadata, token_endpoint_auth_method: 'private_key_jwt' }, '/jwks'],
    [
      'a system with a secret',
      { client_name: 'S', grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' },
      '/token_endpoint_auth_method',
    ],
    ['not an object', [], 'object'],
    ['not JSON', '{', 'JSON'],
  ])('%s: 400 with the place (§3.2.2)', async (_name, body, text) => {
    const { status, body: answer } = await register(world, body);
    expect([status, answer.error, answer.error_description]).toEqual([400, 'invalid_client_metadata', expect.stringContaining(text)]);
  });
});

test('keys are rotated while the server runs: new ones sign, and tokens, refresh tokens and sign-ins go on', async () => {
  const browser = world.browser();
  const before = (await (await launch(world, 'launch/patient openid offline_access patient/Patient.rs', mary, { browser })).redeem()).body;
  const [kid] = await rotateKeys(world.app.store, world.app.now);
  expect((await world.fhir('Patient/mary', before.access_token)).status).toBe(200);
  const after = (await world.post('/token', { grant_type: 'refresh_token', refresh_token: before.refresh_token })).body;
  expect(decodeProtectedHeader(after.access_token).kid).toBe(kid);
  expect(decodeProtectedHeader(after.id_token).kid).not.toBe(decodeProtectedHeader(before.id_token).kid);
  const keys = createRemoteJWKSet(new URL(`${world.issuer}/jwks`));
  for (const token of [before.id_token, after.id_token]) await jwtVerify(token, keys, { issuer: world.issuer });
  expect((await world.fhir('Patient/mary', after.access_token)).status).toBe(200);
  expect((await browser.go('/apps')).url).toContain('/apps');
});

test('a flood from one address is bounded, and told when to come again', async () => {
  const flooded = await openAuthWorld();
  try {
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let sent = 0; sent < 620; sent += 20)
      for (const response of await Promise.all(Array.from({ length: 20 }, () => fetch(`${flooded.issuer}/register`, { method: 'POST', body: '{' })))) {
        statuses.push(response.status);
        last = response;
      }
    expect([statuses.filter(status => status === 400).length, statuses.filter(status => status === 429).length]).toEqual([600, 20]);
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await flooded.end();
  }
});

test('what has expired is swept away', async () => {
  const folder = scratch();
  const clock = join(folder.path, 'now');
  writeFileSync(clock, new Date().toISOString());
  const timed = await openAuthWorld({ KINDRED_CLOCK: `file:${clock}` }, [launcher]);
  await timed.post('/token', { grant_type: 'client_credentials', scope: 'system/*.rs' }, basic);
  expect((await timed.app.store.documents('grant')).length).toBe(1);
  expect(await timed.app.store.sweep(Date.now(), 100)).toBe(0);
  expect(await timed.app.store.sweep(Date.now() + 400_000, 100)).toBe(1);
  expect((await timed.app.store.documents('grant')).length).toBe(0);
  await timed.end();
  folder.remove();
});
