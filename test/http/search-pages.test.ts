import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bundleOf, linkOf, namesOf, type Searchset, store } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// From page to page: http://hl7.org/fhir/R4/http.html#paging
jest.setTimeout(60_000);
let world: World;
let ehr: Client;
const count = 130;

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  await store(
    ehr,
    Array.from({ length: count }, (_, at) => ({
      resourceType: 'Device',
      id: `d-${String(at).padStart(3, '0')}`,
      // Long keys, each several times, and some have none.
      ...(at % 10 === 0 ? {} : { deviceName: [{ name: `${'long '.repeat(40)}${at % 7}`, type: 'other' }] }),
    })),
  );
});
afterAll(() => world.end());

async function follow(from: Searchset, relation: string): Promise<Searchset | undefined> {
  const url = linkOf(from, relation);
  return url === undefined ? undefined : bundleOf(ehr, url);
}
const relations = ({ link }: Searchset): readonly string[] => link.map(one => one.relation);

test.each(['', '&_sort=-_lastUpdated', '&_sort=device-name,-_id', '&_sort=-device-name'])(
  'forward to the end and back to the beginning (Device?_count=20%s)',
  async sort => {
    const first = await bundleOf(ehr, `Device?_count=20${sort}`);
    expect(relations(first)).toEqual(['self', 'first', 'next']);
    const pages = [first];
    for (let page = await follow(first, 'next'); page !== undefined; page = await follow(page, 'next')) pages.push(page);
    expect(pages.map(page => namesOf(page).length)).toEqual([20, 20, 20, 20, 20, 20, 10]);
    expect(new Set(pages.flatMap(page => namesOf(page))).size).toBe(count);
    expect(relations(pages[3]!)).toEqual(['self', 'first', 'next', 'previous']);
    expect(relations(pages.at(-1)!)).toEqual(['self', 'first', 'previous']);
    let back: Searchset | undefined = pages.at(-1)!;
    for (const page of pages.toReversed()) {
      expect(namesOf(back!)).toEqual(namesOf(page));
      expect(namesOf((await follow(back!, 'first'))!)).toEqual(namesOf(first));
      expect(namesOf((await follow(back!, 'self'))!)).toEqual(namesOf(page));
      back = await follow(back!, 'previous');
    }
    expect(back).toBeUndefined();
    // And forward again, from a page that was come back to.
    expect(namesOf((await follow((await follow(pages[2]!, 'previous'))!, 'next'))!)).toEqual(namesOf(pages[2]!));
  },
);

test('a link stays short however many pages there are; so far back as it remembers, it leads', async () => {
  for (const sort of ['', '&_sort=device-name']) {
    let page: Searchset | undefined = await bundleOf(ehr, `Device?_count=1${sort}`);
    const pages: Searchset[] = [];
    for (; page !== undefined; page = await follow(page, 'next')) {
      pages.push(page);
      for (const { url } of page.link) expect(url.length).toBeLessThan(4500);
    }
    expect(pages).toHaveLength(count);
    let back: Searchset | undefined = pages.at(-1);
    let steps = 0;
    for (; back !== undefined; steps++) {
      expect(namesOf(back)).toEqual(namesOf(pages.at(-1 - steps)!));
      back = await follow(back, 'previous');
    }
    expect([sort, steps > 5, steps < 60]).toEqual([sort, true, true]);
  }
});

test('a page that one came back to shows what was written meanwhile, and none twice going forward', async () => {
  const first = await bundleOf(ehr, 'Device?_count=50');
  const second = await follow(first, 'next');
  await store(ehr, [{ resourceType: 'Device', id: 'd-new' }]);
  expect((await ehr.delete('Device/d-001')).status).toBe(204);
  const again = await follow(second!, 'previous');
  const seen: string[] = [];
  for (let page = again; page !== undefined; page = await follow(page, 'next')) seen.push(...namesOf(page));
  expect([seen.length, new Set(seen).size]).toEqual([count, count]);
  expect([seen.includes('Device/d-new'), seen.includes('Device/d-001')]).toEqual([true, false]);
});
