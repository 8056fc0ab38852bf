import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Resource } from '../../src/fhir/types.ts';
import type { Browser, Form, Page } from './browser.ts';
import { type AuthWorld, authorizationRequest, drLee, mary, openAuthWorld, type Person, publicApp, REDIRECT } from './world.ts';

// context-standalone-patient: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
let world: AuthWorld;
let visit: string;
let older: string;
let wound: string;
const encounter = (patient: string, text: string, start: string): Resource => ({
  resourceType: 'Encounter',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  type: [{ text }],
  subject: { reference: `Patient/${patient}` },
  period: { start },
});
const patient = (id: string, family: string, given: string, birthDate: string, gender = 'female'): Resource => ({
  resourceType: 'Patient',
  id,
  name: [{ family, given: [given] }],
  birthDate,
  gender,
});

beforeAll(async () => {
  world = await openAuthWorld({}, [publicApp]);
  const [ima, harbor] = await Promise.all(['ehr-ima', 'ehr-harbor'].map(async client => world.as(await world.token(client, 'system/*.cruds'))));
  const put = async (by: typeof ima, resource: Resource): Promise<void> => expect((await by!.put(`Patient/${resource.id}`, resource)).status).toBe(201);
  const post = async (by: typeof ima, resource: Resource): Promise<string> => {
    const { status, body } = await by!.post(resource.resourceType, resource);
    expect(status).toBe(201);
    return body.id;
  };
  // Three of one name, and one of Harbor Clinic whom Internal Medicine Associates do not treat.
  await put(ima, { ...patient('maria', 'Reyes', 'Mary', '1980-07-01'), identifier: [{ system: 'urn:mrn', value: 'M-17|4' }] });
  await put(ima, patient('mario', 'Reyes', 'Mary', '1980', 'other'));
  await put(harbor, patient('hidden', 'Reyes', 'Mary', '1947-03-02'));
  for (let at = 0; at < 21; at++) await put(ima, patient(`many-${at}`, 'Crowd', `Member ${at}`, '2000-01-01'));
  older = await post(ima, encounter('mary', 'Check-up', '2026-03-04'));
  visit = await post(ima, encounter('mary', 'Blood pressure', '2026-05-06'));
  wound = await post(ima, encounter('maria', 'Wound', '2026-05-07'));
});
afterAll(() => world.end());

const scope = 'launch/patient openid fhirUser patient/Patient.rs patient/Encounter.rs';
/** The text of a page as it is read. */
const read = ({ html }: Page): string =>
  html
    .slice(html.indexOf('<main'))
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
const formOf = (page: Page, step: string): Form => {
  const form = page.forms.find(one => one.fields.some(([name, value]) => name === 'step' && value === step) || one.buttons.some(([, value]) => value === step));
  if (form === undefined) throw new Error(`no form for ${step} at ${page.url}: ${page.html}`);
  return form;
};
const offered = (page: Page, name = 'patient'): readonly string[] =>
  page.forms.flatMap(({ boxes }) => boxes.flatMap(box => (box.name === name ? [box.value] : [])));

describe.each([
  ['patient/ scopes', scope],
  ['launch/patient with user/ scopes', 'launch/patient openid fhirUser user/Patient.rs user/Encounter.rs'],
])('a practitioner chooses the patient (context-standalone-patient): %s', (_name, scopes) => {
  let browser: Browser;
  let page: Page & { readonly left?: URL };
  let asked: ReturnType<typeof authorizationRequest>;
  beforeEach(async () => ({ browser, page, asked } = await begin(drLee, scopes)));
  const find = async (given: Readonly<Record<string, string>>): Promise<void> => {
    page = await browser.submit(formOf(page, 'find'), given);
  };

  test('nobody is shown before something was typed', async () => {
    expect([read(page).includes('Choose a patient'), offered(page)]).toEqual([true, []]);
    await find({});
    expect([page.status, offered(page), read(page).includes('Type a name')]).toEqual([422, [], true]);
    await find({ birthdate: '02.03.1947' });
    expect([page.status, offered(page)]).toEqual([422, []]);
  });

  test('by parts of the name, by date of birth, by id and by identifier; people of one name are told apart; what is typed stands in no address', async () => {
    await find({ name: 'reyes, mar' });
    expect(offered(page).toSorted()).toEqual(['maria', 'mario', 'mary']);
    const text = read(page);
    for (const told of ['female, born 2 March 1947', 'female, born 1 July 1980', 'sex: other, born 1980']) expect(text).toContain(told);
    expect(text).not.toContain('M-17');
    expect(page.url).not.toMatch(/reyes/i);
    await find({ name: 'mary', birthdate: '1947-03-02' });
    expect(offered(page)).toEqual(['mary']);
    await find({ name: '', birthdate: '', number: 'M-17|4' });
    expect(offered(page)).toEqual(['maria']);
    await find({ number: 'mary' });
    expect(offered(page)).toEqual(['mary']);
    await find({ number: 'nobody' });
    expect([offered(page), read(page).includes('Nobody whom you may see')]).toEqual([[], true]);
  });

  test('of more than 20 the first are shown, and that there are more', async () => {
    await find({ name: 'crowd' });
    expect([offered(page).length, read(page).includes('More than 20 patients fit')]).toEqual([20, true]);
    await find({ name: 'crowd 7' });
    expect([offered(page).length, read(page).includes('More than')]).toEqual([0, false]);
    await find({ name: 'crowd member' });
    expect(offered(page).length).toBe(20);
  });

  test('the one chosen is named on the page of the decision, and the token is about that one', async () => {
    await find({ name: 'mary' });
    page = await browser.submit(formOf(page, 'patient'), { patient: 'mary' });
    expect(read(page)).toContain('Mary Reyes , female, born 2 March 1947');
    const { body } = await redeemed(await allow(browser, page), asked);
    expect(body).toMatchObject({ patient: 'mary', need_patient_banner: true, scope: scopes });
    expect(decodeJwt(body.id_token)).toMatchObject({ sub: 'dr-lee', fhirUser: `${world.base}/Practitioner/lee` });
    const seen = await Promise.all(['Patient/mary', `Encounter/${visit}`, 'Patient/maria', 'Patient/hidden'].map(path => world.fhir(path, body.access_token)));
    // `patient/` scopes reach one patient, `user/` scopes all whom the practitioner may see.
    expect(seen.map(({ status }) => status)).toEqual([200, 200, scopes.includes('user/') ? 200 : 404, 404]);
    expect((await world.fhir('Condition', body.access_token)).status).toBe(403);
  });

  test.each(['hidden', 'nobody', '../Patient/mary', ''])('whom the practitioner may not see is neither found nor accepted: %s', async id => {
    await find({ name: 'mary' });
    expect(offered(page)).not.toContain('hidden');
    const found = page;
    page = await browser.submit(formOf(found, 'patient'), { patient: id });
    const told = (): unknown => [page.left, page.status, read(page).includes('none of the patients whom you may see'), offered(page, 'allow')];
    expect(told()).toEqual(id === '' ? [undefined, 200, false, []] : [undefined, 404, true, []]);
    // Also where the form of the decision says so.
    const before = (await world.app.store.documents('grant')).length;
    const decision = await browser.submit(formOf(found, 'patient'), { patient: 'mary' });
    const choice = `Practitioner/lee Patient/${id}`;
    page = await browser.submit(formOf(decision, 'allow'), { patient: id, choice }, { button: ['step', 'allow'] });
    expect(told()).toEqual(id === '' ? [undefined, 200, false, []] : [undefined, 404, true, []]);
    // Or says two things.
    page = await browser.submit(formOf(decision, 'allow'), { patient: 'maria' }, { button: ['step', 'allow'] });
    expect(page.left).toBeUndefined();
    expect((await world.app.store.documents('grant')).length).toBe(before);
  });
});

describe('the visit (context-standalone-encounter)', () => {
  const within = `${scope} launch/encounter`;
  const chosen = async (person: Person, id: string) => {
    const { browser, page: first, asked } = await begin(person, within);
    let page = first;
    if (person === drLee) {
      page = await browser.submit(formOf(page, 'find'), { name: 'mary' });
      page = await browser.submit(formOf(page, 'patient'), { patient: 'mary' });
    }
    expect([read(page).includes('Which visit?'), offered(page, 'encounter')]).toEqual([true, ['', visit, older]]);
    return { browser, asked, page: await browser.submit(formOf(page, 'encounter'), { encounter: id }) };
  };

  test.each([
    ['a practitioner, of the patient chosen', drLee],
    ['a person, of the own record', mary],
  ])('%s: the token names it, or none', async (_name, person) => {
    const some = await chosen(person, older);
    expect((await redeemed(await allow(some.browser, some.page), some.asked)).body).toMatchObject({ patient: 'mary', encounter: older });
    const none = await chosen(person, '');
    const { body } = await redeemed(await allow(none.browser, none.page), none.asked);
    expect([body.patient, 'encounter' in body]).toEqual(['mary', false]);
  });

  test.each([
    ['a practitioner', drLee],
    ['a person', mary],
  ])('one of another patient is not taken: %s', async (_name, person) => {
    const { browser, page } = await chosen(person, wound);
    const answer = await allow(browser, page);
    expect([answer.left, answer.status]).toEqual([undefined, 404]);
  });
});

/** Signs in, up to the first page about the app. */
async function begin(person: Person, scopes: string) {
  const browser = world.browser();
  const asked = authorizationRequest(world, scopes);
  const signIn = await browser.go(asked.url);
  const page = await browser.submit(signIn.forms.find(one => one.html.includes('name="password"'))!, { ...person });
  return { browser, asked, page };
}
const allow = (browser: Browser, page: Page) => browser.submit(formOf(page, 'allow'), {}, { button: ['step', 'allow'] });
const redeemed = ({ left, html }: Page & { readonly left?: URL }, { verifier }: { readonly verifier: string }) => {
  if (left === undefined) throw new Error(html);
  return world.post('/token', {
    grant_type: 'authorization_code',
    code: left.searchParams.get('code')!,
    redirect_uri: REDIRECT,
    client_id: publicApp.client_id,
    code_verifier: verifier,
  });
};
