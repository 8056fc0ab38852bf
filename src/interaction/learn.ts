import type { Facts, Known } from '../access/decision.ts';
import { policyOf } from '../access/policies/index.ts';
import { isRecord } from '../access/record.ts';
import { type KeyName, nameOf, type Resource } from '../fhir/types.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import type { Intent } from './judge.ts';
import { keyOfName, lookups, type StampOverlay } from './overlay.ts';
import { askToRead, type Journey } from './reading.ts';

/** Loads what the rules and the type's policy may look at. */
export async function learn(
  { caller, consents, parts, given }: Journey,
  overlay: StampOverlay,
  { key, before }: Intent,
  after: Indexed | undefined,
): Promise<Pick<Facts, 'grants' | 'grantEpoch' | 'known'>> {
  const records = [...new Set([...(before?.facets.records ?? []), ...(after?.facets.records ?? []), ...(caller.record === undefined ? [] : [caller.record])])];
  await overlay.load(records.map(keyOfName));
  const question = { caller, action: after === undefined ? 'delete' : before === undefined ? 'create' : 'update', type: key.type, at: given.now } as const;
  const needs = policyOf(key.type).needs?.(question, before, after, parts.registry) ?? {};
  const keys = (needs.keys ?? []).map(keyOfName);
  await overlay.load(keys);
  const resources = new Map(
    keys.flatMap(one => {
      const found = overlay.current(one);
      return found === undefined ? [] : [[nameOf(one), { ...found, versionId: overlay.stored(one)?.versionId ?? '1' }] as const];
    }),
  );
  const hats = new Set<KeyName>();
  for (const name of needs.hats ?? []) if ((await parts.store.document('hat', name)) !== undefined) hats.add(name);
  const searches = new Map<string, readonly (Indexed & { readonly versionId: string })[]>();
  for (const [name, query] of Object.entries(needs.searches ?? {})) {
    const page = await parts.store.search(query);
    searches.set(
      name,
      page.versions.map(version => ({ resource: version.parsed(), facets: version.facets, versionId: version.versionId })),
    );
  }
  const known: Known = { resources, hats, searches, contributed: contributedTo(records, overlay, caller.organization) };
  return { grants: await consents.grants(records), grantEpoch: await consents.grantEpoch(), known };
}

/** Of these records, those whose Patient the organization contributed. */
function contributedTo(records: readonly RecordId[], overlay: StampOverlay, organization: string | undefined): ReadonlySet<RecordId> {
  const own = records.filter(record => {
    const patient = overlay.current(keyOfName(record));
    return (
      patient !== undefined && isRecord(keyOfName(record).type) && patient.facets.origin.kind === 'organization' && patient.facets.origin.by === organization
    );
  });
  return new Set(own);
}

/**
 * Whether the resource refers, where that counts for records and labels, to anything that the caller may not read: it must be refused like a reference to
 * what is not there. A system keeps entries about what is not known here yet; anybody else would learn from that what is.
 */
export async function strays(journey: Journey, overlay: StampOverlay, resource: Resource): Promise<boolean> {
  const { caller } = journey;
  if (caller.kind === 'system' || caller.kind === 'server') return false;
  for (const key of lookups(resource)) {
    const name = nameOf(key);
    if (name === caller.record || overlay.isNew(key)) continue;
    const target = overlay.current(key);
    if (target === undefined) return true;
    // Whether the token may read the type is no matter here; whether this one may be read at all is.
    const level = caller.scopes[0]?.level ?? 'patient';
    const scoped = { ...caller, scopes: [{ level, type: key.type, may: new Set(['r'] as const), where: [] }] };
    if ((await askToRead({ ...journey, caller: scoped }, 'read', key.type, target)).effect === 'deny') return true;
  }
  return false;
}
