import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TOTP } from 'otpauth';
import { actions, agreement, classes, consent, designation, lisinopril } from '../http/resources.ts';
import { type Client, openWorld, type World } from '../http/world.ts';
import { textOf } from './authorize-world.ts';
import { type Visitor, visitorOf } from './visitor.ts';

/** The whole server, as people meet it: an app proposes, the patient confirms with a second step, her daughter acts for her, and it ends. One story. */
let world: World;
let ehr: Client;
let app: Client;
let mary: Visitor;
let anna: Visitor;

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  app = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds', 'mary'));
  mary = visitorOf(world.server, undefined, world.url);
  anna = visitorOf(world.server, undefined, world.url);
});
afterAll(() => world.end());

const code = (secret: string, step = 0): string => new TOTP({ secret }).generate({ timestamp: Date.now() + step * 30_000 });

test('the patient gives what an app proposed only with a second step, which she is led to add', async () => {
  await ehr.post('MedicationStatement', lisinopril());
  const { body } = await app.post(
    'Consent',
    consent({ kind: 'share', actor: 'Organization/harbor', provision: { ...actions('access'), ...classes('MedicationStatement') } }),
  );
  const path = `/consents/${body.id}`;
  const signedIn = await mary.send(`/sign-in?to=${path}`, '/sign-in', { username: 'mary', password: 'correct-horse-battery-1' });
  expect(signedIn.headers.location).toBe(path);
  expect(textOf((await mary.get(path)).text)).toMatch(/Sharing: Harbor Clinic .*1 medication /);
  const led = (await mary.send(path, path, { decision: 'give' })).headers.location!;
  expect(textOf((await mary.get(led)).text)).toContain('Add a second step first');
  const scan = await mary.send('/account/authenticator', '/account/authenticator');
  const secret = /name="secret" value="([A-Z2-7]+)"/.exec(scan.text)![1]!;
  await mary.send(scan, '/account/authenticator/code', { code: code(secret, -1) });
  const page = await mary.get(led);
  if (page.text.includes('action="/confirm"')) await mary.send(page, '/confirm', { method: 'totp', code: code(secret) });
  const given = await mary.send(path, path, { decision: 'give' });
  expect(given.headers.location).toBe('/consents?given');
  expect((await app.get(`Consent/${body.id}`)).body.status).toBe('active');
});

test('her daughter, whom the practice has designated, acts for her visibly and sees what she may', async () => {
  const signed = await ehr.post('DocumentReference', agreement());
  expect((await ehr.post('Consent', designation(`DocumentReference/${signed.body.id}`))).status).toBe(201);
  await anna.send('/sign-in', '/sign-in', { username: 'anna', password: 'correct-horse-battery-2' });
  // It is the only one that she has.
  expect((await anna.get('/consents')).headers.location).toBe('/consents');
  const text = textOf((await anna.get('/consents')).text);
  expect(text).toContain('You are acting for');
  // Her consent is about medications: it does not tell her the name of the Patient.
  expect(text).toContain('Who can see their record');
  expect(text).toContain('You Main caregiver');
  expect(text).not.toContain('Harbor');
});

test('the patient sees both, and ends one', async () => {
  const { text } = await mary.get('/consents');
  expect(textOf(text)).toMatch(/Anna Reyes Main caregiver .*Harbor Clinic Shared with/);
  const [, path] = /href="(\/consents\/[^"]+)"/.exec(text.slice(text.indexOf('Harbor Clinic')))!;
  expect((await mary.send(`${path}/end`, `${path}/end`)).headers.location).toBe('/consents?ended');
  const harbor = world.as(await world.token('ehr-harbor', 'system/*.cruds'));
  expect((await harbor.get('MedicationStatement?patient=mary&_total=accurate')).body.total).toBe(0);
});
