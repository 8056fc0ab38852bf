import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const source = resolve(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .sort();
const importsOf = (file: string): readonly string[] =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) =>
    name!.startsWith('.') ? relative(source, resolve(source, dirname(file), name!)) : name!,
  );
const roomOf = (file: string): string => (file.includes('/') ? file.split('/')[0]! : 'top');

/** What each room may import besides itself: what stands left of it. `config.ts` and `log.ts` stand left of everything that configures. */
const left: Readonly<Record<string, readonly string[]>> = {
  fhir: [],
  search: ['fhir'],
  store: ['fhir', 'search'],
  access: ['fhir', 'search', 'store'],
  audit: ['fhir', 'search', 'store', 'access'],
  interaction: ['fhir', 'search', 'store', 'access', 'audit'],
  account: ['fhir', 'search', 'store', 'access', 'audit', 'interaction', 'log.ts', 'network.ts'],
  auth: ['fhir', 'search', 'store', 'access', 'audit', 'interaction', 'account', 'log.ts'],
  portal: ['fhir', 'search', 'store', 'access', 'audit', 'interaction', 'account', 'auth'],
  http: ['fhir', 'search', 'store', 'access', 'audit', 'interaction', 'network.ts'],
  cli: ['fhir', 'search', 'store', 'access', 'audit', 'interaction', 'account', 'auth', 'config.ts', 'log.ts'],
};
const breaches = (forbidden: (file: string, imported: string) => boolean): readonly string[] =>
  files.flatMap(file =>
    importsOf(file)
      .filter(imported => forbidden(file, imported))
      .map(imported => `${file} imports ${imported}`),
  );

test('imports point left only (ARCHITECTURE §2)', () => {
  expect(
    breaches((file, imported) => {
      const room = roomOf(file);
      if (room === 'top' || imported.startsWith('node:') || !imported.endsWith('.ts')) return false;
      const target = roomOf(imported) === 'top' ? imported : roomOf(imported);
      return target !== room && !left[room]!.includes(target);
    }),
  ).toEqual([]);
});

test('only store/open.ts knows an engine', () => {
  expect(breaches((file, imported) => /^store\/(sqlite|mongodb)\//.test(imported) && dirname(imported) !== dirname(file) && file !== 'store/open.ts')).toEqual(
    [],
  );
});

test.each([
  ['express', ['http', 'portal']],
  ['node:sqlite', ['store']],
  ['mongodb', ['store']],
  ['jose', ['auth']],
  ['oidc-provider', ['auth']],
  ['otpauth', ['account']],
  ['@node-rs/argon2', ['account']],
  ['@simplewebauthn/server', ['account']],
  ['nodemailer', ['account']],
  ['uqr', ['portal']],
  ['ajv', ['auth', 'cli']],
])('only its rooms import %s', (library, rooms) => {
  const importers = files.filter(file => importsOf(file).some(name => name === library || name.startsWith(`${library}/`)));
  expect(importers.length).toBeGreaterThan(0);
  expect(importers.filter(file => !rooms.includes(roomOf(file)))).toEqual([]);
});

test('fhir, search, access and audit are pure: no clock, no randomness, no environment, no waiting', () => {
  const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bawait (?!of)/;
  const excepted = ['fhir/definitions/build.ts', 'fhir/definitions/build-value-sets.ts', 'audit/chain.ts'];
  const found = files.filter(
    file => ['fhir', 'search', 'access', 'audit'].includes(roomOf(file)) && !excepted.includes(file) && impure.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(found).toEqual([]);
});

test('only the road decides and commits FHIR data', () => {
  const callers = (pattern: RegExp): readonly string[] => files.filter(file => pattern.test(readFileSync(join(source, file), 'utf8')));
  expect(callers(/\bdecide\(/).filter(file => roomOf(file) !== 'access')).toEqual(['interaction/judge.ts', 'interaction/reading.ts']);
  expect(callers(/op: 'put'/).filter(file => !['interaction', 'store'].includes(roomOf(file)))).toEqual([]);
});

test('a file can be read in one sitting: none over 300 lines, half of them under 100', () => {
  const sizes = files.map(file => ({ file, lines: readFileSync(join(source, file), 'utf8').split('\n').length }));
  expect(sizes.filter(({ lines }) => lines > 300)).toEqual([]);
  const median = sizes.map(one => one.lines).sort((a, b) => a - b)[Math.floor(sizes.length / 2)]!;
  expect(median).toBeLessThan(100);
});
