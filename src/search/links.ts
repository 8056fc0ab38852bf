import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { cut, readCondition, unknownParameter } from './condition.ts';
import { takeEnd } from './limits.ts';
import { all, type Branch, type Link, type SearchParam } from './query.ts';
import { checkTarget, listOf, type Reading, readId } from './values.ts';

/** `subject:Patient.name=x`, `patient.organization.name=x` (http://hl7.org/fhir/R4/search.html#chaining). What comes after the dot is read of each far end. */
export function readChain(type: ResourceType, name: string, value: string, reading: Reading): Link | Problem {
  const { registry } = reading;
  const dot = name.indexOf('.');
  const far = name.slice(dot + 1);
  const { code, modifier: target } = cut(name.slice(0, dot));
  const param = registry.param(type, code);
  if (param === undefined) return unknownParameter(type, code, registry);
  if (param.kind !== 'reference') throw new Problem('invalid', `\`${name}\`: \`${code}\` is not a reference, so nothing can be asked of what it refers to`);
  const targets = registry.targetsOf(type, param);
  if (target !== undefined) checkTarget(targets, param, target, name);
  else if (targets.length === 0)
    throw new Problem('invalid', `\`${name}\`: \`${code}\` may refer to anything: name the type, as in \`${code}:Patient.${far}\``);
  const types = target === undefined ? targets.filter(each => knows(each, far, reading)) : [target];
  if (types.length === 0)
    return new Problem(
      'invalid',
      `\`${name}\`: nothing that \`${code}\` may refer to (${targets.join(', ')}) has a parameter \`${cut(far.split('.')[0]!).code}\``,
    );
  const ends = types.map(each => (target === undefined ? ifPossible(() => endOf(each, far, value, reading)) : endOf(each, far, value, reading)));
  const found = ends.filter((end): end is Branch => !(end instanceof Problem));
  return found.length === 0 ? (endOf(types[0]!, far, value, reading) as Problem) : { how: 'refers-to', param, ends: found };
}
/** Of several types that the client has not named, one that cannot go that way does not count. */
function ifPossible(read: () => Branch | Problem): Branch | Problem {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid') return error;
    throw error;
  }
}
/** Whether the type carries the first parameter of what is asked of it. */
function knows(type: ResourceType, asked: string, { registry }: Reading): boolean {
  const { code } = cut(asked.split('.')[0]!);
  return code === '_has' || code === '_list' || registry.codesOf(type).includes(code);
}

function endOf(type: ResourceType, asked: string, value: string, reading: Reading): Branch | Problem {
  if (reading.ends !== undefined) takeEnd(reading.ends);
  const read = readCondition(type, asked, value, reading);
  if (read instanceof Problem) return read;
  return 'where' in read ? { type, where: read.where, links: [] } : { type, where: all, links: [read.link] };
}

/** `_has:Observation:patient:code=x`: what comes after the third colon is read of what refers (http://hl7.org/fhir/R4/search.html#has). */
export function readHas(type: ResourceType, name: string, value: string, reading: Reading): Link | Problem {
  const [, from = '', code = '', ...more] = name.split(':');
  const asked = more.join(':');
  if (!resourceTypes.has(from) || code === '' || asked === '') throw new Problem('invalid', `\`${name}\` is not of the form \`_has:Type:reference:parameter\``);
  const param = reading.registry.param(from, code);
  if (param === undefined) return unknownParameter(from, code, reading.registry);
  if (param.kind !== 'reference') throw new Problem('invalid', `\`${name}\`: \`${code}\` of ${from} is not a reference`);
  const targets = reading.registry.targetsOf(from, param);
  if (targets.length > 0 && !targets.includes(type))
    throw new Problem('invalid', `\`${name}\`: \`${code}\` of ${from} refers to ${targets.join(', ')}, never to ${type}`);
  const end = endOf(from, asked, value, reading);
  return end instanceof Problem ? end : { how: 'referred-by', param, ends: [end] };
}

/** `_list=42`: what the List refers to as its items (http://hl7.org/fhir/R4/search.html#list). */
export function readList(name: string, value: string, { registry }: Reading): Link | Problem {
  if (name !== '_list') throw new Problem('invalid', `\`${name}\`: \`_list\` takes no modifier`);
  if (value.startsWith('$')) return new Problem('unsupported', `\`_list=${value}\`: a functional list is not supported; name a List by its id`);
  const keys = listOf(name, value).map(text => ({ type: 'List', id: readId(name, text.replace(/^List\//, '')) }));
  const item: SearchParam = registry.param('List', 'item')!;
  return { how: 'referred-by', param: item, ends: [{ type: 'List', where: { op: 'keys', keys }, links: [] }] };
}
