import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import { scratch } from '../http/world.ts';
import { kindred, type Server, startServer } from './process.ts';

// kindred launch, beside a running server that holds the store.
jest.setTimeout(60_000);
const folder = scratch();
const store = { KINDRED_STORE: `sqlite:${join(folder.path, 'launch.db')}`, KINDRED_LOG: 'error' };
let server: Server;

beforeAll(async () => {
  const origin = { kind: 'organization', by: 'ima' };
  const encounter = (id: string, patient: string) => ({
    origin,
    resource: { resourceType: 'Encounter', id, status: 'in-progress', class: { code: 'AMB' }, subject: { reference: `Patient/${patient}` } },
  });
  const resources = [
    ...family.resources,
    { origin, resource: { resourceType: 'Patient', id: 'john' } },
    encounter('of-mary', 'mary'),
    encounter('of-john', 'john'),
  ];
  const file = join(folder.path, 'seed.json');
  writeFileSync(file, JSON.stringify({ ...family, resources }));
  const seeded = await kindred(['seed', file], store);
  expect([seeded.code, seeded.err]).toEqual([0, '']);
  server = await startServer(store);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});
const launch = (...args: string[]) => kindred(['launch', ...args], store);

test('prints the value and the address to open, with the public URL of the running server (§Launch App: EHR Launch)', async () => {
  const { code, out, err } = await launch(
    '--client',
    'visit-app',
    '--account',
    'dr-lee',
    '--patient',
    'mary',
    '--encounter',
    'of-mary',
    '--intent',
    'review',
    '--json',
  );
  expect([code, err]).toEqual([0, '']);
  const made = JSON.parse(out) as { launch: string; url: string; expires_in: number };
  expect(made).toEqual({ launch: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/), url: expect.any(String), expires_in: 600 });
  const url = new URL(made.url);
  expect([`${url.origin}${url.pathname}`, Object.fromEntries(url.searchParams)]).toEqual([
    'http://localhost:3001/launch',
    { iss: `${server.url}/fhir`, launch: made.launch },
  ]);
  const people = await launch('--client', 'med-app', '--patient', 'mary');
  expect([people.code, people.out]).toEqual([0, expect.stringMatching(/^[A-Za-z0-9_-]{32}\n$/)]);
});

test('the value is taken by the running server, and one that was made up is not', async () => {
  const { launch: value } = JSON.parse((await launch('--client', 'visit-app', '--patient', 'mary', '--json')).out) as { launch: string };
  const ask = (given: string): Promise<Response> =>
    fetch(
      `${server.url}/auth/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: 'visit-app',
        redirect_uri: 'http://localhost:3001/',
        scope: 'launch openid fhirUser patient/Patient.rs',
        state: 'some-state-of-the-app',
        aud: `${server.url}/fhir`,
        launch: given,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      })}`,
      { redirect: 'manual' },
    );
  const [taken, refused] = [await ask(value), await ask('made-up')];
  expect([taken.status, taken.headers.get('location')]).toEqual([303, expect.stringContaining('/auth/interaction/')]);
  expect(refused.headers.get('location')).toContain('error=invalid_request');
});

test('what is not there is named, and what is left out', async () => {
  for (const [args, code, words] of [
    [['--client', 'nobody', '--patient', 'mary'], 1, 'no client `nobody`'],
    [['--client', 'visit-app', '--patient', 'nobody'], 1, 'no Patient `nobody`'],
    [['--client', 'visit-app', '--patient', 'mary', '--account', 'nobody'], 1, 'no account `nobody`'],
    [['--client', 'visit-app', '--patient', 'mary', '--encounter', 'of-john'], 1, 'of that patient'],
    [['--client', 'visit-app'], 2, '--patient'],
    [['--patient', 'mary'], 2, '--client'],
    [['--nonsense'], 2, 'nonsense'],
  ] as const) {
    const refused = await launch(...args);
    expect([args, refused.code, refused.out, refused.err]).toEqual([args, code, '', expect.stringContaining(words)]);
  }
});
