import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Factor, SignedIn } from '../../src/account/accounts.ts';
import { accountSettings } from '../../src/account/parts.ts';
import { type Authenticator, type How, makeAuthenticator } from './authenticator.ts';
import { type AccountWorld, good, here, minutes, openAccounts, signedIn } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());

const enter = async (username = 'mary-r'): Promise<SignedIn> => signedIn(await world.accounts.signIn(username, good, here));
/** An account with a passkey. */
async function enrol(device: Authenticator, username = 'mary-r'): Promise<SignedIn> {
  await world.put({ username, email: `${username}@example.org` }, good);
  const mine = await enter(username);
  const { ticket, options } = await world.accounts.beginPasskey(mine.session);
  expect(await world.accounts.addPasskey(mine.session, ticket, 'Phone', device.create(options), here)).toEqual({ outcome: 'done' });
  return mine;
}
type Passkey = Extract<Factor, { method: 'passkey' }>;
const answer = async (device: Authenticator, of: Parameters<AccountWorld['accounts']['passkeyChallenge']>[0] = {}, how: How = {}): Promise<Passkey> => {
  const { ticket, options } = await world.accounts.passkeyChallenge(of);
  return { method: 'passkey', ticket, response: device.get(options, how) };
};
const half = async (): Promise<string> => {
  const found = await world.accounts.signIn('mary-r', good, here);
  if (found.outcome !== 'second-factor') throw new Error(found.outcome);
  return found.ticket;
};

test('WebAuthn §5.4: discoverable, with user verification, for the host of the public URL, and no name in the user handle', async () => {
  await world.put({ username: 'mary-r', name: 'Mary Reyes' }, good);
  const mine = await enter();
  const { options } = await world.accounts.beginPasskey(mine.session);
  expect(options).toMatchObject({
    rp: { id: 'localhost' },
    attestation: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: [],
  });
  const handle = Buffer.from((options as { user: { id: string } }).user.id, 'base64url');
  expect(handle).toHaveLength(32);
  expect(handle.toString('latin1')).not.toContain('mary');
  expect((await world.accounts.passkeyChallenge()).options).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
});

test('a passkey signs in by itself, as two factors', async () => {
  const device = makeAuthenticator();
  await enrol(device);
  const account = (await world.accounts.find('mary-r'))!;
  expect(account.passkeys).toMatchObject([{ id: device.id, name: 'Phone', counter: 1, created: world.parts.now() }]);
  const { session } = signedIn(await world.accounts.passkeySignIn(await answer(device), here));
  expect(session).toMatchObject({ account: 'mary-r', amr: ['hwk', 'user', 'mfa'], confirmedAt: Date.parse(world.parts.now()) });
  expect((await world.accounts.find('mary-r'))!.passkeys![0]!.counter).toBe(2);
  expect(world.news).toEqual([['mary-r@example.org', 'credentials-changed']]);
});

test('it is the second factor of a password too, and confirms in a session', async () => {
  const device = makeAuthenticator(0);
  const mine = await enrol(device);
  const ticket = await half();
  const challenge = await world.accounts.passkeyChallenge({ ticket });
  expect(challenge.options).toMatchObject({ allowCredentials: [{ id: device.id, transports: ['internal'] }] });
  const { session } = signedIn(
    await world.accounts.secondFactor(ticket, { method: 'passkey', ticket: challenge.ticket, response: device.get(challenge.options) }, here),
  );
  expect(session.amr).toEqual(['pwd', 'hwk', 'user', 'mfa']);
  world.pass(minutes(20));
  expect(await world.accounts.confirm(mine.session, await answer(device, { account: 'mary-r' }), here)).toEqual({ outcome: 'done' });
  expect((await world.accounts.session(mine.cookie))?.confirmedAt).toBe(Date.parse(world.parts.now()));
});

test('an answer is good once, also when it comes many times at once, and only in time', async () => {
  const device = makeAuthenticator(0);
  await enrol(device);
  const one = await answer(device);
  const answers = await Promise.all(Array.from({ length: 8 }, () => world.accounts.passkeySignIn(one, here)));
  expect(answers.filter(({ outcome }) => outcome === 'signed-in')).toHaveLength(1);
  expect((await world.accounts.passkeySignIn(one, here)).outcome).toBe('refused');
  const late = await answer(device);
  world.pass(accountSettings.ticket);
  expect((await world.accounts.passkeySignIn(late, here)).outcome).toBe('refused');
});

test.each<[string, How]>([
  ['of another origin', { origin: 'https://kindred.example.net' }],
  ['of the same host and another port', { origin: 'http://localhost:8081' }],
  ['for another host', { rpID: 'example.org' }],
  ['without user verification', { verified: false }],
  ['with a counter that has not risen', { counter: 1 }],
  ['with another challenge', { challenge: 'AAAA' }],
  ["with somebody else's user handle", { user: 'c29tZWJvZHk' }],
])('an answer %s is refused', async (_, how) => {
  const device = makeAuthenticator();
  await enrol(device);
  expect(await world.accounts.passkeySignIn(await answer(device, {}, how), here)).toEqual({ outcome: 'refused' });
  signedIn(await world.accounts.passkeySignIn(await answer(device), here));
  const refusals = (await world.lines()).filter(line => line.code === 'sign-in' && line.outcome === '8');
  expect(refusals).toMatchObject([{ account: 'mary-r', why: 'not right: a passkey' }]);
});

test('a challenge is for what it was made for: not for another account, another purpose, or instead of none', async () => {
  const [marys, annas] = [makeAuthenticator(), makeAuthenticator()];
  const mary = await enrol(marys);
  await enrol(annas, 'anna-r');
  const refused = { outcome: 'refused' };
  const ticket = await half();
  // Anna's passkey for the other half of Mary's sign-in.
  expect(await world.accounts.secondFactor(ticket, await answer(annas, { account: 'anna-r' }), here)).toEqual(refused);
  expect(await world.accounts.secondFactor(ticket, await answer(annas, { ticket }), here)).toEqual(refused);
  expect(await world.accounts.secondFactor(ticket, await answer(marys, {}), here)).toEqual(refused);
  expect(await world.accounts.passkeySignIn(await answer(marys, { account: 'mary-r' }), here)).toEqual(refused);
  const fresh = await world.accounts.beginPasskey(mary.session);
  expect(await world.accounts.passkeySignIn({ method: 'passkey', ticket: fresh.ticket, response: marys.get(fresh.options) }, here)).toEqual(refused);
  expect(await world.accounts.passkeySignIn({ method: 'passkey', ticket, response: marys.get({ challenge: 'x' }) }, here)).toEqual(refused);
  // A ticket that is none leads to no account's challenge.
  expect(await world.accounts.passkeySignIn(await answer(marys, { ticket: 'x' }), here)).toEqual(refused);
});

test('what is no answer at all is refused', async () => {
  await enrol(makeAuthenticator());
  for (const response of [undefined, null, 'x', 7, [], {}, { id: 5 }, { id: 'x' }, { id: 'x', response: 5 }, { id: '__proto__', response: {} }]) {
    const { ticket } = await world.accounts.passkeyChallenge();
    expect(await world.accounts.passkeySignIn({ method: 'passkey', ticket, response }, here)).toEqual({ outcome: 'refused' });
    const mine = await world.accounts.beginPasskey((await enterByPasskeyless()).session);
    expect(await world.accounts.addPasskey((await enterByPasskeyless()).session, mine.ticket, 'x', response, here)).toEqual({ outcome: 'refused' });
  }
}, 30_000);
/** Somebody without a second factor. */
async function enterByPasskeyless(): Promise<SignedIn> {
  await world.put({ username: 'lee' }, good);
  return enter('lee');
}

test('a disabled account has no use of its passkeys; a locked password is no matter to them', async () => {
  const device = makeAuthenticator();
  await enrol(device);
  for (let at = 0; at < accountSettings.limits.password.most; at++) await world.accounts.signIn('mary-r', 'wrong', { address: '198.51.100.9' });
  expect((await world.accounts.signIn('mary-r', good, here)).outcome).toBe('throttled');
  signedIn(await world.accounts.passkeySignIn(await answer(device), here));
  await world.put({ ...(await world.accounts.find('mary-r'))!, disabled: world.parts.now() });
  expect(await world.accounts.passkeySignIn(await answer(device), here)).toEqual({ outcome: 'refused' });
});

test('a credential is one account’s only, and is gone when it is removed', async () => {
  const device = makeAuthenticator();
  const mary = await enrol(device);
  const other = await enterByPasskeyless();
  const { ticket, options } = await world.accounts.beginPasskey(other.session);
  expect(await world.accounts.addPasskey(other.session, ticket, 'x', device.create(options), here)).toEqual({ outcome: 'refused' });
  expect(await world.accounts.removePasskey(other.session, device.id, here)).toEqual({ outcome: 'done' });
  signedIn(await world.accounts.passkeySignIn(await answer(device, {}, { user: (await owner(device)).user }), here));
  expect(await world.accounts.removePasskey(mary.session, device.id, here)).toEqual({ outcome: 'done' });
  expect(await world.accounts.find('mary-r')).not.toHaveProperty('passkeys');
  expect(await world.accounts.passkeySignIn(await answer(device), here)).toEqual({ outcome: 'refused' });
  signedIn(await world.accounts.signIn('mary-r', good, here));
});
const owner = async ({ id }: Authenticator) => (await world.parts.store.document('passkey', id)) as { user: string };

test('a second passkey of the same person has the same user handle, and knows of the first', async () => {
  const device = makeAuthenticator();
  const mine = await enrol(device);
  const { options } = await world.accounts.beginPasskey(mine.session);
  expect(options).toMatchObject({ user: { id: (await owner(device)).user }, excludeCredentials: [{ id: device.id }] });
});
