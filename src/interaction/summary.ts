import { type ElementDef, elementOf, summaryOf, typeOf } from '../fhir/definitions/definitions.ts';
import { keepLexemes, withMembers } from '../fhir/json.ts';
import type { Coding, Meta, Resource } from '../fhir/types.ts';
import { isNamed, type Subset } from '../search/subset.ts';

/** Says that there is more of the resource than is shown (http://hl7.org/fhir/R4/search.html#summary). */
const subsetted: Coding = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

/** The part of a resource that is asked for, marked as one; undefined where all of it is. Pure. */
export function subsetOf(resource: Resource, asked: Subset): Resource | undefined {
  const keep = keeperOf(resource, asked);
  if (keep === undefined) return undefined;
  const part = asked.how === 'true' ? summarised(resource, resource.resourceType) : picked(resource, resource.resourceType, keep);
  return marked(part as Resource, resource.meta);
}

/** Whether an element of a type is wanted; `property` is its name as in JSON. */
type Keep = (def: ElementDef, property: string, type: string) => boolean;
const mandatory: Keep = ({ min }) => min >= 1;
const always: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta']);
const inSummary: Keep = (def, property, type) => summaryOf(type).includes(def.name) || mandatory(def, property, type);
const keepers: Readonly<Record<'true' | 'text' | 'data', Keep>> = {
  true: inSummary,
  text: (def, property, type) => property === 'text' || mandatory(def, property, type),
  data: (_, property) => property !== 'text',
};

function keeperOf({ resourceType }: Resource, asked: Subset): Keep | undefined {
  if (asked.how !== 'elements') return keepers[asked.how];
  const names = asked.of.get(resourceType);
  return names && ((def, property, type) => isNamed(property, def.name, names) || mandatory(def, property, type));
}

type Members = Readonly<Record<string, unknown>>;

/** The members that are wanted, as they are. The extensions of a primitive stand beside it, under its name with an underscore. */
function picked(from: Members, type: string, keep: Keep): Members {
  const kept = Object.entries(from).filter(([name]) => isKept(name, type, keep));
  return keepLexemes(from, Object.fromEntries(kept));
}
function isKept(name: string, type: string, keep: Keep): boolean {
  const property = name.replace(/^_/, '');
  if (always.has(property)) return true;
  const element = elementOf(type, property);
  return element !== undefined && keep(element.def, property, type);
}

/** The same for a summary, which goes into backbones; data types stay whole. */
function summarised(from: Members, type: string): Members {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(picked(from, type, inSummary))) {
    const element = elementOf(type, name);
    const part = element !== undefined && typeOf(element.type)?.kind === 'backbone' ? within(value, element.type) : value;
    // What has to be there stays, even where nothing in it is in the summary.
    if (part !== undefined || (element !== undefined && element.def.min >= 1)) kept[name] = part ?? value;
  }
  return keepLexemes(from, kept);
}
/** Undefined where nothing is left. */
function within(value: unknown, type: string): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(one => within(one, type)).filter(one => one !== undefined);
    return parts.length === 0 ? undefined : parts;
  }
  if (typeof value !== 'object' || value === null) return value;
  const part = summarised(value as Members, type);
  // An id by itself is no content.
  return Object.keys(part).every(name => name === 'id') ? undefined : part;
}

function marked(part: Resource, meta: Meta = {}): Resource {
  const tags = meta.tag ?? [];
  const known = tags.some(tag => tag.system === subsetted.system && tag.code === subsetted.code);
  return withMembers(part, { meta: withMembers(meta, { tag: known ? tags : [...tags, subsetted] }) });
}
