import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ResourceStore } from '../../src/store/store.ts';
import { at, keyOf, param, put, some, token } from '../contract/world.ts';
import { openScratch } from '../engine.ts';

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
  ['what a body of 1.5 MB is found by, over 16 MB', names(500, '한'.repeat(1000))],
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

test('a question that is larger than a command is told so, and the next one is answered', async () => {
  const where = some('Patient', param('Patient', 'identifier').code, ...Array.from({ length: 20 }, (_, n) => token(`${n}${'x'.repeat(3_000_000)}`)));
  const query = { branches: [{ type: 'Patient', where, links: [] }], sort: [], limit: 1 };
  await expect(store.count(query)).rejects.toMatchObject({ code: 'too-costly' });
  expect(await store.read(keyOf('Patient/fits'))).toBeDefined();
});
