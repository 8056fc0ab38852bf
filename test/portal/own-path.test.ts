import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ownPath, withQuery } from '../../src/portal/own-path.ts';
import { fakeWorld } from './fake-world.ts';
import { visitorOf } from './visitor.ts';

const elsewhere = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '/%2e//evil.example',
  '/./\\evil.example',
  'https:evil.example',
  'https://evil.example',
  'https:/evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'evil.example',
  '@evil.example',
  '.evil.example',
  '/a\r\nSet-Cookie: kindred=x',
  '/a\u0000',
  '/\u0085/evil',
  '',
  `/${'a'.repeat(5000)}`,
];

test.each(elsewhere)('%j leads nowhere', text => expect(ownPath(text)).toBeUndefined());
test.each([
  ['/', '/'],
  ['/records/Patient/mary?x=1&y=%2F%2Fevil', '/records/Patient/mary?x=1&y=%2F%2Fevil'],
  ['/a/../b', '/b'],
  ['/a?next=//evil.example', '/a?next=//evil.example'],
  ['/ä b', '/%C3%A4%20b'],
  ['/a#b', '/a'],
])('%j leads to %j', (text, path) => expect(ownPath(text)).toBe(path));

test('whatever is taken for ours, a browser takes for ours too', () => {
  const sign = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    ':',
    '@',
    '?',
    '#',
    '%2f',
    '%5c',
    '%2e',
    '\t',
    '\n',
    ' ',
    'a',
    'evil.example',
    'https:',
    '\u00a0',
    '；',
    '／',
  );
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 8 }), signs => {
      const path = ownPath(`/${signs.join('')}`);
      if (path === undefined) return;
      expect(new URL(path, 'https://kindred.example/sign-in').origin).toBe('https://kindred.example');
      expect(ownPath(path)).toBe(path);
    }),
    { numRuns: 5000 },
  );
});

test('a query has the names that have a value, written so that nothing in them counts', () => {
  expect(withQuery('/a', { to: undefined })).toBe('/a');
  expect(withQuery('/a', { to: '/b?c=d&e#f', g: undefined })).toBe('/a?to=%2Fb%3Fc%3Dd%26e%23f');
});

test.each(elsewhere)('signing in, up, or confirming with `to` %j leads to the start (no open redirect)', async to => {
  const { app, accounts } = fakeWorld();
  const visitor = visitorOf(app);
  const page = await visitor.get(withQuery('/sign-in', { to }));
  expect(page.text).not.toContain('name="to"');
  const anna = await visitor.send(page, '/sign-in', { username: 'anna', password: 'correct-horse-battery-2', to });
  expect(anna.headers.location).toBe('/');
  expect((await visitor.get(withQuery('/sign-in', { to }))).headers.location).toBe('/');
  expect((await visitor.get(withQuery('/sign-up', { to }))).headers.location).toBe('/');

  const mary = visitorOf(app, accounts.enter('mary'));
  const confirmed = await mary.send('/confirm', '/confirm', { method: 'totp', code: '123456', to });
  expect(confirmed.headers.location).toBe('/');
});
