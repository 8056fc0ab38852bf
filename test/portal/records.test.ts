import { expect, test } from '@jest/globals';
import { sendForm, textOf } from './authorize-world.ts';
import { actingForMary, fakeWorld } from './fake-world.ts';
import { visitorOf } from './visitor.ts';

const { app, accounts } = fakeWorld();

test('a person switches between the own record and that of somebody cared for, without a new sign-in (ACCESS §4)', async () => {
  const anna = visitorOf(app, accounts.enter('anna'));
  expect(textOf((await anna.get('/records')).text)).toMatch(
    /Your own record now Anna Reyes .*Mary Reyes’s record You help to look after it Act for Mary Reyes/,
  );
  const answer = await sendForm(app, anna, '/records', '/records', { fields: { choice: 'RelatedPerson/anna-for-mary Patient/mary' } });
  expect(answer.headers.location).toBe('/records');
  const text = textOf((await anna.get('/records')).text);
  expect(text).toContain('You are acting for Mary Reyes');
  expect(text).toContain('Mary Reyes’s record now');
});

test('a record that the account does not have is not taken', async () => {
  const cookie = accounts.enter('mary');
  const mary = visitorOf(app, cookie);
  const csrf = /name="csrf" value="([^"]+)"/.exec((await mary.get('/records')).text)![1]!;
  await mary.post('/records', { csrf, choice: 'RelatedPerson/anna-for-mary Patient/mary' });
  expect((await accounts.session(cookie))!.acting).toBeUndefined();
});

test('one leads on to where the person came from, and nowhere else', async () => {
  const anna = visitorOf(app, accounts.enter('anna', { acting: actingForMary }));
  const choice = 'Patient/anna Patient/anna';
  expect((await sendForm(app, anna, '/records?to=/consents', '/records', { fields: { choice } })).headers.location).toBe('/consents');
  for (const to of ['https://evil.example', '//evil.example', '/\\evil.example'])
    expect((await sendForm(app, anna, '/records', '/records', { fields: { choice, to } })).headers.location).toBe('/records');
});

test('an account without a record says so', async () => {
  expect(textOf((await visitorOf(app, accounts.enter('dr-lee')).get('/records')).text)).toContain(
    'This account has no record of its own and looks after none.',
  );
});
