import type { Caller } from '../../src/access/caller.ts';
import { consentKindSystem } from '../../src/access/canonical.ts';
import { systems } from '../../src/access/codes.ts';
import { grantsOf } from '../../src/access/consent.ts';
import type { Facts, Known } from '../../src/access/decision.ts';
import { stamp } from '../../src/access/facets.ts';
import { makeRules } from '../../src/access/rules/index.ts';
import { parseScopes } from '../../src/access/scope.ts';
import type { KeyName, Resource } from '../../src/fhir/types.ts';
import type { LoadedGrant } from '../../src/search/grant.ts';
import type { Facets, Indexed, Origin, RecordId } from '../../src/search/indexed.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { confidentialities } from '../../src/search/security.ts';

/** A small world for the access tests: two patients, their people, two practices; and a short way to write consents. */

export const now = '2026-11-24T12:00:00.000Z';
export const patients: readonly RecordId[] = ['Patient/mary', 'Patient/bob'];
export const rulesFor = makeRules(buildRegistry());

type CallerText = Partial<Omit<Caller, 'scopes'>> & { readonly scope?: string };
const base = { client: 'test', grant: 'g1', token: 't1', grantEpoch: 0 } as const;
const people: Readonly<Record<string, CallerText>> = {
  mary: { kind: 'patient', who: 'Patient/mary', actors: ['Patient/mary'], record: 'Patient/mary', purpose: 'PATRQT', scope: 'patient/*.cruds' },
  bob: { kind: 'patient', who: 'Patient/bob', actors: ['Patient/bob'], record: 'Patient/bob', purpose: 'PATRQT', scope: 'patient/*.cruds' },
  anna: { kind: 'caregiver', who: 'RelatedPerson/anna', actors: ['RelatedPerson/anna'], record: 'Patient/mary', purpose: 'FAMRQT', scope: 'patient/*.cruds' },
  carl: { kind: 'caregiver', who: 'RelatedPerson/carl', actors: ['RelatedPerson/carl'], record: 'Patient/mary', purpose: 'FAMRQT', scope: 'patient/*.cruds' },
  lee: {
    kind: 'practitioner',
    who: 'Practitioner/lee',
    actors: ['Practitioner/lee', 'Organization/ima'],
    organization: 'ima',
    purpose: 'TREAT',
    scope: 'user/*.cruds',
  },
  doctor: {
    kind: 'practitioner',
    who: 'Practitioner/doctor',
    actors: ['Practitioner/doctor', 'Organization/harbor'],
    organization: 'harbor',
    purpose: 'TREAT',
    scope: 'user/*.cruds',
  },
  ima: { kind: 'system', who: 'Organization/ima', actors: ['Organization/ima'], organization: 'ima', purpose: 'TREAT', scope: 'system/*.cruds' },
  harbor: { kind: 'system', who: 'Organization/harbor', actors: ['Organization/harbor'], organization: 'harbor', purpose: 'TREAT', scope: 'system/*.cruds' },
  officer: {
    kind: 'privacy-officer',
    who: 'Organization/general',
    actors: [],
    organization: 'general',
    purpose: 'HOPERAT',
    scope: 'user/*.cruds user/AuditEvent.rs',
  },
  server: { kind: 'server', who: 'Device/kindred', actors: [], purpose: 'HOPERAT', scope: '' },
};

/** One of the people above, or with something about them changed: `{ "as": "anna", "scope": "…" }`. */
export function callerOf(text: string | (CallerText & { readonly as: string })): Caller {
  const { as, ...changes } = typeof text === 'string' ? { as: text } : text;
  const { scope = '', ...rest } = { ...people[as]!, ...changes };
  // A null in a case file takes a member away.
  const present = Object.entries({ ...base, ...rest }).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(present), scopes: parseScopes(scope).scopes } as Caller;
}

/** A provision in short: codes without systems, references as texts, periods as pairs, `raw` for what is written out. */
export interface ShortProvision {
  readonly type?: string;
  readonly actor?: readonly string[];
  readonly purpose?: readonly string[];
  readonly action?: readonly string[];
  readonly class?: readonly string[];
  readonly code?: readonly string[];
  readonly label?: readonly string[];
  readonly period?: readonly [string | null, string | null];
  readonly dataPeriod?: readonly [string | null, string | null];
  readonly data?: readonly (readonly [string, string])[];
  readonly raw?: object;
  readonly provision?: readonly ShortProvision[];
}
export interface ShortConsent {
  readonly id?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly patient?: string;
  readonly provision?: ShortProvision;
  readonly raw?: object;
}

const list = <T, U>(of: readonly T[] | undefined, build: (one: T) => U, name: string): object => (of === undefined ? {} : { [name]: of.map(build) });
const span = (pair: readonly [string | null, string | null] | undefined, name: string): object =>
  pair === undefined ? {} : { [name]: { ...(pair[0] === null ? {} : { start: pair[0] }), ...(pair[1] === null ? {} : { end: pair[1] }) } };
export const labelCoding = (code: string) => ({
  system: (confidentialities as readonly string[]).includes(code) ? systems.confidentiality : systems.act,
  code,
});

export function provisionOf(short: ShortProvision): object {
  return {
    ...(short.type === undefined ? {} : { type: short.type }),
    ...list(short.actor, reference => ({ role: { text: 'actor' }, reference: { reference } }), 'actor'),
    ...list(short.purpose, code => ({ system: systems.purpose, code }), 'purpose'),
    ...list(short.action, code => ({ coding: [{ system: systems.action, code }] }), 'action'),
    ...list(short.class, code => (code.startsWith('http') ? { system: 'urn:ietf:rfc:3986', code } : { system: systems.types, code }), 'class'),
    ...list(short.code, code => ({ coding: [{ system: code.slice(0, code.indexOf('|')), code: code.slice(code.indexOf('|') + 1) }] }), 'code'),
    ...list(short.label, labelCoding, 'securityLabel'),
    ...span(short.period, 'period'),
    ...span(short.dataPeriod, 'dataPeriod'),
    ...list(short.data, ([meaning, reference]) => ({ meaning, reference: { reference } }), 'data'),
    ...short.raw,
    ...list(short.provision, provisionOf, 'provision'),
  };
}

export function consentOf(short: ShortConsent, number = 1): Resource {
  return {
    resourceType: 'Consent',
    id: short.id ?? `c${number}`,
    status: short.status ?? 'active',
    scope: { coding: [{ system: systems.scope, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: consentKindSystem, code: short.kind ?? 'share' }] }],
    patient: { reference: short.patient ?? 'Patient/mary' },
    ...(short.provision === undefined ? {} : { provision: provisionOf(short.provision) }),
    ...short.raw,
  };
}

/** `organization|ima`, `patient|Patient/mary`, `caregiver|RelatedPerson/anna`. */
export function originOf(text: string, record: RecordId = 'Patient/mary'): Origin {
  const [kind, by] = text.split('|') as [Origin['kind'], string];
  return kind === 'organization' || kind === 'server' ? { kind, by } : { kind, by: by as KeyName, record };
}

/** A resource with the facets that a commit would give it. `others` are what it may refer to. */
export function indexed(resource: Resource, origin = 'organization|general', changes: Partial<Facets> = {}, others: readonly Indexed[] = []): Indexed {
  const cited = new Map(others.map(one => [`${one.resource.resourceType}/${one.resource.id}`, one.facets]));
  const facets = stamp(resource, {
    origin: originOf(origin, changes.records?.[0]),
    at: Date.parse('2026-06-01T00:00:00Z'),
    known: key => (patients.includes(key) ? { exists: true } : cited.has(key) ? { exists: true, facets: cited.get(key)! } : undefined),
  });
  return { resource, facets: { ...facets, ...changes }, updated: Date.parse('2026-06-01T00:00:00Z') };
}

/** The rows that a store would load: on these records, naming the caller or anyone. */
export function load(consents: readonly Resource[], records: readonly RecordId[], caller: Caller): readonly LoadedGrant[] {
  return consents
    .flatMap(consent => grantsOf(consent, (consent.patient as { reference: RecordId }).reference))
    .filter(row => records.includes(row.record) && (row.actors === 'anyone' || row.actors.some(actor => caller.actors.includes(actor))));
}

export const nothingKnown: Known = { resources: new Map(), hats: new Set(), contributed: new Set(), searches: new Map() };

export function factsOf(
  consents: readonly Resource[],
  caller: Caller,
  around: { before?: Indexed; after?: Indexed; known?: Partial<Known>; grantEpoch?: number },
): Facts {
  const { before, after, known, grantEpoch = 0 } = around;
  const records = [...(before?.facets.records ?? []), ...(after?.facets.records ?? []), ...(caller.record === undefined ? [] : [caller.record])];
  return {
    grants: load(consents, records, caller),
    grantEpoch,
    known: { ...nothingKnown, ...known },
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}
