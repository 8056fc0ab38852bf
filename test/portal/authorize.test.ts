import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import { Problem } from '../../src/fhir/problem.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { nextStep } from '../../src/portal/authorize-steps.ts';
import type { PortalParts } from '../../src/portal/route.ts';
import { asking, type FakeAuthorizations, type Filling, fakeAuthorizations, sendForm, textOf, tickedIn } from './authorize-world.ts';
import { actingForMary, type FakeWorld, fakeWorld } from './fake-world.ts';
import { type Visitor, visitorOf } from './visitor.ts';

const path = '/auth/interaction/u1';
const visits: readonly Resource[] = [
  { resourceType: 'Encounter', id: 'e1', type: [{ text: 'Earlier' }], period: { start: '2026-03-04' } },
  { resourceType: 'Encounter', id: 'e2', type: [{ text: 'Check-up <b>' }], period: { start: '2026-05-06' } },
];
/** The road: it finds the visits of Mary's record, for her, and nothing else. */
const run: PortalParts['run'] = async (request, caller) => {
  if (caller.record !== 'Patient/mary' || request.path[0] !== 'Encounter') throw new Error('this road leads nowhere');
  if (request.path.length === 1) return { status: 200, shows: [], body: { bundle: { type: 'searchset' }, entries: visits.map(body => ({ body })) } };
  const found = visits.find(({ id }) => id === request.path[1]);
  if (found === undefined) throw new Problem('not-found', 'no such Encounter');
  return { status: 200, shows: [], body: { resource: found } };
};
const ask = (...scopes: readonly string[]) => asking({ scopes });

let pages: FakeWorld;
let authorizations: FakeAuthorizations;
let mary: Visitor;
beforeEach(() => {
  authorizations = fakeAuthorizations();
  pages = fakeWorld({ authorizations, run });
  mary = visitorOf(pages.app, pages.accounts.enter('mary'));
});
const as = (username: string, of = {}): Visitor => visitorOf(pages.app, pages.accounts.enter(username, of));
const send = (who: Visitor, filling: Filling, from: string | Response = path): Promise<Response> => sendForm(pages.app, who, from, path, filling);
const allow = (filling: Filling = {}): Filling => ({ press: ['step', 'allow'], ...filling });

describe('the decision', () => {
  test('everything is ticked, and what is allowed whole is given as it was asked for', async () => {
    const scopes = ['openid', 'fhirUser', 'launch/patient', 'offline_access', 'patient/*.read', 'patient/Observation.rs', 'patient/AuditEvent.rs'];
    authorizations.asks = ask(...scopes);
    const { text } = await mary.get(path);
    expect(text.match(/type="checkbox"/g)!.length).toBe(tickedIn(text).length);
    expect((await send(mary, allow())).headers.location).toBe('https://app.example/callback?code=1');
    expect(authorizations.allowed).toMatchObject([{ scopes, choice: { hat: 'Patient/mary', record: 'Patient/mary' }, account: { username: 'mary' } }]);
    expect(authorizations.allowed[0]).not.toHaveProperty('encounter');
  });

  test('a type, a category and staying connected can be taken away (ONC §170.315(g)(10))', async () => {
    authorizations.asks = ask('launch/patient', 'offline_access', 'patient/MedicationStatement.rs', 'patient/Observation.rs', 'patient/Condition.rs');
    const others = ['social-history', 'survey', 'sdoh', 'laboratory'].map(code => `patient/Observation.see|${code}`);
    await send(mary, allow({ untick: ['offline', 'patient/MedicationStatement.see', 'patient/Condition.see|health-concern', ...others] }));
    expect(authorizations.allowed[0]!.scopes).toEqual([
      'launch/patient',
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
      'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
      'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
    ]);
  });

  test('a form cannot give more than was asked for', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    await send(mary, allow({ fields: { more: 'patient/Device.see', allow: 'patient/Goal.change' } }));
    expect(authorizations.allowed).toEqual([]);
    await send(mary, allow({ fields: { allow: 'patient/Goal.see', extra: 'patient/*.see' } }));
    expect(authorizations.allowed[0]!.scopes).toEqual(['patient/Goal.rs']);
  });

  test('nothing ticked is said, and nothing is given', async () => {
    authorizations.asks = ask('launch/patient', 'offline_access', 'patient/Goal.rs');
    const answer = await send(mary, allow({ untick: 'all' }));
    expect(answer.status).toBe(422);
    expect(textOf(answer.text)).toContain('Nothing is ticked.');
    expect(tickedIn(answer.text)).toEqual([]);
    expect((await send(mary, allow({ untick: ['patient/Goal.see'] }))).status).toBe(422);
    expect(authorizations.allowed).toEqual([]);
  });

  test('it is not allowed', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    expect((await send(mary, { press: ['step', 'deny'] })).headers.location).toContain('access_denied');
    expect([authorizations.denied, authorizations.allowed.length]).toEqual([1, 0]);
  });

  test('the page says what, for how long, and what will not be given', async () => {
    authorizations.asks = asking({ scopes: ['offline_access', 'patient/MedicationStatement.cruds'], dropped: ['patient/AuditEvent.rs', 'patient/Foo.rs'] });
    const text = textOf((await mary.get(path)).text);
    expect(text).toContain('Let Medication list use your record?');
    expect(text).toContain('Medications: See');
    expect(text).toContain('Medications: Add, change and delete');
    expect(text).toContain('Until you end it, also while you are away');
    expect(text).toContain('It asked for more, and will not get it See your access log patient/Foo.rs');
    authorizations.asks = ask('patient/Goal.rs');
    expect(textOf((await mary.get(path)).text)).toContain('For one hour');
  });

  test('an app that registered itself is said to be unchecked, with where its answer goes', async () => {
    const { client } = ask();
    authorizations.asks = asking({ scopes: ['patient/Goal.rs'], client: { ...client, client_name: '<script>alert(1)</script>', dynamic: true } });
    const { text } = await mary.get(path);
    expect(textOf(text)).toContain('Nobody here has checked this app.');
    expect(textOf(text)).toContain('Your answer goes to app.example');
    expect(text).not.toContain('<script>alert');
    authorizations.asks = ask('patient/Goal.rs');
    expect((await mary.get(path)).text).not.toContain('Nobody here has checked');
  });

  test('its form may lead to the app, and nowhere else (CSP form-action)', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    expect((await mary.get(path)).headers['content-security-policy']).toContain("form-action 'self' https://app.example org.example.app:;");
  });

  test('an unknown request is nowhere', async () => {
    const answer = await mary.get(path);
    expect([answer.status, textOf(answer.text).includes('Please begin again in the app')]).toEqual([404, true]);
  });
});

describe('before it', () => {
  test('whoever has not signed in does so, and comes back; with the name that the app hints at', async () => {
    authorizations.asks = asking({ scopes: ['patient/Goal.rs'], loginHint: 'mary' });
    const nobody = visitorOf(pages.app);
    expect((await nobody.get(path)).headers.location).toBe(`/sign-in?to=${encodeURIComponent(path)}&username=mary`);
  });

  test('prompt=login and max_age: who signed in before that signs in again, also before a form counts', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    const page = await mary.get(path);
    authorizations.asks = { ...authorizations.asks, signedInSince: Date.parse('2026-06-01T12:00:01.000Z') };
    expect((await mary.get(path)).headers.location).toBe(`/sign-in?to=${encodeURIComponent(path)}&again=1`);
    expect((await send(mary, allow(), page)).headers.location).toBe(path);
    expect(authorizations.allowed).toEqual([]);
  });

  test('a launch under another account says so', async () => {
    authorizations.asks = asking({ scopes: ['patient/Goal.rs'], launch: { client: 'med-app', account: 'dr-lee', patient: 'mary' } });
    const text = textOf((await mary.get(path)).text);
    expect(text).toContain('was started by dr-lee , but you are signed in as mary');
    expect(text).not.toContain('Allow');
  });

  test('a record of which the account has nothing says so', async () => {
    authorizations.asks = asking({ scopes: ['patient/Goal.rs'], launch: { client: 'med-app', patient: 'bob' } });
    expect(textOf((await mary.get(path)).text)).toContain('This account has nothing that fits');
    authorizations.asks = asking({ scopes: ['user/Goal.rs'], needsRecord: false });
    expect(textOf((await mary.get(path)).text)).toContain('This account has nothing that fits');
  });

  test('who has several records chooses one, and can choose anew', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    const anna = as('anna');
    const page = await anna.get(path);
    expect(textOf(page.text)).toContain('Which record?');
    const chosen = await send(anna, { press: ['step', 'choose'], fields: { choice: 'RelatedPerson/anna-for-mary Patient/mary' } }, page);
    expect(chosen.headers.location).toBe(path);
    const text = textOf((await anna.get(path)).text);
    expect(text).toContain('Let Medication list use Mary Reyes’s record?');
    expect(text).toContain('You decide for Mary Reyes.');
    await send(anna, allow());
    expect(authorizations.allowed[0]!.choice).toMatchObject({ kind: 'caregiver', record: 'Patient/mary' });
    expect(textOf((await anna.get(`${path}?choose`)).text)).toContain('Which record?');
  });

  test('a record that the account does not have cannot be chosen', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    const anna = as('anna');
    await send(anna, { press: ['step', 'choose'], fields: { choice: 'Patient/bob Patient/bob' } });
    expect(textOf((await anna.get(path)).text)).toContain('Which record?');
  });

  test('what was decided about another record, in another window, does not count', async () => {
    authorizations.asks = ask('patient/Goal.rs');
    const anna = as('anna', { acting: actingForMary });
    const page = await anna.get(path);
    await sendForm(pages.app, anna, '/records', '/records', { fields: { choice: 'Patient/anna Patient/anna' } });
    expect((await send(anna, allow(), page)).headers.location).toBe(path);
    expect(authorizations.allowed).toEqual([]);
  });

  test('a launch that names the record leaves no choice', async () => {
    authorizations.asks = asking({ scopes: ['patient/Goal.rs'], launch: { client: 'med-app', patient: 'mary' } });
    const anna = as('anna', { acting: { hat: 'Patient/anna', record: 'Patient/anna' } });
    expect(textOf((await anna.get(path)).text)).toContain('Let Medication list use Mary Reyes’s record?');
  });

  test('who has a record and works at a practice says which of them it is about; then about which patient', async () => {
    const session = await pages.accounts.session(pages.accounts.enter('dr-lee'));
    const account = await pages.accounts.find('dr-lee');
    const practice = { kind: 'practitioner', hat: 'Practitioner/lee', name: 'Internal Medicine Associates', standing: true } as const;
    const own = { kind: 'patient', hat: 'Patient/lee', record: 'Patient/lee', name: 'Dr Lee', standing: true } as const;
    const given = { session, account, choices: [own, practice] };
    const acting = { ...given, session: { ...session!, acting: { hat: practice.hat } } };
    const asked = ask('patient/Goal.rs');
    expect(nextStep(asked, given)).toMatchObject({ step: 'choose', candidates: [own, practice] });
    expect(nextStep(asked, acting)).toEqual({ step: 'patient', choice: practice, others: true });
    expect(nextStep(asked, { ...acting, patient: '' })).toMatchObject({ step: 'patient' });
    expect(nextStep(asked, { ...acting, patient: 'mary' })).toMatchObject({ step: 'decide', choice: { hat: practice.hat, record: 'Patient/mary' } });
    // The own record is nobody else's, whatever a form says; and a chart that is open is that patient's.
    expect(nextStep(asked, { ...given, choices: [own], patient: 'mary' })).toMatchObject({ step: 'decide', choice: own });
    const launched = asking({ scopes: ['patient/Goal.rs'], launch: { client: 'med-app', patient: 'mary' } });
    expect(nextStep(launched, { ...given, patient: 'bob' })).toMatchObject({ step: 'decide', choice: { hat: practice.hat, record: 'Patient/mary' } });
  });

  test('a practitioner decides about what he may see there', async () => {
    authorizations.asks = asking({ scopes: ['user/Observation.rs'], needsRecord: false });
    const text = textOf((await as('dr-lee').get(path)).text);
    expect(text).toContain('Let Medication list use what you may see at Internal Medicine Associates?');
    expect(text).not.toContain('under Apps');
    expect(text).toContain('Measurements and results of patients whom you may see');
  });

  test('a visit is chosen only where one is asked for and the launch names none', async () => {
    authorizations.asks = asking({ scopes: ['launch/encounter', 'patient/Goal.rs'], needsEncounter: true });
    const page = await mary.get(path);
    expect(textOf(page.text)).toContain('Which visit?');
    expect(textOf(page.text)).toMatch(/None of them .*Check-up &lt;b&gt; 6 May 2026 Earlier 4 March 2026/);
    const chosen = await send(mary, { press: ['step', 'encounter'], fields: { encounter: 'e2' } }, page);
    expect(chosen.headers.location).toBe(`${path}?encounter=e2`);
    await send(mary, allow(), await mary.get(chosen.headers.location!));
    expect(authorizations.allowed[0]).toMatchObject({ encounter: 'e2' });
    const none = await send(mary, { press: ['step', 'encounter'] }, page);
    await send(mary, allow(), await mary.get(none.headers.location!));
    expect(authorizations.allowed[1]).not.toHaveProperty('encounter');
  });

  test('a visit of somebody else is nowhere', async () => {
    authorizations.asks = asking({ scopes: ['launch/encounter', 'patient/Goal.rs'], needsEncounter: true });
    expect((await send(mary, allow(), await mary.get(`${path}?encounter=other`))).status).toBe(404);
    expect(authorizations.allowed).toEqual([]);
  });
});
