import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import { nameOf, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import { referring } from '../search/compartment.ts';
import type { Include } from '../search/include.ts';
import { type Cursor, type Predicate, queryOf, type SearchParam } from '../search/query.ts';
import type { Registry } from '../search/registry.ts';
import { makePageLimit } from '../store/page-size.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import { breathe } from './breathe.ts';

/** More is refused, never cut. `keys`: so many at a time are asked about. */
const most = { included: 10_000, rounds: 20, keys: 200, page: 1000 } as const;

/** What came along so far; `shown` are the names of all that need not come again. */
interface Brought {
  readonly reader: ResourceReader;
  readonly registry: Registry;
  readonly shown: Set<string>;
  readonly found: Version[];
  /** Of their bodies together. */
  readonly limit: (bytes: number) => void;
}

/**
 * What comes along with a page (http://hl7.org/fhir/R4/search.html#include), each resource once and none of the page. The reader shows only what is
 * permitted, and only what it shows is counted.
 */
export async function bringAlong(
  includes: readonly Include[],
  page: readonly Version[],
  reader: ResourceReader,
  registry: Registry,
): Promise<readonly Version[]> {
  const brought: Brought = { reader, registry, shown: new Set(page.map(({ key }) => nameOf(key))), found: [], limit: makePageLimit() };
  let from = page.map(({ key }) => key);
  for (let round = 0; from.length > 0; round++) {
    const before = brought.found.length;
    for (const include of round === 0 ? includes : includes.filter(({ iterate }) => iterate)) {
      if (include.how === 'refers-to') await bringReferred(include, from, brought);
      else await bringReferring(include, from, brought);
    }
    from = brought.found.slice(before).map(({ key }) => key);
    if (from.length > 0 && round > most.rounds)
      throw new Problem('too-costly', `the includes go on from what they bring for more than ${most.rounds} rounds, which is the limit`);
  }
  return brought.found;
}

/** What these refer to. */
async function bringReferred({ from, param, target }: Include, keys: readonly ResourceKey[], brought: Brought): Promise<void> {
  const { reader, registry, shown } = brought;
  const wanted: ResourceKey[] = [];
  for (const [type, of] of byType(keys)) {
    if (from !== undefined && type !== from) continue;
    for (const each of param === undefined ? registry.includesOf(type) : [param]) {
      await breathe();
      for (const key of await reader.linked(of, each, 'refers-to')) {
        if ((target === undefined || key.type === target) && !shown.has(nameOf(key))) wanted.push(key);
      }
    }
  }
  for (const [type, of] of byType(wanted)) await bring(type, { op: 'keys', keys: of }, brought);
}

/** What refers to these. */
async function bringReferring({ from, param, target }: Include, keys: readonly ResourceKey[], brought: Brought): Promise<void> {
  const { registry } = brought;
  const to = byType(target === undefined ? keys : keys.filter(({ type }) => type === target));
  for (const type of from === undefined ? resourceTypes : [from]) {
    for (const [near, of] of to) {
      const params = (param === undefined ? registry.includesOf(type) : [param]).filter(each => canReferTo(type, each, near, registry));
      for (let at = 0; params.length > 0 && at < of.length; at += most.keys) await bring(type, referring(params, of.slice(at, at + most.keys)), brought);
    }
  }
}
function canReferTo(type: ResourceType, param: SearchParam, to: ResourceType, registry: Registry): boolean {
  const targets = registry.targetsOf(type, param);
  return targets.length === 0 || targets.includes(to);
}

/** All that the caller may see of it, except what is shown already. */
async function bring(type: ResourceType, where: Predicate, { reader, shown, found, limit }: Brought): Promise<void> {
  let from: Cursor | undefined;
  do {
    await breathe();
    const page = await reader.search({ ...queryOf(type, where, most.page), ...(from === undefined ? {} : { from }) });
    for (const version of page.versions) {
      if (shown.has(nameOf(version.key))) continue;
      if (found.length === most.included)
        throw new Problem('too-costly', `the page would include more than ${most.included} resources, which is the limit: ask for a smaller \`_count\``);
      limit(version.body.length);
      shown.add(nameOf(version.key));
      found.push(version);
    }
    from = page.next;
  } while (from !== undefined);
}

function byType(keys: readonly ResourceKey[]): ReadonlyMap<ResourceType, readonly ResourceKey[]> {
  const types = new Map<ResourceType, ResourceKey[]>();
  for (const key of keys) {
    const of = types.get(key.type);
    if (of === undefined) types.set(key.type, [key]);
    else of.push(key);
  }
  return types;
}
