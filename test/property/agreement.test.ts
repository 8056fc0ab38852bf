import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { linkHash } from '../../src/audit/chain.ts';
import { nameOf } from '../../src/fhir/types.ts';
import type { Grant, LoadedGrant } from '../../src/search/grant.ts';
import { granted } from '../../src/search/granted.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { all, type Branch, type Cursor, type IndexValue, type SearchQuery, type SortKey } from '../../src/search/query.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import type { Change, ResourceStore } from '../../src/store/store.ts';
import { engine, openEmpty, registry } from '../engine.ts';
import { askArb, atomLike, grantArb, howArb, linkArb, load, populationArb, predicateArb, sortArb } from '../search/arbitraries.ts';
import { finds } from '../search/memory.ts';
import { types } from '../search/population.ts';

const stores: Readonly<Record<string, () => Promise<ResourceStore>>> = {
  [engine]: openEmpty,
  // As it plans where there are many resources.
  ...(engine === 'sqlite' ? { 'large sqlite': () => openSqlite({ path: ':memory:', paramsOf: registry.paramsOf, linkHash, writer: 'test', many: 2 }) } : {}),
};

// The seed is that of the whole run, so that all engines are asked the same; one behind a network is asked less of it.
const RUNS = engine === 'sqlite' ? 300 : 100;

interface Filled {
  readonly store: ResourceStore;
  /** The population in the order of its rows. */
  readonly population: readonly Indexed[];
}
/** A store with these resources in it, each last updated when it says, and the grants. */
async function filled(open: () => Promise<ResourceStore>, resources: readonly Indexed[], grants: readonly Grant[]): Promise<Filled> {
  const store = await open();
  await Promise.all(
    resources.map(({ resource, facets, updated }) => {
      const put: Change = { op: 'put', key: { type: resource.resourceType, id: resource.id! }, resource, facets, expect: 'absent' };
      return store.commit([put], new Date(updated!).toISOString());
    }),
  );
  const changes = [...Map.groupBy(grants, grant => grant.consent)].map(([consent, rows]): Change => ({ op: 'grants', consent, record: rows[0]!.record, rows }));
  await store.commit(changes, '2024-01-01T00:00:00.000Z');
  const everything = await store.search({ branches: types.map(type => ({ type, where: all, links: [] })), sort: [], limit: 1000 });
  const byName = new Map(resources.map(indexed => [namesOf([indexed])[0], indexed]));
  return { store, population: everything.versions.map(version => byName.get(nameOf(version.key))!) };
}

const branchArb: fc.Arbitrary<Branch> = fc
  .constantFrom(...types, 'Observation' as const, 'Observation' as const)
  .chain(type => fc.record({ type: fc.constant(type), where: predicateArb(registry, type), links: fc.array(linkArb(registry, type), { maxLength: 1 }) }));
const namesOf = (found: readonly Indexed[]): string[] => found.map(({ resource }) => nameOf({ type: resource.resourceType, id: resource.id! }));

/** The order that stores promise, over resources that are in the order of their rows. */
function sorted(found: readonly Indexed[], sort: readonly SortKey[]): readonly Indexed[] {
  return found.toSorted((one, other) => {
    for (const { by, descending } of sort) {
      const [left, right] = [one, other].map(indexed => (by === 'updated' ? indexed.updated! : best(by.extract(indexed), descending)));
      if (left === right) continue;
      if (left === undefined) return 1;
      if (right === undefined) return -1;
      return left < right === descending ? 1 : -1;
    }
    return 0;
  });
}
function best(values: readonly IndexValue[], descending: boolean): string | number | undefined {
  return values
    .flatMap(value => keyOf(value, descending) ?? [])
    .reduce<string | number | undefined>((kept, key) => (kept === undefined || key > kept === descending ? key : kept), undefined);
}
function keyOf(value: IndexValue, descending: boolean): string | number | undefined {
  switch (value.kind) {
    case 'token':
      return value.code;
    case 'string':
      return value.text;
    case 'date':
      return descending ? value.high : value.low;
    case 'reference':
      return value.id;
    case 'uri':
      return value.uri;
    case 'quantity':
      return value.unit !== '' ? undefined : descending ? value.high : value.low;
    default:
      return undefined;
  }
}

async function pages(store: ResourceStore, query: SearchQuery): Promise<string[]> {
  const found: string[] = [];
  let from: Cursor | undefined;
  do {
    const page = await store.search({ ...query, ...(from === undefined ? {} : { from }) });
    found.push(...page.versions.map(version => nameOf(version.key)));
    if (page.next !== undefined && page.versions.length !== query.limit) throw new Error('a page that is not the last is not full');
    from = page.next === undefined ? undefined : JSON.parse(JSON.stringify(page.next));
  } while (from !== undefined);
  return found;
}

describe.each(Object.entries(stores))('memory = %s', (_, open) => {
  test('what a query finds, in which order, over pages of any size, and how many', async () => {
    await fc.assert(
      fc.asyncProperty(
        populationArb(20),
        fc.array(grantArb, { maxLength: 6 }),
        fc.array(fc.record({ branches: fc.array(branchArb, { minLength: 1, maxLength: 2 }), sort: sortArb(registry), limit: fc.integer({ min: 1, max: 8 }) }), {
          minLength: 3,
          maxLength: 8,
        }),
        async (resources, grants, queries) => {
          const { store, population } = await filled(open, resources, grants);
          const loaded = grants.map(grant => load(grant, population));
          for (const query of queries) {
            const found = new Set(query.branches.flatMap(branch => finds(branch, population, loaded)));
            const expected = namesOf(
              sorted(
                population.filter(each => found.has(each)),
                query.sort,
              ),
            );
            expect(await pages(store, query)).toEqual(expected);
            expect(await store.count(query)).toBe(expected.length);
            expect((await store.keys({ ...query, limit: expected.length + 1 })).map(nameOf).toSorted()).toEqual(expected.toSorted());
          }
          await store.close();
        },
      ),
      { numRuns: RUNS, seed: jest.getSeed() },
    );
  }, 120_000);

  test('what is found by the very values that are stored, one by itself and two in a list, of each kind as often', async () => {
    const pick = fc.record({ kind: fc.nat(), values: fc.tuple(fc.nat(), fc.nat()), how: howArb, loosely: fc.boolean(), alone: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(populationArb(20), fc.array(pick, { minLength: 10, maxLength: 20 }), async (resources, picks) => {
        const { store, population } = await filled(open, resources, []);
        const stored = population.flatMap(indexed =>
          registry
            .paramsOf(indexed.resource.resourceType)
            .flatMap(param => param.extract(indexed).map(value => ({ type: indexed.resource.resourceType, param, value }))),
        );
        const kinds = [...Map.groupBy(stored, ({ value }) => value.kind).values()];
        const at = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
        for (const { kind, values, how, loosely, alone } of kinds.length === 0 ? [] : picks) {
          const { type, param, value } = at(at(kinds, kind), values[0]);
          const other = at(
            stored.filter(each => each.param === param),
            values[1],
          );
          const anyOf = (alone ? [value] : [value, other.value]).map(each => atomLike(each, how, loosely));
          const branch: Branch = { type, where: { op: 'some', param, test: { anyOf } }, links: [] };
          expect([anyOf, await pages(store, { branches: [branch], sort: [], limit: 50 })]).toEqual([anyOf, namesOf(finds(branch, population, []))]);
        }
        await store.close();
      }),
      { numRuns: RUNS, seed: jest.getSeed() },
    );
  }, 120_000);

  test('what Consents permit and deny', async () => {
    await fc.assert(
      fc.asyncProperty(
        populationArb(12),
        fc.array(grantArb, { minLength: 1, maxLength: 8 }),
        fc.array(askArb, { minLength: 1, maxLength: 3 }),
        async (resources, grants, asks) => {
          const { store, population } = await filled(open, resources, grants);
          const loaded = grants.map(grant => load(grant, population));
          for (const ask of asks) {
            for (const effect of ['permit', 'deny', 'share'] as const) {
              const query: SearchQuery = { branches: types.map(type => ({ type, where: { op: 'granted', effect, ask }, links: [] })), sort: [], limit: 100 };
              expect(await pages(store, query)).toEqual(namesOf(population.filter(each => granted(effect, ask, each, loaded))));
            }
          }
          await store.close();
        },
      ),
      { numRuns: RUNS, seed: jest.getSeed() },
    );
  }, 120_000);

  test('the grants that are loaded', async () => {
    await fc.assert(
      fc.asyncProperty(populationArb(8), fc.array(grantArb, { maxLength: 6 }), async (resources, grants) => {
        const { store, population } = await filled(open, resources, grants);
        const records = ['Patient/mary', 'Patient/tom'] as const;
        const actors = ['Practitioner/lee', 'Patient/mary'] as const;
        const expected = grants
          .filter(
            grant =>
              records.some(record => record === grant.record) && (grant.actors === 'anyone' || grant.actors.some(actor => actors.some(one => one === actor))),
          )
          .map(grant => load(grant, population));
        const unordered = (all: readonly LoadedGrant[]) => all.map(grant => ({ ...grant, relatedTo: new Set(grant.relatedTo) }));
        const inOrder = expected.toSorted((one, other) => (one.consent < other.consent ? -1 : one.consent > other.consent ? 1 : 0));
        expect(unordered(await store.grants(records, actors))).toEqual(unordered(inOrder));
        await store.close();
      }),
      { numRuns: 100, seed: jest.getSeed() },
    );
  }, 60_000);
});
