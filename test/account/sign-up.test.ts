import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Mistakes } from '../../src/account/accounts.ts';
import { accountSettings } from '../../src/account/parts.ts';
import { mistakesIn } from '../../src/account/sign-up.ts';
import { type AccountWorld, form, good, here, minutes, openAccounts, signedIn, slowly } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());
const patients = async (store = world.parts.store): Promise<number> => (await store.totals()).Patient ?? 0;
const fields = (answer: { outcome: string }): readonly string[] =>
  answer.outcome === 'mistakes' ? (answer as Mistakes).mistakes.map(({ field }) => field) : [answer.outcome];

test('it makes the own record, of the person’s own origin, and the hat for it', async () => {
  signedIn(await world.accounts.signUp(form({ username: ' Mary-R ' }), here));
  const account = (await world.accounts.find('mary-r'))!;
  expect(account).toMatchObject({
    username: 'mary-r',
    name: 'Mary Reyes',
    email: 'mary@example.org',
    created: world.parts.now(),
    terms: { version: accountSettings.terms, at: world.parts.now() },
  });
  expect(account.password).toMatch(/^\$argon2id\$/);
  const [hat] = account.hats;
  const who = hat!.resource!;
  const version = (await world.parts.store.read({ type: 'Patient', id: who.slice('Patient/'.length) }))!;
  expect(version.parsed()).toMatchObject({ active: true, name: [{ use: 'official', family: 'Reyes', given: ['Mary'] }], birthDate: '1980-05-31' });
  expect(version.facets).toMatchObject({ records: [who], origin: { kind: 'patient', by: who, record: who } });
  expect(await world.parts.store.document('hat', who)).toBe('mary-r');
  const lines = (await world.lines()).filter(line => line.record === who);
  expect(lines.map(line => line.code)).toEqual(['create', 'sign-up', 'sign-in']);
  expect(JSON.stringify([lines, await world.parts.store.documents('account')])).not.toContain(good);
});

test('every mistake of the form is named at once, and nothing is made', async () => {
  const before = await patients();
  const answer = await world.accounts.signUp(
    form({ username: 'a b', password: 'short', given: ' ', family: '', birthDate: 'then', email: 'x', terms: false }),
    here,
  );
  expect(fields(answer)).toEqual(['username', 'password', 'given', 'family', 'birthDate', 'email', 'terms']);
  expect(await patients()).toBe(before);
  expect(await world.parts.store.documents('throttle')).toEqual([]);
});
test('an e-mail address may be left out', async () => {
  const { email: _email, ...rest } = form();
  signedIn(await world.accounts.signUp(rest, here));
  signedIn(await world.accounts.signUp(form({ username: 'anna-r', email: '' }), here));
  expect(await world.accounts.find('anna-r')).not.toHaveProperty('email');
});

test.each([
  ['2008-11-27', []],
  ['2008-11-28', ['birthDate']],
  ['2008-11-29', ['birthDate']],
  ['2026-11-29', ['birthDate']],
  ['1880-01-01', ['birthDate']],
  ['1980-02-30', ['birthDate']],
  ['1980-05', ['birthDate']],
  ['', ['birthDate']],
])('adults only: born on %s, at 2026-11-28T12:00:00Z less a moment', (birthDate, mistakes) => {
  const parts = { settings: accountSettings, now: () => '2026-11-28T11:59:59.000Z' };
  expect(mistakesIn(form({ birthDate }), parts).map(({ field }) => field)).toEqual(mistakes);
});
test('of age when the birthday has begun everywhere; born on February 29 on March 1', () => {
  const at = (now: string, birthDate: string): boolean => mistakesIn(form({ birthDate }), { settings: accountSettings, now: () => now }).length === 0;
  expect(at('2026-11-28T12:00:00.000Z', '2008-11-28')).toBe(true);
  expect(at('2026-03-01T11:59:59.999Z', '2008-02-29')).toBe(false);
  expect(at('2026-03-01T12:00:00.000Z', '2008-02-29')).toBe(true);
  expect(mistakesIn(form({ birthDate: '2010-01-01' }), { settings: { ...accountSettings, adult: 16 }, now: () => '2026-11-28T12:00:00.000Z' })).toEqual([]);
});
test('user names: letters, digits, dots and dashes, 3 to 64 of them', () => {
  const taken = (username: string): boolean => mistakesIn(form({ username }), world.parts).length === 0;
  for (const name of ['mary', 'm.r', 'Mary-Reyes.1947', '123', 'x'.repeat(64)]) expect([name, taken(name)]).toEqual([name, true]);
  for (const name of ['', 'ab', 'x'.repeat(65), 'mary r', 'mary_r', 'máry', 'mаry', '-mary', 'mary.', 'a/b', 'mary\n', 'mary\u0000r', 'mary@example.org'])
    if (name.trim() === name) expect([name, taken(name)]).toEqual([name, false]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 70 }), name => taken(name) === /^[a-z0-9][a-z0-9.-]{1,62}[a-z0-9]$/.test(name.trim().toLowerCase())),
  );
});

test('a name that is taken is told at its field, whatever its case, and asked for so often from one address', async () => {
  await world.put({ username: 'mary-r' }, good);
  const answers = [];
  for (let at = 0; at < accountSettings.limits.signUp.most; at++) answers.push(fields(await world.accounts.signUp(form({ username: 'MARY-R' }), here)));
  expect(new Set(answers.flat())).toEqual(new Set(['username']));
  expect(fields(await world.accounts.signUp(form({ username: 'free' }), here))).toEqual(['throttled']);
  expect(fields(await world.accounts.signUp(form({ username: 'free' }), { address: '198.51.100.9' }))).toEqual(['signed-in']);
  world.pass(accountSettings.limits.signUp.lock);
  expect(fields(await world.accounts.signUp(form({ username: 'free-2' }), here))).toEqual(['signed-in']);
}, 30_000);

test('of many who want one name at once one has it, and no other leaves anything', async () => {
  await world.end();
  world = await openAccounts({}, slowly);
  const before = await patients();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) => world.accounts.signUp(form({ username: at % 2 === 0 ? 'Mary-R' : 'mary-r', given: `M${at}` }), here)),
  );
  expect(answers.filter(({ outcome }) => outcome === 'signed-in')).toHaveLength(1);
  expect(answers.filter(answer => fields(answer)[0] === 'username')).toHaveLength(11);
  expect(await patients()).toBe(before + 1);
  expect((await world.parts.store.documents('hat')).filter(({ value }) => value === 'mary-r')).toHaveLength(1);
  expect(await world.parts.store.documents('session')).toHaveLength(1);
  // Nor was anybody else's Patient made, and taken away again.
  expect((await world.lines()).filter(line => line.code === 'create' && line.address === here.address)).toHaveLength(1);
}, 30_000);

// The process dies, or the store fails, at each step on the way.
test.each([1, 2, 3, 4, 5, 6, 7])('what ends at commit %i leaves nobody in, and the name is free again in a minute', async dies => {
  let commits = 0;
  const dying = await openAccounts({}, parts => ({
    ...parts,
    run: async (request, caller) => {
      if (++commits === dies) throw new Error('dead before the road');
      const answer = await parts.run(request, caller);
      if (++commits === dies) throw new Error('dead after the road');
      return answer;
    },
    store: {
      ...parts.store,
      async commit(changes, at) {
        if (++commits === dies) throw new Error('dead before a commit');
        const made = await parts.store.commit(changes, at);
        if (++commits === dies) throw new Error('dead after a commit');
        return made;
      },
    },
  }));
  try {
    await expect(dying.accounts.signUp(form(), here)).rejects.toThrow('dead');
    dies = 0;
    expect(await dying.parts.store.documents('session')).toEqual([]);
    expect(await dying.accounts.find('mary-r')).toBeUndefined();
    expect((await dying.accounts.signIn('mary-r', good, here)).outcome).toBe('refused');
    dying.pass(minutes(1));
    signedIn(await dying.accounts.signUp(form(), here));
  } finally {
    await dying.end();
  }
});
