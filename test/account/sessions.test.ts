import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AccountWorld, form, good, here, minutes, openAccounts, signedIn } from './world.ts';

let world: AccountWorld;
beforeEach(async () => {
  world = await openAccounts();
});
afterEach(() => world.end());

test('signing up, out and in again', async () => {
  const { accounts } = world;
  const first = signedIn(await accounts.signUp(form(), here));
  expect(await accounts.session(first.cookie)).toEqual(first.session);
  const account = await accounts.find('MARY-R');
  expect(account).toMatchObject({ username: 'mary-r', name: 'Mary Reyes', terms: { version: '1', at: world.parts.now() } });
  const [choice] = await accounts.choices(account!);
  expect(choice).toMatchObject({ kind: 'patient', name: 'Mary Reyes', standing: true });
  const acting = await accounts.act(first.session, choice!.hat, choice!.record);
  expect(acting?.acting).toEqual({ hat: choice!.hat, record: choice!.record });
  expect((await accounts.session(first.cookie))?.acting).toEqual(acting?.acting);
  await accounts.signOut(first.session, here);
  expect(await accounts.session(first.cookie)).toBeUndefined();
  const second = signedIn(await accounts.signIn('Mary-R', good, here));
  expect(second.cookie).not.toBe(first.cookie);
  expect(await accounts.session(second.cookie)).toMatchObject({ account: 'mary-r', amr: ['pwd'] });
  world.pass(minutes(1));
  await accounts.signOutEverywhere(second.session, here);
  expect(await accounts.session(second.cookie)).toBeUndefined();
  console.log(JSON.stringify((await world.lines()).slice(-8), undefined, 1));
});
