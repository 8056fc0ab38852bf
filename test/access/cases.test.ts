import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decide } from '../../src/access/decide.ts';
import type { Action } from '../../src/access/decision.ts';
import type { Resource } from '../../src/fhir/types.ts';
import type { Grant } from '../../src/search/grant.ts';
import type { Facets, Indexed, RecordId } from '../../src/search/indexed.ts';
import { matches } from '../../src/search/match.ts';
import { type Predicate, queryOf } from '../../src/search/query.ts';
import type { Change, ResourceStore } from '../../src/store/store.ts';
import { openScratch } from '../engine.ts';
import { callerOf, consentOf, factsOf, indexed, labelCoding, now, rulesFor, type ShortConsent } from './world.ts';

/** One decision, as the case files write it. Effect and reasons are what people would agree on reading ACCESS. */
interface Case {
  readonly name: string;
  readonly section: string;
  readonly consents?: readonly ShortConsent[];
  /** The stored resource; labels in short. */
  readonly resource?: ShortResource;
  /** What would be stored. */
  readonly after?: ShortResource;
  readonly origin?: string;
  readonly facets?: Partial<Facets>;
  readonly caller: Parameters<typeof callerOf>[0];
  readonly action?: Action;
  readonly conditional?: boolean;
  readonly purpose?: string;
  readonly at?: string;
  readonly contributed?: readonly RecordId[];
  readonly grantEpoch?: number;
  readonly effect: 'permit' | 'deny';
  /** The refusal may be told (403). */
  readonly reveal?: boolean;
  readonly because?: string;
}
type ShortResource = Resource & { readonly labels?: readonly string[] };

function resourceOf({ labels, ...resource }: ShortResource): Resource {
  const whole = { id: 'x', ...(resource.resourceType === 'MedicationStatement' ? { subject: { reference: 'Patient/mary' } } : {}), ...resource };
  return labels === undefined ? whole : { ...whole, meta: { security: labels.map(labelCoding) } };
}

const folder = new URL('./cases/', import.meta.url);
for (const file of readdirSync(folder)) {
  describe(file, () => {
    for (const one of JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly Case[]) test(`${one.name} → ${one.effect}`, () => check(one));
  });
}

let store: ResourceStore;
beforeAll(async () => {
  store = await openScratch();
});
afterAll(() => store.close());

async function check(one: Case): Promise<void> {
  const { action = 'read', at = now } = one;
  const named = callerOf(one.caller);
  const caller = one.purpose === undefined ? named : { ...named, purpose: one.purpose };
  const consents = (one.consents ?? []).map(consentOf);
  const stamped = (short: ShortResource): Indexed => indexed(resourceOf(short), one.origin, one.facets);
  const before = action === 'create' ? undefined : stamped(one.resource ?? { resourceType: 'MedicationStatement' });
  const change = one.after ?? (action === 'update' || action === 'create' ? one.resource : undefined) ?? { resourceType: 'MedicationStatement' };
  const after = action === 'create' || action === 'update' ? stamped(change) : undefined;
  const type = (before ?? after)!.resource.resourceType;
  const around = {
    known: { contributed: new Set(one.contributed ?? []) },
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(one.grantEpoch === undefined ? {} : { grantEpoch: one.grantEpoch }),
  };
  const facts = factsOf(consents, caller, around);
  const decision = decide({ caller, action, type, at, conditional: one.conditional ?? false }, facts, rulesFor(type));
  expect([decision.effect, decision.reasons]).toEqual([one.effect, decision.reasons]);
  if (one.reveal !== undefined) expect(decision.effect === 'deny' && decision.reveal).toBe(one.reveal);
  if (one.because !== undefined) expect(decision.reasons.map(reason => reason.because).join('\n')).toContain(one.because);
  if (action === 'read') await checkSearch(one, consents, caller, before!, at);
}

/** What a search shows is exactly what reads permit: in memory, and in a store. */
async function checkSearch(one: Case, consents: readonly Resource[], caller: ReturnType<typeof callerOf>, stored: Indexed, at: string): Promise<void> {
  const facts = factsOf(consents, caller, one.grantEpoch === undefined ? {} : { grantEpoch: one.grantEpoch });
  const reader = { ...caller, scopes: caller.scopes.map(scope => (scope.may.has('r') ? { ...scope, may: new Set(scope.may).add('s') } : scope)) };
  const decision = decide({ caller: reader, action: 'search', type: stored.resource.resourceType, at }, facts, rulesFor(stored.resource.resourceType));
  const grants = factsOf(consents, caller, { before: stored }).grants;
  expect(decision.effect === 'permit' && matches(decision.only, stored, grants) ? 'permit' : 'deny').toBe(one.effect);
  if (decision.effect === 'permit') expect((await isFound(stored, grants, decision.only)) ? 'permit' : 'deny').toBe(one.effect);
}

async function isFound({ resource, facets }: Indexed, grants: readonly Grant[], where: Predicate): Promise<boolean> {
  const key = { type: resource.resourceType, id: resource.id! };
  const consents = [...Map.groupBy(grants, grant => grant.consent)];
  const replaced = (rows: (all: readonly Grant[]) => readonly Grant[]) =>
    consents.map(([consent, all]): Change => ({ op: 'grants', consent, record: all[0]!.record, rows: rows(all) }));
  await store.commit([{ op: 'put', key, resource, facets, expect: 'any' }, ...replaced(all => all)], now);
  const found = await store.count(queryOf(key.type, where, 1));
  await store.commit([{ op: 'delete', key, expect: 'any' }, ...replaced(() => [])], now);
  return found === 1;
}
