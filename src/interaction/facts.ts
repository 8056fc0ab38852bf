import type { Caller } from '../access/caller.ts';
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

/** Reads the epoch before the grants: a consent that ends in between makes the commit fail and the request run anew. */
export function loadConsents(store: ResourceStore, caller: Caller): ConsentFacts {
  const known = new Map<RecordId, Promise<readonly LoadedGrant[]>>();
  const epochs = new Map<EpochName, number>([[`grant:${caller.grant}`, caller.grantEpoch]]);
  const load = async (records: readonly RecordId[]): Promise<readonly LoadedGrant[]> => {
    const names = records.map((record): EpochName => `record:${record}`);
    const found = await store.epochs(names);
    for (const [index, name] of names.entries()) epochs.set(name, found[index] ?? 0);
    return store.grants(records, caller.actors);
  };
  let grantEpoch: Promise<number> | undefined;
  return {
    grantEpoch() {
      grantEpoch ??= store.epochs([`grant:${caller.grant}`]).then(([epoch]) => epoch ?? 0);
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
