import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where colours of eyes are in the resources of these tests, and the parameter that finds them. */
export const eyesUrl = 'http://example.org/StructureDefinition/eyes';
export const eyes = {
  resourceType: 'SearchParameter',
  id: 'eyes',
  url: 'http://example.org/SearchParameter/eyes',
  code: 'eyes',
  status: 'active',
  type: 'token',
  base: ['Patient'],
  expression: `Patient.extension.where(url = '${eyesUrl}').value`,
};
export const patientWith = (colour: string): { readonly resourceType: 'Patient'; readonly extension: readonly object[] } => ({
  resourceType: 'Patient',
  extension: [{ url: eyesUrl, valueCode: colour }],
});

/** A FHIR package as it is published: the folder that it unpacks to, or (`tgz`) the file. */
export function makePackage(folder: string, name: string, parameters: readonly object[], tgz = false): string {
  const inside = join(folder, name, 'package');
  mkdirSync(join(inside, 'example'), { recursive: true });
  writeFileSync(join(inside, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
  writeFileSync(join(inside, 'StructureDefinition-x.json'), JSON.stringify({ resourceType: 'StructureDefinition', description: '"SearchParameter"' }));
  // Examples are no definitions.
  writeFileSync(join(inside, 'example', 'SearchParameter-example.json'), JSON.stringify({ ...eyes, expression: 'nothing' }));
  for (const [at, parameter] of parameters.entries()) writeFileSync(join(inside, `SearchParameter-${at}.json`), JSON.stringify(parameter));
  if (!tgz) return join(folder, name);
  const file = join(folder, `${name}.tgz`);
  execFileSync('tar', ['-czf', file, '-C', join(folder, name), 'package']);
  return file;
}
