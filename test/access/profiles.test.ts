import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { canonical, consentKindSystem } from '../../src/access/canonical.ts';
import { kindOf } from '../../src/access/consent.ts';
import { validate } from '../../src/fhir/validate/validate.ts';

const folder = resolve(import.meta.dirname, '../../profiles');
const read = (name: string): { url: string; concept?: { code: string }[]; type?: string } & Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, name), 'utf8'));
const files = readdirSync(folder);
const codes = read('CodeSystem-consent-kind.json').concept!.map(concept => concept.code);

test('every kind of the code system is one that the server knows, and has a profile', () => {
  const kind = (code: string): unknown => kindOf({ resourceType: 'Consent', category: [{ coding: [{ system: consentKindSystem, code }] }] });
  expect(codes.map(kind)).toEqual(codes);
  expect(kind('anything')).toBeUndefined();
  expect(files.filter(name => name.startsWith('StructureDefinition-consent-')).sort()).toEqual(
    codes.map(code => `StructureDefinition-consent-${code}.json`).sort(),
  );
});

test.each(files)('%s is sound R4 under our canonical', name => {
  const resource = read(name);
  expect(validate(resource)).toEqual([]);
  expect(resource.url.startsWith(`${canonical}/`)).toBe(true);
});
