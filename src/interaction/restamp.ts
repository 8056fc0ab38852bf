import { lentBy, sameMaker } from '../access/facets.ts';
import { citersOf, isRecord } from '../access/record.ts';
import { nameOf, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import { about, ref } from '../search/facets.ts';
import type { Facets, Indexed, Origin } from '../search/indexed.ts';
import type { SearchParam, SearchQuery } from '../search/query.ts';
import type { Change, ResourceStore, Version } from '../store/store.ts';
import { keyOfName, lookups, type StampOverlay } from './overlay.ts';

/** A write whose facets others may have taken over. */
export interface Spreading {
  readonly key: ResourceKey;
  readonly after: Indexed;
  /** It was not there before. */
  readonly created: boolean;
}
export interface Restamps {
  /** To be held in the commit before anything is written: no other citer has come in between. */
  readonly holds: readonly Change[];
  readonly changes: readonly Change[];
}
const same = (a: Facets, b: Facets): boolean => JSON.stringify(a) === JSON.stringify(b);

/** No bound. */
const ALL = 1_000_000_000;

/** Whatever may take facets over from this resource and cites it. */
function citers(key: ResourceKey, limit: number): SearchQuery {
  const test = { anyOf: [{ kind: 'reference', type: key.type, id: key.id }] } as const;
  // A Provenance takes over from its targets only: it may name a Consent besides, and whoever writes under that must not hold off its end.
  const param = (type: ResourceType): SearchParam => (type === 'Provenance' ? about : ref);
  return { branches: citersOf(key.type).map(type => ({ type, where: { op: 'some', param: param(type), test }, links: [] })), sort: [], limit };
}

/**
 * New facets for whatever refers to what changes: a Medication that becomes sensitive takes the statements that cite it along, and their Provenance, in the
 * same commit. What appears is taken up by what its own maker wrote about it before, and by nothing of anybody else; what changes moves nothing of anybody
 * else into another record (see `tempered`).
 */
export async function restamps(store: ResourceStore, overlay: StampOverlay, changed: readonly Spreading[]): Promise<Restamps> {
  const holds: Change[] = [];
  const changes: Change[] = [];
  const seen = new Set(changed.map(one => nameOf(one.key)));
  let wave: readonly { readonly key: ResourceKey; readonly by: Origin; readonly created: boolean }[] = changed.map(({ key, after, created }) => ({
    key,
    by: after.facets.origin,
    created,
  }));
  while (wave.length > 0) {
    const next: (typeof wave)[number][] = [];
    for (const { key, by, created } of wave) {
      const keys = await store.keys(citers(key, ALL));
      const versions = await store.readMany(keys);
      const query = citers(key, keys.length + 1);
      if (query.branches.length > 0 && !isRecord(key.type)) holds.push({ op: 'when', query, matches: keys });
      for (const version of versions) {
        if (version.deleted || seen.has(nameOf(version.key))) continue;
        if (created && !sameMaker(by, version.facets.origin)) continue;
        await overlay.load([version.key, ...lookups(version.parsed())]);
        const { resource, facets } = overlay.relay(version, by);
        if (same(facets, version.facets)) continue;
        seen.add(nameOf(version.key));
        changes.push(restampOf(version, { resource, facets }));
        next.push({ key: version.key, by, created: false });
      }
    }
    wave = next;
  }
  return { holds, changes };
}

/**
 * What is shared joins the records of what cites it. Gives the changes for what is only stored; what is written by the same request has been laid anew,
 * so this comes before its facets are taken.
 */
export async function lend(overlay: StampOverlay, citing: readonly Indexed[]): Promise<readonly Change[]> {
  const changed = new Map<string, Change>();
  const queue = citing.filter(({ facets }) => facets.records.length > 0);
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
    const names = lentBy(one.resource);
    await overlay.load(names.map(keyOfName));
    for (const name of names) {
      const shared = overlay.lend(name, one.facets);
      if (shared === undefined) continue;
      const version = overlay.stored(keyOfName(name));
      if (version !== undefined) changed.set(name, restampOf(version, shared));
      // An ingredient comes along with the Medication that it is in.
      queue.push(shared);
    }
  }
  return [...changed.values()];
}

/** Nobody has stamped it since it was looked at. */
const restampOf = (version: Version, { resource, facets }: Indexed): Change => ({
  op: 'restamp',
  key: version.key,
  resource,
  facets,
  expect: { versionId: version.versionId, facets: version.facets },
});
