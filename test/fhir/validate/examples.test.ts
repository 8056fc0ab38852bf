import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parseJson, printJson } from '../../../src/fhir/json.ts';
import { references, rewriteReferences } from '../../../src/fhir/reference.ts';
import type { Resource } from '../../../src/fhir/types.ts';
import { validate } from '../../../src/fhir/validate/validate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const archive = join(process.env.KINDRED_DATA ?? resolve(root, '../shared/data'), 'r4-examples.tar.xz');

/** Examples of HL7's own that point where R4's element may not. */
const breaking: Readonly<Record<string, string>> = {
  'devicemetric-example.json': 'value DeviceMetric.parent',
  'deviceusestatement-example.json': 'value DeviceUseStatement.reasonReference[0]',
  'medicationrequest0301.json': 'value MedicationRequest.dispenseRequest.performer',
  'observation-example-clinical-gender.json': 'value Observation.performer[0]',
};

function unpack(): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-'));
  try {
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.json'));
    return new Map(files.map(file => [file.split(/[\\/]/).pop()!, readFileSync(join(folder, file), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (!existsSync(archive)) {
  test.skip(`HL7's examples of R4 (no r4-examples.tar.xz: set KINDRED_DATA to its folder)`, () => {});
} else {
  const texts = unpack();
  const examples = [...texts].map(([file, text]) => [file, parseJson(text) as Resource] as const);

  test(`HL7's examples of R4 are valid, except those that break it`, () => {
    const refused = examples.flatMap(([file, resource]) => validate(resource).map(({ code, expression }) => [file, `${code} ${expression}`]));
    expect(examples.length).toBeGreaterThan(700);
    expect(Object.fromEntries(refused)).toEqual(breaking);
  });

  test('they print with every number as it was written', () => {
    const compact = (text: string) => text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
    const plain = (text: string) => compact(text).replace(/"(?:[^"\\]|\\.)*"/g, '""');
    for (const [file, resource] of examples) expect(plain(printJson(resource))).toBe(plain(texts.get(file)!));
  });

  test('every Reference in them is found, and rewriting changes them all', () => {
    for (const [, resource] of examples) {
      const before = references(resource);
      const after = references(rewriteReferences(resource, text => `${text}x`));
      expect(after.map(({ reference }) => reference.reference)).toEqual(before.map(({ reference }) => `${reference.reference}x`));
    }
  });
}
