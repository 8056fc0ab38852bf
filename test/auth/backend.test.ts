import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, type JWK } from 'jose';
import { type AuthWorld, clientKey, openAuthWorld } from './world.ts';

// SMART App Launch 2.2, Backend Services: https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
let world: AuthWorld;
const keys: Record<string, Awaited<ReturnType<typeof clientKey>>> = {};
let published: JWK[] = [];
let fetched = 0;
let jwksServer: Server;
let jwksUri: string;
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

beforeAll(async () => {
  for (const alg of ['RS384', 'ES384']) keys[alg] = await clientKey(alg, alg);
  keys.strange = await clientKey('RS384', 'RS384');
  jwksServer = createServer((_request, response) => {
    fetched++;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>(resolve => jwksServer.listen(0, '127.0.0.1', resolve));
  jwksUri = `http://127.0.0.1:${(jwksServer.address() as AddressInfo).port}/jwks`;
  published = [keys.RS384!.open];
  const shared = { kind: 'system', organization: 'ima', scope: 'system/Patient.rs system/Observation.cruds' } as const;
  world = await openAuthWorld({}, [
    {
      client_id: 'inline',
      client_name: 'Inline keys',
      jwks: {
        keys: Object.values(keys)
          .slice(0, 2)
          .map(key => key.open),
      },
      ...shared,
    },
    { client_id: 'by-url', client_name: 'Keys at a URL', jwks_uri: jwksUri, ...shared },
    { client_id: 'symmetric', client_name: 'Symmetric', client_secret: 'a-long-and-random-secret-of-the-client', ...shared },
  ]);
});
afterAll(async () => {
  await world.end();
  jwksServer.close();
});

const ask = async (assertion: string | undefined, scope = 'system/Patient.rs', more: Record<string, string> = {}) =>
  world.post('/token', {
    grant_type: 'client_credentials',
    scope,
    ...(assertion === undefined ? {} : { client_assertion: assertion, client_assertion_type: type }),
    ...more,
  });
const good = (client: string, alg = 'RS384', changes: Parameters<AuthWorld['assertion']>[4] = {}) =>
  world.assertion(client, alg, alg, keys[alg]!.secret, changes);

test.each(['RS384', 'ES384'])('a token with %s: all required members, five minutes at most, and it reads (§Obtain access token)', async alg => {
  const { status, body, headers } = await ask(await good('inline', alg));
  expect([status, body]).toEqual([200, expect.objectContaining({ token_type: 'Bearer', expires_in: 300, scope: 'system/Patient.rs' })]);
  expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
  expect((await world.fhir('Observation', body.access_token)).status).toBe(403);
});

test('keys at a JWKS URL', async () => {
  expect((await ask(await good('by-url'))).status).toBe(200);
  expect(fetched).toBeGreaterThan(0);
});

test('scopes are cut to what is registered, and told; v1 stays v1; other levels and unknown ones are dropped (§Scopes)', async () => {
  const { body } = await ask(
    await good('inline'),
    'system/Observation.read system/*.cruds patient/Patient.rs system/Observation.sr openid launch/patient nonsense',
  );
  expect(body.scope).toBe('system/Observation.read');
  const none = await ask(await good('inline'), 'system/Condition.rs openid');
  expect([none.status, none.body.error]).toEqual([400, 'invalid_scope']);
});

test('a client_id registered with a secret gets none of another method, and a secret is taken by Basic', async () => {
  const basic = (id: string, secret: string) => ({ Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
  const form = { grant_type: 'client_credentials', scope: 'system/Patient.rs' };
  expect((await world.post('/token', form, basic('symmetric', 'a-long-and-random-secret-of-the-client'))).status).toBe(200);
  for (const headers of [basic('symmetric', 'wrong'), basic('inline', 'a-long-and-random-secret-of-the-client'), basic('nobody', 'x')]) {
    const { status, body } = await world.post('/token', form, headers);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  }
});

describe('assertions that are refused (§Server obligations)', () => {
  const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
  const cases: readonly (readonly [string, () => Promise<string>])[] = [
    ['expired', () => good('inline', 'RS384', { claims: { exp: soon(-60) } })],
    ['no exp', () => good('inline', 'RS384', { claims: { exp: undefined } })],
    ['exp in more than five minutes', () => good('inline', 'RS384', { claims: { exp: soon(600) } })],
    ['no jti', () => good('inline', 'RS384', { claims: { jti: undefined } })],
    ['another audience', () => good('inline', 'RS384', { claims: { aud: 'https://elsewhere.example/token' } })],
    ['sub is not the client', () => good('inline', 'RS384', { claims: { sub: 'by-url' } })],
    ['iss is not the client', () => good('inline', 'RS384', { claims: { iss: 'by-url' } })],
    ['unknown kid', () => good('inline', 'RS384', { header: { kid: 'unknown' } })],
    ['no kid', () => good('inline', 'RS384', { header: { kid: undefined } })],
    ['kid of another kind of key', () => good('inline', 'RS384', { header: { kid: 'ES384' } })],
    ['a key that is not registered', () => world.assertion('inline', 'RS384', 'RS384', keys.strange!.secret)],
    ['jku that is not registered', () => good('inline', 'RS384', { header: { jku: 'http://127.0.0.1:9/jwks' } })],
    ['another jku than registered', () => good('by-url', 'RS384', { header: { jku: 'http://127.0.0.1:9/jwks' } })],
    [
      'alg none',
      async () => {
        const [, payload] = (await good('inline')).split('.');
        return `${Buffer.from(JSON.stringify({ alg: 'none', kid: 'RS384', typ: 'JWT' })).toString('base64url')}.${payload}.`;
      },
    ],
    [
      'HS384 with the public key as the secret',
      async () => {
        const { createHmac } = await import('node:crypto');
        const [, payload] = (await good('inline')).split('.');
        const head = Buffer.from(JSON.stringify({ alg: 'HS384', kid: 'RS384', typ: 'JWT' })).toString('base64url');
        return `${head}.${payload}.${createHmac('sha384', JSON.stringify(keys.RS384!.open)).update(`${head}.${payload}`).digest('base64url')}`;
      },
    ],
  ];
  test.each(cases)('%s', async (_name, make) => {
    const assertion = await make();
    const { status, body } = await ask(assertion);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(JSON.stringify(body)).not.toContain(assertion.split('.')[1]);
  });

  test('a jti that was used, and ten at once: exactly one', async () => {
    const once = await good('inline');
    const many = await Promise.all(Array.from({ length: 10 }, () => ask(once)));
    expect(many.map(one => one.status).sort()).toEqual([200, ...Array(9).fill(401)]);
    expect((await ask(once)).status).toBe(401);
  });

  test('a wrong jku is not fetched (SSRF)', async () => {
    const before = fetched;
    await ask(await good('by-url', 'RS384', { header: { jku: `${jwksUri}?other` } }));
    expect(fetched).toBe(before);
  });
});

test('no client authentication, a mixture of two, no grant type', async () => {
  expect((await ask(undefined, 'system/Patient.rs', { client_id: 'inline' })).status).toBe(401);
  const two = await world.post(
    '/token',
    { grant_type: 'client_credentials', scope: 'system/Patient.rs', client_assertion: await good('inline'), client_assertion_type: type },
    { Authorization: `Basic ${Buffer.from('symmetric:a-long-and-random-secret-of-the-client').toString('base64')}` },
  );
  expect([two.status, two.body.error]).toEqual([400, 'invalid_request']);
  expect((await world.post('/token', { scope: 'system/Patient.rs' })).body.error).toBe('invalid_request');
});

test('a token is revoked at once, by its own client only (RFC 7009); introspection tells of it (RFC 7662)', async () => {
  const { body } = await ask(await good('inline'));
  const about = async (client: string, path: string) =>
    world.post(path, { token: body.access_token, client_assertion: await good(client), client_assertion_type: type });
  expect((await about('inline', '/introspect')).body).toMatchObject({
    active: true,
    client_id: 'inline',
    scope: 'system/Patient.rs',
    exp: decodeJwt(body.access_token).exp,
  });
  expect((await about('by-url', '/introspect')).body).toEqual({ active: false });
  expect((await about('by-url', '/revoke')).status).toBe(200);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
  expect((await about('inline', '/revoke')).status).toBe(200);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(401);
  expect((await about('inline', '/introspect')).body).toEqual({ active: false });
});

test('oversized scopes and bodies: 4xx, and no hang', async () => {
  const long = await ask(await good('inline'), 'system/Patient.rs '.repeat(1000));
  expect([long.status, long.body.error]).toEqual([400, 'invalid_scope']);
  const huge = await ask(await good('inline'), 'x'.repeat(100_000));
  expect([huge.status, huge.body.error]).toEqual([413, 'invalid_request']);
});

test('Host and X-Forwarded headers change nothing', async () => {
  const assertion = await good('inline', 'RS384', { claims: { aud: 'http://evil.example/auth/token' } });
  const { status } = await world.post(
    '/token',
    { grant_type: 'client_credentials', scope: 'system/Patient.rs', client_assertion: assertion, client_assertion_type: type },
    { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' },
  );
  expect(status).toBe(401);
  const { body } = await (async () => {
    const response = await fetch(`${world.issuer}/.well-known/openid-configuration`, {
      headers: { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
    });
    return { body: await response.json() };
  })();
  expect(JSON.stringify(body)).not.toContain('evil');
  expect(body).toMatchObject({ issuer: world.issuer, token_endpoint: `${world.issuer}/token` });
});

test('a client that is revoked: its tokens end at the next request', async () => {
  await world.add({
    client_id: 'short',
    client_name: 'Short',
    kind: 'system',
    organization: 'ima',
    scope: 'system/Patient.rs',
    jwks: { keys: [keys.RS384!.open] },
  });
  const { body } = await ask(await good('short'));
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
  const client = (await world.app.store.document('client', 'short')) as object;
  await world.app.store.commit([{ op: 'document', kind: 'client', id: 'short', value: { ...client, status: 'revoked' } }], world.app.now());
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(401);
  expect((await ask(await good('short'))).body.error).toBe('invalid_client');
});
