import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { unknownParameter } from './condition.ts';
import type { SearchParam } from './query.ts';
import type { Registry } from './registry.ts';
import { badValue, checkTarget } from './values.ts';

/** An `_include` or a `_revinclude` (http://hl7.org/fhir/R4/search.html#include). */
export interface Include {
  /** `refers-to`: what is referred to comes along; `referred-by`: what refers does. */
  readonly how: 'refers-to' | 'referred-by';
  /** What refers; any type where absent. */
  readonly from?: ResourceType;
  /** By which parameter; by any where absent. */
  readonly param?: SearchParam;
  /** What is referred to; any type where absent. */
  readonly target?: ResourceType;
  /** It goes on from what came along. */
  readonly iterate: boolean;
}
type How = Include['how'];
const names: Readonly<Record<How, string>> = { 'refers-to': '_include', 'referred-by': '_revinclude' };
/** Until R4 it was called `recurse`. */
const goingOn: readonly string[] = ['iterate', 'recurse'];

interface Written {
  readonly name: string;
  readonly how: How;
  readonly iterate: boolean;
}

/**
 * `Observation:subject:Patient`, `Observation:subject`, `Observation:*` or `*`. Returns the Problem for a parameter that is not known; throws for one that
 * cannot be followed.
 * @param types what is searched.
 */
export function readInclude(types: readonly ResourceType[], how: How, modifier: string | undefined, value: string, registry: Registry): Include | Problem {
  const said = modifier === undefined ? names[how] : `${names[how]}:${modifier}`;
  const name = `${said}=${value}`;
  if (modifier !== undefined && !goingOn.includes(modifier)) throw new Problem('invalid', `\`${name}\`: the modifier \`${modifier}\` is not \`iterate\``);
  const written: Written = { name, how, iterate: modifier !== undefined };
  const { iterate } = written;
  if (value === '*') return { how, iterate };
  const [from, code, target, ...more] = value.split(':');
  if (!from || !code || target === '' || more.length > 0) throw badValue(said, value, '`Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`');
  if (!resourceTypes.has(from)) throw new Problem('invalid', `\`${name}\`: \`${from}\` is not a resource type`);
  if (how === 'refers-to' && !iterate && !types.includes(from))
    throw new Problem('invalid', `\`${name}\`: the search is for ${types.join(', ')}, so nothing of type \`${from}\` is found to include from`);
  if (code === '*') {
    if (target !== undefined && !resourceTypes.has(target)) throw new Problem('invalid', `\`${name}\`: \`${target}\` is not a resource type`);
    return { how, from, iterate, ...(target === undefined ? {} : { target }) };
  }
  const param = referenceOf(from, code, written, registry);
  if (param instanceof Problem) return param;
  const targets = registry.targetsOf(from, param);
  if (target !== undefined) checkTarget(targets, param, target, name);
  const reached = target === undefined ? targets : [target];
  if (how === 'referred-by' && !iterate && reached.length > 0 && !reached.some(each => types.includes(each)))
    throw new Problem('invalid', `\`${name}\`: \`${code}\` of ${from} refers to ${reached.join(', ')}, and the search is for ${types.join(', ')}`);
  return { how, from, param, iterate, ...(target === undefined ? {} : { target }) };
}

function referenceOf(from: ResourceType, code: string, { name }: Written, registry: Registry): SearchParam | Problem {
  const param = registry.param(from, code);
  if (param === undefined) return unknownParameter(from, code, registry);
  if (param.kind === 'reference') return param;
  const references = registry.includesOf(from).map(each => each.code);
  throw new Problem('invalid', `\`${name}\`: \`${code}\` is not a reference; these are: ${references.join(', ')}`);
}

/** Whether both ask for the same. */
export const isSame = (one: Include, other: Include): boolean =>
  one.how === other.how && one.from === other.from && one.param === other.param && one.target === other.target && one.iterate === other.iterate;

/** The types that includes may bring along. */
export function broughtBy(includes: readonly Include[], types: readonly ResourceType[], registry: Registry): readonly ResourceType[] {
  const brought = new Set<ResourceType>();
  const add = (more: Iterable<ResourceType>): void => {
    for (const type of more) brought.add(type);
  };
  for (const { how, from, param, target, iterate } of includes) {
    if (how === 'referred-by') add(from === undefined ? resourceTypes : [from]);
    else if (target !== undefined) add([target]);
    else for (const type of from === undefined ? (iterate ? resourceTypes : types) : [from]) add(targetsOf(type, param, registry));
  }
  return [...brought];
}
function targetsOf(type: ResourceType, param: SearchParam | undefined, registry: Registry): Iterable<ResourceType> {
  const params = param === undefined ? registry.includesOf(type) : [param];
  const targets = params.map(each => registry.targetsOf(type, each));
  return targets.some(each => each.length === 0) ? resourceTypes : targets.flat();
}
