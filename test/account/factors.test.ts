import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TOTP } from 'otpauth';
import type { Account } from '../../src/account/account.ts';
import type { HalfWay, SignedIn } from '../../src/account/accounts.ts';
import { accountSettings } from '../../src/account/parts.ts';
import { type AccountWorld, good, here, minutes, openAccounts, signedIn } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());

const step = 30_000;
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const code = (after = 0, of = secret): string => new TOTP({ secret: of }).generate({ timestamp: Date.parse(world.parts.now()) + after });
const account = (): Promise<Account> => world.accounts.find('mary-r').then(found => found!);
const half = async (): Promise<HalfWay> => {
  const answer = await world.accounts.signIn('mary-r', good, here);
  if (answer.outcome !== 'second-factor') throw new Error(`not half-way: ${answer.outcome}`);
  return answer;
};
const totp = (text: string) => ({ method: 'totp', code: text }) as const;
const recovery = (text: string) => ({ method: 'recovery', code: text }) as const;
/** In, with all that it takes. */
async function enter(): Promise<SignedIn> {
  world.pass(step);
  return signedIn(await world.accounts.secondFactor((await half()).ticket, totp(code()), here));
}
/** A session that has gone on: as it is stored. */
const now = async ({ cookie }: SignedIn) => (await world.accounts.session(cookie))!;

test('an authenticator app counts with its first code, and is asked for from then on', async () => {
  await world.put({ username: 'mary-r', email: 'mary@example.org' }, good);
  const { session, cookie } = signedIn(await world.accounts.signIn('mary-r', good, here));
  const begun = await world.accounts.beginTotp(session);
  expect(begun.uri).toContain(`secret=${begun.secret}`);
  expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/);
  expect((await account()).totp).toBeUndefined();
  const wrong = String((Number(code(0, begun.secret)) + 1) % 1_000_000).padStart(6, '0');
  expect(await world.accounts.addTotp(session, begun.ticket, wrong, here)).toEqual({ outcome: 'refused' });
  expect(await world.accounts.addTotp(session, begun.ticket, code(0, begun.secret), here)).toEqual({ outcome: 'done' });
  expect(world.news).toEqual([['mary@example.org', 'credentials-changed']]);
  expect(await world.accounts.session(cookie)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], confirmedAt: Date.parse(world.parts.now()) });
  expect(await world.accounts.addTotp(session, begun.ticket, code(0, begun.secret), here)).toEqual({ outcome: 'refused' });

  const { ticket, methods } = await half();
  expect(methods).toEqual(['totp']);
  // The code that it was enrolled with has been used.
  expect(await world.accounts.secondFactor(ticket, totp(code(0, begun.secret)), here)).toEqual({ outcome: 'refused' });
  const again = signedIn(await world.accounts.secondFactor(ticket, totp(code(step, begun.secret)), here));
  expect(again.session).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], confirmedAt: Date.parse(world.parts.now()) });
  const lines = (await world.lines()).filter(line => line.code === 'credentials');
  expect(lines).toMatchObject([{ outcome: '0', text: 'an authenticator app was added' }]);
  expect(JSON.stringify(await world.lines())).not.toContain(begun.secret);
});

test('RFC 6238 §5.2: a code is good once, also when it comes twice at once, and one step early or late', async () => {
  await world.put({ username: 'mary-r', totp: secret }, good);
  const tickets = await Promise.all([half(), half(), half(), half()]);
  const answers = await Promise.all(tickets.map(({ ticket }) => world.accounts.secondFactor(ticket, totp(code()), here)));
  expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'refused', 'refused', 'signed-in']);
  world.pass(minutes(16));
  for (const [after, outcome] of [
    [-2 * step, 'refused'],
    [2 * step, 'refused'],
    [-step, 'signed-in'],
    [-step, 'refused'],
    [step, 'signed-in'],
    [0, 'refused'],
  ] as const)
    expect([after, (await world.accounts.secondFactor((await half()).ticket, totp(code(after)), here)).outcome]).toEqual([after, outcome]);
});

test('half a sign-in is no session, ends in time, is good once, and ends with what the account is', async () => {
  const kept = await world.put({ username: 'mary-r', totp: secret }, good);
  const { ticket } = await half();
  expect(await world.accounts.session(ticket)).toBeUndefined();
  signedIn(await world.accounts.secondFactor(ticket, totp(code()), here));
  world.pass(step);
  expect(await world.accounts.secondFactor(ticket, totp(code()), here)).toEqual({ outcome: 'refused' });
  const late = (await half()).ticket;
  world.pass(accountSettings.ticket);
  expect(await world.accounts.secondFactor(late, totp(code()), here)).toEqual({ outcome: 'refused' });
  const other = (await half()).ticket;
  await world.put({ ...kept, signedOutAt: world.parts.now() });
  expect(await world.accounts.secondFactor(other, totp(code()), here)).toEqual({ outcome: 'refused' });
  const last = (await half()).ticket;
  await world.put({ ...kept, disabled: world.parts.now() });
  expect(await world.accounts.secondFactor(last, totp(code()), here)).toEqual({ outcome: 'refused' });
  expect(await world.accounts.secondFactor('x', totp(code()), here)).toEqual({ outcome: 'refused' });
});

test('wrong codes lock the second factor for a while, in however many sign-ins and at once', async () => {
  const { most, lock } = accountSettings.limits.second;
  await world.put({ username: 'mary-r', totp: secret, email: 'mary@example.org' }, good);
  const tickets = await Promise.all(Array.from({ length: most + 5 }, half));
  const wrong = String((Number(code()) + 1) % 1_000_000).padStart(6, '0');
  const answers = await Promise.all(tickets.map(({ ticket }) => world.accounts.secondFactor(ticket, totp(wrong), here)));
  expect(answers.filter(({ outcome }) => outcome === 'refused')).toHaveLength(most);
  expect(await world.accounts.secondFactor((await half()).ticket, totp(code()), here)).toEqual({ outcome: 'throttled', retryAfter: lock / 1000 });
  expect(world.news).toEqual([['mary@example.org', 'account-locked']]);
  world.pass(lock);
  signedIn(await world.accounts.secondFactor((await half()).ticket, totp(code()), here));
});

test('who is signed in confirms while somebody with the password locks the sign-in', async () => {
  const { most } = accountSettings.limits.second;
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  const { ticket } = await half();
  for (let at = 0; at < most + 1; at++) await world.accounts.secondFactor(ticket, totp('000000'), { address: '198.51.100.9' });
  world.pass(step);
  expect(await world.accounts.confirm(mine.session, totp(code()), here)).toEqual({ outcome: 'done' });
});

test('confirming notes when, and has few tries in one session', async () => {
  const { most } = accountSettings.limits.confirm;
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  world.pass(minutes(20));
  expect(await world.accounts.confirm(mine.session, totp(code()), here)).toEqual({ outcome: 'done' });
  expect((await now(mine)).confirmedAt).toBe(Date.parse(world.parts.now()));
  expect(await world.accounts.confirm(mine.session, totp(code()), here)).toEqual({ outcome: 'refused' });
  for (let at = 1; at < most; at++) await world.accounts.confirm(mine.session, totp('000000'), here);
  world.pass(step);
  expect((await world.accounts.confirm(mine.session, totp(code()), here)).outcome).toBe('throttled');
});

test('an account without a second factor cannot confirm', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { session } = signedIn(await world.accounts.signIn('mary-r', good, here));
  for (const factor of [totp('000000'), recovery('aaaa-aaaa-aaaa-aaaa')])
    expect(await world.accounts.confirm(session, factor, here)).toEqual({ outcome: 'refused' });
});

test('factors are changed only by somebody who has just shown who she is', async () => {
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  world.pass(minutes(16));
  await now(mine);
  const refused = { code: 'forbidden' };
  await expect(world.accounts.beginTotp(mine.session)).rejects.toMatchObject(refused);
  await expect(world.accounts.removeTotp(mine.session, here)).rejects.toMatchObject(refused);
  await expect(world.accounts.beginPasskey(mine.session)).rejects.toMatchObject(refused);
  await expect(world.accounts.newRecoveryCodes(mine.session, here)).rejects.toMatchObject(refused);
  expect((await account()).totp).toBe(secret);
  await world.accounts.confirm(mine.session, totp(code()), here);
  expect(await world.accounts.removeTotp(mine.session, here)).toEqual({ outcome: 'done' });
  expect(await account()).not.toHaveProperty('totp');
  // Without a second factor, whoever signed in a while ago signs in again.
  world.pass(minutes(16));
  await expect(world.accounts.beginTotp(await now(mine))).rejects.toMatchObject({ code: 'login' });
  await world.accounts.signOut(mine.session, here);
  await expect(world.accounts.removeTotp(mine.session, here)).rejects.toMatchObject({ code: 'login' });
});

test('ten recovery codes: shown once, kept as hashes, each good once, and the old ones void', async () => {
  await world.put({ username: 'mary-r', totp: secret, email: 'mary@example.org' }, good);
  const mine = await enter();
  const old = await world.accounts.newRecoveryCodes(mine.session, here);
  const codes = await world.accounts.newRecoveryCodes(mine.session, here);
  expect(new Set([...old, ...codes]).size).toBe(20);
  for (const one of codes) {
    expect(one).toMatch(/^([2-9a-hjkmnp-z]{4}-){3}[2-9a-hjkmnp-z]{4}$/);
    expect(JSON.stringify([await account(), await world.lines()])).not.toContain(one);
  }
  const { ticket, methods } = await half();
  expect(methods).toEqual(['totp', 'recovery']);
  expect(await world.accounts.secondFactor(ticket, recovery(old[0]!), here)).toEqual({ outcome: 'refused' });
  const answer = signedIn(await world.accounts.secondFactor(ticket, recovery(` ${codes[3]!.toUpperCase().replaceAll('-', ' ')} `), here));
  expect(answer.session.amr).toEqual(['pwd', 'otp', 'mfa']);
  expect((await account()).recovery).toHaveLength(9);
  expect(world.news.map(([, what]) => what)).toContain('recovery-code-used');
  expect(await world.accounts.secondFactor((await half()).ticket, recovery(codes[3]!), here)).toEqual({ outcome: 'refused' });
});

test('of many who use one recovery code at once exactly one gets in; two codes at once are both good', async () => {
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  const codes = await world.accounts.newRecoveryCodes(mine.session, here);
  const limits = accountSettings.limits.second.most;
  const tickets = await Promise.all(Array.from({ length: limits }, half));
  const answers = await Promise.all(tickets.map(({ ticket }) => world.accounts.secondFactor(ticket, recovery(codes[0]!), here)));
  expect(answers.filter(({ outcome }) => outcome === 'signed-in')).toHaveLength(1);
  expect((await account()).recovery).toHaveLength(9);
  world.pass(minutes(16));
  const both = await Promise.all([half(), half()]);
  const used = await Promise.all(both.map(({ ticket }, at) => world.accounts.secondFactor(ticket, recovery(codes[at + 1]!), here)));
  expect(used.map(({ outcome }) => outcome)).toEqual(['signed-in', 'signed-in']);
  expect((await account()).recovery).toHaveLength(7);
});

test('one half of a sign-in becomes one session, with two right factors at once too', async () => {
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  const codes = await world.accounts.newRecoveryCodes(mine.session, here);
  const { ticket } = await half();
  const answers = await Promise.all(codes.slice(0, 3).map(one => world.accounts.secondFactor(ticket, recovery(one), here)));
  expect(answers.filter(({ outcome }) => outcome === 'signed-in')).toHaveLength(1);
  expect((await account()).recovery).toHaveLength(9);
});

test('recovery codes go with the last factor, and are none by themselves', async () => {
  await world.put({ username: 'mary-r', totp: secret }, good);
  const mine = await enter();
  await world.accounts.newRecoveryCodes(mine.session, here);
  await world.accounts.removeTotp(mine.session, here);
  expect(await account()).not.toHaveProperty('recovery');
  await world.put({ ...(await account()), recovery: ['x'] });
  signedIn(await world.accounts.signIn('mary-r', good, here));
});
