import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { linkHash } from '../../src/audit/chain.ts';
import { readCondition } from '../../src/search/condition.ts';
import { and, type Link, type Predicate, type SearchQuery } from '../../src/search/query.ts';
import type { Driver } from '../../src/store/sqlite/driver.ts';
import { openDatabase, storeOf } from '../../src/store/sqlite/store.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { param, put, registry, write } from '../contract/world.ts';
import { telling } from './telling.ts';

/** What a search reads first, as SQLite tells it. */
const asked: string[] = [];
let driver: Driver;
let store: ResourceStore;
const options = { paramsOf: registry.paramsOf, linkHash, writer: 'one' };

beforeAll(async () => {
  driver = openDatabase({ path: ':memory:' });
  // Small, so that a hundred rows are many.
  store = storeOf(
    telling(driver, detail => asked.push(detail)),
    { ...options, many: 100 },
  );
  const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
  const patients = Array.from({ length: 150 }, (_, n) =>
    put(`Patient/p${n}`, {
      identifier: [{ value: `m${n}` }],
      name: [{ family: n < 3 ? 'Smith' : 'Jones' }],
      text: { status: 'generated', div: `<div>patient ${n < 5 ? 'rare' : 'usual'}</div>` },
    }),
  );
  const observations = Array.from({ length: 600 }, (_, n) =>
    put(`Observation/o${n}`, {
      status: 'final',
      code: loinc(n % 100 === 0 ? 'rare' : n % 2 === 0 ? 'even' : 'odd'),
      subject: { reference: `Patient/p${n % 150}` },
      effectiveDateTime: `20${10 + (n % 15)}-01-01`,
      valueQuantity: { value: n, system: 'http://unitsofmeasure.org', code: 'mg' },
    }),
  );
  await write(store, ...patients, ...observations);
});
afterAll(() => store.close());

function queryOf(text: string): SearchQuery {
  const [type, parameters] = text.split('?') as [string, string];
  const conditions = parameters.split('&').map(each => {
    const [name, value] = each.split('=') as [string, string];
    return readCondition(type, name, value, { registry }) as { where: Predicate } | { link: Link };
  });
  const where = and(...conditions.flatMap(condition => ('where' in condition ? condition.where : [])));
  return { branches: [{ type, where, links: conditions.flatMap(condition => ('link' in condition ? condition.link : [])) }], sort: [], limit: 20 };
}
async function first(query: SearchQuery): Promise<string> {
  asked.length = 0;
  await store.search(query);
  return asked.find(detail => /^(SEARCH|SCAN (?!x$|d$))/.test(detail))!;
}

describe('what a search is driven from', () => {
  test.each([
    ['Observation?code-value-quantity=http://loinc.org|rare$gt140', /^SEARCH com USING PRIMARY KEY \(p=\? AND a=\? AND a2=\? AND b>\?/],
    ['Observation?value-quantity=gt590', /^SEARCH num USING PRIMARY KEY \(p=\? AND unit=\? AND low>\?\)/],
    ['Observation?value-quantity=ap7', /^SEARCH num USING PRIMARY KEY \(p=\? AND unit=\? AND low>\? AND low<\?\)/],
    ['Observation?value-quantity=gt590&code=odd', /^SEARCH num USING PRIMARY KEY/],
    ['Patient?_has:Observation:patient:code=http://loinc.org|rare', /^SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?\)/],
    ['Patient?_has:Observation:patient:value-quantity=gt590', /^SEARCH num USING PRIMARY KEY/],
    ['Observation?patient.identifier=m7', /^SEARCH tok USING PRIMARY KEY/],
    ['Observation?subject:Patient.name=smith&code=even', /^SEARCH str USING PRIMARY KEY/],
    ['Patient?_content=rare', /^SCAN word VIRTUAL TABLE/],
    ['Observation?patient._text=rare&code=even', /^SCAN word VIRTUAL TABLE/],
    ['Patient?_has:Observation:patient:patient._text=rare', /^SCAN word VIRTUAL TABLE/],
    ['Observation?code=even&status=final', /^SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?\)/],
    // Half of all: a page is found sooner by passing by the others.
    ['Observation?value-quantity=gt300', /^SEARCH r USING .*INDEX res_live/],
  ])('%s', async (text, plan) => expect(await first(queryOf(text))).toMatch(plan));

  test('a sort by date, where one patient is asked for: her rows, and the index of dates where nothing is selective', async () => {
    const sort = [{ by: param('Observation', 'date'), descending: true }];
    expect(await first({ ...queryOf('Observation?patient=Patient/p7'), sort })).toMatch(/^SEARCH ref/);
    expect(await first({ ...queryOf('Observation?status=final'), sort })).toMatch(/^SEARCH d USING COVERING INDEX dat_high/);
    expect(await first({ ...queryOf('Observation?status=final'), sort: [{ by: 'updated', descending: true }] })).toMatch(/^SEARCH r USING .*INDEX res_updated/);
  });
});

test('a range and a date beside what is nowhere stored find nothing', async () => {
  const empty = storeOf(openDatabase({ path: ':memory:' }), options);
  for (const more of ['value-quantity=gt590', 'value-quantity=lt0', 'date=gt2020', '_lastUpdated=gt2020']) {
    const query = queryOf(`Observation?_text=nowhere&${more}`);
    for (const sort of [[], [{ by: 'updated', descending: true }], [{ by: param('Observation', 'date'), descending: true }]] as const)
      expect((await empty.search({ ...query, sort })).versions).toEqual([]);
    expect(await empty.count(query)).toBe(0);
  }
  await empty.close();
});

describe('the time that a search may take', () => {
  const hurried = (): ResourceStore => storeOf(driver, { ...options, queryTime: 0 });
  const tooLong = { code: 'too-costly', message: expect.stringContaining('KINDRED_QUERY_TIME') };
  test('a search, its count and its keys end with a Problem that names the limit', async () => {
    const query = queryOf('Observation?status:not=amended');
    await expect(hurried().search(query)).resolves.toBeDefined();
    await expect(hurried().search({ ...query, limit: 500 })).rejects.toMatchObject(tooLong);
    await expect(hurried().count(query)).rejects.toMatchObject(tooLong);
    await expect(hurried().keys({ ...query, limit: 500 })).rejects.toMatchObject(tooLong);
    await expect(hurried().search({ ...query, sort: [{ by: param('Observation', 'value-quantity'), descending: false }] })).rejects.toMatchObject(tooLong);
    await expect(hurried().search({ ...query, limit: 500, sort: [{ by: param('Observation', 'date'), descending: false }] })).rejects.toMatchObject(tooLong);
    await expect(hurried().search({ ...query, limit: 500, sort: [{ by: 'updated', descending: true }] })).rejects.toMatchObject(tooLong);
  });
  test('also where a single resource is looked at, and all that refers to it', async () => {
    await write(store, put('Group/g'), ...Array.from({ length: 100 }, (_, n) => put(`List/l${n}`, { status: 'current', subject: { reference: 'Group/g' } })));
    await expect(hurried().search(queryOf('Group?_has:List:subject:status:not=current'))).rejects.toMatchObject(tooLong);
  });
  test('afterwards all goes on, and other work has no limit', async () => {
    const soon = hurried();
    await expect(soon.count(queryOf('Observation?status:not=amended'))).rejects.toMatchObject(tooLong);
    expect((await soon.read({ type: 'Patient', id: 'p7' }))?.versionId).toBe('1');
    await write(soon, ...Array.from({ length: 70 }, (_, n) => put(`Basic/b${n}`, { code: { text: 'x' } })));
    expect(await store.count(queryOf('Observation?status:not=amended'))).toBe(600);
  });
});
