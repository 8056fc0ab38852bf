import { expect } from '@jest/globals';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { agreement, classes, confidentiality, designation } from './resources.ts';
import { type Client, openWorld, type World } from './world.ts';

/** Mary is IMA's patient and Harbor is enrolled with her; John is Harbor's patient and nothing to Mary. Anna cares for Mary. */
const seed = {
  ...family,
  records: [{ patients: ['Patient/mary'], enrolled: ['harbor'] }],
  accounts: [...family.accounts, { username: 'john', password: 'correct-horse-battery-9', hats: [{ kind: 'patient', resource: 'Patient/john' }] }],
  resources: [...family.resources, { origin: { kind: 'organization', by: 'harbor' }, resource: { resourceType: 'Patient', id: 'john' } }],
} as unknown as Seed;
const all = 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs';

export interface Strangers {
  readonly world: World;
  readonly ima: Client;
  readonly harbor: Client;
  readonly mary: Client;
  readonly john: Client;
  readonly anna: Client;
}
export async function openStrangers(): Promise<Strangers> {
  const world = await openWorld({ KINDRED_LOG: 'silent' }, seed);
  return {
    world,
    ima: world.as(await world.token('ehr-ima', 'system/*.cruds')),
    harbor: world.as(await world.token('ehr-harbor', 'system/*.cruds')),
    mary: world.as(await world.token('med-app', all, 'mary')),
    john: world.as(await world.token('med-app', all, 'john')),
    anna: world.as(await world.token('med-app', all, 'anna', 'Patient/mary')),
  };
}

export type Made = Resource & { readonly id: string };
/** What was created, or the reason why not. */
export async function made(answer: PromiseLike<{ status: number; body: Resource & { issue?: unknown } }>): Promise<Made> {
  const { status, body } = await answer;
  expect([status, body?.issue]).toEqual([201, undefined]);
  return body as Made;
}
/** IMA designates Anna for these types, up to N. */
export async function designate(ima: Client, ...types: readonly string[]): Promise<Made> {
  const signed = await made(ima.post('DocumentReference', agreement()));
  const lodged = designation(`DocumentReference/${signed.id}`);
  return made(ima.post('Consent', { ...lodged, provision: { ...(lodged.provision as object), ...classes(...types), ...confidentiality('N') } }));
}
/** Status and body with the id cut out: what must be the same for absent and forbidden. */
export const told = ({ status, body }: { status: number; body: { issue?: { diagnostics: string }[]; meta?: { security?: unknown } } }, id: string): unknown => [
  status,
  body?.issue?.map(issue => issue.diagnostics.replaceAll(id, 'ID')),
  body?.meta?.security,
];
export const bupe = { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '1819', display: 'buprenorphine' }] };
export const observation = (subject: string, more: object = {}): Resource => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'weight' },
  subject: { reference: subject },
  ...more,
});
export const hiv = (subject: string, more: object = {}): Resource => observation(subject, { code: { text: 'HIV test' }, ...more });
export const report = (subject: string, result: string): Resource => ({
  resourceType: 'DiagnosticReport',
  status: 'final',
  code: { text: 'x' },
  subject: { reference: subject },
  result: [{ reference: result }],
});
export const citing = (subject: string, medication: string): Resource => ({
  resourceType: 'MedicationStatement',
  status: 'active',
  subject: { reference: subject },
  medicationReference: { reference: medication },
});
export const list = (subject: string | undefined, item: string): Resource => ({
  resourceType: 'List',
  status: 'current',
  mode: 'working',
  ...(subject === undefined ? {} : { subject: { reference: subject } }),
  entry: [{ item: { reference: item } }],
});
