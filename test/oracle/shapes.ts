import type { Json } from './data.ts';
import { patient } from './extra.ts';

/** A search of one resource whose answer is cut, and the elements that are left of it (http://hl7.org/fhir/R4/search.html#summary and #elements). */
export interface Shape {
  readonly ask: string;
  readonly name: string;
  readonly elements: readonly string[];
  /** Not cut: no SUBSETTED. */
  readonly whole?: true;
}
const always = ['resourceType', 'id', 'meta'];
/** Of a Patient. */
const summary = ['identifier', 'active', 'name', 'telecom', 'gender', 'birthDate', 'deceasedBoolean', 'address', 'managingOrganization', 'link'];
const zoe = 'Patient/oracle-zoe';
const pair = 'Observation/oracle-pair';

export const shapes: readonly Shape[] = [
  { ask: 'Patient?_id=oracle-zoe&_elements=name,birthDate', name: zoe, elements: [...always, 'name', 'birthDate'] },
  { ask: 'Patient?_id=oracle-zoe&_elements=deceased', name: zoe, elements: [...always, 'deceasedBoolean'] },
  { ask: 'Patient?_id=oracle-zoe&_summary=true', name: zoe, elements: [...always, ...summary] },
  { ask: 'Patient?_id=oracle-zoe&_summary=text', name: zoe, elements: [...always, 'text'] },
  { ask: 'Patient?_id=oracle-zoe&_summary=data', name: zoe, elements: [...always, ...summary, 'generalPractitioner'] },
  { ask: 'Patient?_id=oracle-zoe&_summary=false', name: zoe, elements: [...always, ...summary, 'generalPractitioner', 'text'], whole: true },
  { ask: 'Observation?_id=oracle-pair&_elements=effective', name: pair, elements: [...always, 'status', 'code', 'effectiveDateTime'] },
  { ask: 'Observation?_id=oracle-pair&_summary=text', name: pair, elements: [...always, 'status', 'code'] },
  { ask: 'Observation?_id=oracle-pair&_summary=true', name: pair, elements: [...always, 'status', 'code', 'effectiveDateTime', 'component'] },
  { ask: `Patient?_id=${patient}&_elements=gender&_summary=false`, name: `Patient/${patient}`, elements: [...always, 'gender'] },
];
const subsetted = ({ meta }: Json): boolean =>
  ((meta as { tag?: readonly { code?: string }[] } | undefined)?.tag ?? []).some(({ code }) => code === 'SUBSETTED');
export const shapeOf = (resource: Json): object => ({ elements: Object.keys(resource).sort(), subsetted: subsetted(resource) });
export const shapeWanted = ({ elements, whole }: Shape): object => ({ elements: [...elements].sort(), subsetted: whole !== true });
