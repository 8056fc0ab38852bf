import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { JWK } from 'jose';
import { type AuthWorld, clientKey, launch, openAuthWorld, publicApp } from './world.ts';

// Keys of clients that are withdrawn, and how long what was issued lives. The clock is moved, and all else goes on.
let world: AuthWorld;
let published: JWK[] = [];
let server: Server;
const keys: Record<string, Awaited<ReturnType<typeof clientKey>>> = {};
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const shared = { kind: 'system', organization: 'ima', scope: 'system/Patient.rs' } as const;

beforeAll(async () => {
  for (const kid of ['first', 'second']) keys[kid] = await clientKey('ES384', kid);
  server = createServer((_request, response) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: published })));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  world = await openAuthWorld({}, [
    publicApp,
    { client_id: 'by-url', client_name: 'By URL', jwks_uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, ...shared },
    { client_id: 'inline', client_name: 'Inline', jwks: { keys: [keys.first!.open] }, ...shared },
  ]);
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  await world.end();
  server.close();
});
/** Only what the time is. */
const moveClock = (seconds: number): void => {
  const now = Date.now() + seconds * 1000;
  jest.useFakeTimers({
    now,
    advanceTimers: true,
    doNotFake: [
      'setTimeout',
      'setInterval',
      'setImmediate',
      'clearTimeout',
      'clearInterval',
      'clearImmediate',
      'nextTick',
      'queueMicrotask',
      'performance',
      'hrtime',
    ],
  });
};
const ask = async (client: string, kid: string) =>
  world.post('/token', {
    grant_type: 'client_credentials',
    scope: 'system/Patient.rs',
    client_assertion: await world.assertion(client, 'ES384', kid, keys[kid]!.secret),
    client_assertion_type: type,
  });

test('a key that was taken from the JWKS URL is refused once the cache is over, although its signature would verify (§Server obligations)', async () => {
  published = [keys.first!.open, keys.second!.open];
  expect((await ask('by-url', 'first')).status).toBe(200);
  published = [keys.second!.open];
  moveClock(61);
  const { status, body } = await ask('by-url', 'first');
  expect([status, body.error]).toEqual([401, 'invalid_client']);
  expect((await ask('by-url', 'second')).status).toBe(200);
});

test('a key that was added is found', async () => {
  published = [keys.second!.open];
  expect((await ask('by-url', 'second')).status).toBe(200);
  published = [keys.second!.open, keys.first!.open];
  moveClock(200);
  expect((await ask('by-url', 'first')).status).toBe(200);
});

test('a key that was taken from an inline JWKS is refused at once', async () => {
  expect((await ask('inline', 'first')).status).toBe(200);
  await world.add({ client_id: 'inline', client_name: 'Inline', jwks: { keys: [keys.second!.open] }, ...shared });
  expect((await ask('inline', 'first')).body.error).toBe('invalid_client');
  expect((await ask('inline', 'second')).status).toBe(200);
});

test('a refresh token is good for three months, and on use for three new ones (ONC (g)(10)(v)(A))', async () => {
  const refresh = (token: string) => world.post('/token', { grant_type: 'refresh_token', refresh_token: token, client_id: 'phone' });
  const days = 24 * 3600;
  const { body } = await (await launch(world, 'launch/patient offline_access patient/Patient.rs')).redeem();
  moveClock(89 * days);
  const second = await refresh(body.refresh_token);
  expect(second.status).toBe(200);
  moveClock(89 * days);
  const third = await refresh(second.body.refresh_token);
  expect(third.status).toBe(200);
  moveClock(91 * days);
  expect((await refresh(third.body.refresh_token)).body.error).toBe('invalid_grant');
});

test('a code is good for a minute, an access token for an hour', async () => {
  const late = await launch(world, 'launch/patient patient/Patient.rs');
  moveClock(61);
  expect((await late.redeem()).body.error).toBe('invalid_grant');
  jest.useRealTimers();
  const { body } = await (await launch(world, 'launch/patient offline_access patient/Patient.rs')).redeem();
  moveClock(3590);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
  moveClock(20);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(401);
});

test('an authorization without refresh token lapses with its access token, and its Consent says so', async () => {
  const { body } = await (await launch(world, 'launch/patient patient/Patient.rs patient/Consent.rs')).redeem();
  const { entry } = (
    await world.fhir('Consent?category=https://kindred.example/fhir/CodeSystem/consent-kind|app&_sort=-_lastUpdated&_count=1', body.access_token)
  ).body;
  const end = Date.parse(entry[0].resource.provision.period.end);
  expect(Math.abs(end - Date.now() - 3_600_000)).toBeLessThan(60_000);
});

test('a cookie that was tampered with leads nowhere', async () => {
  const browser = world.browser();
  const { authorizationRequest } = await import('./world.ts');
  const page = await browser.go(authorizationRequest(world, 'patient/Patient.rs').url);
  const to = new URL(page.url).searchParams.get('to')!;
  const kept = new Map(browser.jar);
  expect((await browser.go(to)).status).toBe(200);
  // The value as it was with another signature, and another value with the signature as it was.
  for (const part of ['.sig', '']) {
    for (const [key, cookie] of kept)
      browser.jar.set(
        key,
        cookie.name === `_interaction${part}` ? { ...cookie, value: `${cookie.value.slice(0, -3)}${cookie.value.endsWith('AAA') ? 'BBB' : 'AAA'}` } : cookie,
      );
    expect([part, (await browser.go(to)).status]).toEqual([part, 404]);
  }
});
