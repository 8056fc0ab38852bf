import type { ElementDef } from '../definitions/definitions.ts';
import { resourceTypes } from '../definitions/definitions.ts';
import type { Walk } from './report.ts';
import { quote, report } from './report.ts';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** How many codes a message names. */
const mostCodes = 12;

const listed = (codes: ReadonlySet<string>): string =>
  codes.size > mostCodes ? 'a code of its required value set' : `one of ${[...codes].map(quote).join(', ')}`;

/** A code element with a required binding. http://hl7.org/fhir/R4/terminologies.html#required */
export function checkCode(walk: Walk, def: ElementDef, code: string): void {
  if (def.codes && !def.codes.has(code)) report(walk, 'code-invalid', `must be ${listed(def.codes)}, not ${quote(code)}`);
}

/** A CodeableConcept with a required binding: one of its codings is of the value set. One that has extensions instead of codings says why it has none. */
export function checkConcept(walk: Walk, def: ElementDef, concept: unknown): void {
  if (!def.codes || !isObject(concept)) return;
  const { codes, system: expected } = def;
  const codings = Array.isArray(concept.coding) ? concept.coding.filter(isObject) : [];
  if (codings.length === 0 && concept.extension !== undefined) return;
  if (codings.some(({ system, code }) => typeof code === 'string' && codes.has(code) && (expected === undefined || system === expected))) return;
  const from = expected === undefined ? '' : ` from \`${expected}\``;
  report(walk, 'code-invalid', `must have a coding${from} that is ${listed(codes)}`);
}

const referenceEnd = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

/** What a Reference names is of a type that the element may point to, as far as the Reference itself tells. http://hl7.org/fhir/R4/references.html */
export function checkTarget(walk: Walk, def: ElementDef, reference: unknown): void {
  if (!def.targets || !isObject(reference)) return;
  const named = typeof reference.reference === 'string' ? referenceEnd.exec(reference.reference)?.[1] : undefined;
  const wrong = [named, reference.type].find(type => typeof type === 'string' && resourceTypes.has(type) && !def.targets!.includes(type));
  if (wrong !== undefined) report(walk, 'value', `must refer to ${def.targets.map(quote).join(' or ')}, not to ${quote(wrong)}`);
}
