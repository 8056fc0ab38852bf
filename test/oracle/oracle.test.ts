import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../engine.ts';
import type { Case, SortedBy } from './case.ts';
import { sorts, updated } from './cases/order.ts';
import { chains, references } from './cases/references.ts';
import { general, strings } from './cases/texts.ts';
import { tokens } from './cases/tokens.ts';
import { composites, dates, places, quantities } from './cases/values.ts';
import { includes, wide } from './cases/wide.ts';
import { type Data, dataIsHere, dataOf, type Json, nameOf, readBundles } from './data.ts';
import { extra } from './extra.ts';
import { type Given, type Page, pageAt, pagesFrom, serverWith } from './server.ts';
import { shapeOf, shapes, shapeWanted } from './shapes.ts';

const tables = { strings, tokens, references, dates, quantities, composites, places, general, chains, includes, wide, sorts, updated };
const all: readonly Case[] = Object.values(tables).flat();
/** How many of the 120 patients are loaded: all on SQLite, some on a server, unless told. */
const patients = Number(process.env.KINDRED_ORACLE_PATIENTS ?? (engine === 'sqlite' ? 120 : 8));
const whole = patients >= 120;

let data: Data;
let server: Given;

/** What a search finds by the oracle. */
function found({ ask, finds }: Case): readonly Json[] {
  const last = ask.split('?')[0]!.split('/').at(-1)!;
  const candidates = /^[A-Z]/.test(last) ? (data.types.get(last) ?? []) : data.all;
  return candidates.filter(resource => finds(resource, data));
}
const everyNth = (cases: readonly Case[], step: number): readonly Case[] => cases.filter((_, at) => at % step === 0);
const names = (resources: readonly Json[]): readonly string[] => resources.map(nameOf).sort();
/** Differences, not thousands of names. */
const beside = (got: readonly Json[], wanted: readonly Json[]) => {
  const [ours, theirs] = [new Set(names(got)), new Set(names(wanted))];
  return { tooMany: [...ours].filter(name => !theirs.has(name)).slice(0, 5), missing: [...theirs].filter(name => !ours.has(name)).slice(0, 5) };
};
const same = { tooMany: [], missing: [] };
const keysOf = (resources: readonly Json[], sorted: readonly SortedBy[]): readonly (readonly (string | number | undefined)[])[] =>
  resources.map(resource => sorted.map(({ of }) => of(data.named.get(nameOf(resource))!, data)));
/** What has no key comes last. */
function inOrder(resources: readonly Json[], sorted: readonly SortedBy[]): readonly Json[] {
  const compare = (left: string | number | undefined, right: string | number | undefined, down: boolean): number => {
    if (left === right) return 0;
    if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
    return (left < right ? -1 : 1) * (down ? -1 : 1);
  };
  return resources.toSorted((left, right) => sorted.reduce((order, { of, down }) => order || compare(of(left, data), of(right, data), down === true), 0));
}
const address = (ask: string, more: string): string => {
  const filled = ask.replace('{base}', encodeURIComponent(server.base)).replaceAll('{between}', server.between);
  const path = filled.startsWith('?') || filled === '' ? filled : `/${filled}`;
  return `${server.base}${path}${path.includes('?') ? '&' : '?'}${more}`;
};

function checkPages(one: Case, pages: readonly Page[], wanted: readonly Json[], count: number): void {
  const got = pages.flatMap(({ matches }) => matches);
  expect(beside(got, wanted)).toEqual(same);
  expect(got).toHaveLength(wanted.length);
  expect(pages.map(({ matches }) => matches.length)).toEqual(
    Array.from({ length: Math.max(1, Math.ceil(wanted.length / count)) }, (_, page) => Math.min(count, wanted.length - page * count)),
  );
  expect(pages[0]!.total).toBe(wanted.length);
  // What is equal in all keys may come in any order.
  if (one.sorted !== undefined) expect(keysOf(got, one.sorted)).toEqual(keysOf(inOrder(wanted, one.sorted), one.sorted));
  for (const { matches, included } of pages) {
    const page = matches.map(match => data.named.get(nameOf(match))!);
    const brought = (one.brings?.(page, data) ?? []).filter(resource => !page.includes(resource));
    expect(beside(included, brought)).toEqual(same);
    expect(included).toHaveLength(new Set(brought).size);
  }
}

describe('every search finds what a walk through the files finds (http://hl7.org/fhir/R4/search.html)', () => {
  if (!dataIsHere) {
    test.skip('skipped: no synthea-r4-120.tar.xz; set KINDRED_DATA to its folder', () => {});
    return;
  }
  beforeAll(async () => {
    server = await serverWith([...readBundles(patients), extra]);
    data = dataOf(server.turns);
  }, 900_000);
  afterAll(() => server?.stop());

  test('there are 150 searches and more, no two alike', () => {
    expect(new Set(all.map(({ ask }) => ask)).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(150);
  });
  if (whole)
    test('all 122 Bundles are loaded, nothing refused', async () => {
      expect(data.all).toHaveLength(92_114 + extra.length);
      for (const [type, resources] of data.types) expect([type, (await pageAt(address(type, '_summary=count'))).total]).toEqual([type, resources.length]);
    });

  describe('answers that are cut (http://hl7.org/fhir/R4/search.html#summary)', () => {
    for (const shape of shapes)
      test(shape.ask, async () => {
        const { matches } = await pageAt(address(shape.ask, '_count=5'));
        expect(names(matches)).toEqual([shape.name]);
        expect(shapeOf(matches[0]!)).toEqual(shapeWanted(shape));
      });
  });
  describe('the same in other ways (http://hl7.org/fhir/R4/http.html#search and #paging)', () => {
    for (const one of everyNth(all, 17))
      test(`from the last page back: ${one.ask}`, async () => {
        const there = await pagesFrom(address(one.ask, `_count=${Math.min(1000, Math.ceil(found(one).length / 3) + 1)}`));
        const last = there.at(-1)!;
        const back = [last, ...(last.previous === undefined ? [] : await pagesFrom(last.previous, 'previous'))];
        const read = ({ matches, included }: Page) => [matches.map(nameOf), names(included)];
        expect(back.map(read)).toEqual(there.map(read).reverse());
      }, 60_000);
    for (const one of everyNth(
      all.filter(({ ask }) => /^[A-Za-z]+\?/.test(ask)),
      19,
    ))
      test(`by POST, a part in the address: ${one.ask}`, async () => {
        const [path = '', ...parameters] = address(one.ask, '_count=1000&_total=accurate').replace('?', '&').split('&');
        const [inside, outside] = [parameters.filter((_, at) => at % 2 === 0), parameters.filter((_, at) => at % 2 === 1)];
        const page = await pageAt(`${path}/_search?${outside.join('&')}`, inside.join('&'));
        expect(page.total).toBe(found(one).length);
        expect(beside(page.matches, found(one).length > 1000 ? page.matches : found(one))).toEqual(same);
      });
  });
  for (const [kind, cases] of Object.entries(tables))
    describe(kind, () => {
      for (const one of cases)
        test(one.ask, async () => {
          const wanted = found(one);
          if (whole) expect([one.ask, wanted.length === 0]).toEqual([one.ask, one.nothing === true]);
          const counts = [
            Math.min(1000, Math.ceil(wanted.length / 3) + 1),
            ...(wanted.length > 1 && wanted.length < 100 ? [Math.ceil(wanted.length / 7)] : []),
          ];
          for (const count of counts) checkPages(one, await pagesFrom(address(one.ask, `_count=${count}&_total=accurate`)), wanted, count);
          const counted = await pageAt(address(one.ask, '_summary=count'));
          expect([counted.total, counted.matches]).toEqual([wanted.length, []]);
        }, 60_000);
    });
});
