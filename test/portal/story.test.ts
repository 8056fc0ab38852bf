import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TOTP } from 'otpauth';
import { makeAuthenticator } from '../account/authenticator.ts';
import { openWorld, type World } from '../http/world.ts';
import { type Visitor, visitorOf } from './visitor.ts';

/** The pages on the whole server: somebody makes an account, secures it, loses her phone, and comes back. */
let world: World;
beforeAll(async () => {
  world = await openWorld({ KINDRED_MAIL: 'dir:/tmp/kindred-test-mail' });
});
afterAll(() => world.end());

const password = 'teapot violin harbour moss';
const code = (secret: string, step = 0): string => new TOTP({ secret }).generate({ timestamp: Date.now() + step * 30_000 });
const visit = (): Visitor => visitorOf(world.server, undefined, world.url);

test('sign-up, an authenticator app, recovery codes, a passkey, a new password', async () => {
  const zoe = visit();
  expect((await zoe.get('/')).headers.location).toBe('/sign-in');
  const form = { username: 'zoe', password, given: 'Zoe', family: `O'Reyes`, birthDate: '1980-05-31', terms: 'yes' };
  const early = await zoe.send('/sign-up', '/sign-up', { ...form, birthDate: '2020-05-31', password: 'password' });
  expect([early.status, early.text.includes('#field-birthDate'), early.text.includes('#field-password')]).toEqual([422, true, true]);
  const made = await zoe.send('/sign-up', '/sign-up', form);
  expect([made.status, made.headers.location]).toEqual([303, '/account?done=signed-up']);
  expect((await zoe.get('/account')).text).toContain('Zoe O&#39;Reyes');

  const scan = await zoe.send('/account/authenticator', '/account/authenticator');
  const secret = /name="secret" value="([A-Z2-7]+)"/.exec(scan.text)![1]!;
  const wrong = await zoe.send(scan, '/account/authenticator/code', { code: '000000' });
  expect(wrong.status).toBe(422);
  expect((await zoe.send(wrong, '/account/authenticator/code', { code: code(secret, -1) })).headers.location).toBe('/account?done=authenticator');

  const codes = [...(await zoe.send('/account/recovery', '/account/recovery')).text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, one]) => one!);
  expect(codes.length).toBeGreaterThan(5);
  expect((await zoe.get('/account')).text).toContain(`${codes.length} left`);
  await zoe.send('/account', '/sign-out');
  expect((await zoe.get('/account')).headers.location).toBe('/sign-in?to=%2Faccount');

  const again = visit();
  const half = await again.send('/sign-in?to=/terms', '/sign-in', { username: 'ZOE', password });
  expect(half.text).toContain('<h1>Second step</h1>');
  const signedIn = await again.send(half, '/sign-in/second', { method: 'totp', code: code(secret) });
  expect([signedIn.status, signedIn.headers.location]).toEqual([303, '/terms']);
  // A code is good once.
  const replay = visit();
  const halfAgain = await replay.send('/sign-in', '/sign-in', { username: 'zoe', password });
  expect((await replay.send(halfAgain, '/sign-in/second', { method: 'totp', code: code(secret) })).status).toBe(422);
  const recovered = await replay.send(halfAgain, '/sign-in/second', { method: 'recovery', recovery: ` ${codes[0]} ` });
  expect(recovered.status).toBe(303);
  expect((await replay.get('/account')).text).toContain(`${codes.length - 1} left`);

  const phone = makeAuthenticator();
  const page = await replay.get('/account/passkeys');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)![1]!;
  const { ticket, options } = (await replay.post('/passkeys/challenge', { purpose: 'add', csrf })).body;
  const response = JSON.stringify(phone.create(options, { origin: world.url }));
  expect((await replay.send(page, '/account/passkeys', { name: 'My phone', challenge: ticket, response })).headers.location).toBe('/account?done=passkey');
  expect((await replay.get('/account')).text).toContain('Passkey: My phone');

  const changed = await replay.send('/account/password', '/account/password', { old: password, password: 'kettle orbit lantern fig' });
  expect(changed.headers.location).toBe('/account?done=password');
  // Everybody else is out, she is not.
  expect((await again.get('/account')).status).toBe(303);
  expect((await replay.get('/account')).status).toBe(200);

  const byPasskey = visit();
  const start = await byPasskey.get('/sign-in');
  const asked = await byPasskey.post('/passkeys/challenge', { purpose: 'sign-in', csrf: /name="csrf" value="([^"]+)"/.exec(start.text)![1]! });
  const shown = JSON.stringify(phone.get(asked.body.options, { origin: world.url }));
  expect((await byPasskey.send(start, '/sign-in/passkey', { challenge: asked.body.ticket, response: shown })).status).toBe(303);
  expect((await byPasskey.get('/account')).status).toBe(200);
  expect((await byPasskey.send(start, '/sign-in/passkey', { challenge: asked.body.ticket, response: shown })).status).toBe(403);
});

test('many wrong passwords: 429 with the time to wait, for the right one too', async () => {
  const visitor = visit();
  const page = await visitor.get('/sign-in');
  let last = 422;
  for (let turn = 0; turn < 15 && last === 422; turn++) last = (await visitor.send(page, '/sign-in', { username: 'dr-lee', password: 'wrong' })).status;
  expect(last).toBe(429);
  const right = await visitor.send(page, '/sign-in', { username: 'dr-lee', password: 'correct-horse-battery-3' });
  expect([right.status, Number(right.headers['retry-after']) > 0]).toEqual([429, true]);
});

test('FHIR and the authorization server stay as they are beside the pages', async () => {
  const visitor = visit();
  const fhir = await visitor.get('/fhir/Patient/mary');
  expect([fhir.status, fhir.headers['content-type']]).toEqual([401, 'application/fhir+json; charset=utf-8']);
  expect((await visitor.get('/fhir/metadata', { Accept: 'application/fhir+json' })).status).toBe(200);
  expect((await visitor.get('/auth/.well-known/openid-configuration', { Accept: '*/*' })).body.issuer).toBe(`${world.url}/auth`);
  expect((await visitor.get('/healthz')).body).toEqual({ status: 'ok' });
  expect((await visitor.get('/elsewhere', { Accept: '*/*' })).body.resourceType).toBe('OperationOutcome');
});
