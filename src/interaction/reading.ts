import type { Caller } from '../access/caller.ts';
import { decide } from '../access/decide.ts';
import type { Action, Decision, Facts, Reason } from '../access/decision.ts';
import { askOf, inForce } from '../access/rules/demands.ts';
import { Problem } from '../fhir/problem.ts';
import { nameOf, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import type { Branch, Predicate, SearchQuery } from '../search/query.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import { breathe } from './breathe.ts';
import type { ConsentFacts } from './facts.ts';
import type { Answer, FhirRequest, Given, ReadInteraction, ReadPlan } from './interaction.ts';
import type { Log } from './log.ts';
import { indexedOf, narrow, narrowBranch, type Permitted } from './narrow.ts';
import { asToday } from './overlay.ts';
import type { Parts } from './parts.ts';
import { notFound } from './read.ts';
import { viewOf } from './view.ts';

/** One request on its way. */
export interface Journey {
  readonly parts: Parts;
  readonly caller: Caller;
  readonly given: Given;
  readonly consents: ConsentFacts;
  readonly log: Log;
}
export const nothingKnown: Facts['known'] = { resources: new Map(), hats: new Set(), contributed: new Set(), searches: new Map() };

/** Asks the rules about reading, of one stored resource or (without) of whatever a search may show. */
export async function askToRead(
  { parts, caller, given, consents }: Journey,
  action: Extract<Action, 'read' | 'search'>,
  type: ResourceType,
  before?: Indexed,
): Promise<Decision> {
  const records = [...new Set([...(before?.facets.records ?? []), ...(caller.record === undefined ? [] : [caller.record])])];
  const facts: Facts = {
    grants: await consents.grants(records),
    grantEpoch: await consents.grantEpoch(),
    known: nothingKnown,
    ...(before === undefined ? {} : { before }),
  };
  return decide({ caller, action, type, at: given.now }, facts, parts.rulesFor(type));
}

/**
 * A denial as the caller is told it: 403 where that says nothing about what is stored, else the words for what is not there. `key` undefined: there is
 * nothing stored that it could tell of.
 */
export function denial(decision: Extract<Decision, { effect: 'deny' }>, key: ResourceKey | undefined): Problem {
  if (!decision.reveal && key !== undefined) return notFound(key);
  const denials = decision.reasons.filter(reason => reason.effect === 'deny');
  const told = denials.find(reason => reason.effect === 'deny' && reason.plain === true) ?? denials[0];
  return new Problem('forbidden', told?.because ?? 'this is not permitted');
}

/** The live version that stands for a stored one: itself, or the last before its deletion. */
export async function lastLive(version: Version | undefined, parts: Parts): Promise<Version | undefined> {
  if (version === undefined) return undefined;
  if (!version.deleted) return viewOf(version);
  const before = await parts.store.read(version.key, String(Number(version.versionId) - 1));
  return before === undefined ? undefined : viewOf(await asToday(parts.store, before));
}

/** Asks about each type of the plan; what is permitted goes into `onlys`. `refused`: the decision that refuses all. */
async function askOfEach(
  journey: Journey,
  { action, types, whichever = false }: ReadPlan,
  before: Indexed | undefined,
  onlys: Map<ResourceType, Predicate>,
): Promise<{ readonly reasons: readonly Reason[]; readonly refused?: Extract<Decision, { effect: 'deny' }> }> {
  const reasons: Reason[] = [];
  let denied: Extract<Decision, { effect: 'deny' }> | undefined;
  for (const type of types) {
    const decision = await askToRead(journey, action, type, before);
    if (decision.effect === 'permit') {
      onlys.set(type, decision.only);
      reasons.push(...decision.reasons);
    } else if (whichever) denied ??= decision;
    else return { reasons, refused: decision };
  }
  return denied !== undefined && onlys.size === 0 ? { reasons, refused: denied } : { reasons };
}

/** plan → facts → decide → narrowed read → log. */
export async function readRoad(interaction: ReadInteraction, request: FhirRequest, journey: Journey): Promise<Answer> {
  const { parts, log, given } = journey;
  const plan = interaction.plan(request, given);
  const onlys = new Map<ResourceType, Predicate>();
  const stored = plan.key === undefined ? undefined : await parts.store.read(plan.key);
  const current = await lastLive(stored, parts);
  const before = current === undefined ? undefined : indexedOf(current);
  const target = plan.key === undefined ? undefined : { ...plan.key, ...(current === undefined ? {} : { versionId: current.versionId }) };
  const { reasons, refused } = await askOfEach(journey, plan, before, onlys);
  log.asked(refused?.reasons ?? reasons, target, current?.facets);
  if (refused !== undefined) throw denial(refused, plan.key);
  for (const type of plan.alsoNeeds) {
    const also = await askToRead(journey, 'search', type);
    if (also.effect === 'deny')
      throw new Problem('forbidden', `the search goes through ${type}, which may not be searched: ${denial(also, undefined).message}`);
    if (!onlys.has(type)) onlys.set(type, also.only);
  }
  for (const type of plan.alsoBrings) {
    const also = onlys.has(type) ? undefined : await askToRead(journey, 'search', type);
    if (also?.effect === 'permit') onlys.set(type, also.only);
  }
  const permitted: Permitted = {
    only: type => onlys.get(type),
    grants: records => journey.consents.grants(records),
    today: version => asToday(parts.store, version),
  };
  const answer = await interaction.answer(plan, narrow(knowing(stored, parts.store), permitted), given);
  const relied = plan.key === undefined ? await reliedOn(journey, plan.types, answer.shows) : new Map<RecordId, readonly string[]>();
  const lines = log.shown(answer.shows, plan, record => (record === undefined ? [] : (relied.get(record) ?? [])));
  if (lines.length > 0) await parts.store.commit(lines, given.now);
  return answer;
}

/**
 * The Consents in force that a search over many records rested on, for each record of which it showed something that its organization did not contribute.
 * A caller of one record has them among the reasons.
 */
async function reliedOn(
  { caller, consents, given, parts }: Journey,
  types: readonly ResourceType[],
  shown: readonly Version[],
): Promise<ReadonlyMap<RecordId, readonly string[]>> {
  if (!parts.audit || caller.organization === undefined || caller.record !== undefined || caller.open === true) return new Map();
  const foreign = shown.filter(({ facets: { origin } }) => origin.kind !== 'organization' || origin.by !== caller.organization);
  const records = [...new Set(foreign.flatMap(version => version.facets.records))];
  // The ask is the same for every type.
  const ask = askOf({ caller, action: 'search', type: types[0]!, at: given.now });
  const grants = inForce(await consents.grants(records), ask);
  return new Map(records.map(record => [record, [...new Set(grants.filter(grant => grant.record === record).map(grant => grant.consent))]]));
}

/** The same reader, which need not read again what was decided on. */
function knowing(stored: Version | undefined, reader: ResourceReader): ResourceReader {
  if (stored === undefined) return reader;
  const name = nameOf(stored.key);
  return { ...reader, read: async (key, versionId) => (versionId === undefined && nameOf(key) === name ? stored : reader.read(key, versionId)) };
}

/** Keys that a criterion finds for this caller: as narrowed as any search. */
export async function findFor(
  journey: Journey,
  query: SearchQuery,
): Promise<{ readonly keys: readonly ResourceKey[]; readonly reasons: readonly Reason[]; readonly narrowed: SearchQuery }> {
  await breathe();
  const onlys = new Map<ResourceType, Predicate>();
  const reasons: Reason[] = [];
  for (const type of typesOf(query.branches)) {
    const decision = await askToRead(journey, 'search', type);
    if (decision.effect === 'deny') throw denial(decision, undefined);
    onlys.set(type, decision.only);
    reasons.push(...decision.reasons);
  }
  const narrowed = { ...query, branches: query.branches.map(branch => narrowBranch(branch, type => onlys.get(type)!)) };
  return { keys: await journey.parts.store.keys(narrowed), reasons, narrowed };
}

/** Every type that a query looks at, chain ends too. */
const typesOf = (branches: readonly Branch[]): ReadonlySet<ResourceType> =>
  new Set(branches.flatMap(branch => [branch.type, ...branch.links.flatMap(link => [...typesOf(link.ends)])]));
