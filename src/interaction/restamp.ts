import { lentBy } from '../access/facets.ts';
import { citersOf, isRecord } from '../access/record.ts';
import { nameOf, type ResourceKey } from '../fhir/types.ts';
import { ref } from '../search/facets.ts';
import type { Facets, Indexed } from '../search/indexed.ts';
import type { SearchQuery } from '../search/query.ts';
import type { Change, ResourceStore, Version } from '../store/store.ts';
import { keyOfName, lookups, type StampOverlay } from './overlay.ts';

/** A write whose facets others may have taken over. */
export interface Spreading {
  readonly key: ResourceKey;
  readonly after: Indexed;
}
export interface Restamps {
  /** To be held in the commit before anything is written: no other citer has come in between. */
  readonly holds: readonly Change[];
  readonly changes: readonly Change[];
}
const same = (a: Facets, b: Facets): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whatever may take facets over from this resource and cites it. */
function citers(key: ResourceKey, limit: number): SearchQuery {
  const where = { op: 'some', param: ref, test: { anyOf: [{ kind: 'reference', type: key.type, id: key.id }] } } as const;
  return { branches: citersOf(key.type).map(type => ({ type, where, links: [] })), sort: [], limit };
}

/**
 * New facets for whatever refers to what changes: a Medication that becomes sensitive takes the statements that cite it along, and their Provenance, in the
 * same commit. A Patient that appears takes in what its own contributor wrote about it before, and nothing of anybody else.
 */
export async function restamps(store: ResourceStore, overlay: StampOverlay, changed: readonly Spreading[]): Promise<Restamps> {
  const holds: Change[] = [];
  const changes: Change[] = [];
  const origins = new Map(changed.map(one => [nameOf(one.key), one.after.facets.origin]));
  const seen = new Set(origins.keys());
  let wave: readonly ResourceKey[] = changed.map(one => one.key);
  while (wave.length > 0) {
    const next: ResourceKey[] = [];
    for (const key of wave) {
      const types = new Set(citersOf(key.type));
      const keys = (await store.linked([key], ref, 'referred-by')).filter(one => types.has(one.type));
      const versions = await store.readMany(keys);
      const query = citers(key, keys.length + 1);
      if (query.branches.length > 0 && !isRecord(key.type)) holds.push({ op: 'when', query, matches: keys });
      for (const version of versions) {
        if (version.deleted || seen.has(nameOf(version.key))) continue;
        const owner = origins.get(nameOf(key));
        if (isRecord(key.type) && (owner?.kind !== version.facets.origin.kind || owner.by !== version.facets.origin.by)) continue;
        await overlay.load([version.key, ...lookups(version.parsed())]);
        const { resource, facets } = overlay.relay(version);
        if (same(facets, version.facets)) continue;
        seen.add(nameOf(version.key));
        changes.push(restampOf(version, { resource, facets }));
        next.push(version.key);
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
export function lend(overlay: StampOverlay, citing: readonly Indexed[]): readonly Change[] {
  const changed = new Map<string, Change>();
  for (const { resource, facets } of citing) {
    for (const name of facets.records.length === 0 ? [] : lentBy(resource)) {
      const shared = overlay.lend(name, facets.records);
      const version = overlay.stored(keyOfName(name));
      if (shared !== undefined && version !== undefined) changed.set(name, restampOf(version, shared));
    }
  }
  return [...changed.values()];
}

/** `from`: nobody has stamped it since it was looked at. */
const restampOf = (version: Version, { resource, facets }: Indexed): Change => ({
  op: 'restamp',
  key: version.key,
  resource,
  facets,
  from: version.facets,
  expect: { versionId: version.versionId },
});
