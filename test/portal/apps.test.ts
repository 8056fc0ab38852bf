import { expect, test } from '@jest/globals';
import { fakeAuthorizations, sendForm, textOf } from './authorize-world.ts';
import { fakeWorld } from './fake-world.ts';
import { visitorOf } from './visitor.ts';

const shared = { client: 'med-app', active: true, patient: 'mary' } as const;
const authorizations = fakeAuthorizations([
  {
    ...shared,
    id: 'g1',
    clientName: 'Medication <i>list</i>',
    account: 'mary',
    fhirUser: 'Patient/mary',
    scope: 'offline_access patient/MedicationStatement.cruds',
    created: '2026-05-04T10:00:00.000Z',
  },
  { ...shared, id: 'g2', clientName: 'Care book', account: 'anna', fhirUser: 'RelatedPerson/anna-for-mary', scope: 'patient/AllergyIntolerance.rs' },
]);
const { app, accounts } = fakeWorld({ authorizations });
const mary = visitorOf(app, accounts.enter('mary'));
const anna = visitorOf(app, accounts.enter('anna'));

test('the apps that a person has connected: since when, for which record, and what they may do', async () => {
  const { text } = await mary.get('/apps');
  expect(text).not.toContain('<i>list');
  expect(textOf(text)).toContain('Record Your own Since 4 May 2026 How long Until you disconnect it May See, add, change and delete your medications');
  expect(textOf(text)).not.toContain('Care book');
  expect(textOf((await anna.get('/apps')).text)).toContain('See Mary Reyes’s allergies');
});

test('who has connected none is told so', async () => {
  expect(textOf((await visitorOf(app, accounts.enter('dr-lee')).get('/apps')).text)).toContain('No app is connected.');
});

test("somebody else's is nowhere, and stays", async () => {
  expect((await mary.get('/apps/g2/end')).status).toBe(404);
  const csrf = /name="csrf" value="([^"]+)"/.exec((await mary.get('/apps')).text)![1]!;
  expect((await mary.post('/apps/g2/end', { csrf })).status).toBe(404);
  expect(authorizations.ended).toEqual([]);
});

test('it is disconnected after being asked once more', async () => {
  expect(textOf((await mary.get('/apps/g1/end')).text)).toContain('use nothing of your record');
  expect(authorizations.ended).toEqual([]);
  expect((await sendForm(app, mary, '/apps/g1/end', '/apps/g1/end')).headers.location).toBe('/apps?ended');
  expect(authorizations.ended).toEqual(['g1']);
  expect(textOf((await mary.get('/apps?ended')).text)).toContain('The app is disconnected.');
});
