import { Problem } from '../fhir/problem.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import { quote } from '../fhir/validate/report.ts';
import { checked } from '../fhir/validate/validate.ts';

/** Ids as FHIR has them: http://hl7.org/fhir/R4/datatypes.html#id */
export const isId = (text: string): boolean => /^[A-Za-z0-9\-.]{1,64}$/.test(text);

/** A body that is a sound resource of this type. Throws Problem naming what is wrong and where. */
export function readBody(body: unknown, type: ResourceType): Resource {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Problem('structure', `the body must be a ${type} as a JSON object`);
  const { resourceType } = body as { resourceType?: unknown };
  if (resourceType !== type) throw new Problem('invalid', `the body is a ${quote(resourceType)}, not a ${type}`, { expression: 'resourceType' });
  return checked(body);
}
/** `W/"3"` → '3'; `*` stays: whatever version there is (RFC 9110 §13.1.1). Throws Problem 'value' for anything else. */
export function readIfMatch(header: string | undefined): string | undefined {
  if (header === undefined || header === '*') return header;
  const version = /^(?:W\/)?"([^"]{1,64})"$/.exec(header.trim())?.[1];
  if (version === undefined) throw new Problem('value', `If-Match must be an ETag such as W/"3", not \`${header.slice(0, 80)}\``);
  return version;
}
