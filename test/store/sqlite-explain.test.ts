import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { linkHash } from '../../src/audit/chain.ts';
import { parseSearch } from '../../src/search/parse.ts';
import { openDatabase, storeOf } from '../../src/store/sqlite/store.ts';
import { records } from '../bench/data.ts';
import { searches } from '../bench/searches.ts';
import { put, registry, write } from '../contract/world.ts';
import { telling } from './telling.ts';

// What SQLite does for each search that apps and EHRs send, kept as text: a change of a plan is a change of that file, to be looked at.
// KINDRED_TEST_EXPLAIN=write writes it anew.
const file = new URL('./sqlite-explain.txt', import.meta.url);
const PATIENTS = 60;

test('the plans of the searches that apps and EHRs send are those that are kept', async () => {
  const asked: string[] = [];
  const driver = openDatabase({ path: ':memory:' });
  const store = storeOf(
    telling(driver, detail => asked.push(detail)),
    { paramsOf: registry.paramsOf, linkHash, writer: 'one' },
  );
  for (const text of records(PATIENTS)) {
    const { entry } = JSON.parse(text) as { entry: { resource: { resourceType: string; id: string } }[] };
    await write(store, ...entry.map(({ resource: { resourceType, id, ...members } }) => put(`${resourceType}/${id}`, members)));
  }
  const context = { registry, base: 'http://localhost/fhir', now: Date.parse('2026-01-01'), lenient: false, defaultCount: 50, maxCount: 1000 };
  const plans: string[] = [];
  for (const { name, query } of searches) {
    const [path = '', parameters = ''] = query(7).split('?');
    const [type, id, last] = path.split('/');
    const place = id === undefined ? (type === '' ? {} : { type: type! }) : { within: { type: type!, id }, ...(last === '*' ? {} : { type: last! }) };
    asked.length = 0;
    const { query: read } = parseSearch(place, [...new URLSearchParams(parameters)], context);
    await (read.limit === 0 ? store.count(read) : store.search(read));
    plans.push([`${name}: ${query(7)}`, ...asked.map(detail => `    ${detail}`)].join('\n'));
  }
  await store.close();
  const text = `${plans.join('\n\n')}\n`;
  if (process.env.KINDRED_TEST_EXPLAIN === 'write') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
  expect(text).not.toMatch(/SCAN (res|r|tok|str|dat|num|com|ref|uri|pos)\b(?! USING)/);
});
