/**
 * Structure and required codes of R4 (http://hl7.org/fhir/R4/validation.html), by one walk over the resource along the definitions.
 * Invariants, profiles and slicing are not checked here.
 */
import type { ElementDef } from '../definitions/definitions.ts';
import { resourceTypes } from '../definitions/definitions.ts';
import type { Issue } from '../problem.ts';
import { Problem } from '../problem.ts';
import type { Resource } from '../types.ts';
import { checkCode, checkConcept, checkTarget } from './bindings.ts';
import type { Primitive } from './primitives.ts';
import type { Walk } from './report.ts';
import { quote, report } from './report.ts';
import type { Member, Shape } from './shapes.ts';
import { shapeOf } from './shapes.ts';

type Fields = Record<string, unknown>;

/** Far more than any real resource, far less than what would overflow the stack. Counted in parts of the path. */
const deepest = 100;
const underscore = 95;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const jsonType = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;

function checkPrimitive(walk: Walk, member: Member, primitive: Primitive, value: unknown): void {
  if (typeof value !== primitive.json) {
    report(walk, 'structure', `must be ${primitive.article}, not ${typeof value === 'object' ? jsonType(value) : quote(value)}`);
  } else if (!primitive.isValid(value as never)) {
    report(walk, 'value', value === '' ? 'may not be empty' : `must be ${primitive.article}, not ${quote(value)}`);
  } else if (member.def.codes && member.type === 'code') checkCode(walk, member.def, value as string);
}

/** A value and, for a primitive, the object beside it with its id and extensions (`_birthDate`). One of the two is there. */
function checkValue(walk: Walk, member: Member, value: unknown, beside: unknown): void {
  const { def, primitive, property, type } = member;
  if (primitive) {
    if (value !== undefined) checkPrimitive(walk, member, primitive, value);
    if (beside !== undefined) checkObject(walk, shapeOf(type), beside, value !== undefined);
  } else if (type === 'Resource') checkResource(walk, value, property === 'contained');
  else {
    checkObject(walk, shapeOf(type), value, false);
    if (type === 'CodeableConcept') checkConcept(walk, def, value);
    else if (type === 'Reference') checkTarget(walk, def, value);
  }
}

const absent = (value: unknown): boolean => value === undefined || value === null;

function isFilledList(walk: Walk, value: unknown): value is readonly unknown[] {
  if (!Array.isArray(value)) report(walk, 'structure', `must be a list, not ${jsonType(value)}`);
  else if (value.length === 0) report(walk, 'structure', 'may not be an empty list');
  else return true;
  return false;
}

/** Two lists of a primitive are aligned, with null where one of them has nothing. http://hl7.org/fhir/R4/json.html#primitive */
function checkList(walk: Walk, member: Member, items: unknown, companions: unknown): void {
  if (items !== undefined && !isFilledList(walk, items)) return;
  if (companions !== undefined && !isFilledList(walk, companions)) return;
  if (items && companions && items.length !== companions.length) report(walk, 'structure', `and \`_${member.property}\` must be lists of the same length`);
  const length = Math.max(items?.length ?? 0, companions?.length ?? 0);
  for (let index = 0; index < length; index++) {
    walk.path.push(index);
    const item = items?.[index];
    const companion = companions?.[index];
    if (absent(item) && absent(companion)) report(walk, 'structure', 'may not be null');
    else checkValue(walk, member, item ?? undefined, companion ?? undefined);
    walk.path.pop();
  }
}

function checkMember(walk: Walk, member: Member, value: unknown, beside: unknown): void {
  walk.path.push(member.segment);
  if (member.isList) checkList(walk, member, value, beside);
  else if (value === null || beside === null) report(walk, 'structure', 'may not be null');
  else checkValue(walk, member, value, beside);
  walk.path.pop();
}

function reportUnknown(walk: Walk, shape: Shape, property: string): void {
  // What cannot be a step of FHIRPath stays out of the expression.
  const at = /^[A-Za-z]\w{0,63}$/.test(property) ? property : undefined;
  report(walk, 'structure', at === undefined ? `has an unknown element ${quote(property)}` : `is unknown: ${shape.name} has no element ${quote(property)}`, at);
}

/** What holds of an object before its members are looked at. `isFilled`: it is beside a value, so that an id alone is enough. */
function isWalkable(walk: Walk, value: unknown, isFilled: boolean): value is Fields {
  const size = isObject(value) ? Object.keys(value).length : 0;
  if (!isObject(value)) report(walk, 'structure', `must be an object, not ${jsonType(value)}`);
  else if (size === 0) report(walk, 'structure', 'may not be an empty object');
  // http://hl7.org/fhir/R4/element.html, ele-1
  else if (size === 1 && value.id !== undefined && !isFilled) report(walk, 'structure', 'must have more than an id');
  else if (walk.path.length > deepest) report({ path: walk.path.slice(0, 1), issues: walk.issues }, 'structure', 'is nested too deeply');
  else return true;
  return false;
}

function checkObject(walk: Walk, shape: Shape, value: unknown, isFilled: boolean): void {
  if (!isWalkable(walk, value, isFilled)) return;
  const properties = Object.keys(value);
  const hasCompanions = properties.some(property => property.charCodeAt(0) === underscore);
  const chosen: ElementDef[] = [];
  for (const property of properties) {
    const isCompanion = property.charCodeAt(0) === underscore;
    const member = shape.members.get(isCompanion ? property.slice(1) : property);
    if (!member || (isCompanion && !member.primitive)) {
      if (property !== 'resourceType' || !shape.isResource) reportUnknown(walk, shape, property);
      continue;
    }
    if (value[property] === undefined || (isCompanion && value[member.property] !== undefined)) continue;
    if (member.def.choice) {
      if (chosen.includes(member.def)) report(walk, 'structure', `has ${member.def.name} more than once, as ${quote(property)} too`);
      else chosen.push(member.def);
    }
    checkMember(walk, member, isCompanion ? undefined : value[property], hasCompanions && member.primitive ? value[`_${member.property}`] : undefined);
  }
  for (const { property, primitive } of shape.required) {
    if (value[property] === undefined && !(primitive && hasCompanions && value[`_${property}`] !== undefined))
      report(walk, 'required', 'is required', property);
  }
  for (const def of shape.requiredChoices) if (!chosen.includes(def)) report(walk, 'required', 'is required', def.name.slice(0, -3));
}

function checkResource(walk: Walk, value: unknown, isContained: boolean): void {
  const type = isObject(value) ? value.resourceType : undefined;
  if (!isObject(value)) report(walk, 'structure', `must be a resource, not ${jsonType(value)}`);
  else if (typeof type !== 'string') report(walk, 'structure', 'must have a `resourceType`');
  else if (!resourceTypes.has(type)) report(walk, 'structure', `must have a resourceType of R4, not ${quote(type)}`);
  // http://hl7.org/fhir/R4/references.html#contained
  else if (isContained && value.contained !== undefined) report(walk, 'structure', 'may not contain resources itself', 'contained');
  else checkObject(walk, shapeOf(type), value, true);
}

/**
 * What breaks the structure of R4 in a resource as JSON has it, at most 50 issues; none for a resource that may be stored.
 * Takes anything, however deep.
 */
export function validate(resource: unknown): readonly Issue[] {
  const type = isObject(resource) && typeof resource.resourceType === 'string' && resourceTypes.has(resource.resourceType) ? resource.resourceType : 'Resource';
  const walk: Walk = { path: [type], issues: [] };
  checkResource(walk, resource, false);
  return walk.issues;
}

/** The resource, once it is known to be one. @throws Problem with every issue, and the code of the first. */
export function checked(resource: unknown): Resource {
  const issues = validate(resource);
  const [first] = issues;
  if (first === undefined) return resource as Resource;
  const more = issues.length === 1 ? '' : ` (The first of ${issues.length === 50 ? '50 or more' : issues.length} issues.)`;
  throw new Problem(first.code, first.text + more, { issues });
}
