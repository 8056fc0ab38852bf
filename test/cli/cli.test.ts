import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, get, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { TOTP } from 'otpauth';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import { actions, consent } from '../http/resources.ts';
import { scratch } from '../http/world.ts';
import { kindred, root, type Server, startServer } from './process.ts';

// The real program, as an operator runs it.
jest.setTimeout(60_000);
const folder = scratch();
const store = { KINDRED_STORE: `sqlite:${join(folder.path, 'kindred.db')}` };
const TOTP_SECRET = 'JBSWY3DPEHPK3PXP';
let server: Server;

const write = (name: string, value: unknown): string => {
  const path = join(folder.path, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};
const tokenFor = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await kindred(['token', ...args], store);
  expect([code, err]).toEqual([0, '']);
  return (JSON.parse(out) as { access_token: string }).access_token;
};
const ask = (path: string, token?: string, more: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    ...more,
    headers: { 'Content-Type': 'application/fhir+json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
  });

beforeAll(async () => {
  const seed = { ...family, accounts: family.accounts.map(one => (one.username === 'mary' ? { ...one, totp: TOTP_SECRET } : one)) };
  const first = await kindred(['seed', write('seed.json', seed), '--json'], store);
  expect([first.code, first.err]).toEqual([0, '']);
  server = await startServer(store);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

test('--help of the program and of every command', async () => {
  const overview = await kindred(['--help']);
  expect(overview.code).toBe(0);
  const commands = ['serve', 'demo', 'seed', 'token', 'consent', 'load', 'audit'];
  for (const word of [...commands, 'KINDRED_STORE', 'PORT']) expect(overview.out).toContain(word);
  for (const command of commands) {
    const { code, out, err } = await kindred([command, '--help']);
    expect([command, code, err]).toEqual([command, 0, '']);
    expect(out).toMatch(new RegExp(`^kindred ${command}: .*\n\nUsage: `));
  }
});

test('wrong usage ends with 2 and a sentence', async () => {
  for (const args of [
    ['nonsense'],
    ['serve', '--nonsense'],
    ['seed'],
    ['seed', join(folder.path, 'absent.json')],
    ['token'],
    ['audit'],
    ['audit', 'check'],
    ['consent', 'activate'],
    ['load'],
  ]) {
    const { code, out, err } = await kindred(args, store);
    expect([args, code, out]).toEqual([args, 2, '']);
    expect(err.trim().length).toBeGreaterThan(10);
    expect(err).not.toContain('    at ');
  }
});

test('bad configuration ends with 78 and names every mistake', async () => {
  const { code, out, err } = await kindred(['serve'], {
    PORT: '99999',
    HOST: '0.0.0.0',
    KINDRED_AUTH: 'off',
    KINDRED_STORE: 'mysql://user:secret@host/db',
    KINDRED_URL: 'nonsense',
    KINDRED_LOG: 'loud',
    KINDRED_MAX_BODY: 'much',
    KINDRED_QUERY_TIME: 'soon',
    KINDRED_CLOCK: 'now',
  });
  expect([code, out]).toEqual([78, '']);
  for (const name of ['PORT', 'KINDRED_AUTH', 'KINDRED_STORE', 'KINDRED_URL', 'KINDRED_LOG', 'KINDRED_MAX_BODY', 'KINDRED_QUERY_TIME', 'KINDRED_CLOCK'])
    expect(err).toContain(name);
  expect(err).not.toContain('secret');
});

test('serve: the first line on stdout, then ready; the port is taken by nobody else', async () => {
  expect(JSON.parse(server.first)).toEqual({ ready: true, url: expect.stringMatching(/^http:\/\/localhost:\d+$/) });
  const ready = await ask('/readyz');
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
  expect((await ask('/healthz')).status).toBe(200);
  expect((await ask('/fhir/metadata')).status).toBe(200);
  const second = await kindred(['serve'], { ...store, PORT: new URL(server.url).port });
  expect([second.code, second.out, second.err]).toEqual([1, '', expect.stringContaining('EADDRINUSE')]);
});

test('SIGTERM: running requests are answered, idle connections closed, and the end is 0', async () => {
  const other = await startServer({ KINDRED_STORE: 'sqlite::memory:', KINDRED_AUTH: 'off', KINDRED_LOG: 'error' });
  const agent = new Agent({ keepAlive: true });
  const { port } = new URL(other.url);
  await new Promise<void>(done => get({ port, agent, path: '/fhir/metadata' }, answer => answer.resume().on('end', done)));
  const body = '{"resourceType":"Basic","code":{"text":"slow"}}';
  const sending = request({
    port,
    agent: new Agent({ keepAlive: true }),
    method: 'POST',
    path: '/fhir/Basic',
    headers: { 'Content-Type': 'application/fhir+json', 'Content-Length': body.length },
  });
  const answered = new Promise<{ status: number; connection: string | undefined }>((done, fail) => {
    sending
      .on('error', fail)
      .on('response', answer => answer.resume().on('end', () => done({ status: answer.statusCode!, connection: answer.headers.connection })));
  });
  sending.write(body.slice(0, 10));
  await new Promise(done => setTimeout(done, 200));
  const stopped = other.stop();
  await new Promise(done => setTimeout(done, 200));
  // Meanwhile it is not ready, and takes nothing new.
  expect((await fetch(`${other.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${other.url}/fhir/metadata`)).status).toBe(503);
  sending.end(body.slice(10));
  expect(await answered).toEqual({ status: 201, connection: 'close' });
  const { code, ms } = await stopped;
  expect(code).toBe(0);
  expect(ms).toBeLessThan(3000);
  agent.destroy();
});

test('open mode warns at every start', async () => {
  const other = await startServer({ KINDRED_STORE: 'sqlite::memory:', KINDRED_AUTH: 'off' });
  const { code, err } = await other.stop('SIGINT');
  expect(code).toBe(0);
  expect(JSON.parse(err.split('\n')[0]!)).toMatchObject({ level: 'warn', event: expect.stringContaining('open mode') });
});

test('seed: a second time everything is kept, and a change changes only itself', async () => {
  const again = JSON.parse((await kindred(['seed', join(folder.path, 'seed.json'), '--json'], store)).out) as { made: string[]; kept: string[] };
  expect(again.made).toEqual([]);
  expect(again.kept).toEqual(expect.arrayContaining(['organization ima', 'account mary', 'client ehr-ima', 'Patient/mary', 'RelatedPerson/anna-for-mary']));
  const seed = JSON.parse(readFileSync(join(folder.path, 'seed.json'), 'utf8')) as typeof family;
  const changed = { ...seed, clients: [...seed.clients, { client_id: 'other', client_name: 'Other', kind: 'app', scope: 'patient/*.rs' }] };
  expect(JSON.parse((await kindred(['seed', write('changed.json', changed), '--json'], store)).out).made).toEqual(['client other']);
});

test('seed: the example of the design, with enrolment and second factors, twice', async () => {
  const file = join(root, '../shared/design/seed.example.json');
  if (!existsSync(file)) return;
  const own = { KINDRED_STORE: `sqlite:${join(folder.path, 'example.db')}` };
  const first = await kindred(['seed', file], own);
  expect([first.code, first.err]).toEqual([0, '']);
  expect(first.out).toContain('made  Consent/enrolment-mary-ima');
  const second = JSON.parse((await kindred(['seed', file, '--json'], own)).out) as { made: string[] };
  expect(second.made).toEqual([]);
});

test('seed: every mistake is named with its JSON pointer, and nothing is done', async () => {
  const wrong = {
    organizations: [{ id: 'a b', name: '' }],
    accounts: [{ username: 'x', password: 'short', hats: [{ kind: 'king' }] }],
    clients: [{ client_id: 'c', kind: 'app' }],
    records: [{ patients: ['mary'], enrolled: [] }],
    nonsense: [],
  };
  const own = { KINDRED_STORE: `sqlite:${join(folder.path, 'wrong.db')}` };
  const { code, out, err } = await kindred(['seed', write('wrong.json', wrong)], own);
  expect([code, out]).toEqual([1, '']);
  for (const pointer of [
    '/organizations/0/id',
    '/organizations/0/name',
    '/accounts/0/password',
    '/accounts/0/hats/0/kind',
    '/clients/0',
    '/records/0/patients/0',
    'nonsense',
  ])
    expect(err).toContain(pointer);
  expect(existsSync(join(folder.path, 'wrong.db'))).toBe(false);
  const names = await kindred(
    [
      'seed',
      write('names.json', {
        organizations: [{ id: 'a', name: 'A', partOf: 'b' }],
        clients: [{ client_id: 'c', client_name: 'C', kind: 'system', scope: 'x', organization: 'd' }],
      }),
    ],
    own,
  );
  expect([names.code, names.err]).toEqual([1, expect.stringMatching(/\/organizations\/0\/partOf.*`b`[\s\S]*\/clients\/0\/organization.*`d`/)]);
  expect((await kindred(['seed', write('broken.json', '{')], own)).err).toContain('is not JSON');
});

test('token: one token response; it works at the server beside it', async () => {
  const { code, out } = await kindred(
    ['token', '--client', 'med-app', '--account', 'anna', '--record', 'Patient/mary', '--scope', 'patient/*.rs', '--json'],
    store,
  );
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(out)).toEqual({
    access_token: expect.stringMatching(/^ey/),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'patient/*.rs',
    patient: 'mary',
    fhirUser: 'RelatedPerson/anna-for-mary',
    need_patient_banner: true,
  });
  const ehr = await tokenFor('--client', 'ehr-ima', '--scope', 'system/*.cruds');
  expect((await ask('/fhir/Patient/mary', ehr)).status).toBe(200);
  expect((await ask('/fhir/Patient/mary')).status).toBe(401);
  for (const [args, words] of [
    [['--client', 'nobody', '--scope', 'system/*.rs'], 'nobody'],
    [['--client', 'med-app', '--account', 'nobody', '--scope', 'patient/*.rs'], 'nobody'],
    [['--client', 'med-app', '--scope', 'patient/*.rs'], '--account'],
    [['--client', 'med-app', '--account', 'mary', '--record', 'Patient/other', '--scope', 'patient/*.rs'], 'Patient/other'],
    [['--client', 'ehr-ima', '--scope', 'patient/*.rs'], 'patient/*.rs'],
  ] as const) {
    const refused = await kindred(['token', ...args], store);
    expect([args, refused.code, refused.out, refused.err]).toEqual([args, 1, '', expect.stringContaining(words)]);
  }
  const nowhere = await kindred(['token', '--client', 'ehr-ima', '--scope', 'system/*.rs'], { KINDRED_STORE: `sqlite:${join(folder.path, 'absent.db')}` });
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('absent.db')]);
});

test('consent activate: the version that was seen, with every factor, by the person herself', async () => {
  const mary = await tokenFor('--client', 'med-app', '--account', 'mary', '--scope', 'patient/Consent.cruds');
  const proposal = consent({ kind: 'authorized-user', actor: 'Practitioner/lee', provision: { ...actions('access') } });
  const proposed = await ask('/fhir/Consent', mary, { method: 'POST', body: JSON.stringify(proposal) });
  const made = (await proposed.json()) as { id: string; status: string };
  expect([proposed.status, made.status]).toEqual([201, 'proposed']);
  const activate = (account: string, version: string, password: string, totp: string) =>
    kindred(['consent', 'activate', made.id, '--version', version, '--account', account, '--password-stdin', '--totp', totp, '--json'], store, `${password}\n`);
  const now = (): string => new TOTP({ secret: TOTP_SECRET }).generate();
  const right = 'correct-horse-battery-1';

  const wrong = [await activate('mary', '1', 'wrong-horse', now()), await activate('mary', '1', right, '000000'), await activate('nobody', '1', right, now())];
  // One sentence for all, so that nobody learns which of it was wrong.
  expect(new Set(wrong.map(one => `${one.code} ${one.out} ${one.err}`)).size).toBe(1);
  expect([wrong[0]!.code, wrong[0]!.out]).toEqual([1, '']);
  const stale = await activate('mary', '2', right, now());
  expect([stale.code, stale.err]).toEqual([1, expect.stringContaining('version')]);
  const other = await activate('anna', '1', 'correct-horse-battery-2', '');
  expect(other.code).toBe(1);
  expect(((await (await ask(`/fhir/Consent/${made.id}`, mary)).json()) as { status: string }).status).toBe('proposed');

  const done = await activate('mary', '1', right, now());
  expect([done.code, JSON.parse(done.out), done.err]).toEqual([0, { activated: `Consent/${made.id}` }, '']);
  expect(((await (await ask(`/fhir/Consent/${made.id}`, mary)).json()) as { status: string }).status).toBe('active');
  expect((await activate('mary', '1', right, now())).code).toBe(1);
});

test('demo --once sets everything up, prints what to try, and ends', async () => {
  const { code, out, err } = await kindred(['demo', '--once'], { PORT: '0', KINDRED_LOG: 'warn' });
  expect([code, err]).toEqual([0, '']);
  for (const word of ['MARY=ey', 'ANNA=ey', 'EHR=ey', 'curl', '/fhir/MedicationStatement', 'Provenance', 'AuditEvent']) expect(out).toContain(word);
});
