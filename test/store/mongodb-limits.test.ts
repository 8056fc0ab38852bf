import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { linkHash } from '../../src/audit/chain.ts';
import type { Atom } from '../../src/search/query.ts';
import { openMongodb } from '../../src/store/mongodb/store.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { at, keyOf, param, put, some, token } from '../contract/world.ts';
import { openScratch, registry, scratchStore } from '../engine.ts';

// What one document, one index or one command of MongoDB cannot hold is refused in words, by itself.
jest.setTimeout(60_000);
let store: ResourceStore;
beforeAll(async () => {
  store = await openScratch();
});
afterAll(() => store.close());

const names = (count: number, text: string): object => ({ name: [{ given: Array.from({ length: count }, (_, n) => `${text}${n}`) }] });
test.each([
  ['a body over 16 MB', { text: { status: 'generated', div: 'x'.repeat(16_500_000) } }],
  ['what a body of 1.5 MB is found by, over 16 MB', names(700, '한'.repeat(1000))],
  [
    'more words than an index takes of one document',
    { text: { status: 'generated', div: Array.from({ length: 95_000 }, (_, n) => n.toString(36)).join(' ') } },
  ],
  ['more values than an index takes of one document', { identifier: Array.from({ length: 95_000 }, (_, n) => ({ value: `${n}` })) }],
])('%s is refused, and what is stored beside it is stored', async (_, members) => {
  const [large, small] = await Promise.allSettled([store.commit([put('Patient/large', members)], at(1)), store.commit([put('Patient/small')], at(1))]);
  expect(large).toMatchObject({ status: 'rejected', reason: { code: 'too-long', message: expect.stringContaining('`Patient/large`') } });
  expect(small).toMatchObject({ status: 'fulfilled', value: { ok: true } });
  expect(await store.read(keyOf('Patient/large'))).toBeUndefined();
});

test('what is large and fits is stored', async () => {
  expect(await store.commit([put('Patient/fits', { text: { status: 'generated', div: 'x'.repeat(12_000_000) }, ...names(200, 'a') })], at(1))).toMatchObject({
    ok: true,
  });
  expect((await store.read(keyOf('Patient/fits')))!.body.length).toBeGreaterThan(12_000_000);
});

test('a page of more than 64 MB is refused, with the way to get it', async () => {
  for (const id of ['1', '2', '3', '4', '5']) await store.commit([put(`Binary/${id}`, { contentType: 'text/plain', data: 'x'.repeat(14_000_000) })], at(1));
  const page = (limit: number) => store.search({ branches: [{ type: 'Binary', where: { op: 'all' }, links: [] }], sort: [], limit });
  await expect(page(10)).rejects.toMatchObject({ code: 'too-costly', message: expect.stringContaining('`_count`') });
  expect((await page(2)).versions).toHaveLength(2);
});

test('a question that is larger than a command is told so, and the next one is answered', async () => {
  const where = some('Patient', param('Patient', 'identifier').code, ...Array.from({ length: 20 }, (_, n) => token(`${n}${'x'.repeat(3_000_000)}`)));
  const query = { branches: [{ type: 'Patient', where, links: [] }], sort: [], limit: 1 };
  await expect(store.count(query)).rejects.toMatchObject({ code: 'too-costly' });
  expect(await store.read(keyOf('Patient/fits'))).toBeDefined();
});

test('a search that takes longer than it may is told so by the name of the limit, and the store goes on', async () => {
  const address = scratchStore();
  const quick = await openMongodb({ url: address, paramsOf: registry.paramsOf, linkHash, writer: 'test', patience: 10_000, queryTime: 5 });
  try {
    const patients = Array.from({ length: 300 }, (_, n) => put(`Patient/p${n}`, names(100, `${'ab'.repeat(40)}${n}-`)));
    expect(await quick.commit(patients, at(1))).toMatchObject({ ok: true });
    const where = some('Patient', 'name', ...Array.from({ length: 500 }, (_, n): Atom => ({ kind: 'string', how: 'contains', text: `aba${n}c` })));
    const query = { branches: [{ type: 'Patient', where, links: [] }], sort: [], limit: 10 };
    const refusal = { code: 'too-costly', message: expect.stringContaining('0.005 seconds (KINDRED_QUERY_TIME)') };
    await expect(quick.search(query)).rejects.toMatchObject(refusal);
    await expect(quick.count(query)).rejects.toMatchObject(refusal);
    await expect(quick.keys(query)).rejects.toMatchObject(refusal);
    expect(await quick.read(keyOf('Patient/p1'))).toBeDefined();
  } finally {
    await quick.close();
  }
});
