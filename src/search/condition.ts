import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { controls } from './control-names.ts';
import { parseDate } from './kinds/date.ts';
import { parseReference } from './kinds/reference.ts';
import { parseString } from './kinds/string.ts';
import { parseToken } from './kinds/token.ts';
import { parseUri } from './kinds/uri.ts';
import { split, unescaped } from './kinds/value.ts';
import { type Atom, type Branch, type Link, not, type Predicate, type SearchParam } from './query.ts';
import type { Registry } from './registry.ts';

/** What reading a parameter depends on. */
export interface Reading {
  readonly registry: Registry;
  /** The public base URL: a reference that begins with it is ours. */
  readonly base?: string;
  /** Epoch milliseconds, for `ap`; without it `ap` is refused. */
  readonly now?: number;
}
/** What one parameter demands: of the resource itself, or of what it refers to. */
export type Condition = { readonly where: Predicate } | { readonly link: Link };

/** Values in one list; a longer list is refused. */
const maxValues = 1000;

/**
 * Reads one search parameter of a type. Returns the Problem where the parameter is not known or not supported, since a lenient search leaves it
 * out; throws for a modifier or a value that is wrong, which no search may leave out.
 */
export function readCondition(type: ResourceType, name: string, value: string, reading: Reading): Condition | Problem {
  if (controls.has(cut(name).code)) return new Problem('unsupported', `\`${name}\` is not supported`);
  const dot = name.indexOf('.');
  if (dot < 0) {
    const { code, modifier } = cut(name);
    const where = readPredicate(type, code, modifier, value, name, reading);
    return where instanceof Problem ? where : { where };
  }
  const link = readChain(type, name.slice(0, dot), name.slice(dot + 1), value, name, reading);
  return link instanceof Problem ? link : { link };
}

/** `subject:Patient` and `name:exact` are a code and what is said of it. */
function cut(name: string): { readonly code: string; readonly modifier?: string } {
  const colon = name.indexOf(':');
  return colon < 0 ? { code: name } : { code: name.slice(0, colon), modifier: name.slice(colon + 1) };
}

/** `subject:Patient.name=x`, `patient.name=x`: one step (http://hl7.org/fhir/R4/search.html#chaining). */
function readChain(type: ResourceType, near: string, far: string, value: string, name: string, reading: Reading): Link | Problem {
  const { code, modifier: target } = cut(near);
  const param = reading.registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, reading.registry);
  if (param.kind !== 'reference') throw new Problem('invalid', `\`${name}\`: \`${code}\` is not a reference, so nothing can be asked of what it refers to`);
  const end = cut(far);
  if (far.includes('.')) throw new Problem('unsupported', `\`${name}\`: a chain of more than one step is not supported`);
  const targets = reading.registry.targetsOf(type, param);
  if (target !== undefined) checkTarget(targets, param, target, name);
  else if (targets.length === 0)
    throw new Problem('invalid', `\`${name}\`: \`${code}\` may refer to anything: name the type, as in \`${code}:Patient.${far}\``);
  const types = (target === undefined ? targets : [target]).filter(each => each === target || knows(each, end.code, reading.registry));
  if (types.length === 0)
    return new Problem('invalid', `\`${name}\`: nothing that \`${code}\` may refer to (${targets.join(', ')}) has a parameter \`${end.code}\``);
  const ends: Branch[] = [];
  for (const each of types) {
    const where = readPredicate(each, end.code, end.modifier, value, name, reading);
    if (where instanceof Problem) return where;
    ends.push({ type: each, where, links: [] });
  }
  return { how: 'refers-to', param, ends };
}
const knows = (type: ResourceType, code: string, registry: Registry): boolean => registry.codesOf(type).includes(code);

/** Throws where the parameter cannot refer to that type. */
export function checkTarget(targets: readonly ResourceType[], param: SearchParam, target: string, name: string): void {
  if (!resourceTypes.has(target)) throw new Problem('invalid', `\`${name}\`: \`${target}\` is neither a resource type nor a modifier that is supported`);
  if (targets.length > 0 && !targets.includes(target))
    throw new Problem('invalid', `\`${name}\`: \`${param.code}\` refers to ${targets.join(', ')}, never to \`${target}\``);
}

/** A parameter that does not exist, or that does and is not indexed. */
export function unknownParameter(type: ResourceType, code: string, registry: Registry): Problem {
  if (registry.unsupported(type, code)) return new Problem('unsupported', `the search parameter \`${code}\` of ${type} is not supported yet`);
  return new Problem('invalid', `${type} has no search parameter \`${code}\`; it has ${registry.codesOf(type).join(', ')}`);
}

function readPredicate(type: ResourceType, code: string, modifier: string | undefined, value: string, name: string, reading: Reading): Predicate | Problem {
  const { registry } = reading;
  const refuse = (): never => {
    throw new Problem('invalid', `\`${name}\`: the modifier \`${modifier}\` is not supported here`);
  };
  if (code === '_id') {
    const keys: Predicate = { op: 'keys', keys: valuesOf(name, value).map(text => ({ type, id: idOf(name, text) })) };
    return modifier === undefined ? keys : modifier === 'not' ? not(keys) : refuse();
  }
  if (code === '_lastUpdated') {
    return modifier !== undefined ? refuse() : { op: 'updated', test: { anyOf: valuesOf(name, value).map(text => dateOf(name, text, reading)) } };
  }
  const param = registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, registry);
  if (modifier === 'missing') {
    if (value !== 'true' && value !== 'false') throw badValue(name, value, '`true` or `false`');
    const has: Predicate = { op: 'has', param };
    return value === 'true' ? not(has) : has;
  }
  const read = atomReader(type, param, modifier, name, reading) ?? refuse();
  const some: Predicate = { op: 'some', param, test: { anyOf: valuesOf(name, value).map(read) } };
  return modifier === 'not' ? not(some) : some;
}

/** How the texts of a parameter are read; undefined where the modifier is none of its kind. */
function atomReader(
  type: ResourceType,
  param: SearchParam,
  modifier: string | undefined,
  name: string,
  reading: Reading,
): ((text: string) => Atom) | undefined {
  const reader = (read: (text: string) => Atom | undefined, wanted: string) => (text: string) => {
    const atom = read(text);
    if (atom === undefined) throw badValue(name, text, wanted);
    return atom;
  };
  switch (param.kind) {
    case 'token': {
      const implied = reading.registry.impliesSystem(type, param);
      return modifier === undefined || modifier === 'not'
        ? reader(text => parseToken(text, implied), 'a code, `system|code`, `|code` or `system|`')
        : undefined;
    }
    case 'string':
      return modifier === undefined || modifier === 'contains' || modifier === 'exact'
        ? reader(text => parseString(text, modifier), 'a text to compare')
        : undefined;
    case 'date':
      return modifier === undefined ? text => dateOf(name, text, reading) : undefined;
    case 'uri':
      return modifier === undefined ? parseUri : undefined;
    case 'reference': {
      if (modifier === 'identifier') throw new Problem('unsupported', `\`${name}\`: the modifier \`identifier\` is not supported yet`);
      const targets = reading.registry.targetsOf(type, param);
      if (modifier !== undefined) checkTarget(targets, param, modifier, name);
      const target = modifier ?? (targets.length === 1 ? targets[0] : undefined);
      return reader(text => parseReference(text, target, reading.base), `an id, \`${target ?? 'Type'}/id\` or an absolute URL`);
    }
  }
}

function dateOf(name: string, text: string, { now }: Reading): Extract<Atom, { kind: 'date' }> {
  const atom = parseDate(text, now);
  if (atom === undefined) throw badValue(name, text, 'a date, with a prefix such as `ge` or without');
  return atom;
}
function idOf(name: string, text: string): string {
  const id = unescaped(text);
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(id)) throw badValue(name, text, 'an id');
  return id;
}

/** The values of a list, none of them empty. */
function valuesOf(name: string, value: string): readonly string[] {
  const values = split(value, ',');
  if (values.length > maxValues) throw new Problem('too-costly', `\`${name}\` has ${values.length} values; at most ${maxValues} are allowed`);
  // Leaving an empty value out would make the search mean more than the client wrote.
  if (values.includes('')) throw new Problem('value', `\`${name}=${value}\` has an empty value`);
  return values;
}
/** What is wrong with a value, the value as it was sent. */
export const badValue = (name: string, value: string, wanted: string): Problem => new Problem('value', `\`${name}=${value}\`: \`${value}\` is not ${wanted}`);
