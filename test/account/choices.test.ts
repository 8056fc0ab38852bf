import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Caller } from '../../src/access/caller.ts';
import { consentKindSystem } from '../../src/access/canonical.ts';
import type { Account, Hat } from '../../src/account/account.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { type AccountWorld, form, here, minutes, openAccounts, signedIn } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());

const anna: Hat = { kind: 'caregiver', resource: 'RelatedPerson/anna-for-mary' };
const account = (...hats: readonly Hat[]): Account => ({ username: 'anna-r', name: 'Anna Reyes', hats });
const practice: Caller = {
  kind: 'server',
  client: 'kindred',
  who: 'Organization/ima',
  actors: [],
  purpose: 'HOPERAT',
  scopes: [],
  grant: 'kindred',
  token: 'test',
  grantEpoch: 0,
  origin: { kind: 'organization', by: 'ima' },
};
const put = (resource: Resource & { readonly id: string }): Promise<unknown> =>
  world.parts.run({ method: 'PUT', path: [resource.resourceType, resource.id], query: [], headers: {}, body: resource }, practice);
/** A consent of Mary for Anna. */
const consent = (provision: object = {}, more: object = {}): Promise<unknown> =>
  put({
    resourceType: 'Consent',
    id: 'anna',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: 'authorized-user' }] }],
    patient: { reference: 'Patient/mary' },
    policy: [{ uri: 'https://kindred.example/policy/authorized-user/1' }],
    ...more,
    provision: {
      type: 'permit',
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: 'RelatedPerson/anna-for-mary' },
        },
      ],
      ...provision,
    },
  });
const classes = (...codes: readonly string[]): object => ({ class: codes.map(code => ({ system: 'http://hl7.org/fhir/resource-types', code })) });

test('the own record first, then those cared for, then practices', async () => {
  signedIn(await world.accounts.signUp(form({ username: 'anna-r', given: 'Anna' }), here));
  const own = (await world.accounts.find('anna-r'))!.hats[0]!;
  const lee: Hat = { kind: 'practitioner', resource: 'Practitioner/lee', organization: 'ima' };
  const choices = await world.accounts.choices(account(lee, anna, { kind: 'front-desk', organization: 'ima' }, own));
  expect(choices).toEqual([
    { kind: 'patient', hat: own.resource, record: own.resource, name: 'Anna Reyes', standing: true },
    { kind: 'caregiver', hat: anna.resource, record: 'Patient/mary', name: 'Somebody you care for', standing: false },
    { kind: 'practitioner', hat: 'Practitioner/lee', name: 'Internal Medicine Associates', standing: true },
  ]);
});

test('without a consent in force there is neither standing nor the patient’s name', async () => {
  const [choice] = await world.accounts.choices(account(anna));
  expect(choice).toMatchObject({ standing: false, name: 'Somebody you care for' });
  await consent({}, { status: 'proposed' });
  expect(await world.accounts.choices(account(anna))).toEqual([choice]);
  await consent({ ...classes('Patient'), actor: [{ role: { text: 'other' }, reference: { reference: 'Organization/ima' } }] });
  expect(await world.accounts.choices(account(anna))).toEqual([choice]);
});

test('a consent for something else gives standing, and no name; one for the Patient gives the name, while it is in force', async () => {
  await consent({ ...classes('MedicationStatement') });
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ standing: true, name: 'Somebody you care for' }]);
  await consent({ ...classes('Patient', 'MedicationStatement'), period: { end: '2026-11-28T12:30:00Z' } });
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ standing: true, name: 'Mary Reyes' }]);
  world.pass(minutes(31));
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ standing: false, name: 'Somebody you care for' }]);
});

test('a restriction of another consent keeps the name back too', async () => {
  await consent({ ...classes('Patient', 'MedicationStatement') });
  const restriction = {
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: 'restriction' }] }],
  };
  await consent({ type: 'deny', ...classes('Patient') }, { id: 'no', ...restriction });
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ standing: true, name: 'Somebody you care for' }]);
});

test('a part that denies the Patient keeps the name back', async () => {
  await consent({ ...classes('Patient', 'MedicationStatement'), provision: [{ type: 'deny', ...classes('Patient') }] });
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ standing: true, name: 'Somebody you care for' }]);
});

test('a RelatedPerson that is no longer active, or gone, is no choice; what she is to the patient is said where it is written', async () => {
  const relation = { resourceType: 'RelatedPerson', id: 'anna-for-mary', active: true, patient: { reference: 'Patient/mary' } } as const;
  await put({ ...relation, relationship: [{ text: 'daughter' }] });
  expect(await world.accounts.choices(account(anna))).toMatchObject([{ name: 'Somebody you care for (you are: daughter)' }]);
  await put({ ...relation, active: false });
  expect(await world.accounts.choices(account(anna))).toEqual([]);
  expect(await world.accounts.choices(account({ kind: 'caregiver', resource: 'RelatedPerson/nobody' }))).toEqual([]);
});

test('two who are called alike are told apart', async () => {
  await put({ resourceType: 'RelatedPerson', id: 'anna-for-lee', active: true, patient: { reference: 'Patient/mary' } });
  const names = (await world.accounts.choices(account(anna, { kind: 'caregiver', resource: 'RelatedPerson/anna-for-lee' }))).map(({ name }) => name);
  expect(names).toEqual(['Somebody you care for', 'Somebody you care for (2)']);
});
