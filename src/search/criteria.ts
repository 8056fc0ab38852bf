import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { cut, readCondition } from './condition.ts';
import { controls } from './control-names.ts';
import { limitConditions, limitParameters } from './limits.ts';
import type { Pairs } from './parse.ts';
import { and, type Predicate, queryOf, type SearchQuery } from './query.ts';
import type { Registry } from './registry.ts';
import { termsIn } from './terms.ts';
import type { Reading } from './values.ts';

/**
 * The query of a conditional create, update, delete or reference (http://hl7.org/fhir/R4/http.html#ccreate): search parameters of the resource itself
 * and nothing else, at least one. It asks for two, so that one can be told from several.
 * @param criteria the part after `?`, encoded.
 */
export function criteriaQuery(type: ResourceType, criteria: string, context: Reading): SearchQuery {
  const pairs = [...new URLSearchParams(criteria)];
  limitParameters(pairs);
  if (pairs.length === 0) throw new Problem('invalid', `criteria for ${type} are empty: they would match anything`);
  const wheres = pairs.map(([name, value]) => readPlain(type, name, value, context, 'criteria'));
  limitConditions(wheres, []);
  return queryOf(type, and(...wheres), 2);
}

/**
 * The predicate of a granular scope's `?param=value` pairs (http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html). No chains, modifiers,
 * controls or dates relative to now: a scope must mean the same whenever and of whatever it is asked. Throws for them.
 */
export function scopePredicate(type: ResourceType, pairs: Pairs, registry: Registry): Predicate {
  limitParameters(pairs);
  const modified = pairs.find(([name]) => name.includes(':'));
  if (modified !== undefined) throw new Problem('invalid', `\`${modified[0]}\`: a modifier is not allowed in a scope`);
  const wheres = pairs.map(([name, value]) => readPlain(type, name, value, { registry }, 'a scope'));
  limitConditions(wheres, []);
  return and(...wheres);
}

/** What is found by other resources, or by more than a value. */
const refused: ReadonlyMap<string, string> = new Map([
  ['_has', 'a reverse chain'],
  ['_list', 'a list'],
  ['_text', 'a search for words'],
  ['_content', 'a search for words'],
]);

/** A parameter where nothing but conditions on the resource itself are in place: what is not known is never left out. */
function readPlain(type: ResourceType, name: string, value: string, reading: Reading, place: string): Predicate {
  const { code } = cut(name);
  if (controls.has(code)) throw new Problem('invalid', `\`${name}\` is not allowed in ${place}`);
  const what = refused.get(code) ?? (name.includes('.') ? 'a chain' : undefined);
  // What it finds would depend on resources that nobody asked whether the caller may read.
  if (what !== undefined) throw new Problem('unsupported', `\`${name}\`: ${what} is not allowed in ${place}`);
  const read = readCondition(type, name, value, reading);
  if (read instanceof Problem) throw read;
  if ('link' in read) throw new Problem('unsupported', `\`${name}\`: a chain is not allowed in ${place}`);
  if (termsIn(queryOf(type, read.where, 0)).length > 0) throw new Problem('unsupported', `\`${name}\`: the codes of a terminology are not allowed in ${place}`);
  return read.where;
}
