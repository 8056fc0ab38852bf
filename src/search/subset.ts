import { resourceTypes, typeOf } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import type { Pairs } from './parse.ts';
import { badValue } from './values.ts';

/** Which part of each resource is wanted (http://hl7.org/fhir/R4/search.html#summary, http://hl7.org/fhir/R4/search.html#elements). */
export type Subset =
  | { readonly how: 'true' | 'text' | 'data' }
  /** Of the types that are named, these elements; the others stay whole. */
  | { readonly how: 'elements'; readonly of: ReadonlyMap<ResourceType, ReadonlySet<string>> };

type Summary = 'count' | 'false' | 'true' | 'text' | 'data';
const summaries: readonly string[] = ['true', 'text', 'data', 'count', 'false'] satisfies Summary[];

/** Throws for anything that R4 does not know. */
export function readSummary(value: string): Summary {
  if (!summaries.includes(value)) throw badValue('_summary', value, '`true`, `text`, `data`, `count` or `false`');
  return value as Summary;
}
export const summarySubset = (summary: Summary): Subset | undefined => (summary === 'count' || summary === 'false' ? undefined : { how: summary });

/** What a read of one resource asks of it by `_summary` or `_elements`; undefined: all of it. Throws for what does not fit a read. */
export function readSubset(type: ResourceType, parameters: Pairs): Subset | undefined {
  refuseBoth(parameters);
  let subset: Subset | undefined;
  for (const [name, value] of parameters) {
    if (name === '_summary') {
      const summary = readSummary(value);
      if (summary === 'count') throw new Problem('invalid', '`_summary=count` is for searches: one resource is not counted');
      subset = summarySubset(summary) ?? subset;
    } else if (name === '_elements') {
      const read = readElements([type], value);
      if (read instanceof Problem) throw read;
      subset = read;
    }
  }
  return subset;
}

/** Both ask for a part of each resource. */
export function refuseBoth(parameters: Pairs): void {
  for (const name of ['_summary', '_elements'])
    if (parameters.filter(([other]) => other === name).length > 1) throw new Problem('invalid', `\`${name}\` is given more than once`);
  const summary = parameters.find(([name]) => name === '_summary')?.[1];
  if (summary !== undefined && summary !== 'false' && summary !== 'count' && parameters.some(([name]) => name === '_elements'))
    throw new Problem('invalid', `\`_summary=${summary}\` and \`_elements\` ask for different parts of each resource: ask for one`);
}

const maxElements = 200;

/**
 * `identifier,name` of the types that are searched, `Patient.name` of that type, wherever it comes from. Returns the Problem for an element that none of
 * them has; throws for a list that is none.
 */
export function readElements(types: readonly ResourceType[], value: string): Subset | Problem {
  const of = new Map<ResourceType, Set<string>>();
  const texts = value.split(',').map(text => text.trim());
  if (texts.includes('')) throw new Problem('value', `\`_elements=${value}\` has an empty name`);
  if (texts.length > maxElements) throw new Problem('too-costly', `\`_elements\` has ${texts.length} names; at most ${maxElements} are allowed`);
  for (const text of texts) {
    const [first = '', second, ...more] = text.split('.');
    if (second !== undefined && (more.length > 0 || !resourceTypes.has(first)))
      return new Problem('invalid', `\`_elements=${text}\`: name elements of the resource itself, as in \`name\` or \`Patient.name\``);
    const [among, name] = second === undefined ? [types, first] : [[first], second];
    const having = among.filter(type => hasElement(type, name));
    if (having.length === 0) return new Problem('invalid', `\`_elements=${text}\`: ${among.join(', ')} has no element \`${name}\``);
    for (const type of among) of.set(type, (of.get(type) ?? new Set()).add(name));
  }
  return { how: 'elements', of };
}

/** `value[x]` is called so, `value`, or as it stands there: `valueQuantity`. */
export const isNamed = (property: string, name: string, names: ReadonlySet<string>): boolean =>
  names.has(property) || names.has(name) || (name.endsWith('[x]') && names.has(name.slice(0, -3)));
const hasElement = (type: ResourceType, name: string): boolean =>
  [...(typeOf(type)?.elements ?? [])].some(([property, def]) => isNamed(property, def.name, new Set([name])));
