import { writeAppConsent } from '../../src/access/app-consent.ts';
import type { Caller } from '../../src/access/caller.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { handOf } from '../../src/interaction/app-consent.ts';
import { actions, agreement, buprenorphine, classes, consent, designation, lisinopril, statement } from '../http/resources.ts';
import { type Client, openWorld, type World } from '../http/world.ts';
import { type FakeAuthorizations, fakeAuthorizations } from './authorize-world.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

/** The pages over a real record and the real road: Mary's, with what people have been permitted there. */
export interface ConsentsWorld {
  readonly world: World;
  readonly pages: FakeWorld;
  readonly authorizations: FakeAuthorizations;
  readonly mary: Client;
  readonly ehr: Client;
  /** By what they are: designation, share, restriction, app; and the proposals. */
  readonly ids: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

const visit = (text: string, start: string): Resource => ({
  resourceType: 'Encounter',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  type: [{ text }],
  subject: { reference: 'Patient/mary' },
  period: { start },
});
const until = (end: string): object => ({ period: { start: '2026-01-01', end } });
const sensitivity = (...codes: readonly string[]): object => ({
  securityLabel: codes.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code })),
});

export async function openConsentsWorld(): Promise<ConsentsWorld> {
  const world = await openWorld();
  const { app } = world;
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  const mary = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'mary'));
  const hand = handOf({ account: 'mary', who: 'Patient/mary', record: 'Patient/mary' });
  const annasHand = handOf({ account: 'anna', who: 'RelatedPerson/anna-for-mary', record: 'Patient/mary' });
  const made = async (by: Client, resource: Resource): Promise<string> => {
    const answer = await by.post(resource.resourceType, resource);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body.id;
  };
  for (const resource of [
    lisinopril(),
    buprenorphine(),
    statement('5640', 'ibuprofen'),
    visit('Check-up', '2026-03-04'),
    visit('<b>Blood</b> pressure', '2026-05-06'),
  ])
    await made(ehr, resource);
  const allergy = { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/mary' }, code: { text: 'Penicillin' } };
  await made(mary, allergy);
  const designated = await made(ehr, designation(`DocumentReference/${await made(ehr, agreement())}`));
  const propose = (resource: Resource): Promise<string> => made(mary, resource);
  const activated = async (resource: Resource): Promise<string> => {
    const id = await propose(resource);
    await app.activate(id, '1', hand);
    return id;
  };
  const share = { kind: 'share', actor: 'Organization/harbor' };
  const scope = 'openid fhirUser launch/patient offline_access patient/MedicationStatement.cruds patient/AllergyIntolerance.rs';
  const ids = {
    designation: designated,
    share: await activated(
      consent({ ...share, provision: { ...actions('access'), ...classes('MedicationStatement', 'AllergyIntolerance'), ...until('2027-06-30') } }),
    ),
    restriction: await activated(consent({ kind: 'restriction', actor: 'Practitioner/lee', provision: { ...actions('access'), ...sensitivity('SUD', 'MH') } })),
    proposal: await propose(
      consent({ kind: 'authorized-user', actor: 'RelatedPerson/anna-for-mary', provision: { ...actions('access'), ...until('2027-11-24') } }),
    ),
    hiding: await propose(consent({ kind: 'restriction', actor: 'Organization/ima', provision: { ...actions('access'), ...classes('MedicationStatement') } })),
    app: await appConsent(app, scope, hand),
    annasApp: await appConsent(app, 'patient/Goal.rs', annasHand),
  };
  const authorizations = fakeAuthorizations([
    {
      id: 'g1',
      client: 'med-app',
      clientName: 'Medication list',
      account: 'mary',
      scope,
      active: true,
      patient: 'mary',
      fhirUser: 'Patient/mary',
      created: '2026-05-04T10:00:00.000Z',
      consent: `Consent/${ids.app}`,
    },
  ]);
  const pages = fakeWorld({
    run: (asked, caller) => app.run(asked, caller),
    activate: (id, version, person) => app.activate(id, version, person),
    authorizations,
    now: () => Date.parse(app.now()),
  });
  return { world, pages, authorizations, mary, ehr, ids, end: () => world.end() };
}

/** What the authorization server makes beside an authorization. */
async function appConsent(app: World['app'], scope: string, by: Caller): Promise<string> {
  const { id: _given, ...body } = writeAppConsent({
    id: 'g1',
    patient: 'Patient/mary',
    performer: by.who,
    client: { id: 'med-app', name: 'Medication list' },
    scope,
    at: app.now(),
  });
  const answer = await app.run({ method: 'POST', path: ['Consent'], query: [], headers: {}, body }, by);
  return /Consent\/([^/]+)/.exec(answer.headers?.Location ?? '')![1]!;
}
