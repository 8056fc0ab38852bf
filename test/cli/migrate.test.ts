import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import { event, put, write } from '../contract/world.ts';
import { scratch } from '../http/world.ts';
import { fill, linksOf, migrated, migratedHaltingly, open, seen, sweptFrom } from '../migration/world.ts';
import { kindred, root } from './process.ts';

// From SQLite to SQLite, which runs everywhere; with MongoDB: test/store/mongodb-migrate.test.ts.
jest.setTimeout(120_000);
const folder = scratch();
const file = (name: string): string => `sqlite:${join(folder.path, `${name}.db`)}`;
const source = file('source');
let before: Record<string, unknown>;

beforeAll(async () => {
  await fill(source);
  before = await seen(source);
});
afterAll(() => folder.remove());

test('the command carries all of it, and the next writer names the ends of the log', async () => {
  const target = file('target');
  const { code, out, err } = await kindred(['migrate', source, target, '--json']);
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ differences: [], grants: expect.any(Number), end: 3, from: source, to: target });
  expect(await seen(target)).toEqual(before);
  const heads = (before.chain as Awaited<ReturnType<typeof verifyChain>>).heads;
  const store = await open(target, 'fresh');
  await write(store, event('first'), put('Patient/new'));
  const last = (await linksOf(store)).find(link => link.writer === 'fresh')!;
  expect(last.previous).not.toBe('');
  const faults = (before.chain as { faults: readonly string[] }).faults;
  expect((await verifyChain(store.chain(), heads)).faults).toEqual(faults);
  await store.close();
  // In words.
  const again = await kindred(['migrate', source, target]);
  expect([again.code, again.out, again.err]).toEqual([1, '', expect.stringMatching(/not empty.*choose an empty one\n$/)]);
});

test('stopped after any portion it goes on where it was, and until then nothing else opens the target', async () => {
  const target = file('halting');
  const tell = (): void => {
    throw new Error('halt');
  };
  await expect(migrated(source, target, { tell })).rejects.toThrow('halt');
  await expect(open(target, 'x')).rejects.toThrow('a migration into this store is not finished');
  const served = await kindred(['serve'], { KINDRED_STORE: target, PORT: '0' });
  expect([served.code, served.err]).toEqual([1, expect.stringContaining('not finished')]);
  await expect(migrated(target, file('other'))).rejects.toThrow('itself the target');
  const { code, err } = await kindred(['migrate', file('target'), target]);
  expect([code, err]).toEqual([1, expect.stringMatching(/holds a migration from .*--again/)]);
  expect(await migratedHaltingly(source, target)).toBeGreaterThan(20);
  expect(await seen(target)).toEqual(before);
});

test('a source that is written to meanwhile is told of, and --again empties only what is unfinished', async () => {
  const moving = file('moving');
  const target = file('moved');
  expect(await migrated(source, moving)).toEqual([]);
  const differences = await migrated(moving, target, {
    async meanwhile() {
      const store = await open(moving, 'meanwhile');
      await write(store, put('Patient/meanwhile'), event('meanwhile'));
      await store.close();
    },
  });
  expect(differences).toEqual([
    expect.stringMatching(/^links of the log: \d+ there, \d+ here$/),
    expect.stringMatching(/^resources: /),
    expect.stringMatching(/^writers/),
  ]);
  await expect(open(target, 'x')).rejects.toThrow('not finished');
  const told = await kindred(['migrate', moving, target]);
  expect([told.code, told.out]).toEqual([1, expect.stringContaining('--again')]);
  const { code, out } = await kindred(['migrate', moving, target, '--again']);
  expect([code, out]).toEqual([0, expect.stringContaining('are the same')]);
  // The line in no link comes after what is in one: the lists of the log differ, nothing else does.
  const [one, other] = [await seen(moving), await seen(target)];
  for (const part of ['totals', 'links', 'chain', 'documents', 'epochs', 'grants', 'sorted', 'pages', 'counts', 'linked'])
    expect(other[part]).toEqual(one[part]);
  const finished = await kindred(['migrate', moving, target, '--again']);
  expect([finished.code, finished.err]).toEqual([1, expect.stringContaining('not empty')]);
});

test('what expires arrives with its moment, which is compared too', async () => {
  const [one, other] = [file('expiring'), file('expiring-there')];
  expect(await migrated(source, one)).toEqual([]);
  const session = { op: 'document', kind: 'session', id: 'short', value: { id: 'short' } } as const;
  expect(
    await migrated(one, other, {
      async meanwhile() {
        const store = await open(one, 'meanwhile');
        await write(store, session);
        await store.close();
      },
    }),
  ).toEqual([expect.stringMatching(/^epochs: /), expect.stringMatching(/^documents: \d+ in both, but not the same$/)]);
  const staying = file('staying');
  expect(await migrated(one, staying)).toEqual([]);
  const swept = await sweptFrom(staying);
  expect(swept.map(([count]) => count)).toEqual([1, 0, 1]);
  expect(await sweptFrom(one)).toEqual(swept);
});

test('killed at any moment, again and again', async () => {
  const big = file('big');
  const target = file('killed');
  const store = await open(big, 'big');
  for (let n = 0; n < 60; n++)
    await write(store, ...Array.from({ length: 50 }, (_, m) => put(`Patient/${(n * 50 + m) % 2000}`, { name: [{ family: `f${m}` }] })), event(`${n}`));
  await store.close();
  let kills = 0;
  for (;;) {
    const child = spawn('node', ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'migrate', big, target], {
      cwd: root,
      env: { PATH: `${root}/node_modules/.bin:${process.env.PATH}`, HOME: '/' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 250 + Math.random() * 250 + kills * 10);
    const [code, err] = await Promise.all([new Promise<number | null>(done => child.on('close', done)), text(child.stderr!)]);
    clearTimeout(timer);
    // It may have been killed between its end and that of the process: then it is asked for a second time.
    if (err.includes('is not empty')) break;
    expect(err).toBe('');
    if (code === 0) break;
    kills++;
  }
  expect(kills).toBeGreaterThan(0);
  const [one, other] = [await open(big, 'x'), await open(target, 'x')];
  expect(await other.totals()).toEqual(await one.totals());
  expect(await verifyChain(other.chain())).toEqual(await verifyChain(one.chain()));
  expect((await verifyChain(other.chain())).faults).toEqual([]);
  await one.close();
  await other.close();
});

test.each([
  [['sqlite:x.db'], 2, 'name two stores'],
  [['sqlite:x.db', 'sqlite:./x.db'], 2, 'the same store'],
  [['sqlite:/nowhere/at/all.db', file('new')], 1, 'there is no store at `/nowhere/at/all.db`'],
  [['postgres://name:password@host/db', file('new')], 2, '`postgres://host/db` is no store'],
  [['sqlite::memory:', file('new')], 2, 'in memory'],
  [[source, 'mongodb://name:password@127.0.0.1:9/x?serverSelectionTimeoutMS=200'], 1, 'no MongoDB was reached at mongodb://127.0.0.1:9/x'],
])('%j: a sentence', async (args, code, text) => {
  const ended = await kindred(['migrate', ...args]);
  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
  expect(ended.err).not.toMatch(/password|KINDRED_STORE| {4}at /);
});

test('a file of another program is no target', async () => {
  writeFileSync(
    join(folder.path, 'foreign.db'),
    'something else that is not a database, and longer than its header of a hundred bytes would be, so that it counts',
  );
  const { code, err } = await kindred(['migrate', source, file('foreign')]);
  expect([code, err]).toEqual([1, expect.stringContaining('not a Kindred database')]);
});
