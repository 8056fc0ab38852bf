/** Raw JSON, read without trusting its shape: search must never throw on what a resource holds. */

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

/** Text that says something; numbers and booleans as they are written. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? (value === '' ? undefined : value) : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

/** A search value without its escapes `\,` `\|` `\$` `\\` (http://hl7.org/fhir/R4/search.html#escaping). */
export const unescaped = (text: string): string => (text.includes('\\') ? text.replaceAll(/\\([\\,|$])/g, '$1') : text);

/** The parts of a search value between the signs that are not escaped; the parts keep their escapes. */
export function split(text: string, sign: ',' | '|' | '$'): readonly string[] {
  if (!text.includes('\\')) return text.split(sign);
  const found: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === sign) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}
