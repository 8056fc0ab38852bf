import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { openApp } from '../../src/app.ts';
import { configWith, scratch } from '../http/world.ts';
import { kindred, root, type Server, startServer } from './process.ts';

// kindred key, beside a running server that holds the store.
jest.setTimeout(60_000);
const folder = scratch();
const store = { KINDRED_STORE: `sqlite:${join(folder.path, 'key.db')}`, KINDRED_LOG: 'error' };
let server: Server;

beforeAll(async () => {
  expect((await kindred(['seed', join(root, 'src/cli/demo-family.json')], store)).code).toBe(0);
  server = await startServer(store);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

interface Shown {
  readonly id: string;
  readonly algorithm: string;
  readonly state: string;
  readonly until?: string;
}
const list = async (): Promise<readonly Shown[]> => JSON.parse((await kindred(['key', 'list', '--json'], store)).out) as Shown[];
const rotate = async (...args: string[]) =>
  JSON.parse((await kindred(['key', 'rotate', ...args, '--json'], store)).out) as { made: string[]; dropped: boolean };
const issue = async (): Promise<string> =>
  JSON.parse((await kindred(['token', '--client', 'ehr-ima', '--scope', 'system/*.rs'], store)).out).access_token as string;
const status = async (token: string): Promise<number> =>
  (await fetch(`${server.url}/fhir/Patient/mary`, { headers: { Authorization: `Bearer ${token}` } })).status;
const published = async (): Promise<readonly string[]> =>
  ((await (await fetch(`${server.url}/auth/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(key => key.kid);

test('rotate: new keys sign on the running server, and what the old ones signed is still taken', async () => {
  const before = await list();
  expect(before.map(({ algorithm, state }) => [algorithm, state])).toEqual([
    ['ES256', 'signs'],
    ['RS256', 'signs'],
  ]);
  const old = await issue();
  expect(await status(old)).toBe(200);
  const { made, dropped } = await rotate();
  expect([made.length, dropped]).toEqual([2, false]);
  const fresh = await issue();
  expect(made).toContain(decodeProtectedHeader(fresh).kid);
  expect([await status(old), await status(fresh)]).toEqual([200, 200]);
  const after = await list();
  expect(after.map(({ state }) => state)).toEqual(['signs', 'signs', 'verifies', 'verifies']);
  for (const { state, until } of after) if (state === 'verifies') expect(Date.parse(until!) - Date.now()).toBeGreaterThan(23 * 3_600_000);
  expect(await published()).toEqual([...made, ...before.map(key => key.id)]);
  expect((await kindred(['key', 'list'], store)).out).toContain(`${made[0]}\tES256\tsigns\n`);
});

test('rotate --drop: the old keys verify nothing any more, at the running server too, though it has seen the token', async () => {
  const leaked = await issue();
  expect(await status(leaked)).toBe(200);
  const { made } = await rotate('--drop');
  expect([await status(leaked), await status(await issue())]).toEqual([401, 200]);
  expect(await published()).toEqual(made);
});

test('each rotation is in the log, which is sound; wrong usage ends with 2', async () => {
  const beside = await openApp(configWith(store));
  const lines: { code: string; text?: string }[] = [];
  for await (const link of beside.store.chain()) for (const { body } of link.events) lines.push(JSON.parse(Buffer.from(body).toString()));
  await beside.close();
  const [first, second, ...more] = lines.filter(line => line.code === 'key').map(line => line.text);
  expect([first, second, more]).toEqual([
    expect.stringMatching(/^rotated: [0-9a-f]{16}, [0-9a-f]{16} sign$/),
    expect.stringMatching(/^rotated: .* sign; the old ones were dropped$/),
    [],
  ]);
  const { sound } = JSON.parse((await kindred(['audit', 'verify', '--json'], store)).out) as { sound: boolean };
  expect(sound).toBe(true);
  for (const args of [[], ['nonsense'], ['list', 'x'], ['list', '--drop'], ['rotate', 'x']])
    expect([args, (await kindred(['key', ...args], store)).code]).toEqual([args, 2]);
});
