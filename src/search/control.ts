import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { badValue, checkTarget, unknownParameter } from './condition.ts';
import { idParam } from './facets.ts';
import type { SearchParam, SortKey } from './query.ts';
import type { Registry } from './registry.ts';

/** How results come, not which (http://hl7.org/fhir/R4/search.html#Parameters): the values of those parameters. */
export type Total = 'none' | 'estimate' | 'accurate';

/** A parameter whose references come along. */
export interface Include {
  readonly param: SearchParam;
  readonly from: ResourceType;
  readonly target?: ResourceType;
}

/** At most `max`; 0 asks for the number of matches only. Throws for anything but a whole number. */
export function readCount(value: string, max: number): number {
  if (!/^\d+$/.test(value)) throw badValue('_count', value, 'a whole number from 0 up');
  return Math.min(Number(value), max);
}

export function readTotal(value: string): Total {
  if (value !== 'none' && value !== 'estimate' && value !== 'accurate') throw badValue('_total', value, '`none`, `estimate` or `accurate`');
  return value;
}

/** Returns the Problem for what R4 knows and we do not. */
export function readSummary(value: string): 'count' | 'false' | Problem {
  if (value === 'count' || value === 'false') return value;
  if (!['true', 'text', 'data'].includes(value)) throw badValue('_summary', value, '`count` or `false`');
  return new Problem('unsupported', `\`_summary=${value}\` is not supported yet`);
}

const maxSortKeys = 10;

/** `-date,status`: keys in the order of their weight. Returns the Problem for a key that is not known. Throws for too many. */
export function readSort(type: ResourceType, value: string, registry: Registry): readonly SortKey[] | Problem {
  const keys: SortKey[] = [];
  const texts = value.split(',');
  if (texts.length > maxSortKeys) throw new Problem('too-costly', `\`_sort\` has ${texts.length} keys; at most ${maxSortKeys} are allowed`);
  for (const text of texts) {
    const descending = text.startsWith('-');
    const by = sortedBy(type, descending ? text.slice(1) : text, registry);
    if (by instanceof Problem) return by;
    keys.push({ by, descending });
  }
  return keys;
}
function sortedBy(type: ResourceType, code: string, registry: Registry): SortKey['by'] | Problem {
  if (code === '') throw new Problem('value', '`_sort` has an empty key');
  if (code === '_lastUpdated') return 'updated';
  if (code === '_id') return idParam;
  const param = registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, registry);
  // References have no order that would mean anything to a client.
  return param.kind === 'reference' ? new Problem('unsupported', `\`_sort=${code}\`: a reference is nothing to sort by`) : param;
}

/** `Observation:subject:Patient`. Returns the Problem for a parameter that is not known; throws for one that cannot be followed. */
export function readInclude(type: ResourceType, value: string, registry: Registry): Include | Problem {
  const name = `_include=${value}`;
  const [from, code, target, ...more] = value.split(':');
  if (value === '*' || code === '*') return new Problem('unsupported', `\`${name}\`: name the parameters to include by; \`*\` is not supported`);
  if (!from || !code || target === '' || more.length > 0) throw badValue('_include', value, '`Type:parameter` or `Type:parameter:Target`');
  if (from !== type) throw new Problem('invalid', `\`${name}\`: the search is for ${type}, so nothing of type \`${from}\` is found to include from`);
  const param = registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, registry);
  if (param.kind !== 'reference')
    throw new Problem(
      'invalid',
      `\`${name}\`: \`${code}\` is not a reference; these are: ${registry
        .includesOf(type)
        .map(each => each.code)
        .join(', ')}`,
    );
  if (target === undefined) return { param, from };
  checkTarget(registry.targetsOf(type, param), param, target, name);
  return { param, from, target };
}
