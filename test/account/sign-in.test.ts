import { randomBytes, scryptSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountSettings } from '../../src/account/parts.ts';
import { type AccountWorld, form, good, here, minutes, openAccounts, signedIn } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());

const there = { address: '198.51.100.9' };
const { password: limit, address: addressLimit } = accountSettings.limits;
const fail = async (username: string, times: number, from = there): Promise<readonly unknown[]> => {
  const answers: unknown[] = [];
  for (let at = 0; at < times; at++) answers.push(await world.accounts.signIn(username, `wrong ${at}`, from));
  return answers;
};

test('a wrong password, an unknown account and a disabled one are answered alike', async () => {
  await world.put({ username: 'mary-r' }, good);
  await world.put({ username: 'gone', disabled: world.parts.now() }, good);
  await world.put({ username: 'keyless' });
  const refused = { outcome: 'refused' };
  expect(await world.accounts.signIn('mary-r', 'wrong', here)).toEqual(refused);
  expect(await world.accounts.signIn('nobody', good, here)).toEqual(refused);
  expect(await world.accounts.signIn('gone', good, here)).toEqual(refused);
  expect(await world.accounts.signIn('keyless', '', here)).toEqual(refused);
  expect(await world.accounts.signIn('', '', here)).toEqual(refused);
  expect(await world.accounts.signIn('x'.repeat(10_000), good, here)).toEqual(refused);
});

test('the log tells of a failure with the account, and never what was typed for one that is not there', async () => {
  const { session } = signedIn(await world.accounts.signUp(form(), here));
  await fail('mary-r', 1);
  await world.accounts.signIn('my secret horse 77', 'x', there);
  await world.accounts.signIn('my.secret.horse', 'x', there);
  const [known, ...unknown] = (await world.lines()).filter(line => line.code === 'sign-in' && line.outcome === '8');
  const record = (await world.accounts.find('mary-r'))!.hats[0]!.resource;
  expect(known).toMatchObject({ record, why: 'wrong password', address: there.address, account: session.account });
  expect(known).not.toHaveProperty('caller');
  expect(unknown).toHaveLength(2);
  for (const line of unknown) expect(line).toMatchObject({ why: 'no such account', address: there.address });
  const all = JSON.stringify([await world.lines(), await world.parts.store.documents('throttle')]);
  expect(all).not.toContain('horse');
  expect(all).not.toContain('wrong 0');
});

test('too many wrong passwords lock the account for a while, for the right one too; then it opens', async () => {
  await world.put({ username: 'mary-r', email: 'mary@example.org' }, good);
  const answers = await fail('mary-r', limit.most);
  expect(answers.every(answer => (answer as { outcome: string }).outcome === 'refused')).toBe(true);
  expect(world.news).toEqual([['mary@example.org', 'account-locked']]);
  expect(await world.accounts.signIn('mary-r', good, here)).toEqual({ outcome: 'throttled', retryAfter: limit.lock / 1000 });
  expect((await world.lines()).filter(line => line.code === 'account')).toMatchObject([{ outcome: '8', caller: { account: 'mary-r' } }]);
  world.pass(limit.lock - 1000);
  expect(await world.accounts.signIn('Mary-R', good, here)).toEqual({ outcome: 'throttled', retryAfter: 1 });
  world.pass(1000);
  signedIn(await world.accounts.signIn('mary-r', good, here));
});

test('an account that is not there is locked in the same way', async () => {
  const answers = async (username: string): Promise<readonly unknown[]> => fail(username, limit.most + 2, { address: `198.51.100.${username.length}` });
  await world.put({ username: 'mary-r' }, good);
  expect(await answers('somebody')).toEqual(await answers('mary-r'));
});

test('who has signed in stays so while others lock the account', async () => {
  await world.put({ username: 'mary-r' }, good);
  const { cookie } = signedIn(await world.accounts.signIn('mary-r', good, here));
  await fail('mary-r', limit.most + 3);
  expect(await world.accounts.session(cookie)).toBeDefined();
  const session = (await world.accounts.session(cookie))!;
  expect(await world.accounts.changePassword(session, good, 'copper lantern on a quiet barge', here)).toEqual({ outcome: 'done' });
});

test('a right password forgets the wrong ones before it', async () => {
  await world.put({ username: 'mary-r' }, good);
  for (let round = 0; round < 3; round++) {
    await fail('mary-r', limit.most - 1, here);
    signedIn(await world.accounts.signIn('mary-r', good, here));
  }
});

test('one address may fail so often, whatever the names; and those who share it and are right do not count', async () => {
  const most = 12;
  const few = await openAccounts({ limits: { ...accountSettings.limits, address: { ...addressLimit, most } } });
  try {
    await few.put({ username: 'mary-r' }, good);
    const signIn = async (address: string) => (await few.accounts.signIn('mary-r', good, { address })).outcome;
    for (let at = 0; at < most + 5; at++) expect(await signIn(here.address)).toBe('signed-in');
    for (let at = 0; at < most; at++) await few.accounts.signIn(`somebody-${at}`, 'x', { address: '2001:db8:1:2::1' });
    expect(await signIn('2001:db8:1:2:ffff::9')).toBe('throttled');
    expect(await signIn('2001:db8:1:3::1')).toBe('signed-in');
    expect(await signIn(`::ffff:${here.address}`)).toBe('signed-in');
    few.pass(addressLimit.lock);
    expect(await signIn('2001:db8:1:2:ffff::9')).toBe('signed-in');
  } finally {
    await few.end();
  }
}, 30_000);

test('of many guesses at once no more get through than there are', async () => {
  await world.put({ username: 'mary-r' }, good);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => world.accounts.signIn('mary-r', `guess ${at}`, there)));
  expect(answers.filter(answer => answer.outcome === 'refused')).toHaveLength(limit.most);
  expect(answers.filter(answer => answer.outcome === 'throttled')).toHaveLength(40 - limit.most);
}, 30_000);

test('an old hash is replaced at the next sign-in, and only by a right password', async () => {
  const salt = randomBytes(16);
  const old = `${salt.toString('base64url')}.${scryptSync(good, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 }).toString('base64url')}`;
  await world.put({ username: 'mary-r', password: old });
  await world.accounts.signIn('mary-r', 'wrong', here);
  expect((await world.accounts.find('mary-r'))!.password).toBe(old);
  signedIn(await world.accounts.signIn('mary-r', good, here));
  expect((await world.accounts.find('mary-r'))!.password).toMatch(/^\$argon2id\$/);
  signedIn(await world.accounts.signIn('mary-r', good, here));
});

test('a password that is changed while it is being checked lets nobody in', async () => {
  let meanwhile: (() => Promise<unknown>) | undefined;
  const late = await openAccounts({}, parts => ({
    ...parts,
    store: {
      ...parts.store,
      async commit(changes, at) {
        const first = changes.some(change => change.op === 'document' && change.kind === 'session') ? meanwhile : undefined;
        if (first !== undefined) {
          meanwhile = undefined;
          await first();
        }
        return parts.store.commit(changes, at);
      },
    },
  }));
  try {
    const account = await late.put({ username: 'mary-r' }, good);
    for (const change of [
      () => late.put({ username: 'mary-r' }, 'copper lantern on a quiet barge'),
      () => late.put({ ...account, disabled: late.parts.now() }),
      () => late.parts.store.commit([{ op: 'document', kind: 'account', id: 'mary-r', value: undefined }], late.parts.now()),
    ]) {
      await late.put(account);
      meanwhile = change;
      expect((await late.accounts.signIn('mary-r', good, here)).outcome).toBe('refused');
      expect(meanwhile).toBeUndefined();
    }
    expect(await late.parts.store.documents('session')).toEqual([]);
  } finally {
    await late.end();
  }
});

test('what is counted is forgotten and swept in time', async () => {
  await fail('nobody', 3);
  expect((await world.parts.store.documents('throttle')).length).toBe(2);
  world.pass(minutes(16));
  await world.parts.store.sweep(Date.parse(world.parts.now()), 100);
  expect(await world.parts.store.documents('throttle')).toEqual([]);
});
