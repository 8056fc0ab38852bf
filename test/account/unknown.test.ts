import { expect, jest, test } from '@jest/globals';
import * as argon2 from '@node-rs/argon2';

// By counting and not by the clock: an answer for an unknown account costs the same hash.
const verify = jest.fn(argon2.verify);
jest.unstable_mockModule('@node-rs/argon2', () => ({ ...argon2, verify }));
const { good, here, openAccounts } = await import('./world.ts');

test('one hash is computed, whether there is such an account or not', async () => {
  const world = await openAccounts();
  try {
    await world.put({ username: 'mary-r' }, good);
    await world.put({ username: 'keyless' });
    await world.put({ username: 'gone', disabled: world.parts.now() }, good);
    for (const [username, password] of [
      ['mary-r', 'wrong'],
      ['mary-r', good],
      ['nobody', good],
      ['not a name at all!', good],
      ['', ''],
      ['keyless', good],
      ['gone', good],
      ['nobody', 'x'.repeat(5000)],
    ] as const) {
      verify.mockClear();
      await world.accounts.signIn(username, password, here);
      expect([username, verify.mock.calls.length]).toEqual([username, 1]);
      // Each of a hash with the same cost.
      expect(String(verify.mock.calls[0]![0])).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
  } finally {
    await world.end();
  }
});
