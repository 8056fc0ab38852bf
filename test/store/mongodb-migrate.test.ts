import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import { kindred } from '../cli/process.ts';
import { event, put, write } from '../contract/world.ts';
import { scratchStore } from '../engine.ts';
import { scratch } from '../http/world.ts';
import { fill, linksOf, migrated, migratedHaltingly, open, seen, sweptFrom } from '../migration/world.ts';

// From one engine to the other and back: nothing that can be seen is different.
jest.setTimeout(240_000);
const folder = scratch();
const file = (name: string): string => `sqlite:${join(folder.path, `${name}.db`)}`;
const source = file('source');
let before: Record<string, unknown>;

beforeAll(async () => {
  await fill(source);
  before = await seen(source);
});
afterAll(() => folder.remove());

test('from SQLite to MongoDB and back, and the next writers name the ends of the log', async () => {
  const [there, back] = [scratchStore(), file('back')];
  const { code, out, err } = await kindred(['migrate', source, there, '--json']);
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ differences: [] });
  expect(await seen(there)).toEqual(before);
  expect((await kindred(['migrate', there, back])).code).toBe(0);
  expect(await seen(back)).toEqual(before);
  const { heads, faults } = before.chain as Awaited<ReturnType<typeof verifyChain>>;
  for (const address of [there, back]) {
    const store = await open(address, 'fresh');
    await write(store, event('first'), put('Patient/new'), put('Patient/p1', { active: true }));
    const links = await linksOf(store);
    expect(links.filter(link => link.number > 0).at(-1)).toMatchObject({ writer: 'fresh', number: 1, previous: expect.stringContaining('third 1 ') });
    expect((await verifyChain(store.chain(), heads)).faults).toEqual(faults);
    const { versions } = await store.search({ branches: [{ type: 'Patient', where: { op: 'all' }, links: [] }], sort: [], limit: 1000 });
    expect(versions.at(-1)!.key.id).toBe('new');
    await store.close();
  }
});

test('from MongoDB, where several processes wrote at once, to both', async () => {
  const [here, there, file2] = [scratchStore(), scratchStore(), file('from-mongodb')];
  await fill(here);
  const stores = await Promise.all(['w1', 'w2', 'w3'].map(writer => open(here, writer)));
  for (let n = 0; n < 12; n++) await Promise.all(stores.map((store, at) => write(store, put(`Patient/w${at}`), event(`w${at}-${n}`))));
  await Promise.all(stores.map(store => store.close()));
  const there0 = await seen(here);
  expect(await migrated(here, there)).toEqual([]);
  expect(await migrated(here, file2)).toEqual([]);
  const inOrder = ({ lists, histories, ...rest }: Record<string, unknown>): unknown => ({
    ...rest,
    lists: { ...(lists as object), AuditEvent: [] },
    histories: [],
  });
  // Lines of the log come in the order of the chain, where those of several processes had the order of their clocks.
  for (const address of [there, file2]) expect(inOrder(await seen(address))).toEqual(inOrder(there0));
});

test('stopped after any portion it goes on where it was, and until then nothing else opens the target', async () => {
  const target = scratchStore();
  const tell = (): void => {
    throw new Error('halt');
  };
  await expect(migrated(source, target, { tell })).rejects.toThrow('halt');
  await expect(open(target, 'x')).rejects.toThrow('a migration into this store is not finished');
  expect(await migratedHaltingly(source, target)).toBeGreaterThan(15);
  expect(await seen(target)).toEqual(before);
  const back = file('halting-back');
  expect(await migratedHaltingly(target, back)).toBeGreaterThan(15);
  expect(await seen(back)).toEqual(before);
});

test('what expires arrives with its moment', async () => {
  const [there, again, back] = [scratchStore(), scratchStore(), file('expiring-back')];
  expect(await migrated(source, there)).toEqual([]);
  expect(await migrated(there, again)).toEqual([]);
  expect(await migrated(again, back)).toEqual([]);
  const swept = await sweptFrom(there);
  expect(swept.map(([count]) => count)).toEqual([1, 1, 1]);
  expect([await sweptFrom(again), await sweptFrom(back)]).toEqual([swept, swept]);
});

test('a target that is not empty, a source that is not there, --again', async () => {
  const target = scratchStore();
  const nothing = await kindred(['migrate', target, file('x')]);
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('there is no store in the database')]);
  const store = await open(target, 'x');
  await write(store, put('Patient/there'));
  await store.close();
  for (const more of [[], ['--again']]) {
    const refused = await kindred(['migrate', source, target, ...more]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('not empty')]);
  }
  const other = scratchStore();
  const tell = (step: string): void => {
    if (step === 'past') throw new Error('halt');
  };
  await expect(migrated(source, other, { tell })).rejects.toThrow('halt');
  expect((await kindred(['migrate', source, other, '--again'])).code).toBe(0);
  expect(await seen(other)).toEqual(before);
});
