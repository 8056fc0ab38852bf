import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { linkHash, verifyChain } from '../../src/audit/chain.ts';
import { Problem } from '../../src/fhir/problem.ts';
import { parseAddress } from '../../src/store/address.ts';
import { openStore } from '../../src/store/open.ts';
import type { Change, Committed, ResourceStore } from '../../src/store/store.ts';
import { at, event, keyOf, put, write } from '../contract/world.ts';
import { openScratch, registry, scratchStore } from '../engine.ts';
import { startProxy, type Wire } from '../mongodb/proxy.ts';
import { makeTrouble, randomFrom } from '../mongodb/trouble.ts';

const PATIENCE = 3000;
/** What a busy machine adds. */
const MARGIN = 1000;

let proxy: Wire;
let store: ResourceStore;
/** The same database, with nothing in between. */
let direct: ResourceStore;
beforeAll(async () => {
  const address = scratchStore();
  proxy = await startProxy(address);
  direct = await openScratch(address, 'direct');
  store = await openStore(parseAddress(proxy.url)!, { paramsOf: registry.paramsOf, linkHash, writer: 'shaken', patience: PATIENCE });
}, 60_000);
afterEach(() => proxy.heal());
afterAll(async () => {
  await store.close();
  await direct.close();
  await proxy.close();
});

interface Told {
  readonly lane: number;
  readonly name: string;
  readonly what: 'stored' | 'refused' | 'nothing was stored' | 'not known';
}
/** What a call came to, which must be something that a client can be told, and in time. */
async function inTime<T>(work: () => Promise<T>): Promise<{ readonly value: T } | { readonly problem: Problem }> {
  const begun = performance.now();
  const settled = await work().then(
    value => ({ value }),
    (error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'unavailable') throw error;
      expect(error.message).not.toMatch(/mongo|127\.|socket|pool|E[A-Z]{5}/i);
      return { problem: error };
    },
  );
  expect(performance.now() - begun).toBeLessThan(PATIENCE + MARGIN);
  return settled;
}

/** All that one commit of a lane writes: it is all there or nothing of it is. */
const changesOf = (lane: number, name: string, version: string | undefined, number: number): readonly Change[] => {
  const record = `Patient/lane${lane}` as const;
  const consent = `Consent/lane${lane}` as const;
  const grant = {
    consent,
    record,
    effect: 'permit',
    depth: number,
    actors: ['Patient/x'],
    actions: ['access'],
    during: { low: 0, high: 1 },
    what: {},
  } as const;
  return [
    put(`Patient/lane${lane}`, { identifier: [{ value: name }] }, version === undefined ? 'absent' : { versionId: version }),
    put(`Basic/${name}`, {}, 'absent'),
    event(name, record),
    { op: 'document', kind: 'note', id: name, value: number },
    { op: 'document', kind: 'note', id: `lane${lane}`, value: number },
    { op: 'grants', consent, record, rows: [grant] },
    // All lanes, and every other commit of them waits for it.
    ...(number % 5 === 0 ? [put('Basic/shared', {}, 'any')] : []),
  ];
};
async function runLane(lane: number, told: Told[], until: () => boolean): Promise<void> {
  for (let number = 1; !until(); number++) {
    const read = await inTime(() => store.read(keyOf(`Patient/lane${lane}`)));
    if ('problem' in read) {
      await sleep(20);
      continue;
    }
    const name = `${lane}-${number}`;
    const settled = await inTime<Committed>(() => store.commit(changesOf(lane, name, read.value?.versionId, number), at(0)));
    const nothing = 'problem' in settled && /try again later/.test(settled.problem.message);
    const what = 'problem' in settled ? (nothing ? 'nothing was stored' : 'not known') : settled.value.ok ? 'stored' : 'refused';
    told.push({ lane, name, what });
  }
}

/** Whether each commit that was tried is there, as it was told, and wholly. */
async function check(told: readonly Told[], lanes: number): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for (let lane = 0; lane < lanes; lane++) {
    const history = (await direct.history({ of: keyOf(`Patient/lane${lane}`), limit: 100_000 })).toReversed();
    const names = history.map(one => (one.parsed() as unknown as { identifier: [{ value: string }] }).identifier[0].value);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) there.add(name);
    const newest = names.at(-1);
    if (newest === undefined) continue;
    const number = Number(newest.split('-')[1]);
    expect(await direct.document('note', `lane${lane}`)).toBe(number);
    expect((await direct.grants([`Patient/lane${lane}`], ['Patient/x'])).map(one => one.depth)).toEqual([number]);
    // Each commit has replaced the grants of the lane once: none was made twice.
    expect(await direct.epochs([`record:Patient/lane${lane}`, `note:lane${lane}`])).toEqual([names.length, names.length]);
  }
  const notes = new Set((await direct.documents('note')).map(one => one.id));
  for (const { name, what } of told) {
    if (what === 'stored') expect([name, there.has(name)]).toEqual([name, true]);
    if (what === 'refused' || what === 'nothing was stored') expect([name, what, there.has(name)]).toEqual([name, what, false]);
    const parts = [notes.has(name), (await direct.read(keyOf(`Basic/${name}`))) !== undefined, (await direct.read(keyOf(`AuditEvent/${name}`))) !== undefined];
    expect([name, ...parts]).toEqual([name, ...Array(3).fill(there.has(name))]);
  }
  return there;
}

test('whatever becomes of its connections: nothing that was told is stored is lost, nothing is half done or done twice, and all are answered in time', async () => {
  const random = randomFrom(jest.getSeed());
  const told: Told[] = [];
  let ending = false;
  const lanes = Array.from({ length: 16 }, (_, lane) => runLane(lane, told, () => ending));
  const stored = (): number => told.filter(one => one.what === 'stored').length;
  const made: Readonly<Record<string, number>>[] = [];
  // A server that ends no sessions keeps what was begun for a minute where the driver had to connect anew.
  for (const begun = Date.now(); Date.now() - begun < 30_000 || (stored() <= 100 && Date.now() - begun < 120_000); )
    made.push(await makeTrouble(proxy, random, 10_000, PATIENCE * 0.7));
  ending = true;
  const healed = Date.now();
  await Promise.all(lanes);
  // It works again by itself; and once it does, nothing comes after all that was under way.
  let committed: Committed | undefined;
  while (committed === undefined) {
    const settled = await inTime(() => store.commit([put('Basic/after'), event('after')], at(0)));
    if ('value' in settled) committed = settled.value;
  }
  const back = Date.now() - healed;
  expect(committed.ok).toBe(true);
  const there = await check(told, lanes.length);
  const chain = await verifyChain(direct.chain());
  expect(chain.faults).toEqual([]);
  expect(chain.events).toBe(there.size + 1);
  let lines = 0;
  for await (const link of direct.chain()) lines += link.events.length;
  expect(lines).toBe((await direct.totals()).AuditEvent);
  await sleep(1000);
  expect(await check(told, lanes.length)).toEqual(there);
  const count = (what: Told['what']): number => told.filter(one => one.what === what).length;
  const known = told.filter(one => one.what === 'not known' && there.has(one.name)).length;
  const figures = { stored: count('stored'), refused: count('refused'), nothing: count('nothing was stored'), 'not known': count('not known') };
  if (process.env.KINDRED_TEST_FIGURES) console.log({ ...figures, 'not known, but there': known, back, links: chain.links, cuts: proxy.cuts, made });
  expect(figures.stored).toBeGreaterThan(100);
  expect(back).toBeLessThan(75_000);
}, 300_000);

async function cutSince(before: number): Promise<void> {
  for (const end = Date.now() + PATIENCE; proxy.cuts === before && Date.now() < end; ) await sleep(1);
  expect(proxy.cuts).toBe(before + 1);
}
describe('a commit whose end was cut off', () => {
  // The driver asks a second time by itself; where that is cut off too, the mark has to tell.
  test.each([[['answer']], [['request']], [['answer', 'request']], [['answer', 'answer']], [['request', 'request']], [['request', 'answer']]] as const)(
    'where there were lost the %j of it, ends as stored, once',
    async lost => {
      for (let n = 0; n < 4; n++) {
        const before = proxy.cuts;
        proxy.dropAt('commitTransaction', ...lost);
        const name = `${lost.join('-')}${n}`;
        const settled = await inTime(() => store.commit([put(`Basic/${name}`, {}, 'absent'), event(name)], at(0)));
        expect(settled).toMatchObject({ value: { ok: true } });
        expect(proxy.cuts).toBe(before + lost.length);
        expect(await direct.read(keyOf(`Basic/${name}`))).toMatchObject({ versionId: '1' });
      }
      expect((await verifyChain(direct.chain())).faults).toEqual([]);
    },
    60_000,
  );

  test.each(['answer', 'request'] as const)(
    'where the %s was lost and the server is away for a while, ends as stored when it comes back in time',
    async lost => {
      const name = `away-${lost}`;
      const before = proxy.cuts;
      proxy.dropAt('commitTransaction', lost);
      const settling = inTime(() => store.commit([put(`Basic/${name}`, {}, 'absent')], at(0)));
      await cutSince(before);
      proxy.refuse();
      await sleep(PATIENCE / 3);
      proxy.heal();
      expect(await settling).toMatchObject({ value: { ok: true } });
      expect(await direct.read(keyOf(`Basic/${name}`))).toMatchObject({ versionId: '1' });
    },
    60_000,
  );

  test.each(['answer', 'request'] as const)(
    'where the %s was lost and the server stays away, is not known; what comes next is stored without delay',
    async lost => {
      const name = `gone-${lost}`;
      const before = proxy.cuts;
      proxy.dropAt('commitTransaction', lost);
      const settling = inTime(() => store.commit([put(`Basic/${name}`, {}, 'absent')], at(0)));
      await cutSince(before);
      proxy.refuse();
      expect(await settling).toMatchObject({ problem: { message: expect.stringContaining('not known') } });
      // Longer than anybody goes on asking: the server still holds what was begun, if it never heard of its end.
      await sleep(2 * PATIENCE);
      proxy.heal();
      const healed = Date.now();
      while ('problem' in (await inTime(() => store.commit([put(`Basic/${name}`), event(name)], at(0))))) await sleep(20);
      expect(Date.now() - healed).toBeLessThan(PATIENCE);
      expect(await direct.read(keyOf(`Basic/${name}`))).toMatchObject({ versionId: lost === 'answer' ? '2' : '1' });
    },
    60_000,
  );
});

test('who asks a server that says nothing is answered after the patience, and whoever asks then at once, until it speaks', async () => {
  await write(store, put('Basic/quiet'));
  proxy.swallow();
  const all = await Promise.all(Array.from({ length: 100 }, () => inTime(() => store.read(keyOf('Basic/quiet')))));
  expect(all.every(one => 'problem' in one)).toBe(true);
  const begun = performance.now();
  expect(await inTime(() => store.commit([put('Basic/quiet')], at(0)))).toMatchObject({ problem: { message: expect.stringContaining('try again later') } });
  expect(performance.now() - begun).toBeLessThan(PATIENCE / 3);
  proxy.heal();
  const healed = Date.now();
  while ('problem' in (await inTime(() => store.commit([put('Basic/quiet')], at(0))))) await sleep(20);
  expect(Date.now() - healed).toBeLessThan(PATIENCE * 2);
  // Refused without being tried, as it was told.
  expect(await direct.read(keyOf('Basic/quiet'))).toMatchObject({ versionId: '2' });
}, 60_000);
