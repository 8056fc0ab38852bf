import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { controls } from './control-names.ts';
import { readChain, readHas, readList } from './links.ts';
import { all, type Link, none, not, or, type Predicate, type SearchParam } from './query.ts';
import type { Registry } from './registry.ts';
import { badValue, dateReader, listOf, type Reading, readerOf, readId } from './values.ts';

/** What one parameter demands: of the resource itself, or of what it refers to or is referred to by. */
export type Condition = { readonly where: Predicate } | { readonly link: Link };

/**
 * Reads one search parameter of a type. Returns the Problem where the parameter is not known or not supported, since a lenient search leaves it
 * out; throws for a modifier or a value that is wrong, which no search may leave out.
 */
export function readCondition(type: ResourceType, name: string, value: string, reading: Reading): Condition | Problem {
  const { code, modifier } = cut(name);
  if (controls.has(code)) return new Problem('unsupported', `\`${name}\` is not supported`);
  if (code === '_has') return linked(readHas(type, name, value, reading));
  if (code === '_list') return linked(readList(name, value, reading));
  if (name.includes('.')) return linked(readChain(type, name, value, reading));
  const where = readPredicate(type, code, modifier, { name, value, reading });
  return where instanceof Problem ? where : { where };
}
const linked = (link: Link | Problem): Condition | Problem => (link instanceof Problem ? link : { link });

/** `subject:Patient` and `name:exact` are a code and what is said of it. */
export function cut(name: string): { readonly code: string; readonly modifier?: string } {
  const colon = name.indexOf(':');
  return colon < 0 ? { code: name } : { code: name.slice(0, colon), modifier: name.slice(colon + 1) };
}

/** A parameter that does not exist, or that does and is not indexed. */
export function unknownParameter(type: ResourceType, code: string, registry: Registry): Problem {
  if (registry.unsupported(type, code)) return new Problem('unsupported', `the search parameter \`${code}\` of ${type} is not supported`);
  return new Problem('invalid', `${type} has no search parameter \`${code}\`; it has ${registry.codesOf(type).join(', ')}`);
}

interface Written {
  readonly name: string;
  readonly value: string;
  readonly reading: Reading;
}
function readPredicate(type: ResourceType, code: string, modifier: string | undefined, written: Written): Predicate | Problem {
  const { name, value, reading } = written;
  const refuse = (): never => {
    throw new Problem('invalid', `\`${name}\`: the modifier \`${modifier}\` is not supported here`);
  };
  if (modifier === 'missing' && (code === '_id' || code === '_lastUpdated')) return isMissing(written) ? none : all;
  if (code === '_id') {
    const keys: Predicate = { op: 'keys', keys: listOf(name, value).map(text => ({ type, id: readId(name, text) })) };
    return modifier === undefined ? keys : modifier === 'not' ? not(keys) : refuse();
  }
  if (code === '_lastUpdated') {
    return modifier !== undefined ? refuse() : { op: 'updated', test: { anyOf: listOf(name, value).map(dateReader(name, reading)) } };
  }
  const param = reading.registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, reading.registry);
  if (modifier === 'missing') return missing(type, param, written);
  const read = readerOf(type, param, modifier, name, reading) ?? refuse();
  const wheres = listOf(name, value).map(read.read);
  const some = joined(wheres);
  return read.negated ? not(some) : some;
}

/** Values of one parameter are one term, however many. */
function joined(wheres: readonly Predicate[]): Predicate {
  const [first, ...others] = wheres;
  const atoms = wheres.flatMap(where => (where.op === 'some' && where.test.terms === undefined ? where.test.anyOf : []));
  const alike = first?.op === 'some' && wheres.every(where => where.op === 'some' && where.test.terms === undefined && where.param === first.param);
  return alike && others.length > 0 ? { ...first, test: { anyOf: atoms } } : or(...wheres);
}

/** `:missing`: whether there is a value, or something that a modifier could ask of it. */
function missing(type: ResourceType, param: SearchParam, { name, value, reading }: Written): Predicate {
  const asked = (['text', 'identifier'] as const).flatMap(modifier => reading.registry.modified(type, param, modifier) ?? []);
  const has = or(...[param, ...asked].map((each): Predicate => ({ op: 'has', param: each })));
  return isMissing({ name, value, reading }) ? not(has) : has;
}
function isMissing({ name, value }: Written): boolean {
  if (value !== 'true' && value !== 'false') throw badValue(name, value, '`true` or `false`');
  return value === 'true';
}
