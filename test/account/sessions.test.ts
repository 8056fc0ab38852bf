import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Account } from '../../src/account/account.ts';
import { accountSettings } from '../../src/account/parts.ts';
import { hashOf } from '../../src/account/secrets.ts';
import type { Session } from '../../src/account/session.ts';
import { type AccountWorld, form, good, here, minutes, openAccounts, signedIn, slowly } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());
const begin = async (username = 'mary-r') => signedIn(await world.accounts.signIn(username, good, here));
const { absolute, idle } = accountSettings.session;

test('signing up, out and in again', async () => {
  const { accounts } = world;
  const first = signedIn(await accounts.signUp(form(), here));
  expect(await accounts.session(first.cookie)).toEqual(first.session);
  await accounts.signOut(first.session, here);
  expect(await accounts.session(first.cookie)).toBeUndefined();
  await accounts.signOut(first.session, here);
  const second = signedIn(await accounts.signIn('Mary-R', good, here));
  expect(second.cookie).not.toBe(first.cookie);
  expect(await accounts.session(second.cookie)).toMatchObject({ account: 'mary-r', amr: ['pwd'] });
  expect((await world.lines()).map(line => line.code).slice(-4)).toEqual(['sign-up', 'sign-in', 'sign-out', 'sign-in']);
});

test('32 random bytes, of which only the hash is kept', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { cookie, session } = await begin();
  expect(Buffer.from(cookie, 'base64url')).toHaveLength(32);
  expect(session.id).toBe(hashOf(cookie));
  const kept = await world.parts.store.documents('session');
  expect(kept).toEqual([{ kind: 'session', id: session.id, value: session }]);
  expect(JSON.stringify([kept, await world.lines()])).not.toContain(cookie);
  for (const other of [undefined, '', session.id, `${cookie}x`, cookie.toLowerCase(), '__proto__']) expect(await world.accounts.session(other)).toBeUndefined();
});

test('it ends when nothing is asked for half an hour, and after twelve hours whatever happens', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { cookie } = await begin();
  world.pass(idle - 1);
  expect(await world.accounts.session(cookie)).toBeDefined();
  world.pass(idle);
  expect(await world.accounts.session(cookie)).toBeUndefined();
  const other = (await begin()).cookie;
  for (let passed = 0; passed < absolute - minutes(20); passed += minutes(20)) {
    world.pass(minutes(20));
    expect(await world.accounts.session(other)).toBeDefined();
  }
  world.pass(minutes(20));
  expect(await world.accounts.session(other)).toBeUndefined();
});

test('that it was seen is written once a minute at most', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { cookie, session } = await begin();
  const epoch = async (): Promise<number> => (await world.parts.store.epochs([`session:${session.id}`]))[0]!;
  const before = await epoch();
  for (let at = 0; at < 50; at++) {
    await world.accounts.session(cookie);
    world.pass(1000);
  }
  expect(await epoch()).toBe(before);
  world.pass(minutes(1));
  await Promise.all(Array.from({ length: 20 }, () => world.accounts.session(cookie)));
  expect(await epoch()).toBe(before + 1);
});

test('noting that it was seen does not bring a session back that ends meanwhile, nor lose what was chosen in it', async () => {
  await world.end();
  world = await openAccounts({}, slowly);
  await world.put({ username: 'mary-r', hats: [{ kind: 'patient', resource: 'Patient/mary' }] }, good);
  const acting = await begin();
  world.pass(minutes(2));
  await Promise.all([
    world.accounts.session(acting.cookie),
    world.accounts.act(acting.session, 'Patient/mary', undefined),
    world.accounts.session(acting.cookie),
  ]);
  expect((await world.accounts.session(acting.cookie))?.acting).toEqual({ hat: 'Patient/mary', record: 'Patient/mary' });
  for (let round = 0; round < 10; round++) {
    const { cookie, session } = await begin();
    world.pass(minutes(2));
    await Promise.all([world.accounts.session(cookie), world.accounts.signOut(session, here), world.accounts.session(cookie)]);
    expect(await world.accounts.session(cookie)).toBeUndefined();
  }
});

test('signing out everywhere ends all sessions that there are, and none that comes after, on a clock that stands still', async () => {
  await world.put({ username: 'mary-r' }, good);
  for (let round = 0; round < 3; round++) {
    const [one, two] = [await begin(), await begin()];
    await world.accounts.signOutEverywhere(one.session, here);
    expect(await world.accounts.session(one.cookie)).toBeUndefined();
    expect(await world.accounts.session(two.cookie)).toBeUndefined();
    const next = await begin();
    expect(await world.accounts.session(next.cookie)).toBeDefined();
  }
});

test('it ends with the account', async () => {
  const account = await world.put({ username: 'mary-r' }, good);
  const { cookie } = await begin();
  await world.put({ ...account, disabled: world.parts.now() });
  expect(await world.accounts.session(cookie)).toBeUndefined();
  await world.parts.store.commit([{ op: 'document', kind: 'account', id: 'mary-r', value: undefined }], world.parts.now());
  expect(await world.accounts.session(cookie)).toBeUndefined();
});

test('a new password ends all others, and this one goes on', async () => {
  await world.put({ username: 'mary-r', email: 'mary@example.org' }, good);
  const [one, other] = [await begin(), await begin()];
  const fresh = 'copper lantern on a quiet barge';
  expect(await world.accounts.changePassword(one.session, good, 'short', here)).toMatchObject({ outcome: 'mistakes', mistakes: [{ field: 'password' }] });
  expect(await world.accounts.changePassword(one.session, 'wrong', fresh, here)).toEqual({ outcome: 'refused' });
  expect(world.news).toEqual([]);
  expect(await world.accounts.changePassword(one.session, good, fresh, here)).toEqual({ outcome: 'done' });
  expect(world.news).toEqual([['mary@example.org', 'password-changed']]);
  expect(await world.accounts.session(one.cookie)).toBeDefined();
  expect(await world.accounts.session(other.cookie)).toBeUndefined();
  expect((await world.accounts.signIn('mary-r', good, here)).outcome).toBe('refused');
  signedIn(await world.accounts.signIn('mary-r', fresh, here));
});

test('whoever has a cookie has few guesses at the password behind it', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { session } = await begin();
  const { most } = accountSettings.limits.confirm;
  const answers = await Promise.all(
    Array.from({ length: most + 5 }, () => world.accounts.changePassword(session, 'wrong', 'copper lantern on a quiet barge', here)),
  );
  expect(answers.filter(({ outcome }) => outcome === 'refused')).toHaveLength(most);
  expect(answers.filter(({ outcome }) => outcome === 'throttled')).toHaveLength(5);
});

test('acting as: only under a hat of the account, for the record that it stands for', async () => {
  await world.put(
    {
      username: 'anna-r',
      hats: [
        { kind: 'patient', resource: 'Patient/anna' },
        { kind: 'caregiver', resource: 'RelatedPerson/anna-for-mary' },
        { kind: 'practitioner', resource: 'Practitioner/anna', organization: 'ima' },
        { kind: 'front-desk', organization: 'ima' },
        { kind: 'privacy-officer', resource: 'Practitioner/officer', organization: 'ima' },
      ],
    },
    good,
  );
  const { session } = await begin('anna-r');
  const act = async (hat: string, record?: string): Promise<Session['acting'] | 'none'> => {
    const acted = await world.accounts.act(session, hat as 'Patient/x', record as 'Patient/x' | undefined);
    return acted === undefined ? 'none' : acted.acting;
  };
  expect(await act('Patient/anna')).toEqual({ hat: 'Patient/anna', record: 'Patient/anna' });
  expect(await act('Patient/anna', 'Patient/mary')).toBe('none');
  expect(await act('RelatedPerson/anna-for-mary', 'Patient/mary')).toEqual({ hat: 'RelatedPerson/anna-for-mary', record: 'Patient/mary' });
  expect(await act('RelatedPerson/anna-for-mary', 'Patient/anna')).toBe('none');
  expect(await act('Practitioner/anna')).toEqual({ hat: 'Practitioner/anna' });
  expect(await act('Practitioner/lee')).toBe('none');
  expect(await act('Patient/mary')).toBe('none');
  expect(await act('Practitioner/officer')).toBe('none');
  // A choice that is refused leaves the one before.
  expect((await world.parts.store.document('session', session.id)) as Session).toMatchObject({ acting: { hat: 'Practitioner/anna' } });
});

test('a hat that was taken away meanwhile is none', async () => {
  const hats = [{ kind: 'caregiver', resource: 'RelatedPerson/anna-for-mary' }] as const;
  const account: Account = await world.put({ username: 'anna-r', hats }, good);
  const { cookie, session } = await begin('anna-r');
  await world.accounts.act(session, 'RelatedPerson/anna-for-mary', 'Patient/mary');
  expect((await world.accounts.session(cookie))?.acting?.record).toBe('Patient/mary');
  await world.put({ ...account, hats: [] });
  expect(await world.accounts.session(cookie)).toMatchObject({ account: 'anna-r' });
  expect((await world.accounts.session(cookie))?.acting).toBeUndefined();
  expect(await world.accounts.act(session, 'RelatedPerson/anna-for-mary', 'Patient/mary')).toBeUndefined();
});
