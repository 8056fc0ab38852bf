import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { openApp } from '../../src/app.ts';
import { authorizeApp, handOf } from '../../src/interaction/app-consent.ts';
import type { Interaction } from '../../src/interaction/interaction.ts';
import { configWith, scratch } from '../http/world.ts';
import { kindred, root, type Server, startServer } from './process.ts';

// kindred client, beside a running server that holds the store.
jest.setTimeout(120_000);
const folder = scratch();
const store = { KINDRED_STORE: `sqlite:${join(folder.path, 'client.db')}`, KINDRED_LOG: 'error' };
let server: Server;

beforeAll(async () => {
  const seeded = await kindred(['seed', join(root, 'src/cli/demo-family.json')], store);
  expect([seeded.code, seeded.err]).toEqual([0, '']);
  server = await startServer(store);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

const client = async (...args: string[]) => {
  const { code, out, err } = await kindred(['client', ...args, '--json'], store);
  return { code, err, out: out === '' ? undefined : JSON.parse(out) };
};
const listed = async (id: string) => ((await client('list')).out as { client_id: string }[]).find(one => one.client_id === id) as Record<string, unknown>;
const app = ['--kind', 'app', '--name', 'An app', '--scope', 'launch/patient patient/*.rs', '--redirect-uri', 'http://127.0.0.1:9/callback'];
const tokenOf = (id: string, secret: string): Promise<Response> =>
  fetch(`${server.url}/auth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/Patient.rs' }),
  });
const patient = async (token: string): Promise<number> =>
  (await fetch(`${server.url}/fhir/Patient/mary`, { headers: { Authorization: `Bearer ${token}` } })).status;
/** What the log says of a client, with the store looked at beside the server. */
async function linesAbout(id: string): Promise<readonly string[]> {
  const beside = await openApp(configWith(store));
  const lines: string[] = [];
  for await (const link of beside.store.chain())
    for (const { body } of link.events) {
      const line = JSON.parse(Buffer.from(body).toString()) as { code: string; text?: string; caller?: { client?: string } };
      if (line.caller?.client === id && (line.code === 'client' || line.code === 'revoke')) lines.push(`${line.code}: ${line.text ?? ''}`);
    }
  await beside.close();
  return lines;
}

test('add --secret: shown once, kept as a hash, and good at the running server', async () => {
  const { code, out, err } = await client(
    ...['add', 'backend', '--kind', 'system', '--name', 'Backend', '--organization', 'ima', '--scope', 'system/*.rs', '--secret', '--may-introspect'],
  );
  expect([code, err, Object.keys(out)]).toEqual([0, '', ['client_id', 'client_secret']]);
  expect(out.client_secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const kept = await listed('backend');
  expect(kept).toEqual({
    client_id: 'backend',
    client_name: 'Backend',
    kind: 'system',
    organization: 'ima',
    scope: 'system/*.rs',
    introspect: true,
    has_secret: true,
  });
  const answer = await tokenOf('backend', out.client_secret);
  const { access_token } = (await answer.json()) as { access_token: string };
  expect([answer.status, await patient(access_token), (await tokenOf('backend', 'wrong')).status]).toEqual([200, 200, 401]);
  expect(await linesAbout('backend')).toEqual(['client: added by the operator, registered for system/*.rs']);
});

test('add: apps with redirect URIs, launch_uri and keys; the list for people has no secret', async () => {
  const { publicKey } = await generateKeyPair('ES384', { extractable: true });
  const file = join(folder.path, 'jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] }));
  expect(
    (await client('add', 'keyed', ...app, '--redirect-uri', 'com.example.app:/back', '--launch-uri', 'https://app.example/launch', '--jwks', file)).code,
  ).toBe(0);
  expect(await listed('keyed')).toMatchObject({
    redirect_uris: ['http://127.0.0.1:9/callback', 'com.example.app:/back'],
    launch_uri: 'https://app.example/launch',
    jwks: { keys: [{ kid: 'one' }] },
  });
  const { out } = await kindred(['client', 'list'], store);
  expect(out).toContain('keyed\tapp\tin use\tAn app\tlaunch/patient patient/*.rs');
  expect(out).not.toContain('sha256');
});

test('add: mistakes are named with their options, all at once, and nothing is registered', async () => {
  const { privateKey } = await generateKeyPair('ES384', { extractable: true });
  const secret = join(folder.path, 'secret.json');
  writeFileSync(secret, JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), kid: 'one' }] }));
  const system = ['--kind', 'system', '--name', 'S', '--scope', 'system/*.rs'];
  for (const [args, ...words] of [
    [[...system, '--secret'], '--organization: a system works for one'],
    [[...system, '--secret', '--organization', 'nowhere'], '--organization: there is no organization `nowhere`'],
    [[...system, '--organization', 'ima'], '--jwks: a system needs'],
    [[...system, '--organization', 'ima', '--jwks', secret], '--jwks/keys/0: is a secret key'],
    [['--kind', 'app', '--name', 'A', '--scope', 'patient/*.rs'], '--redirect-uri: an app needs at least one'],
    [[...app, '--redirect-uri', 'http://app.example/', '--redirect-uri', 'javascript:alert(1)'], '`http://app.example/`', '`javascript:alert(1)`'],
    [[...app.slice(0, 4), '--scope', 'patient/Nonsense.rs system/*.rs', ...app.slice(6)], '`patient/Nonsense.rs`'],
    [[...app.slice(0, 4), '--scope', 'system/*.rs', ...app.slice(6)], '--scope: `system/*.rs` is not for an app'],
    [[...app.slice(0, 4), '--scope', 'openid', ...app.slice(6)], '--scope: names nothing'],
    [[...app, '--may-launch'], '--kind: only a system'],
    [[...app, '--launch-uri', 'http://app.example/launch'], '--launch-uri: must be https'],
  ] as const) {
    const { code, out, err } = await client('add', 'mistaken', ...args);
    expect([args, code, out]).toEqual([args, 1, undefined]);
    for (const word of words) expect(err).toContain(word);
  }
  expect(await listed('mistaken')).toBeUndefined();
  const taken = await client('add', 'med-app', ...app);
  expect([taken.code, taken.err]).toEqual([1, expect.stringContaining('there is a client `med-app` already')]);
});

test('wrong usage ends with 2', async () => {
  for (const args of [
    [],
    ['nonsense', 'x'],
    ['list', 'x'],
    ['add'],
    ['add', 'x'],
    ['revoke'],
    ['revoke', 'x', 'y'],
    ['revoke', 'x', '--scope', 'y'],
    ['toString', 'x'],
  ])
    expect([args, (await kindred(['client', ...args], store)).code]).toEqual([args, 2]);
});

test('approve: one that registered itself is held until then; a system needs its organization', async () => {
  const register = async (body: object): Promise<string> => {
    const answer = await fetch(`${server.url}/auth/register`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    expect(answer.status).toBe(201);
    return ((await answer.json()) as { client_id: string }).client_id;
  };
  const { publicKey } = await generateKeyPair('ES384', { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] };
  const phone = await register({ client_name: 'Phone', redirect_uris: ['http://127.0.0.1:9/callback'], token_endpoint_auth_method: 'none' });
  const system = await register({ client_name: 'System', grant_types: ['client_credentials'], jwks, scope: 'system/*.rs' });
  expect([(await listed(phone)).status, (await listed(system)).status]).toEqual(['held', 'held']);

  expect((await client('approve', phone)).out).toEqual({ approved: phone });
  expect((await listed(phone)).status).toBeUndefined();
  const refused = [
    await client('approve', system),
    await client('approve', system, '--organization', 'nowhere'),
    await client('approve', phone),
    await client('approve', 'nobody'),
  ];
  expect(refused.map(one => one.code)).toEqual([1, 1, 1, 1]);
  for (const [at, words] of ['a system works for one organization', '`nowhere`', 'is not held', 'there is no client `nobody`'].entries())
    expect(refused[at]!.err).toContain(words);
  expect((await listed(system)).status).toBe('held');
  expect((await client('approve', system, '--organization', 'harbor')).code).toBe(0);
  expect(await listed(system)).toMatchObject({ organization: 'harbor' });
  expect(await linesAbout(system)).toEqual(['client: approved by the operator']);
});

test('revoke: tokens are refused at the next request, authorizations and their Consents end, and stay so when it is enabled again', async () => {
  const issued = async (...args: string[]) => JSON.parse((await kindred(['token', ...args], store)).out).access_token as string;
  const lee = await issued('--client', 'visit-app', '--account', 'dr-lee', '--scope', 'user/Patient.rs');
  const mary = await issued('--client', 'visit-app', '--account', 'mary', '--scope', 'patient/Patient.rs');
  const reader = await issued('--client', 'med-app', '--account', 'mary', '--scope', 'patient/Consent.cruds');
  // An authorization as the pages make it, mirrored in a Consent.
  const beside = await openApp(configWith(store));
  const grant = {
    id: 'given',
    client: 'visit-app',
    account: 'mary',
    patient: 'mary',
    fhirUser: 'Patient/mary',
    scope: 'patient/*.rs',
    active: true,
    consent: 'Consent/given',
  };
  const also = [{ op: 'document', kind: 'grant', id: 'given', value: grant, expect: 'absent' }] as const;
  const asked = {
    id: 'given',
    patient: 'Patient/mary',
    performer: 'Patient/mary',
    client: { id: 'visit-app', name: 'Visit notes' },
    scope: 'patient/*.rs',
    also,
  } as const;
  const hand = handOf({ account: 'mary', who: 'Patient/mary', record: 'Patient/mary' });
  await beside.walk(authorizeApp(asked, beside.parts.base) as Interaction, ['Consent', 'given'], hand);
  await beside.close();
  const consent = async () =>
    (await fetch(`${server.url}/fhir/Consent/given`, { headers: { Authorization: `Bearer ${reader}` } })).json() as Promise<{ status: string }>;
  expect([await patient(lee), await patient(mary), (await consent()).status]).toEqual([200, 200, 'active']);

  expect((await client('revoke', 'visit-app')).out).toEqual({ revoked: 'visit-app', ended: 3 });
  expect([await patient(lee), await patient(mary), (await consent()).status]).toEqual([401, 401, 'inactive']);
  expect((await listed('visit-app')).status).toBe('revoked');
  expect(await linesAbout('visit-app')).toEqual(['client: revoked by the operator', 'revoke: ', 'revoke: ', 'revoke: ']);
  expect((await client('revoke', 'visit-app')).out).toEqual({ revoked: 'visit-app', ended: 0 });
  // Seeding again does not undo it.
  await kindred(['seed', join(root, 'src/cli/demo-family.json')], store);
  expect((await listed('visit-app')).status).toBe('revoked');

  expect((await client('enable', 'visit-app')).out).toEqual({ enabled: 'visit-app' });
  expect([await patient(lee), await patient(mary)]).toEqual([401, 401]);
  expect((await client('enable', 'visit-app')).code).toBe(1);
  expect((await client('revoke', 'nobody')).code).toBe(1);
  expect((await kindred(['audit', 'verify'], store)).code).toBe(0);
});

test('a seed keeps secrets as hashes, and seeding again changes nothing, nor what has come to an account since', async () => {
  const file = join(folder.path, 'more.json');
  const secret = 'a-secret-that-is-in-the-seed-only';
  const seed = {
    organizations: [{ id: 'ima', name: 'IMA' }],
    clients: [{ client_id: 'seeded', client_name: 'Seeded', kind: 'system', organization: 'ima', scope: 'system/*.rs', client_secret: secret }],
    accounts: [{ username: 'seeded-person', password: 'correct-horse-battery-4', email: 'person@example.org', name: 'A Person', hats: [] }],
  };
  writeFileSync(file, JSON.stringify(seed));
  const plant = async (): Promise<readonly string[]> => (JSON.parse((await kindred(['seed', file, '--json'], store)).out) as { made: string[] }).made;
  expect(await plant()).toEqual(expect.arrayContaining(['client seeded', 'account seeded-person']));
  expect((await tokenOf('seeded', secret)).status).toBe(200);
  const beside = await openApp(configWith(store));
  const person = (await beside.store.document('account', 'seeded-person')) as Record<string, unknown>;
  expect([JSON.stringify(await beside.store.document('client', 'seeded')).includes(secret), person.email, person.name]).toEqual([
    false,
    'person@example.org',
    'A Person',
  ]);
  expect(person.password).toMatch(/^\$argon2id\$/);
  const since = { ...person, totpStep: 7, signedOutAt: beside.now() };
  await beside.store.commit([{ op: 'document', kind: 'account', id: 'seeded-person', value: since }], beside.now());
  expect(await plant()).toEqual([]);
  expect(await beside.store.document('account', 'seeded-person')).toEqual(since);
  await beside.close();

  writeFileSync(
    file,
    JSON.stringify({ clients: [{ ...seed.clients[0], organization: undefined, kind: 'app', scope: 'x', redirect_uris: ['http://app.example/'] }] }),
  );
  const { code, err } = await kindred(['seed', file], store);
  expect([code, err]).toEqual([1, expect.stringMatching(/\/clients\/0\/scope: `x`[\s\S]*\/clients\/0\/redirect_uris: `http:\/\/app.example\/`/)]);
});
