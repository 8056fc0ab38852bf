import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { unknownParameter } from './condition.ts';
import { idParam } from './facets.ts';
import type { Kind, SearchParam, SortKey } from './query.ts';
import type { Registry } from './registry.ts';
import { badValue } from './values.ts';

/** How results come, not which (http://hl7.org/fhir/R4/search.html#Parameters): the values of those parameters. */
export type Total = 'none' | 'estimate' | 'accurate';

/** At most `max`; 0 asks for the number of matches only. Throws for anything but a whole number. */
export function readCount(value: string, max: number): number {
  if (!/^\d+$/.test(value)) throw badValue('_count', value, 'a whole number from 0 up');
  return Math.min(Number(value), max);
}

export function readTotal(value: string): Total {
  if (value !== 'none' && value !== 'estimate' && value !== 'accurate') throw badValue('_total', value, '`none`, `estimate` or `accurate`');
  return value;
}

const maxSortKeys = 10;

/**
 * `-date,status`: keys in the order of their weight (http://hl7.org/fhir/R4/search.html#sort). Of several types each has to have them. Returns the Problem
 * for a key that is not known or has no order. Throws for too many.
 */
export function readSort(types: readonly ResourceType[], value: string, registry: Registry): readonly SortKey[] | Problem {
  const keys: SortKey[] = [];
  const texts = value.split(',');
  if (texts.length > maxSortKeys) throw new Problem('too-costly', `\`_sort\` has ${texts.length} keys; at most ${maxSortKeys} are allowed`);
  for (const text of texts) {
    const descending = text.startsWith('-');
    const by = sortedBy(types, descending ? text.slice(1) : text, registry);
    if (by instanceof Problem) return by;
    keys.push({ by, descending });
  }
  return keys;
}

/** Kinds whose values come one after the other. */
const unordered: Readonly<Partial<Record<Kind, string>>> = { composite: 'a composite', position: 'a place', words: 'a text that is searched by its words' };

function sortedBy(types: readonly ResourceType[], code: string, registry: Registry): SortKey['by'] | Problem {
  if (code === '') throw new Problem('value', '`_sort` has an empty key');
  if (code === '_lastUpdated') return 'updated';
  if (code === '_id') return idParam;
  const params = types.map(type => registry.param(type, code) ?? unknownParameter(type, code, registry));
  const problem = params.find(param => param instanceof Problem);
  if (problem !== undefined) return problem;
  const [first, ...others] = params as readonly SearchParam[];
  const kind = first!.kind;
  const none = unordered[kind];
  if (none !== undefined) return new Problem('unsupported', `\`_sort=${code}\`: \`${code}\` is ${none}, which has no order`);
  if (others.every(param => param === first)) return first!;
  if (others.some(param => param.kind !== kind))
    return new Problem('unsupported', `\`_sort=${code}\`: \`${code}\` is not of the same kind in ${types.join(', ')}, so that they have no common order`);
  // The parameters of each type, seen as one.
  return { code, kind, base: [], targets: [], extract: of => registry.param(of.resource.resourceType, code)?.extract(of) ?? [] };
}
