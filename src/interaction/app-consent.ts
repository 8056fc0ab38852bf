import { type AppConsent, endAppConsent, writeAppConsent } from '../access/app-consent.ts';
import { type Caller, purposes } from '../access/caller.ts';
import { kindOf } from '../access/consent.ts';
import { referenceName } from '../access/elements.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName, Resource, ResourceKey } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import type { Change, Version } from '../store/store.ts';
import { writeAnswer } from './create.ts';
import type { Overlay, WriteInteraction, WritePlan } from './interaction.ts';
import { keyOfName } from './overlay.ts';
import { notFound } from './read.ts';

/** What is authorized. */
export interface AppAuthorization extends Omit<AppConsent, 'at'> {
  /** The OAuth grant and the line of the log: in the same commit. */
  readonly also: readonly Change[];
}
interface AuthorizePlan extends WritePlan {
  readonly key: ResourceKey;
  readonly consent: Resource;
}

/**
 * A person lets an app in (ACCESS §3.3): the Consent of kind `app` that mirrors it, made by the server's own hand (`handOf`) in one commit with the grant. No
 * request of a client leads here. Ends with Problem 'forbidden' where who lets it in is neither the patient nor a RelatedPerson of that patient.
 */
export const authorizeApp = ({ also, ...app }: AppAuthorization, base: () => string): WriteInteraction<AuthorizePlan> => ({
  code: 'app-authorize',
  effect: 'write',
  plan: (_request, { now }) => ({
    keys: [{ type: 'Consent', id: app.id }, keyOfName(app.patient), keyOfName(app.performer)],
    criteria: new Map(),
    also,
    key: { type: 'Consent', id: app.id },
    consent: writeAppConsent({ ...app, at: now }),
  }),
  drafts({ key, consent }, current) {
    if (current(key) !== undefined) throw new Problem('duplicate', 'the authorization is there already');
    if (!speaksFor(app.performer, app.patient, current)) throw new Problem('forbidden', 'an app is let in by the patient, or by who cares for the patient');
    return [{ op: 'put', action: 'create', key, resource: consent }];
  },
  answer: (_plan, [made]) => writeAnswer(made!, 201, true, base()),
});

function speaksFor(performer: KeyName, patient: RecordId, current: Overlay): boolean {
  if (current(keyOfName(patient)) === undefined) return false;
  if (performer === patient) return true;
  const person = performer.startsWith('RelatedPerson/') ? current(keyOfName(performer))?.parsed() : undefined;
  return person !== undefined && person.active !== false && referenceName(person.patient) === patient;
}

interface EndPlan extends WritePlan {
  readonly key: ResourceKey;
}
/** Ends the Consent of an app, in one commit with what else ends. One that has ended stays as it is, and `also` is done all the same. */
export const endApp = (id: string, also: readonly Change[], base: () => string): WriteInteraction<EndPlan> => ({
  code: 'app-end',
  effect: 'write',
  plan: () => ({ keys: [{ type: 'Consent', id }], criteria: new Map(), also, key: { type: 'Consent', id } }),
  drafts({ key }, current) {
    const version: Version | undefined = current(key);
    if (version === undefined || kindOf(version.parsed()) !== 'app') throw notFound(key);
    if (version.parsed().status !== 'active') return [{ op: 'found', key }];
    return [{ op: 'put', action: 'update', key, resource: endAppConsent(version.parsed()) }];
  },
  answer: (_plan, [made]) => writeAnswer(made!, 200, true, base()),
});

/** Somebody who has signed in to our own pages. */
export interface Person {
  readonly account: string;
  /** As whom: the Patient of the record, or a RelatedPerson of that patient. */
  readonly who: KeyName;
  readonly record: RecordId;
  readonly address?: string;
}

/** The server's own hand, which does for a person what only our own pages do: Provenance and log name the person, and what it makes is the person's own. */
export const handOf = ({ account, who, record, address }: Person): Caller => ({
  kind: 'server',
  client: 'kindred',
  account,
  who,
  actors: [who],
  record,
  purpose: who === record ? purposes.patient : purposes.caregiver,
  scopes: [],
  grant: 'kindred',
  token: 'page',
  grantEpoch: 0,
  origin: { kind: who === record ? 'patient' : 'caregiver', by: who, record },
  ...(address === undefined ? {} : { address }),
});
