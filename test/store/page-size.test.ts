import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makePageLimit } from '../../src/store/page-size.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { put, write } from '../contract/world.ts';
import { openScratch } from '../engine.ts';

const MB = 2 ** 20;
let store: ResourceStore;
beforeAll(async () => {
  store = await openScratch();
  for (const id of ['a', 'b', 'c']) await write(store, put(`Binary/${id}`, { contentType: 'text/plain', data: 'x'.repeat(30 * MB) }));
}, 60_000);
afterAll(() => store.close());

const page = (limit: number) => store.search({ branches: [{ type: 'Binary', where: { op: 'all' }, links: [] }], sort: [], limit });

test('a page of more than 64 MB is refused, with the way to get it', async () => {
  await expect(page(10)).rejects.toMatchObject({ code: 'too-costly', message: expect.stringContaining('`_count`') });
  expect((await page(1)).versions).toHaveLength(1);
});
test('one resource comes, however large', () => {
  const limit = makePageLimit();
  expect(() => limit(100 * MB)).not.toThrow();
  expect(() => limit(1)).toThrow();
});
