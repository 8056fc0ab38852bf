import type { Caller } from '../access/caller.ts';
import { isUnbound } from '../access/rules/level.ts';
import type { LoadedGrant } from '../search/grant.ts';
import type { RecordId } from '../search/indexed.ts';
import type { Change, EpochName, ResourceStore } from '../store/store.ts';

/** What the rules may look at about consents: loaded once for a request, and remembered with the epochs that it was loaded under. */
export interface ConsentFacts {
  /** The grants on these records that name the caller or anyone. */
  grants(records: readonly RecordId[]): Promise<readonly LoadedGrant[]>;
  /** The revocation epoch of the caller's OAuth grant now. */
  grantEpoch(): Promise<number>;
  /** What must still hold in the commit of whatever was decided on them. */
  expectations(): readonly Change[];
}

/** Grants as they were under an epoch of their record. The epoch is asked for each request, so what has changed is never taken from here. */
export interface GrantCache {
  get(record: RecordId, epoch: number, caller: Caller): readonly LoadedGrant[] | undefined;
  set(record: RecordId, epoch: number, caller: Caller, grants: readonly LoadedGrant[]): void;
}
/** Records and callers that are remembered at most. */
const CACHED = 10_000;

export function makeGrantCache(): GrantCache {
  const cache = new Map<string, { readonly epoch: number; readonly grants: readonly LoadedGrant[] }>();
  const keyOf = (record: RecordId, { actors }: Caller): string => `${record} ${actors.join(' ')}`;
  return {
    get(record, epoch, caller) {
      const found = cache.get(keyOf(record, caller));
      return found?.epoch === epoch ? found.grants : undefined;
    },
    set(record, epoch, caller, grants) {
      // What these refer to may change without the epoch.
      if (grants.some(grant => grant.relatedTo !== undefined)) return;
      const key = keyOf(record, caller);
      cache.delete(key);
      cache.set(key, { epoch, grants });
      if (cache.size > CACHED) cache.delete(cache.keys().next().value!);
    },
  };
}

/** Reads the epochs before the grants: a consent that ends in between makes the commit fail and the request run anew. */
export function loadConsents(store: ResourceStore, caller: Caller, cache: GrantCache): ConsentFacts {
  // Nothing that anybody consents to says anything to them.
  if (isUnbound(caller)) return { grants: async () => [], grantEpoch: async () => caller.grantEpoch, expectations: () => [] };
  const known = new Map<RecordId, Promise<readonly LoadedGrant[]>>();
  const own: EpochName = `grant:${caller.grant}`;
  const epochs = new Map<EpochName, number>([[own, caller.grantEpoch]]);
  let grantEpoch: Promise<number> | undefined;

  async function load(records: readonly RecordId[]): Promise<readonly LoadedGrant[]> {
    const names = records.map((record): EpochName => `record:${record}`);
    const asked = store.epochs(grantEpoch === undefined ? [...names, own] : names);
    grantEpoch ??= asked.then(found => found[names.length] ?? 0);
    const found = await asked;
    for (const [index, name] of names.entries()) epochs.set(name, found[index] ?? 0);
    const cached = records.map((record, index) => cache.get(record, found[index] ?? 0, caller));
    const missing = records.filter((_, index) => cached[index] === undefined);
    const loaded = missing.length === 0 ? [] : await store.grants(missing, caller.actors);
    for (const record of missing)
      cache.set(
        record,
        epochs.get(`record:${record}`)!,
        caller,
        loaded.filter(grant => grant.record === record),
      );
    return [...loaded, ...cached.flatMap(grants => grants ?? [])];
  }
  return {
    grantEpoch() {
      grantEpoch ??= store.epochs([own]).then(([epoch]) => epoch ?? 0);
      return grantEpoch;
    },
    async grants(records) {
      const missing = records.filter(record => !known.has(record));
      if (missing.length > 0) {
        const loading = load(missing);
        for (const record of missing)
          known.set(
            record,
            loading.then(grants => grants.filter(grant => grant.record === record)),
          );
      }
      return (await Promise.all(records.map(record => known.get(record)!))).flat();
    },
    expectations: () => [...epochs].map(([of, is]) => ({ op: 'epoch', of, is })),
  };
}
