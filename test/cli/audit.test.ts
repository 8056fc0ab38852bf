import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { scratch } from '../http/world.ts';
import { kindred, root } from './process.ts';

// The log is found to be as it was written, or not: every tampering here goes to the database file itself (ACCESS §6).
jest.setTimeout(60_000);
const folder = scratch();
const sound = join(folder.path, 'sound.db');
const heads = join(folder.path, 'heads.json');
const at = (path: string): Record<string, string> => ({ KINDRED_STORE: `sqlite:${path}` });

interface Verified {
  readonly sound: boolean;
  readonly events: number;
  readonly links: number;
  readonly faults: readonly string[];
  readonly heads: readonly { readonly writer: string; readonly number: number; readonly hash: string }[];
}
async function verify(path: string, ...more: readonly string[]): Promise<readonly [number | null, Verified]> {
  const { code, out, err } = await kindred(['audit', 'verify', '--json', ...more], at(path));
  expect(err).toBe('');
  return [code, JSON.parse(out) as Verified];
}
/** A copy of the sound store with something done to it. */
function tampered(name: string, ...statements: readonly string[]): string {
  const path = join(folder.path, `${name}.db`);
  copyFileSync(sound, path);
  const db = new DatabaseSync(path);
  for (const statement of statements) db.exec(statement);
  db.close();
  return path;
}
const first = '(SELECT writer FROM link ORDER BY first LIMIT 1)';
const ofFirst = (what: string): string => `(SELECT ${what} FROM link WHERE writer = ${first})`;
const isEvent = "type = (SELECT id FROM type WHERE name = 'AuditEvent')";

beforeAll(async () => {
  for (const run of ['first', 'second', 'third']) {
    const file = join(folder.path, `${run}.ndjson`);
    writeFileSync(file, [1, 2, 3].map(number => JSON.stringify({ resourceType: 'Organization', id: `${run}-${number}`, name: run })).join('\n'));
  }
  // Several writers: each process has a chain of its own.
  expect((await kindred(['seed', join(root, 'src/cli/demo-family.json')], at(sound))).code).toBe(0);
  expect((await kindred(['load', join(folder.path, 'first.ndjson')], { ...at(sound), KINDRED_AUTH: 'off' })).code).toBe(0);
  const [code, verified] = await verify(sound);
  expect([code, verified.faults]).toEqual([0, []]);
  writeFileSync(heads, JSON.stringify(verified));
  const db = new DatabaseSync(sound);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
});
afterAll(() => folder.remove());

test('a sound log', async () => {
  const [code, verified] = await verify(sound, '--heads', heads);
  expect([code, verified.sound, verified.faults]).toEqual([0, true, []]);
  expect(verified.events).toBeGreaterThanOrEqual(9);
  expect(verified.heads).toHaveLength(2);
  expect(verified.heads[0]!.hash).toMatch(/^[0-9a-f]{64}$/);
  const { code: plain, out } = await kindred(['audit', 'verify'], at(sound));
  expect([plain, out]).toEqual([0, `the log is sound: ${verified.events} events in ${verified.links} links\n`]);
});

test('what was altered, removed or added is found', async () => {
  const middle = `(SELECT rid FROM res WHERE ${isEvent} ORDER BY rid LIMIT 1 OFFSET 2)`;
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['altered', [`UPDATE res SET body = CAST(replace(CAST(body AS TEXT), '"outcome":"0"', '"outcome":"4"') AS BLOB) WHERE rid = ${middle}`], /does not hash/],
    ['renamed', [`UPDATE res SET id = 'another' WHERE rid = ${middle}`], /does not hash/],
    ['removed', [`DELETE FROM res WHERE rid = ${middle}`], /does not hash/],
    ['hidden', [`UPDATE res SET deleted = 1 WHERE rid = ${middle}`], /does not hash/],
    [
      'added',
      [`INSERT INTO res SELECT max(rid) + 1000, type, 'forged', version, updated, deleted, facets, body FROM res WHERE ${isEvent}`],
      /forged is in the log but in no link/,
    ],
    ['unlinked', [`DELETE FROM link WHERE first = (SELECT first FROM link ORDER BY first LIMIT 1 OFFSET 2)`], /missing before it|in no link/],
    [
      'removed with its link',
      [`DELETE FROM res WHERE rid = ${middle}`, `DELETE FROM link WHERE first = (SELECT first FROM link ORDER BY first LIMIT 1 OFFSET 2)`],
      /missing before it/,
    ],
    [
      'rehashed',
      [`UPDATE link SET hash = '${'0'.repeat(64)}' WHERE first = (SELECT first FROM link ORDER BY first LIMIT 1 OFFSET 2)`],
      /does not hash|does not continue/,
    ],
    ['shown to nobody', [`UPDATE res SET facets = json_set(facets, '$.records', json('["Patient/x"]')) WHERE rid = ${middle}`], /by other marks/],
    ['found by nobody', [`DELETE FROM tok WHERE rid = ${middle}`], /by other marks/],
    ['found by others', [`UPDATE dat SET low = low + 1 WHERE rid = ${middle}`], /by other marks/],
    [
      'an earlier writer removed',
      [`DELETE FROM res WHERE ${isEvent} AND rid BETWEEN ${ofFirst('min(first)')} AND ${ofFirst('max(last)')}`, `DELETE FROM link WHERE writer = ${first}`],
      /began after link \d+ of writer [0-9a-f]+, which is not in the log/,
    ],
    [
      'its end removed',
      [
        `DELETE FROM res WHERE ${isEvent} AND rid BETWEEN ${ofFirst('max(first)')} AND ${ofFirst('max(last)')}`,
        `DELETE FROM link WHERE first = ${ofFirst('max(first)')}`,
      ],
      /began after link \d+ of writer [0-9a-f]+, which is not in the log/,
    ],
  ];
  for (const [name, statements, words] of cases) {
    const [code, verified] = await verify(tampered(name, ...statements));
    expect([name, code, verified.sound, verified.faults.join('; ')]).toEqual([name, 1, false, expect.stringMatching(words)]);
  }
});

test('a tail that was cut off is found with the heads that were kept outside', async () => {
  const cut = tampered(
    'cut',
    `DELETE FROM res WHERE ${isEvent} AND rid >= (SELECT max(first) FROM link)`,
    'DELETE FROM link WHERE first = (SELECT max(first) FROM link)',
  );
  const [without, unseen] = await verify(cut);
  expect([without, unseen.faults]).toEqual([0, []]);
  const [code, verified] = await verify(cut, '--heads', heads);
  expect([code, verified.faults]).toEqual([1, [expect.stringContaining('cut off')]]);
  // All of it.
  const [emptied, nothing] = await verify(tampered('emptied', `DELETE FROM res WHERE ${isEvent}`, 'DELETE FROM link'), '--heads', heads);
  expect([emptied, nothing.faults]).toEqual([1, [expect.stringContaining('cut off'), expect.stringContaining('cut off')]]);
});

test('a store or heads that are not there are no sound log', async () => {
  const absent = await kindred(['audit', 'verify'], at(join(folder.path, 'absent.db')));
  expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('absent.db')]);
  writeFileSync(join(folder.path, 'text.json'), 'text');
  writeFileSync(join(folder.path, 'other.json'), '{}');
  for (const [file, exit] of [
    ['absent.json', 2],
    ['text.json', 1],
    ['other.json', 2],
  ] as const) {
    const { code, out, err } = await kindred(['audit', 'verify', '--heads', join(folder.path, file)], at(sound));
    expect([file, code, out, err]).toEqual([file, exit, '', expect.stringContaining(file)]);
  }
});
