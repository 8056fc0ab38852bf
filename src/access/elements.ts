import { earliest, latest, rangeOf } from '../fhir/datetime.ts';
import { keyOf } from '../fhir/reference.ts';
import { type CodeableConcept, type Coding, type KeyName, nameOf, type Range } from '../fhir/types.ts';

/** A JSON object whose members are not known yet. */
export type Element = Readonly<Record<string, unknown>>;

export const isElement = (value: unknown): value is Element => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects of a repeating element: none where it is absent. */
export const elements = (value: unknown): readonly Element[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]).filter(isElement);
export const codings = (value: unknown): readonly Coding[] => elements(value) as readonly Coding[];
/** The codings of CodeableConcepts. */
export const conceptCodings = (value: unknown): readonly Coding[] =>
  (elements(value) as readonly CodeableConcept[]).flatMap(concept => codings(concept.coding));

/** All that a path of element names leads to; arrays are walked. */
export function follow(from: unknown, path: string): readonly unknown[] {
  // Most paths that are tried lead nowhere, which the first name tells.
  const dot = path.indexOf('.');
  if (!isElement(from) || !Object.hasOwn(from, dot < 0 ? path : path.slice(0, dot))) return [];
  let values: readonly unknown[] = [from];
  for (const name of path.split('.')) {
    values = values.flatMap(value => (isElement(value) && Object.hasOwn(value, name) ? value[name] : []) as unknown);
  }
  return values;
}

/** What a Reference names here; undefined where it names nothing of ours literally. */
export function referenceName(value: unknown): KeyName | undefined {
  if (!isElement(value) || typeof value.reference !== 'string') return undefined;
  const key = keyOf(value.reference);
  return key === undefined ? undefined : nameOf(key);
}
export const referenceNames = (value: unknown): readonly KeyName[] => elements(value).flatMap(one => referenceName(one) ?? []);

/** A Period in epoch milliseconds, partial dates as wide as they are; undefined where an end is no date. */
export function readRange(period: unknown): Range | undefined {
  if (!isElement(period)) return undefined;
  const start = typeof period.start === 'string' ? rangeOf(period.start) : undefined;
  const end = typeof period.end === 'string' ? rangeOf(period.end) : undefined;
  if ((period.start !== undefined && start === undefined) || (period.end !== undefined && end === undefined)) return undefined;
  return { low: start?.low ?? earliest, high: end?.high ?? latest };
}

/** Whether any element in it carries a modifierExtension: none is known here, so none may be passed over. */
export function hasModifier(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasModifier);
  if (!isElement(value)) return false;
  return Object.entries(value).some(([name, member]) => (name === 'modifierExtension' && member !== undefined) || hasModifier(member));
}
