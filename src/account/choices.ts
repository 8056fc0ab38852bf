import { purposes } from '../access/caller.ts';
import type { Element } from '../access/elements.ts';
import { elements } from '../access/elements.ts';
import { inForce } from '../access/rules/demands.ts';
import { keyOf } from '../fhir/reference.ts';
import type { KeyName, Resource } from '../fhir/types.ts';
import { granted } from '../search/granted.ts';
import type { Ask } from '../search/query.ts';
import type { ResourceStore } from '../store/store.ts';
import { type Account, caredFor, type Hat, type Organization } from './account.ts';
import type { Choice } from './accounts.ts';
import type { AccountParts } from './parts.ts';

/** The records that an account may be about, the own one first. */
export async function choicesOf(account: Account, parts: Pick<AccountParts, 'store' | 'now'>): Promise<readonly Choice[]> {
  const found = await Promise.all(account.hats.map(hat => choiceOf(hat, account, parts)));
  const order = ['patient', 'caregiver', 'practitioner'];
  const choices = found.filter(one => one !== undefined).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return choices.map((choice, at) => {
    const before = choices.slice(0, at).filter(one => one.kind === choice.kind && one.name === choice.name).length;
    return before === 0 ? choice : { ...choice, name: `${choice.name} (${before + 1})` };
  });
}

async function choiceOf(hat: Hat, account: Account, { store, now }: Pick<AccountParts, 'store' | 'now'>): Promise<Choice | undefined> {
  const { resource } = hat;
  if (resource === undefined) return undefined;
  switch (hat.kind) {
    case 'patient': {
      const name = nameIn(await liveResource(resource, store)) ?? account.name ?? account.username;
      return { kind: 'patient', hat: resource, record: resource as `Patient/${string}`, name, standing: true };
    }
    case 'caregiver':
      return caregiverChoice(resource, store, now());
    case 'practitioner': {
      const organization = hat.organization === undefined ? undefined : ((await store.document('organization', hat.organization)) as Organization | undefined);
      return { kind: 'practitioner', hat: resource, name: organization?.name ?? hat.organization ?? 'No organization', standing: true };
    }
    default:
      return undefined;
  }
}

/** The patient's name where a consent lets the caregiver read the Patient; else what the caregiver is to the patient, which she knows. */
async function caregiverChoice(hat: KeyName, store: ResourceStore, at: string): Promise<Choice | undefined> {
  const record = (await caredFor(hat, store)) as `Patient/${string}` | undefined;
  if (record === undefined) return undefined;
  const grants = await store.grants([record], [hat]);
  const ask: Ask = { actors: [hat], purpose: purposes.caregiver, action: 'access', at };
  const patient = await liveVersion(record, store);
  const indexed = patient === undefined ? undefined : { resource: patient.parsed(), facets: patient.facets };
  const readable = indexed !== undefined && granted('permit', ask, indexed, grants) && !granted('deny', ask, indexed, grants);
  const name = readable ? nameIn(indexed.resource) : undefined;
  return {
    kind: 'caregiver',
    hat,
    record,
    name: name ?? neutralName(await liveResource(hat, store)),
    standing: inForce(grants, ask).length > 0,
  };
}

async function liveVersion(name: KeyName, store: ResourceStore) {
  const version = await store.read(keyOf(name)!);
  return version === undefined || version.deleted ? undefined : version;
}
const liveResource = async (name: KeyName, store: ResourceStore): Promise<Resource | undefined> => (await liveVersion(name, store))?.parsed();

/** A name as people write it: the official or first one. */
function nameIn(resource: Resource | undefined): string | undefined {
  const names = elements(resource?.name);
  const name: Element | undefined = names.find(one => one.use === 'official') ?? names[0];
  if (name === undefined) return undefined;
  if (typeof name.text === 'string') return name.text;
  const parts = [...(Array.isArray(name.given) ? name.given : []), name.family].filter(part => typeof part === 'string' && part !== '');
  return parts.length === 0 ? undefined : parts.join(' ');
}

function neutralName(relatedPerson: Resource | undefined): string {
  const [relationship] = elements(relatedPerson?.relationship);
  const [coding] = elements(relationship?.coding);
  const known = [relationship?.text, coding?.display].find(text => typeof text === 'string' && text !== '');
  return known === undefined ? 'Somebody you care for' : `Somebody you care for (you are: ${known})`;
}
