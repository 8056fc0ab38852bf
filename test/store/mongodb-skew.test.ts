import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import type { Change, Committed, ResourceStore } from '../../src/store/store.ts';
import { at, expecting, keyOf, madeBy, put, some, token, write } from '../contract/world.ts';
import { openScratch, scratchStore } from '../engine.ts';

// Two processes commit at once, each upon what the other changes. What a transaction sees differs between servers, so nothing may rest on it.
jest.setTimeout(60_000);
const ROUNDS = 40;
let address: string;
let stores: readonly [ResourceStore, ResourceStore];
beforeAll(async () => {
  address = scratchStore();
  stores = [await openScratch(address, 'one'), await openScratch(address, 'other')];
});
afterAll(() => Promise.all(stores.map(store => store.close())));

/** Both at once, one round after the other, so that each is a race of its own. */
async function race(
  one: (round: number) => readonly Change[],
  other: (round: number) => readonly Change[],
): Promise<readonly (readonly [Committed, Committed])[]> {
  const [first, second] = stores;
  const rounds: (readonly [Committed, Committed])[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await Promise.all([first.commit(one(round), at(1)), second.commit(other(round), at(1))]));
  return rounds;
}
const successes = (rounds: readonly (readonly Committed[])[]): readonly number[] => rounds.map(both => both.filter(({ ok }) => ok).length);
const once = Array.from({ length: ROUNDS }, () => 1);

test('two that expect of each other’s resource that it stays: one is made', async () => {
  for (let round = 0; round < ROUNDS; round++) await write(stores[0], put(`Patient/a${round}`), put(`Patient/b${round}`));
  const rounds = await race(
    n => [expecting(`Patient/a${n}`, { versionId: '1' }), put(`Patient/b${n}`)],
    n => [expecting(`Patient/b${n}`, { versionId: '1' }), put(`Patient/a${n}`)],
  );
  expect(successes(rounds)).toEqual(once);
});

test('two that expect of each other’s resource that it is absent: one is made', async () => {
  const rounds = await race(
    n => [expecting(`Patient/c${n}`, 'absent'), put(`Patient/d${n}`)],
    n => [expecting(`Patient/d${n}`, 'absent'), put(`Patient/c${n}`)],
  );
  expect(successes(rounds)).toEqual(once);
});

test('two that expect each other’s epoch: one is made', async () => {
  const note = (id: string): Change => ({ op: 'document', kind: 'note', id, value: 1 });
  const rounds = await race(
    n => [{ op: 'epoch', of: `note:e${n}`, is: 0 }, note(`f${n}`)],
    n => [{ op: 'epoch', of: `note:f${n}`, is: 0 }, note(`e${n}`)],
  );
  expect(successes(rounds)).toEqual(once);
});

test('an epoch that was swept away and begun anew does not look like the one before to who saw that', async () => {
  const client = new MongoClient(address);
  const seen = new Set<unknown>();
  for (let n = 0; n < 3; n++) {
    await write(stores[0], { op: 'document', kind: 'replay', id: 'same', value: n, expect: 'absent', expires: 10 });
    seen.add((await client.db().collection<{ _id: string; s: number }>('epoch').findOne({ _id: 'replay:same' }))!.s);
    expect(await stores[1].sweep(20, 10)).toBe(1);
  }
  await client.close();
  expect(seen.size).toBe(3);
});

test('two whose criteria are met by what the other makes: one is made', async () => {
  const code = (text: string, n: number): Change[] => [put(`Basic/${text}${n}`, { code: { coding: [{ system: 'http://s', code: `${text}${n}` }] } })];
  const when = (text: string, n: number): Change => ({
    op: 'when',
    query: { branches: [{ type: 'Basic', where: some('Basic', 'code', token(`${text}${n}`)), links: [] }], sort: [], limit: 2 },
    matches: [],
  });
  const rounds = await race(
    n => [when('g', n), ...code('h', n)],
    n => [when('h', n), ...code('g', n)],
  );
  expect(successes(rounds)).toEqual(once);
});

test('two that write one resource: each makes a version of its own', async () => {
  for (let round = 0; round < ROUNDS; round++) await write(stores[0], put(`Patient/i${round}`));
  const rounds = await race(
    n => [put(`Patient/i${n}`, { gender: 'male' })],
    n => [put(`Patient/i${n}`, { gender: 'female' })],
  );
  for (const [n, both] of rounds.entries()) {
    expect(both.map(one => madeBy(one)[0]!.versionId).sort()).toEqual(['2', '3']);
    const history = await stores[0].history({ of: keyOf(`Patient/i${n}`), limit: 9 });
    expect(history.map(version => version.versionId)).toEqual(['3', '2', '1']);
    expect(new Set(history.slice(0, 2).map(version => version.parsed().gender))).toEqual(new Set(['male', 'female']));
  }
});
