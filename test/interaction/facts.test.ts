import { expect, test } from '@jest/globals';
import type { Caller } from '../../src/access/caller.ts';
import { loadConsents, makeGrantCache } from '../../src/interaction/facts.ts';
import type { LoadedGrant } from '../../src/search/grant.ts';
import type { EpochName, ResourceStore } from '../../src/store/store.ts';
import { callerOf } from '../access/world.ts';

const grant: LoadedGrant = {
  consent: 'Consent/c',
  record: 'Patient/mary',
  effect: 'permit',
  depth: 0,
  actors: 'anyone',
  actions: ['access'],
  during: { low: -Infinity, high: Infinity },
  what: {},
};
/** A store with these grants, which counts how often it is asked for them. */
function storeWith(grants: readonly LoadedGrant[]) {
  const asked: string[] = [];
  const state = { epoch: 1, asked };
  const store = {
    epochs: async (names: readonly EpochName[]) => names.map(name => (name.startsWith('record:') ? state.epoch : 7)),
    grants: async (_: readonly string[], actors: readonly string[]) => {
      asked.push(actors.join(' '));
      return grants;
    },
  } as unknown as ResourceStore;
  return { store, state };
}
const cache = makeGrantCache();
const load = async (store: ResourceStore, caller: Caller, remembered = cache) => loadConsents(store, caller, remembered).grants(['Patient/mary']);
const anna = callerOf('anna');

test('grants are asked for once under an epoch and for the same actors, and anew under another or for others', async () => {
  const { store, state } = storeWith([grant]);
  for (const caller of [anna, anna, callerOf('carl'), anna]) expect(await load(store, caller)).toEqual([grant]);
  expect(state.asked).toEqual(['RelatedPerson/anna', 'RelatedPerson/carl']);
  state.epoch = 2;
  expect(await load(store, anna)).toEqual([grant]);
  expect(state.asked).toHaveLength(3);
});

test('what rests on what other resources refer to is asked for each time: that changes without the epoch', async () => {
  const { store, state } = storeWith([{ ...grant, relatedTo: ['Encounter/e'] }]);
  const own = makeGrantCache();
  await load(store, anna, own);
  await load(store, anna, own);
  expect(state.asked).toHaveLength(2);
});

test('a write expects the epochs that its grants were loaded under, though they were remembered', async () => {
  const { store } = storeWith([grant]);
  const consents = loadConsents(store, anna, cache);
  await consents.grants(['Patient/mary']);
  expect(consents.expectations()).toEqual([
    { op: 'epoch', of: `grant:${anna.grant}`, is: anna.grantEpoch },
    { op: 'epoch', of: 'record:Patient/mary', is: 1 },
  ]);
  expect(await consents.grantEpoch()).toBe(7);
});
