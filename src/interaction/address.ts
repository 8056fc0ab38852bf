import { Problem } from '../fhir/problem.ts';

/** `MedicationStatement/1/_history` → its parts, decoded. Throws Problem 'value' for what is not percent-encoded UTF-8. */
export const readPath = (path: string): readonly string[] =>
  path
    .split('/')
    .filter(part => part !== '')
    .map(decode);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Problem('value', `\`${part.slice(0, 80)}\` in the address is not percent-encoded UTF-8`);
  }
}

/** `Prefer: handling=lenient` (http://hl7.org/fhir/R4/search.html#errors), among other preferences or alone. */
export const isLenient = (prefer = ''): boolean =>
  prefer
    .split(/[,;]/)
    .map(one => one.toLowerCase().replaceAll(/[\s"]/g, ''))
    .includes('handling=lenient');
