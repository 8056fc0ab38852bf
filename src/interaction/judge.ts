import { decide } from '../access/decide.ts';
import type { Action, Facts, Known, Reason } from '../access/decision.ts';
import { policyOf } from '../access/policies/index.ts';
import { isRecord } from '../access/record.ts';
import { Problem } from '../fhir/problem.ts';
import { type KeyName, nameOf, type Resource, type ResourceKey } from '../fhir/types.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import type { Change, Version } from '../store/store.ts';
import type { Permit } from './interaction.ts';
import { keyOfName, lookups, originOf, type StampOverlay } from './overlay.ts';
import { notFound } from './read.ts';
import { askToRead, denial, type Journey } from './reading.ts';

/** One write, judged: what is to be stored, and why that is permitted. */
export interface Judged {
  readonly key: ResourceKey;
  readonly action: Extract<Action, 'create' | 'update' | 'delete'>;
  readonly before: Indexed | undefined;
  readonly after: Indexed | undefined;
  readonly reasons: readonly Reason[];
  readonly readable: boolean;
  /** What the policy of the type wants to hold in the commit. */
  readonly conditions: readonly Change[];
}
/** One write as it is asked for. */
export interface Intent {
  readonly key: ResourceKey;
  readonly resource: Resource | undefined;
  readonly before: Indexed | undefined;
  /** Its criterion was searched for: a conditional create. */
  readonly conditional: boolean;
}

/** Asks all rules about one write. Throws Problem 'forbidden' or 'not-found' (see denial), or what the policy finds wrong with the content. */
export async function judge(journey: Journey, overlay: StampOverlay, intent: Intent): Promise<Judged> {
  const { parts, caller, given, log } = journey;
  const { key, before } = intent;
  const action = intent.resource === undefined ? 'delete' : before === undefined ? 'create' : 'update';
  const policy = policyOf(key.type);
  const question = { caller, action, type: key.type, at: given.now, conditional: intent.conditional } as const;
  const reading = before === undefined ? undefined : await askToRead(journey, 'read', key.type, before);
  const sees = reading === undefined || reading.effect === 'permit';
  // What is stored must be the caller's to see before anything said about the new content can tell of it.
  if (before !== undefined && reading?.effect === 'deny' && !reading.reveal) {
    log.asked(reading.reasons, key, before.facets);
    throw denial(reading, key);
  }
  const origin = before?.facets.origin ?? originOf(caller);
  const layAfter = async (resource: Resource): Promise<Indexed> => {
    overlay.lay(key, resource, origin);
    await overlay.load(lookups(resource));
    return overlay.after(key);
  };
  const sent = intent.resource === undefined ? undefined : await layAfter(intent.resource);
  const learned = await learn(journey, overlay, intent, sent);
  const factsWith = (after: Indexed | undefined): Facts => ({
    ...learned,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
  const ask = (after: Indexed | undefined): Permit => {
    const decision = decide(question, factsWith(after), parts.rulesFor(key.type));
    log.asked(decision.reasons, key, (before ?? after)?.facets);
    if (decision.effect === 'permit') return decision;
    throw before === undefined ? denial(decision, undefined) : denial({ ...decision, reveal: decision.reveal || sees }, key);
  };
  // Whoever may write without reading hears of the rules first, and of the content afterwards.
  if (!sees) ask(sent);
  const after = sent === undefined || policy.prepare === undefined ? sent : await layAfter(policy.prepare(question, { ...factsWith(sent), after: sent }));
  const { reasons } = ask(after);
  if (after !== undefined) await askAlso(journey, overlay, after, learned);
  const unique = after === undefined ? undefined : policy.unique?.(question, after, factsWith(after));
  const readable = after !== undefined && (await askToRead(journey, 'read', key.type, after)).effect === 'permit';
  return { key, action, before, after, reasons, readable, conditions: unique === undefined ? [] : [unique] };
}

/** Other writes that this one stands for: a Provenance needs the right to change each of its targets. */
async function askAlso(
  { parts, caller, given, consents }: Journey,
  overlay: StampOverlay,
  after: Indexed,
  learned: Pick<Facts, 'grantEpoch' | 'known'>,
): Promise<void> {
  for (const { action, key: name } of policyOf(after.resource.resourceType).also?.(after) ?? []) {
    const key = keyOfName(name);
    await overlay.load([key]);
    const target = overlay.current(key);
    if (target === undefined) throw notFound(key);
    const facts: Facts = { ...learned, grants: await consents.grants(target.facets.records), before: target, after: target };
    const decision = decide({ caller, action, type: key.type, at: given.now }, facts, parts.rulesFor(key.type));
    if (decision.effect === 'deny') throw denial(decision, key);
  }
}

/** Loads what the rules and the type's policy may look at. */
async function learn(
  { caller, consents, parts, given }: Journey,
  overlay: StampOverlay,
  { key, before }: Intent,
  after: Indexed | undefined,
): Promise<Pick<Facts, 'grants' | 'grantEpoch' | 'known'>> {
  const records = [...new Set([...(before?.facets.records ?? []), ...(after?.facets.records ?? []), ...(caller.record === undefined ? [] : [caller.record])])];
  await overlay.load(records.map(keyOfName));
  const question = { caller, action: after === undefined ? 'delete' : before === undefined ? 'create' : 'update', type: key.type, at: given.now } as const;
  const needs = policyOf(key.type).needs?.(question, before, after) ?? {};
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

/** If-Match, after the decision: it would tell of a version that the caller may not know. */
export function checkMatch(ifMatch: string | undefined, stored: Version | undefined): void {
  const versionId = stored?.versionId;
  const matched = ifMatch === '*' ? stored?.deleted === false : ifMatch === versionId;
  if (ifMatch !== undefined && !matched) throw new Problem('version-changed', `the current version is ${versionId ?? 'none'}, not ${ifMatch} as If-Match says`);
}
