import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { searchParameters } from '../../src/fhir/definitions/definitions.ts';
import { openReindexer, type Reindexer } from '../../src/interaction/reindex.ts';
import type { Job } from '../../src/interaction/reindex-job.ts';
import { readCustom } from '../../src/search/custom.ts';
import { fingerprintsOf } from '../../src/search/fingerprint.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { guardedBy } from '../../src/store/pending.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { put, write } from '../contract/world.ts';
import { openScratch } from '../engine.ts';
import { eyes } from '../http/packages.ts';

/** Processes on one store: each with the parameters that it knows. */
const codes = ['eyes', 'hair'] as const;
const parametersOf = (known: readonly string[]) =>
  readCustom(
    known.map(code => ({
      file: code,
      resource: { ...eyes, code, url: `http://example.org/${code}`, expression: `Patient.extension.where(url='${code}').value` },
    })),
  ).definitions;
const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
interface Process {
  readonly reindexer: Reindexer;
  readonly store: ResourceStore;
  readonly told: string[];
}
async function open(store: ResourceStore, known: readonly string[] = codes): Promise<Process> {
  const more = parametersOf(known);
  const told: string[] = [];
  const reindexer = await openReindexer({
    store,
    registry: buildRegistry(undefined, more),
    wanted: fingerprintsOf([...searchParameters, ...more]),
    owner: crypto.randomUUID(),
    now: () => new Date().toISOString(),
    newId: () => crypto.randomUUID(),
    tell: (_, text) => told.push(text),
  });
  opened.push(() => reindexer.close());
  return { reindexer, store: guardedBy(reindexer.guard, store), told };
}
async function filled(): Promise<ResourceStore> {
  const store = await openScratch();
  opened.push(() => store.close());
  const process = await open(store, []);
  await write(process.store, put('Patient/p'), put('Patient/q'));
  return store;
}
const indexedBy = async (store: ResourceStore): Promise<readonly string[]> => {
  const prints = (await store.document('note', 'indexed')) as Record<string, string>;
  return codes.filter(code => `http://example.org/${code}` in prints);
};
const job = async (store: ResourceStore): Promise<Job> => (await store.document('note', 'reindex')) as Job;
async function until(test: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await test()); waited++) {
    if (waited > 400) throw new Error('it never came');
    await sleep(20);
  }
}
/** The store, whose `reindex` waits for a gate to be opened. */
function gated(store: ResourceStore): { readonly store: ResourceStore; open(): void } {
  const gate = Promise.withResolvers<void>();
  return { store: { ...store, reindex: (...args) => gate.promise.then(() => store.reindex(...args)) }, open: () => gate.resolve() };
}

test('a new store is indexed by all there is', async () => {
  const store = await openScratch();
  opened.push(() => store.close());
  const { reindexer, told } = await open(store);
  reindexer.watch();
  await sleep(50);
  expect([reindexer.guard.idle(), told, await indexedBy(store)]).toEqual([true, [], codes]);
});

test('what came later is made once, by whoever looks first', async () => {
  const store = await filled();
  const both = [await open(store), await open(store)];
  for (const { reindexer } of both) reindexer.watch();
  await until(async () => (await indexedBy(store)).length === 2);
  await sleep(50);
  expect(both.flatMap(({ told }) => told).sort()).toEqual(['indexed anew', 'indexing']);
});

test('where a resource cannot be indexed, its parameters stay pending: a search that misses it would not say so', async () => {
  const store = await filled();
  const failing: ResourceStore = {
    ...store,
    async reindex(...args) {
      const done = await store.reindex(...args);
      return done === undefined ? undefined : { ...done, made: done.made - 1, failed: [{ type: 'Patient', id: 'q' }] };
    },
  };
  const process = await open(failing);
  await process.reindexer.begin();
  await until(async () => (await job(store)).ended !== undefined);
  expect([await job(store), await indexedBy(store), process.reindexer.guard.idle()]).toEqual([expect.objectContaining({ failed: 1 }), [], false]);
});

test('who writes without knowing a parameter strikes it out; who reads does not', async () => {
  const store = await filled();
  await (await open(store)).reindexer.begin();
  await until(async () => (await indexedBy(store)).length === 2);
  const other = await open(store, ['hair']);
  await other.store.commit([{ op: 'document', kind: 'note', id: 'x', value: 1 }], new Date().toISOString());
  expect(await indexedBy(store)).toEqual(codes);
  await write(other.store, put('Patient/r'));
  expect(await indexedBy(store)).toEqual(['hair']);
});

test('a job during which that happens is begun anew, and is the same for who asked for it', async () => {
  const store = await filled();
  await (await open(store, ['hair'])).reindexer.begin();
  await until(async () => (await indexedBy(store)).length === 1);
  // It waits where it has come to both.
  const behind = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let made = 0;
  const slow: ResourceStore = {
    ...store,
    async reindex(...args) {
      if (args[1] !== undefined) behind.resolve();
      if (args[1] !== undefined) await gate.promise;
      const done = await store.reindex(...args);
      made += done?.made ?? 0;
      return done;
    },
  };
  const begun = await (await open(slow)).reindexer.begin();
  await behind.promise;
  await write((await open(store, [])).store, put('Patient/p'));
  expect(await indexedBy(store)).toEqual([]);
  gate.resolve();
  await until(async () => (await indexedBy(store)).length === 2);
  expect([await job(store), made]).toEqual([expect.objectContaining({ id: begun.id, ended: expect.any(String), done: 2, failed: 0 }), 4]);
});

test('a job that its owner does not go on with is taken over where it was, and the owner leaves it', async () => {
  const store = await filled();
  const slow = gated(store);
  const first = await open(slow.store);
  await first.reindexer.begin();
  const left = await job(store);
  // As if nothing had been heard of it for an hour.
  await store.commit([{ op: 'document', kind: 'note', id: 'reindex', value: { ...left, done: 1, seen: left.seen - 3_600_000 } }], new Date().toISOString());
  const second = await open(store);
  second.reindexer.watch();
  await until(async () => (await job(store)).ended !== undefined);
  slow.open();
  await sleep(50);
  expect([first.told, second.told]).toEqual([[], ['indexing', 'indexed anew']]);
  expect(await job(store)).toMatchObject({ id: left.id, done: 3 });
});

test('a process that ends leaves the job to the next at once', async () => {
  const store = await filled();
  const slow = gated(store);
  const first = await open(slow.store);
  await first.reindexer.begin();
  const closing = first.reindexer.close();
  slow.open();
  await closing;
  expect((await job(store)).seen).toBe(0);
  const next = await open(store);
  expect((await next.reindexer.begin()).id).toBe((await job(store)).id);
  await until(async () => (await job(store)).ended !== undefined);
});
