import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { accountSettings } from '../../src/account/parts.ts';
import { account } from '../../src/cli/account.ts';
import type { App, Doors } from '../../src/cli/command.ts';
import { type AccountWorld, good, here, openAccounts, signedIn } from '../account/world.ts';

let world: AccountWorld;
const written: string[] = [];
const stdin = Object.getOwnPropertyDescriptor(process, 'stdin')!;
beforeEach(async () => {
  world = await openAccounts();
  written.splice(0);
  jest.spyOn(process.stdout, 'write').mockImplementation(text => written.push(String(text)) > 0);
});
afterEach(async () => {
  jest.restoreAllMocks();
  Object.defineProperty(process, 'stdin', stdin);
  await world.end();
});

/** Runs the command beside what runs already. */
async function run(args: string, password?: string): Promise<string> {
  if (password !== undefined) Object.defineProperty(process, 'stdin', { value: Readable.from([`${password}\n`]), configurable: true });
  const { store, now } = world.parts;
  const app = { store, now, parts: world.road, close: async () => {} } as unknown as App;
  const doors = { openApp: async () => app, environment: { KINDRED_STORE: 'sqlite::memory:' } } as unknown as Doors;
  written.splice(0);
  expect(await account.run(args.split(' '), doors)).toBe(0);
  return written.join('');
}
const json = async (args: string, password?: string): Promise<unknown> => JSON.parse(await run(`${args} --json`, password));
const wrong = (args: string, password?: string): Promise<unknown> =>
  run(args, password).then(
    () => 'it was done',
    (error: Error & { exit?: number }) => [error.exit, error.message],
  );

test('add: an account with hats, which signs in', async () => {
  await world.parts.store.commit([{ op: 'document', kind: 'hat', id: 'Patient/mary', value: undefined }], world.parts.now());
  expect(await json('add Mary-R --password-stdin --hat patient:Patient/mary --hat front-desk@ima --email mary@example.org', good)).toEqual({
    added: 'mary-r',
    hats: [
      { kind: 'patient', resource: 'Patient/mary' },
      { kind: 'front-desk', organization: 'ima' },
    ],
  });
  signedIn(await world.accounts.signIn('mary-r', good, here));
  expect(await world.parts.store.document('hat', 'Patient/mary')).toBe('mary-r');
  const line = (await world.lines()).find(({ code }) => code === 'account')!;
  expect(line).toMatchObject({ text: 'account mary-r: added', record: 'Patient/mary', caller: { client: 'kindred' } });
  expect(line.caller).not.toHaveProperty('account');
});

test('add: without a password nobody signs in by one', async () => {
  expect(await run('add lee --hat practitioner:Practitioner/lee@ima').catch(String)).toContain('already');
  expect(await run('add keyless')).toBe('account keyless was added\n');
  expect((await world.accounts.signIn('keyless', '', here)).outcome).toBe('refused');
});

test('add: every mistake is named, and nothing is kept', async () => {
  const before = await world.parts.store.documents('account');
  expect(await wrong('add a --password-stdin --hat patient:Patient/nobody --hat practitioner:Practitioner/lee@nowhere --email x', 'short')).toEqual([
    1,
    [
      'a user name has 3 to 64 letters, digits, dots and dashes',
      'A password has at least 15 characters. Several words that do not belong together are easy to remember.',
      'that is not an e-mail address',
      'a patient acts as a Patient that is stored, not as `Patient/nobody`',
      'there is no organization `nowhere`',
    ].join('\n'),
  ]);
  expect(await wrong('add MARY')).toEqual([1, 'there is an account `mary` already']);
  expect(await wrong('add new-one --hat patient:Patient/mary')).toEqual([1, 'somebody has the hat of `Patient/mary` already']);
  expect(await wrong('add new-one --hat patient:RelatedPerson/anna-for-mary')).toEqual([
    1,
    'a patient acts as a Patient that is stored, not as `RelatedPerson/anna-for-mary`',
  ]);
  expect(await wrong('add new-one --hat front-desk')).toEqual([1, 'a front-desk acts for an organization']);
  expect(await wrong('add new-one --hat captain:Patient/mary')).toEqual([2, expect.stringContaining('a hat is written such as')]);
  expect(await world.parts.store.documents('account')).toEqual(before);
});

test('add: of many at once one has the name', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => wrong('add new-one')));
  expect(answers.filter(answer => answer === 'it was done')).toHaveLength(1);
});

test('disable ends sessions at once, and what tokens rest on; enable lets the person in anew, and brings nothing back', async () => {
  await world.put({ username: 'mary-r', hats: [{ kind: 'patient', resource: 'Patient/mary' }] }, good);
  const { cookie } = signedIn(await world.accounts.signIn('mary-r', good, here));
  const epoch = async () => (await world.parts.store.epochs(['account:mary-r']))[0]!;
  const before = await epoch();
  expect(await json('disable MARY-R')).toEqual({ disabled: 'mary-r' });
  expect(await epoch()).toBeGreaterThan(before);
  expect(await world.accounts.find('mary-r')).toMatchObject({ disabled: world.parts.now() });
  expect(await world.accounts.session(cookie)).toBeUndefined();
  expect((await world.accounts.signIn('mary-r', good, here)).outcome).toBe('refused');
  world.pass(1000);
  await run('disable mary-r');
  expect(await json('enable mary-r')).toEqual({ enabled: 'mary-r' });
  expect(await world.accounts.session(cookie)).toBeUndefined();
  signedIn(await world.accounts.signIn('mary-r', good, here));
  const told = (await world.lines()).filter(({ code }) => code === 'account');
  expect(told.map(({ text }) => text)).toEqual(['account mary-r: disabled', 'account mary-r: enabled']);
});

test('unlock lets the owner in before the lock ends by itself; list shows who is locked, and no secret', async () => {
  await world.put({ username: 'mary-r', totp: 'JBSWY3DPEHPK3PXP' }, good);
  for (let at = 0; at < accountSettings.limits.password.most; at++) await world.accounts.signIn('mary-r', 'wrong', here);
  expect((await world.accounts.signIn('mary-r', good, here)).outcome).toBe('throttled');
  const listed = (await json('list')) as { username: string }[];
  const locked = new Date(Date.parse(world.parts.now()) + accountSettings.limits.password.lock).toISOString();
  expect(listed.find(({ username }) => username === 'mary-r')).toEqual({ username: 'mary-r', hats: [], factors: ['password', 'totp'], locked });
  expect(JSON.stringify(listed)).not.toMatch(/argon2|JBSW/);
  expect(await run('list')).toMatch(/^anna {2}caregiver:RelatedPerson\/anna-for-mary {2}password$/m);
  expect(await json('unlock mary-r')).toEqual({ unlocked: 'mary-r' });
  expect((await world.accounts.signIn('mary-r', good, here)).outcome).toBe('second-factor');
});

test('wrong usage, and what is not there', async () => {
  expect(await wrong('disable nobody')).toEqual([1, 'there is no account `nobody`']);
  for (const args of ['', 'add', 'list mary', 'disable', 'disable mary anna', 'remove mary', '__proto__ mary', 'constructor mary'])
    expect([args, await wrong(args)]).toEqual([args, [2, expect.stringContaining('Usage: ')]]);
});
