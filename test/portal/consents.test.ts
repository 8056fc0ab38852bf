import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import { consent } from '../http/resources.ts';
import { type Filling, sendForm, textOf } from './authorize-world.ts';
import { type ConsentsWorld, openConsentsWorld } from './consents-world.ts';
import { actingForMary } from './fake-world.ts';
import { type Visitor, visitorOf } from './visitor.ts';

// One story, in order: each step stands on the ones before it.
let of: ConsentsWorld;
/** Signed in only; and with a second factor that was just shown. */
let mary: Visitor;
let sure: Visitor;
/** The daughter, for her mother. */
let anna: Visitor;

beforeAll(async () => {
  of = await openConsentsWorld();
  const { pages, world } = of;
  const confirmedAt = Date.parse(world.app.now());
  mary = visitorOf(pages.app, pages.accounts.enter('mary'));
  sure = visitorOf(pages.app, pages.accounts.enter('mary', { confirmedAt }));
  anna = visitorOf(pages.app, pages.accounts.enter('anna', { confirmedAt, acting: actingForMary }));
});
afterAll(() => of.end());

const read = async (who: Visitor, path: string): Promise<string> => textOf((await who.get(path)).text);
const press = (who: Visitor, from: string | Response, action: string, filling?: Filling): Promise<Response> =>
  sendForm(of.pages.app, who, from, action, filling);
const statusOf = async (id: string): Promise<string> => (await of.mary.get(`Consent/${id}`)).body.status;
const give: Filling = { press: ['decision', 'give'] };

describe('who can see the record', () => {
  test('the patient sees everybody, in groups and in words (ACCESS §4)', async () => {
    const text = await read(mary, '/consents');
    const order = ['Waiting for you', 'Caregivers', 'Main caregiver', 'Practices', 'Harbor Clinic', 'Apps An app', 'Medication list', 'Restrictions'];
    expect(order.toSorted((one, other) => text.indexOf(one) - text.indexOf(other))).toEqual(order);
    expect(text).toContain('See, add and change medications, details of medications and notes on who wrote what. Nothing that is marked as sensitive.');
    expect(text).toContain('See medications and allergies. Nothing that is marked as sensitive. Since 1 January 2026 , until 30 June 2027 .');
    expect(text).toContain('Cannot see anything that is about alcohol and drug use or mental health.');
    expect(text).toContain('Internal Medicine Associates Sees what it wrote into the record itself.');
    expect(text).toContain('See, add, change and delete your medications');
  });

  test('a caregiver sees what she may, and nothing to give or end', async () => {
    const page = await anna.get('/consents');
    const text = textOf(page.text);
    expect(text).toContain('Who can see Mary Reyes’s record');
    expect(text).toContain('Only Mary Reyes gives or ends a consent.');
    expect(text).toContain('You Main caregiver');
    expect(text).toContain('See Mary Reyes’s health goals. Connected by you.');
    for (const hidden of ['Harbor Clinic', 'Restrictions', 'alcohol', 'Waiting']) expect([hidden, text.includes(hidden)]).toEqual([hidden, false]);
    const own = await anna.get(`/consents/${of.ids.designation}`);
    expect(own.status).toBe(200);
    expect(textOf(own.text)).not.toContain('End this');
    expect((await anna.get(`/consents/${of.ids.designation}/end`)).status).toBe(403);
    const token = /name="csrf" value="([^"]+)"/.exec(own.text)![1]!;
    expect((await anna.post(`/consents/${of.ids.designation}/end`, { csrf: token, version: '1' })).status).toBe(403);
    expect(await statusOf(of.ids.designation!)).toBe('active');
  });

  test('what she may not read and what is not there answer alike', async () => {
    const pages = await Promise.all([of.ids.restriction, of.ids.proposal, 'nowhere'].map(id => anna.get(`/consents/${id}`)));
    expect(pages.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
  });

  test('names are text, whatever is in them', async () => {
    const evil = consent({
      kind: 'share',
      actor: 'Organization/harbor',
      provision: { code: [{ coding: [{ system: 'x', code: 'y', display: '<img src=x onerror=alert(1)>' }] }] },
    });
    const { body } = await of.mary.post('Consent', {
      ...evil,
      text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml"><b>narrative</b></div>' },
    });
    for (const path of ['/consents', `/consents/${body.id}`]) {
      const { text } = await mary.get(path);
      expect(text).not.toMatch(/<img src=x|narrative/);
    }
    expect((await mary.get(`/consents/${body.id}`)).text).toContain('Only about &lt;img src=x onerror=alert(1)&gt;');
    await press(mary, `/consents/${body.id}`, `/consents/${body.id}`, { press: ['decision', 'reject'] });
  });
});

describe('a proposal', () => {
  test('is shown with what they would see by it: counts by type', async () => {
    const text = await read(mary, `/consents/${of.ids.proposal}`);
    expect(text).toContain('Access for a person: Anna Reyes');
    expect(text).toContain('24 November 2027');
    expect(text).toContain('1 allergy');
    expect(text).toContain('2 visits and hospital stays');
    expect(text).toContain('2 medications (1 more is left out)');
  });

  test('of a restriction is shown with what it hides', async () => {
    const text = await read(mary, `/consents/${of.ids.hiding}`);
    expect(text).toContain('Cannot see medications');
    expect(text).toContain('What it hides from Internal Medicine Associates');
  });

  test('is not given without a second factor shown in the last five minutes', async () => {
    const path = `/consents/${of.ids.proposal}`;
    const late = visitorOf(of.pages.app, of.pages.accounts.enter('mary', { confirmedAt: Date.parse(of.world.app.now()) - 301_000 }));
    for (const who of [mary, late]) {
      const answer = await press(who, path, path, give);
      expect([answer.status, answer.headers.location]).toEqual([303, `/confirm?to=${encodeURIComponent(path)}`]);
    }
    expect(await statusOf(of.ids.proposal!)).toBe('proposed');
  });

  test('is given in the version that was seen, and in no other', async () => {
    const path = `/consents/${of.ids.hiding}`;
    const seen = await sure.get(path);
    const { body } = await of.mary.get(`Consent/${of.ids.hiding}`);
    expect((await of.mary.put(`Consent/${of.ids.hiding}`, { ...body, provision: { ...body.provision, class: undefined } })).status).toBe(200);
    expect((await press(sure, seen, path, give)).status).toBe(412);
    expect(await statusOf(of.ids.hiding!)).toBe('proposed');
  });

  test('is turned down without one', async () => {
    const path = `/consents/${of.ids.hiding}`;
    const answer = await press(mary, path, path, { press: ['decision', 'reject'] });
    expect(answer.headers.location).toBe('/consents?rejected');
    expect(await statusOf(of.ids.hiding!)).toBe('rejected');
  });

  test('given, it is in force from the next request on', async () => {
    const path = `/consents/${of.ids.proposal}`;
    const answer = await press(sure, path, path, give);
    expect(answer.headers.location).toBe('/consents?given');
    expect(await statusOf(of.ids.proposal!)).toBe('active');
    const token = of.world.as(await of.world.token('med-app', 'patient/*.rs', 'anna', 'Patient/mary'));
    expect((await token.get('AllergyIntolerance?_total=accurate')).body.total).toBe(1);
  });

  test('only the patient gives: a caregiver who sends the form is refused', async () => {
    const { body } = await of.mary.post('Consent', consent({ kind: 'authorized-user', actor: 'RelatedPerson/anna-for-mary' }));
    const page = await anna.get(`/consents/${of.ids.designation}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)![1]!;
    expect((await anna.post(`/consents/${body.id}`, { csrf, version: '1', decision: 'give' })).status).toBe(403);
    expect(await statusOf(body.id)).toBe('proposed');
  });
});

describe('the end of what is in force', () => {
  const end = async (who: Visitor, id: string): Promise<Response> => press(who, `/consents/${id}/end`, `/consents/${id}/end`);

  test('of a permission needs no second factor, and counts at once', async () => {
    expect(await read(mary, `/consents/${of.ids.share}/end`)).toContain('End the access of Harbor Clinic?');
    expect((await end(mary, of.ids.share!)).headers.location).toBe('/consents?ended');
    expect(await statusOf(of.ids.share!)).toBe('inactive');
    expect(await read(mary, '/consents?ended')).toContain('They can still read the consent that has ended');
  });

  test('of a caregiver', async () => {
    await end(mary, of.ids.designation!);
    expect(await statusOf(of.ids.designation!)).toBe('inactive');
  });

  test('of a restriction needs one, since it lets somebody see more', async () => {
    const path = `/consents/${of.ids.restriction}/end`;
    const asked = await mary.get(path);
    expect(asked.headers.location).toBe(`/confirm?to=${encodeURIComponent(path)}`);
    const form = await sure.get(path);
    const csrf = /name="csrf" value="([^"]+)"/.exec((await mary.get('/consents')).text)![1]!;
    expect((await mary.post(path, { csrf, version: '2' })).headers.location).toBe(`/confirm?to=${encodeURIComponent(path)}`);
    expect(await statusOf(of.ids.restriction!)).toBe('active');
    expect((await press(sure, form, path)).headers.location).toBe('/consents?ended');
    expect(await statusOf(of.ids.restriction!)).toBe('inactive');
  });

  test('of an own app is the end of its authorization', async () => {
    expect((await end(mary, of.ids.app!)).headers.location).toBe('/consents?ended');
    expect(of.authorizations.ended).toEqual(['g1']);
  });

  test('of an app that a caregiver connected ends its Consent, and so its tokens', async () => {
    expect((await end(mary, of.ids.annasApp!)).headers.location).toBe('/consents?ended');
    expect(await statusOf(of.ids.annasApp!)).toBe('inactive');
  });

  test('of what has ended is not offered', async () => {
    expect(await read(mary, `/consents/${of.ids.share}`)).toContain('ended');
    expect((await mary.get(`/consents/${of.ids.share}/end`)).status).toBe(403);
  });

  test('a caregiver whose consents have all ended is told what is left to know', async () => {
    await end(mary, of.ids.proposal!);
    const page = await anna.get('/consents');
    expect(page.status).toBe(200);
    expect(textOf(page.text)).toContain('At present no consent lets you see anything there. Ask Mary Reyes, or the practice.');
  });

  test('every decision is in the log as made by the person', async () => {
    const { body } = await of.mary.get(`AuditEvent?entity=Consent/${of.ids.restriction}&_count=50`);
    const who = (body.entry as { resource: { action: string; agent: { who: { reference?: string }; requestor: boolean }[] } }[])
      .filter(({ resource }) => resource.action === 'U')
      .flatMap(({ resource }) => resource.agent.filter(agent => agent.requestor).map(agent => agent.who.reference));
    expect(new Set(who)).toEqual(new Set(['Patient/mary']));
  });
});
