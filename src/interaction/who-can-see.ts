import { appStands, readAppConsent } from '../access/app-consent.ts';
import type { Caller } from '../access/caller.ts';
import { actorsOf, grantsOf, kindOf } from '../access/consent.ts';
import { type Element, elements, referenceName } from '../access/elements.ts';
import { recordKindOf } from '../access/record.ts';
import { coded, ofRecord, token } from '../access/rules/demands.ts';
import { isUnbound } from '../access/rules/level.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import { type Instant, type KeyName, nameOf, type Resource } from '../fhir/types.ts';
import * as facets from '../search/facets.ts';
import type { RecordId } from '../search/indexed.ts';
import { and, not, type Predicate } from '../search/query.ts';
import type { Registry } from '../search/registry.ts';
import type { ResourceReader, ResourceStore, Version } from '../store/store.ts';
import { breathe } from './breathe.ts';
import type { Answer, Given, ReadInteraction, ReadPlan } from './interaction.ts';
import { keyOfName } from './overlay.ts';
import { optional, type Parameter, parametersOf } from './parameters.ts';
import { namedTypes, openPeople, type People } from './people.ts';
import { notFound } from './read.ts';

interface WhoPlan extends ReadPlan {
  readonly record: RecordId;
}
/** Ids of the organizations that contributed something to a record. */
export type Contributors = (record: RecordId) => Promise<readonly string[]>;

const PAGE = 500;
/** Consents of one record that are gone through. */
const MOST = 10_000;

/**
 * `Patient/[id]/$who-can-see` (ACCESS §4): all that can see something of a record, and by what. To its patient it is complete; to a caregiver it is what she
 * may read of it.
 */
export const whoCanSee = (registry: Registry, contributors: Contributors): ReadInteraction<WhoPlan> => ({
  code: 'who-can-see',
  effect: 'read',
  plan({ path: [type = '', id = ''] }, { caller }) {
    const record: RecordId = `${type}/${id}`;
    if (caller.kind !== 'patient' && caller.kind !== 'caregiver' && !isUnbound(caller))
      throw new Problem('forbidden', 'who can see a record is told to its patient, and to a caregiver as far as she may read it');
    if (caller.record !== record && !isUnbound(caller)) throw notFound({ type, id });
    return { action: 'search', types: ['Consent'], alsoNeeds: [], alsoBrings: namedTypes, text: `${record}/$who-can-see`, record };
  },
  answer: (plan, reader, given) => answerWho(plan, reader, given, registry, contributors),
});

/** Whether the caller is told everything about the record: its own patient, and the server itself. */
export const isTold = (caller: Caller, record: RecordId): boolean => (caller.kind === 'patient' && caller.record === record) || isUnbound(caller);

async function answerWho({ record }: WhoPlan, reader: ResourceReader, { now, caller }: Given, registry: Registry, contributors: Contributors): Promise<Answer> {
  const complete = isTold(caller, record);
  if (isUnbound(caller) && (await reader.read(keyOfName(record))) === undefined) throw notFound(keyOfName(record));
  const consents = await consentsOf(record, complete ? ['active', 'proposed', 'inactive'] : ['active', 'proposed'], reader, registry);
  const people = openPeople(reader);
  const entries: Parameter[] = [];
  const shows: Version[] = [];
  for (const version of consents) {
    const entry = await entryOf(version, record, now, people);
    if (entry === undefined || (entry.name === 'named' && !complete)) continue;
    entries.push(entry);
    shows.push(version);
  }
  if (complete) {
    for (const id of await contributors(record))
      entries.push({ name: 'organization', part: [{ name: 'organization', valueReference: await people.refer(`Organization/${id}`) }] });
  }
  const resource = parametersOf([
    { name: 'patient', valueReference: await people.refer(record) },
    { name: 'at', valueInstant: now },
    { name: 'complete', valueBoolean: complete },
    ...entries.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
  ]);
  return { status: 200, body: { resource }, shows: [...shows, ...people.shown()] };
}
const order: readonly string[] = ['consent', 'proposed', 'app', 'organization', 'named'];

async function consentsOf(record: RecordId, statuses: readonly string[], reader: ResourceReader, registry: Registry): Promise<readonly Version[]> {
  const status = registry.param('Consent', 'status')!;
  const query = { branches: [{ type: 'Consent', where: and(ofRecord(record), token(status, ...statuses)), links: [] }], sort: [], limit: PAGE };
  const found: Version[] = [];
  for (let page = await reader.search(query); ; page = await reader.search({ ...query, from: page.next })) {
    found.push(...page.versions);
    if (page.next === undefined) return found;
    if (found.length > MOST) throw new Problem('too-costly', `the record has more than ${MOST} Consents`);
    await breathe();
  }
}

/** One Consent, as the part that it belongs to; undefined where nobody sees anything by it. */
async function entryOf(version: Version, record: RecordId, at: Instant, people: People): Promise<Parameter | undefined> {
  const consent = version.parsed();
  const head: readonly Parameter[] = [
    { name: 'consent', valueReference: { reference: nameOf(version.key) } },
    { name: 'version', valueId: version.versionId },
  ];
  const kind = kindOf(consent);
  if (kind === 'app') {
    if (!appStands(consent, at)) return undefined;
    const { client, scope, performer } = readAppConsent(consent)!;
    return {
      name: 'app',
      part: [
        ...head,
        { name: 'client', valueString: client.id },
        { name: 'name', valueString: client.name },
        ...(performer === undefined ? [] : [{ name: 'performer', valueReference: await people.refer(performer) }]),
        { name: 'scope', valueString: scope },
        ...span(consent),
      ],
    };
  }
  const proposed = consent.status === 'proposed';
  const rows = grantsOf(proposed ? { ...consent, status: 'active' } : consent, record);
  const now = Date.parse(at);
  const inForce = !proposed && rows.some(row => row.during.low <= now && now <= row.during.high);
  const toCome = rows.some(row => row.during.low > now);
  const actors = actorsOf(consent);
  if (!proposed && !inForce && !toCome) return nameOnly(head, kind, actors, consent, people);
  return {
    name: proposed ? 'proposed' : 'consent',
    part: [
      ...head,
      ...optional(kind, valueCode => ({ name: 'kind', valueCode })),
      { name: 'effect', valueCode: rows.some(row => row.effect === 'permit') ? 'permit' : 'deny' },
      { name: 'inForce', valueBoolean: inForce },
      ...(await actorParts(actors, consent, people)),
      ...[...new Set(rows.flatMap(row => row.actions))].sort().map(valueCode => ({ name: 'action', valueCode })),
      ...span(consent),
    ],
  };
}

/** Organizations and practitioners go on reading a Consent that has named them once it was in force; a caregiver needs another one that is in force. */
const remains: readonly string[] = ['Organization/', 'Practitioner/'];
async function nameOnly(
  head: readonly Parameter[],
  kind: string | undefined,
  actors: readonly KeyName[],
  consent: Resource,
  people: People,
): Promise<Parameter | undefined> {
  const reading = actors.filter(actor => remains.some(type => actor.startsWith(type)));
  if (reading.length === 0 || kind === 'restriction') return undefined;
  return {
    name: 'named',
    part: [...head, ...optional(kind, valueCode => ({ name: 'kind', valueCode })), ...(await actorParts(reading, consent, people))],
  };
}

async function actorParts(actors: readonly KeyName[], consent: Resource, people: People): Promise<readonly Parameter[]> {
  const written = new Map(actorElements(elements(consent.provision)).map(actor => [referenceName(actor.reference), displayOf(actor.reference)]));
  const parts: Parameter[] = [];
  for (const actor of actors) parts.push({ name: 'actor', valueReference: await people.refer(actor, written.get(actor)) });
  return parts;
}
const actorElements = (provisions: readonly Element[]): readonly Element[] =>
  provisions.flatMap(provision => [...elements(provision.actor), ...actorElements(elements(provision.provision))]);
const displayOf = (reference: unknown): string | undefined => {
  const display = elements(reference)[0]?.display;
  return typeof display === 'string' ? display : undefined;
};

/** From when until when, as it is written. */
function span(consent: Resource): readonly Parameter[] {
  const [period] = elements(elements(consent.provision)[0]?.period);
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return [
    ...optional(text(period?.start) ?? text(consent.dateTime), valueDateTime => ({ name: 'since', valueDateTime })),
    ...optional(text(period?.end), valueDateTime => ({ name: 'until', valueDateTime })),
  ];
}

/** Types of which the resources belong to records by what they are about. What several records share is about nobody. */
const contributed = [...resourceTypes].filter(type => ['self', 'subject'].includes(recordKindOf(type).kind));

/** One look at the indexes for each organization that is found, and one that finds no more: no resource is read but one of each. */
export async function contributorsOf(record: RecordId, store: Pick<ResourceStore, 'search'>): Promise<readonly string[]> {
  const found: string[] = [];
  const organizations: Predicate = { op: 'some', param: facets.origin, test: { anyOf: [{ kind: 'token', system: 'organization' }] } };
  for (;;) {
    const others = found.length === 0 ? organizations : and(organizations, not(coded(facets.origin, 'organization', ...found)));
    const branches = contributed.map(type => ({ type, where: and(ofRecord(record), others), links: [] }));
    const [version] = (await store.search({ branches, sort: [], limit: 1 })).versions;
    if (version === undefined) return found.toSorted();
    found.push(version.facets.origin.by);
    await breathe();
  }
}
