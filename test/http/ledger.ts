import { setImmediate } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { nameOf, type Resource, type ResourceKey } from '../../src/fhir/types.ts';
import { queryOf } from '../../src/search/query.ts';
import type { ChainLink, ResourceStore, Version } from '../../src/store/store.ts';
import { some, token } from '../contract/world.ts';

/** A version that a write leaves behind. */
export interface Trace {
  readonly type: string;
  /** Absent where the server makes the id and has not told it. */
  id?: string;
  readonly version: number;
  /** What the version says; a deletion says nothing. */
  readonly says?: string;
}
/** A write as it was sent: all of its traces are stored, or none. */
export interface Deed {
  readonly lane: string;
  readonly traces: readonly Trace[];
  told: 'done' | 'refused' | 'nothing';
  /** Whether it was found to be stored. */
  stored?: boolean;
}

export const system = 'urn:kindred:kill';
/** A resource that says something: small, or of some thousand characters. */
export const saying = (type: string, says: string, more: object = {}): Resource => ({
  resourceType: type,
  identifier: [{ system, value: says }],
  code: { text: `${says} `.repeat(1 + (says.length % 4) * 100).trim() },
  ...(type === 'Observation' ? { status: 'final', effectiveDateTime: '2026-01-01' } : {}),
  ...more,
});
function says(version: Version): string | undefined {
  if (version.deleted) return undefined;
  const { identifier, code, resourceType } = version.parsed() as Resource & { identifier: [{ value: string }] };
  expect(code).toEqual(saying(resourceType, identifier[0].value).code);
  return identifier[0].value;
}
const keyOf = ({ type, id }: Trace): ResourceKey => ({ type, id: id! });
const versionName = ({ type, id, version }: Trace): string => `${type}/${id}/${version}`;

/** Looks whether the store is as the deeds of a round (all of them, the last time) have left it: whole deeds only, nothing lost, nothing else. */
export async function check(store: ResourceStore, deeds: readonly Deed[], since: number): Promise<void> {
  for (const deed of deeds.slice(since)) {
    // What was not stored then may have been done by a later deed; whatever is there now is compared below.
    if (deed.stored === false) continue;
    const found = await Promise.all(deed.traces.map(trace => isThere(store, trace)));
    deed.stored ??= found[0]!;
    expect({ deed, found }).toEqual({ deed, found: deed.traces.map(() => deed.stored) });
    if (deed.told !== 'nothing') expect({ deed }).toEqual({ deed: { ...deed, stored: deed.told === 'done' } });
  }
  const traces = deeds.filter(deed => deed.stored).flatMap(deed => deed.traces);
  const of = Map.groupBy(traces, trace => nameOf(keyOf(trace)));
  const touched = new Set(deeds.slice(since).flatMap(deed => deed.traces.flatMap(trace => (trace.id === undefined ? [] : [nameOf(keyOf(trace))]))));
  for (const name of touched) {
    const [trace] = of.get(name) ?? [];
    if (trace === undefined) continue;
    const history = await store.history({ of: keyOf(trace), limit: 100_000 });
    const stored = history.map(version => [Number(version.versionId), says(version)]);
    const meant = of.get(name)!.map(one => [one.version, one.says]);
    expect([name, stored]).toEqual([name, meant.toSorted(([a], [b]) => Number(b) - Number(a))]);
    expect(stored.map(([version]) => version)).toEqual(stored.map((_, index) => stored.length - index));
  }
  await checkTotals(store, of);
  await checkLog(store, traces);
}

/** Whether the version is stored and says what it should. What the server made an id for is found by what it says, and once. */
async function isThere(store: ResourceStore, trace: Trace): Promise<boolean> {
  if (trace.id === undefined) {
    const { versions } = await store.search(queryOf(trace.type, some(trace.type, 'identifier', token(trace.says!, system)), 2));
    expect(versions.length).toBeLessThan(2);
    if (versions[0] !== undefined) trace.id = versions[0].key.id;
    return versions.length === 1;
  }
  const version = await store.read(keyOf(trace), String(trace.version));
  return version !== undefined && says(version) === trace.says;
}

async function checkTotals(store: ResourceStore, of: ReadonlyMap<string, readonly Trace[]>): Promise<void> {
  const live = [...of.values()].map(traces => traces.reduce((a, b) => (a.version > b.version ? a : b))).filter(newest => newest.says !== undefined);
  const { AuditEvent: _, ...totals } = await store.totals();
  expect(totals).toEqual(Object.fromEntries([...Map.groupBy(live, trace => trace.type)].map(([type, traces]) => [type, traces.length])));
}

/** The chain is sound, and tells of each version that is stored, once, and of no other. */
async function checkLog(store: ResourceStore, traces: readonly Trace[]): Promise<void> {
  const told: string[] = [];
  async function* reading(links: AsyncIterable<ChainLink>): AsyncIterable<ChainLink> {
    for await (const link of links) {
      for (const { body } of link.events) {
        const { outcome, code, target } = JSON.parse(Buffer.from(body).toString('utf8')) as AuditRecord;
        if (outcome === '0' && ['create', 'update', 'delete'].includes(code)) told.push(`${target?.type}/${target?.id}/${target?.versionId}`);
      }
      // The load is not going, but sockets are.
      await setImmediate();
      yield link;
    }
  }
  const { faults, events } = await verifyChain(reading(store.chain()));
  expect(faults).toEqual([]);
  expect(told.toSorted()).toEqual(traces.map(versionName).toSorted());
  expect((await store.totals()).AuditEvent ?? 0).toBe(events);
}
