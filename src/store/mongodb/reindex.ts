import { ObjectId } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import type { ResourceKey, ResourceType } from '../../fhir/types.ts';
import type { Reindexed } from '../store.ts';
import type { ResourceOf } from '../transfer.ts';
import { foundBy } from './entries.ts';
import { fitting, type ParamsOf } from './plan.ts';
import type { Collections, StoredResource } from './stored.ts';
import { isPassing } from './unavailable.ts';

/** How often they are read again where others have just changed some. What those wrote is right already, unless they only held on to it. */
const ATTEMPTS = 20;

/** Writes anew what some resources are found by: each by itself, in place of the state that it was read in. */
export async function reindexSome(
  type: ResourceType,
  after: string | undefined,
  limit: number,
  resourceOf: ResourceOf,
  { resources }: Collections,
  paramsOf: ParamsOf,
): Promise<Reindexed | undefined> {
  const behind = after === undefined ? {} : { rid: { $gt: new ObjectId(after) } };
  const found = await resources.find({ live: type, ...behind }, { sort: { rid: 1 }, limit }).toArray();
  const last = found.at(-1);
  if (last === undefined) return undefined;
  const failed: ResourceKey[] = [];

  /** The state with what it should be found by; undefined where it has that, or cannot have it. */
  function anew(state: StoredResource): StoredResource | undefined {
    const { w: _, ...rest } = state;
    try {
      const resource = resourceOf({ type: state.t, id: state.id }, state.b ?? new Uint8Array(0));
      const wanted = { ...rest, ...foundBy({ resource, facets: state.f, updated: state.u }, paramsOf(type)) };
      return same(wanted, state) ? undefined : fitting({ ...wanted, s: state.s + 1 });
    } catch {
      failed.push({ type: state.t, id: state.id });
      return undefined;
    }
  }
  async function replace(states: readonly StoredResource[], attempt: number): Promise<void> {
    const wanted = states.flatMap(state => anew(state) ?? []);
    if (wanted.length === 0) return;
    if (attempt > ATTEMPTS) throw new Problem('unavailable', 'others keep changing what is to be indexed anew; try again later');
    const updates = wanted.map(({ _id, s, ix, w }) => {
      const update = { $set: { ix, s, ...(w === undefined ? {} : { w }) }, ...(w === undefined ? { $unset: { w: '' as const } } : {}) };
      return { updateOne: { filter: { _id, s: s - 1 }, update } };
    });
    const matched = await resources.bulkWrite(updates, { ordered: false }).then(
      done => done.matchedCount,
      error => {
        if (isPassing(error)) return undefined;
        throw error;
      },
    );
    if (matched === updates.length) return;
    await replace(await resources.find({ _id: { $in: wanted.map(state => state._id) }, live: type }).toArray(), attempt + 1);
  }
  await replace(found, 1);
  return { after: last.rid.toHexString(), made: found.length - failed.length, failed };
}

type FoundBy = Pick<StoredResource, 'ix' | 'w'>;
const textsOf = ({ ix, w = [] }: FoundBy): ReadonlySet<string> => new Set([...ix.map(entry => JSON.stringify(Object.entries(entry).sort())), ...w]);
const same = (one: FoundBy, other: FoundBy): boolean => textsOf(one).symmetricDifference(textsOf(other)).size === 0;
