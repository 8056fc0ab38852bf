import type { Coding, Resource } from '../fhir/types.ts';
import { isElement } from './elements.ts';

const clinicalElements: ReadonlySet<string> = new Set([
  ...[
    'code',
    'type',
    'medicationCodeableConcept',
    'vaccineCode',
    'reasonCode',
    'valueCodeableConcept',
    'conclusionCode',
    'substance',
    'substanceCodeableConcept',
  ],
  ...[
    'productCodeableConcept',
    'itemCodeableConcept',
    'diagnosisCodeableConcept',
    'procedureCodeableConcept',
    'productOrService',
    'targetDisease',
    'outcomeCode',
  ],
]);
/** Elements that say who, when or how, or that are labels themselves: nothing in them makes a resource sensitive. */
const unclinical: ReadonlySet<string> = new Set(['meta', 'identifier', 'contained', 'telecom', 'address', 'securityLabel', 'modifierExtension', 'entry']);

/** Elements in whose words labels are looked for; `div` is narrative. */
const worded: ReadonlySet<string> = new Set([
  ...['display', 'text', 'title', 'description', 'div', 'valueString', 'contentString', 'conclusion', 'summary', 'comment'],
]);

interface Gathered {
  /** Codings of the clinical code elements. */
  readonly clinical: Coding[];
  /** Those of all elements. */
  readonly all: Coding[];
  readonly texts: string[];
}

/** The codings and words of a resource that say something clinical. */
export function gather(resource: Resource): Gathered {
  const gathered: Gathered = { clinical: [], all: [], texts: [] };
  for (const [name, value] of Object.entries(resource)) walk(value, name, clinicalElements.has(name), gathered);
  return gathered;
}
function walk(value: unknown, name: string, clinical: boolean, into: Gathered): void {
  if (typeof value === 'string') {
    if (worded.has(name)) into.texts.push(value);
  } else if (Array.isArray(value)) {
    for (const item of value) walk(item, name, clinical, into);
  } else if (isElement(value)) {
    if (unclinical.has(name)) return;
    if (typeof value.code === 'string' && (value.system !== undefined || name === 'coding')) {
      const coding = value as Coding;
      into.all.push(coding);
      if (clinical) into.clinical.push(coding);
    }
    for (const [member, below] of Object.entries(value)) walk(below, member, clinical || clinicalElements.has(member), into);
  }
}
/** Each coding once, by system and code alone. */
export function distinct(found: readonly Coding[]): readonly Coding[] {
  const seen = new Map<string, Coding>();
  for (const { system, code } of found) {
    const key = `${system ?? ''}|${code}`;
    if (code !== undefined && !seen.has(key)) seen.set(key, { ...(system === undefined ? {} : { system }), code });
  }
  return [...seen.values()];
}
