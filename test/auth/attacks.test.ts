import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { approveClient } from '../../src/auth/clients.ts';
import { makeLaunch } from '../../src/auth/launch.ts';
import { scratch, sendRaw } from '../http/world.ts';
import { type AuthWorld, authorizationRequest, clientKey, drLee, launch, mary, openAuthWorld, publicApp, REDIRECT } from './world.ts';

// What was tried against the authorization server, each with what it must answer.
let world: AuthWorld;
const ehrSecret = 'a-long-and-random-secret-of-the-ehr';
const harbor = {
  client_id: 'harbor',
  client_name: 'Harbor',
  kind: 'system',
  organization: 'harbor',
  scope: 'system/*.rs',
  client_secret: ehrSecret,
  launch: true,
} as const;
beforeAll(async () => {
  world = await openAuthWorld({ KINDRED_REGISTRATION: 'open' }, [publicApp, harbor]);
});
afterAll(() => world.end());

const events = async () => {
  const found: { code: string; outcome: string; why?: string; client?: string }[] = [];
  for await (const link of world.app.store.chain()) for (const event of link.events) found.push(JSON.parse(Buffer.from(event.body).toString('utf8')));
  return found;
};
const register = async (path: string, body: object) => {
  const response = await fetch(`${world.issuer}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  // biome-ignore lint/suspicious/noExplicitAny: what servers answer
  return { status: response.status, body: (await response.json().catch(() => undefined)) as any };
};

describe('another way of writing an endpoint', () => {
  test.each(['/Register', '/register/', '/REGISTER', '/%72egister', '//register'])('%s is nothing', async path => {
    const raw = {
      client_name: 'x',
      redirect_uris: ['http://evil.example/cb'],
      smart_scope: 'system/*.cruds',
      kind: 'app',
      grant_types: ['client_credentials'],
    };
    expect((await register(path, raw)).status).toBe(404);
  });
  test.each(['/Token', '/token/', '/Revoke', '/introspect/'])('%s is nothing', async path => {
    expect((await world.post(path, { token: 'x', client_id: 'phone' })).status).toBe(404);
  });
});

test('a Host header changes nothing, at the authorization server and on the pages', async () => {
  for (const path of ['/auth/.well-known/openid-configuration', '/fhir/.well-known/smart-configuration', '/auth/authorize?client_id=phone', '/'])
    for (const host of ['evil.example', 'evil.example:80']) {
      const { status, headers, body } = await sendRaw(
        world,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html, application/json\r\nConnection: close\r\n\r\n`,
      );
      expect([path, status < 500, `${body}${[...headers].join()}`.includes('evil')]).toEqual([path, true, false]);
    }
});

describe('registration', () => {
  test('names that a terminal would take for more are refused', async () => {
    for (const client_name of ['a\u001b[2Kb', 'a\rb', 'a\u202eb', 'a\nb'])
      expect((await register('/register', { client_name, redirect_uris: [REDIRECT] })).body.error).toBe('invalid_client_metadata');
  });

  test('a system shows an assertion, has system/ scopes alone, and nothing else (§Backend Services)', async () => {
    const { open } = await clientKey('ES384', 'k');
    const system = { client_name: 'S', grant_types: ['client_credentials'], jwks: { keys: [open] } };
    const made = await register('/register', { ...system, scope: 'system/*.rs' });
    expect([made.status, made.body.token_endpoint_auth_method, made.body.client_secret]).toEqual([201, 'private_key_jwt', undefined]);
    expect((await register('/register', { ...system, scope: 'patient/*.rs' })).body.error_description).toContain('/scope');
    expect((await register('/register', { client_name: 'A', redirect_uris: [REDIRECT], scope: 'system/*.rs' })).body.error_description).toContain('/scope');
    const both = { ...system, grant_types: ['client_credentials', 'authorization_code'], redirect_uris: [REDIRECT] };
    expect((await register('/register', both)).body.error_description).toContain('/grant_types');
    await approveClient(made.body.client_id, 'ima', { ...world.app, endGrant: id => world.app.end(id) });
  });

  test('what is held is judged again when it is approved', async () => {
    await world.add({
      client_id: 'smuggled',
      client_name: 'x',
      kind: 'app',
      scope: 'system/*.cruds',
      redirect_uris: ['http://evil.example/cb'],
      status: 'held',
    });
    await expect(approveClient('smuggled', undefined, { ...world.app, endGrant: id => world.app.end(id) })).rejects.toThrow(/redirect_uris[\s\S]*scope/);
  });
});

test('what anybody is refused is counted, and makes no line of its own in the log', async () => {
  const before = (await events()).length;
  const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: REDIRECT, client_id: 'phone', code_verifier: 'x'.repeat(43) };
  await Promise.all(Array.from({ length: 50 }, () => world.post('/token', form)));
  await Promise.all(Array.from({ length: 20 }, () => world.post('/introspect', { token: '', client_id: 'phone' })));
  expect((await events()).length).toBe(before);
});

test('an EHR learns by a launch nothing of what it may not read; its refusals are in the log', async () => {
  const { body } = await world.post(
    '/token',
    { grant_type: 'client_credentials', scope: 'system/*.rs' },
    { Authorization: `Basic ${Buffer.from(`harbor:${ehrSecret}`).toString('base64')}` },
  );
  const ask = async (about: object) => {
    const response = await fetch(`${world.issuer}/launch`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${body.access_token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ client: 'phone', ...about }),
    });
    return [response.status, (await response.json()) as { error_description: string }] as const;
  };
  const [hidden, absent] = [await ask({ patient: 'mary' }), await ask({ patient: 'nobody' })];
  expect(hidden).toEqual([400, { ...absent[1], error_description: absent[1].error_description.replace('nobody', 'mary') }]);
  expect((await events()).filter(event => event.code === 'launch' && event.outcome === '4').length).toBe(2);
});

describe('launches', () => {
  test('a request that began with a launch ends with it', async () => {
    const value = await makeLaunch({ client: 'phone', account: 'dr-lee', patient: 'mary' }, world.app);
    const browser = world.browser();
    const scope = 'launch patient/Patient.rs';
    const page = await browser.go(authorizationRequest(world, scope, { launch: value }).url);
    // Meanwhile it is used by another tab.
    expect((await launch(world, scope, drLee, { more: { launch: value } })).code).not.toBe('');
    const after = await browser.submit(page.forms.find(one => one.html.includes('name="password"'))!, { username: drLee.username, password: drLee.password });
    expect([after.status, after.left]).toEqual([404, undefined]);
  });

  test('the value is not in the store', async () => {
    const value = await makeLaunch({ client: 'phone', patient: 'mary' }, world.app);
    expect(JSON.stringify(await world.app.store.documents('launch'))).not.toContain(value);
  });
});

test('a decision gives one code, however often the browser comes back with it', async () => {
  const browser = world.browser();
  const asked = authorizationRequest(world, 'launch/patient patient/Patient.rs');
  let page = await browser.go(asked.url);
  page = await browser.submit(page.forms.find(one => one.html.includes('name="password"'))!, { username: mary.username, password: mary.password });
  const form = page.forms.find(one => one.action.includes('/auth/interaction/'))!;
  const [name, value] = form.buttons.find(([, , text]) => /allow/i.test(text))!;
  const sent = await browser.send(form.action, {
    method: 'POST',
    headers: { Origin: world.url },
    body: new URLSearchParams([...form.fields.map(([one, other]) => [one, other]), ...(name === '' ? [] : [[name, value]])] as [string, string][]),
  });
  const resume = sent.headers.get('location')!;
  const back = await Promise.all([1, 2, 3].map(() => browser.send(resume)));
  expect(back.filter(one => (one.headers.get('location') ?? '').includes('code=')).length).toBe(1);
});

test('the code goes in the address alone: no page that posts it, no fragment', async () => {
  for (const response_mode of ['form_post', 'fragment', 'web_message']) {
    const page = await world.browser().go(authorizationRequest(world, 'patient/Patient.rs', { response_mode }).url);
    expect([response_mode, page.left?.searchParams.get('error')]).toEqual([response_mode, expect.stringMatching(/unsupported_response_mode|invalid_request/)]);
  }
});

test('many and long scopes, and a long state, cost little and are refused', async () => {
  const many = Array.from({ length: 400 }, (_, at) => `patient/Task.r?a=${at}`).join(' ');
  for (const [changes, error] of [
    [{ scope: many }, 'invalid_scope'],
    [{ state: 's'.repeat(3000) }, 'invalid_request'],
  ] as const) {
    const page = await world.browser().go(authorizationRequest(world, 'patient/Patient.rs', changes).url);
    expect(page.left?.searchParams.get('error')).toBe(error);
  }
});

test('a practitioner finds what was connected, and ends it', async () => {
  const browser = world.browser();
  const { body } = await (await launch(world, 'openid user/Patient.rs offline_access', drLee, { browser })).redeem();
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
  let page = await browser.go('/apps');
  expect(page.html).toContain(publicApp.client_name);
  const id = (JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString('utf8')) as { grant: string }).grant;
  const link = new RegExp(`href="([^"]*${id}[^"]*)"`).exec(page.html)![1]!;
  page = await browser.go(link);
  await browser.submit(page.forms.find(one => one.action.includes(id))!);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(401);
});

test("nobody ends what somebody else connected, knowing its id and with a form of one's own", async () => {
  const { body } = await (await launch(world, 'launch/patient offline_access patient/Patient.rs')).redeem();
  const id = (JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString('utf8')) as { grant: string }).grant;
  const stranger = world.browser();
  let page = await stranger.go('/sign-in');
  page = await stranger.submit(page.forms.find(one => one.html.includes('name="password"'))!, { username: drLee.username, password: drLee.password });
  page = await stranger.go('/account');
  const own = page.forms.find(one => one.action.endsWith('/sign-out'))!;
  const ended = await stranger.submit({ ...own, action: `${world.url}/apps/${id}/end` });
  expect(ended.status).toBe(404);
  expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
});

test('a token of the command line is in the log too, and is given to nobody who may not be used', async () => {
  const before = (await events()).filter(event => event.code === 'token').length;
  const token = await world.token('med-app', 'patient/Patient.rs', 'mary', 'Patient/mary');
  const lines = (await events()).filter(event => event.code === 'token');
  expect([lines.length, lines.at(-1)]).toEqual([before + 1, expect.objectContaining({ outcome: '0', record: 'Patient/mary' })]);
  expect(JSON.stringify(lines)).not.toContain(token);
  await world.add({ ...publicApp, client_id: 'ended', status: 'revoked' });
  await expect(world.token('ended', 'patient/Patient.rs', 'mary', 'Patient/mary')).rejects.toThrow(/ended/);
});

describe('as time goes on', () => {
  const folder = scratch();
  const file = join(folder.path, 'now');
  const setClock = (minutes: number): void => writeFileSync(file, new Date(Date.now() + minutes * 60_000).toISOString());
  let timed: AuthWorld;
  beforeAll(async () => {
    setClock(0);
    timed = await openAuthWorld({ KINDRED_CLOCK: `file:${file}`, KINDRED_REGISTRATION: 'held' }, [publicApp]);
  });
  afterAll(async () => {
    await timed.end();
    folder.remove();
  });

  test('`online_access` ends when the person has not been seen for a while, swept or not', async () => {
    const { body } = await (await launch(timed, 'launch/patient online_access patient/Patient.rs')).redeem();
    setClock(29);
    expect((await timed.fhir('Patient/mary', body.access_token)).status).toBe(200);
    setClock(31);
    expect((await timed.fhir('Patient/mary', body.access_token)).status).toBe(401);
    setClock(0);
  });

  test('a launch is good for ten minutes, swept or not', async () => {
    const value = await makeLaunch({ client: 'phone', patient: 'mary' }, timed.app);
    const ask = () => timed.browser().go(authorizationRequest(timed, 'launch patient/Patient.rs', { launch: value }).url);
    setClock(11);
    expect((await ask()).left?.searchParams.get('error')).toBe('invalid_request');
    setClock(9);
    expect((await ask()).left).toBeUndefined();
    setClock(0);
  });

  test('what nobody approves is gone after a month', async () => {
    const made = await fetch(`${timed.issuer}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ client_name: 'Held', redirect_uris: [REDIRECT] }),
    });
    const { client_id } = (await made.json()) as { client_id: string };
    const day = 24 * 3_600_000;
    await timed.app.store.sweep(Date.now() + 29 * day, 1000);
    expect(await timed.app.store.document('client', client_id)).toBeDefined();
    await timed.app.store.sweep(Date.now() + 31 * day, 1000);
    expect(await timed.app.store.document('client', client_id)).toBeUndefined();
  });
});
