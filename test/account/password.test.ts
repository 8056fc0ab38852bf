import { randomBytes, scryptSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashPassword, isOutdated, isPassword, MAX_PASSWORD } from '../../src/account/password.ts';
import { MIN_PASSWORD, mistakeInPassword } from '../../src/account/password-rules.ts';
import { good } from './words.ts';

const names = ['mary-r', 'Mary', 'Reyes', 'mary.reyes@example.org', 'kindred'];

test('argon2id with the parameters of OWASP, in the PHC format', async () => {
  const kept = await hashPassword(good);
  expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(isOutdated(kept)).toBe(false);
  expect(await isPassword(kept, good)).toBe(true);
  expect(await isPassword(kept, `${good} `)).toBe(false);
  expect(await isPassword(kept, '')).toBe(false);
  expect(await hashPassword(good)).not.toBe(kept);
});
test('the same characters written in two ways are one password (NFKC)', async () => {
  expect(await isPassword(await hashPassword('Ame\u0301lie ﬁnds a lamp'), 'Am\u00e9lie finds a lamp')).toBe(true);
});
test('a hash of scrypt still counts, and is outdated', async () => {
  const salt = randomBytes(16);
  const kept = `${salt.toString('base64url')}.${scryptSync(good, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 }).toString('base64url')}`;
  expect(await isPassword(kept, good)).toBe(true);
  expect(await isPassword(kept, `x${good}`)).toBe(false);
  expect(isOutdated(kept)).toBe(true);
  expect(isOutdated('$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$5NMNKTrfPXTUKPNj0aAPHVHEPCXlRKsqzXuERlzJlCo')).toBe(true);
});
test('what was kept and is no hash lets nobody in', async () => {
  for (const kept of ['', '.', 'x.y', '$argon2id$', '$argon2id$v=19$m=19456,t=2,p=1$AAAA$', good]) expect(await isPassword(kept, '')).toBe(false);
});
test('a password beyond the limit is never right, though what it begins with is', async () => {
  const longest = 'ab'.repeat(MAX_PASSWORD / 2);
  const kept = await hashPassword(longest);
  expect(await isPassword(kept, longest)).toBe(true);
  expect(await isPassword(kept, `${longest}c`)).toBe(false);
  expect(await isPassword(await hashPassword(''), 'x'.repeat(10_000))).toBe(false);
});

test('NIST SP 800-63B-4 §3.1.1.2: 15 characters, at least 64 allowed, whatever they are', () => {
  expect(MIN_PASSWORD).toBe(15);
  expect(mistakeInPassword('vq8 tz!mw2 xk4', names)).toContain('at least 15');
  expect(mistakeInPassword('vq8 tz!mw2 xk45', names)).toBeUndefined();
  expect(mistakeInPassword('тихий омут без чертей', names)).toBeUndefined();
  expect(mistakeInPassword('🦊🌋🧦🪐🥁🦑🧲🪴🍄🛶🎲🧂🪁🦔🚲', names)).toBeUndefined();
  const long = randomBytes(32).toString('hex');
  expect(mistakeInPassword(long, names)).toBeUndefined();
  expect(mistakeInPassword('é💧'.repeat(200), names)).toContain('at most');
});
test('any 15 to 256 characters that are random enough are taken: no composition rules', () => {
  const letters = fc.constantFrom(...'bdfgkmpvxz');
  const word = fc.array(letters, { minLength: 40, maxLength: MAX_PASSWORD }).map(list => list.join(''));
  fc.assert(
    fc.property(word, text => {
      fc.pre(new Set(text).size > 4 && !/(.{1,60})\1{1,}$/.test(text));
      expect(mistakeInPassword(text, names)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});
test.each([
  'aaaaaaaaaaaaaaaa',
  'abcdefghijklmnopq',
  '12345678901234567',
  'qwertyuiopasdfghjkl',
  'passwordpassword',
  'Password12345678',
  'P@ssw0rd-P@ssw0rd-1',
  'kindred-kindred-2026',
  'KindredPassword!!',
  'mary-r mary-r mary-r',
  'MaryReyesMaryReyes1',
  'mary.reyes@example.org',
  'correct horse battery staple',
  'iloveyouforever2024',
  'xk9xk9xk9xk9xk9xk9',
  '                    ',
  '- - - - - - - - - -',
  'letmein letmein 99',
  'zyxwvutsrqponmlkj',
  '1q2w3e4r5t1q2w3e4r5t',
])('what is guessed first is refused: %s', password => {
  expect(mistakeInPassword(password, names)).toContain('too easy');
});
test.each([good, 'a teapot left in the rain', 'mary keeps 7 lanterns by the well', 'loud marble, soft gravel', 'summer dragon pizza guitar lightning'])(
  'taken: %s',
  password => {
    expect(mistakeInPassword(password, names)).toBeUndefined();
  },
);
