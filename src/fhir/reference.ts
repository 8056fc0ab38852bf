import { elementOf } from './definitions/definitions.ts';
import { keepLexemes, withMembers } from './json.ts';
import type { KeyName, Reference, Resource, ResourceKey } from './types.ts';
import { nameOf } from './types.ts';

/** What a reference text names. `contained` with an empty id is `#`, the resource that contains. */
export type ParsedReference =
  | { readonly kind: 'local'; readonly type: string; readonly id: string; readonly version?: string }
  | { readonly kind: 'contained'; readonly id: string }
  | { readonly kind: 'urn' | 'absolute'; readonly text: string };

/** A Reference inside a resource. */
export interface FoundReference {
  /** FHIRPath, such as `Encounter.participant[0].individual`. */
  readonly path: string;
  readonly reference: Reference & { readonly reference: string };
  /** The object whose element it is. */
  readonly holder: object;
}

const localShape = /^([A-Z][A-Za-z]{0,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;
const containedShape = /^#[A-Za-z0-9\-.]{0,64}$/;
const schemeShape = /^[A-Za-z][A-Za-z0-9+.-]*:\S/;

function parseLocal(text: string): ParsedReference | undefined {
  const [, type, id, version] = localShape.exec(text) ?? [];
  if (type === undefined || id === undefined) return undefined;
  return version === undefined ? { kind: 'local', type, id } : { kind: 'local', type, id, version };
}

/**
 * Reads a literal reference. An absolute URL below `base` (our own address, with or without a slash at its end) is local.
 * @returns undefined for what names nothing: a conditional reference (`Patient?identifier=…`), a wrong id, white space.
 * @see http://hl7.org/fhir/R4/references.html#literal
 */
export function parseReference(text: string, base?: string): ParsedReference | undefined {
  if (text.startsWith('#')) return containedShape.test(text) ? { kind: 'contained', id: text.slice(1) } : undefined;
  if (!schemeShape.test(text)) return parseLocal(text);
  if (/\s/.test(text)) return undefined;
  if (text.startsWith('urn:')) return { kind: 'urn', text };
  if (base !== undefined && base !== '') {
    const root = base.endsWith('/') ? base : `${base}/`;
    if (text.startsWith(root)) return parseLocal(text.slice(root.length)) ?? { kind: 'absolute', text };
  }
  return { kind: 'absolute', text };
}

/** The key of the resource of ours that the text names, whichever version of it; undefined when it names none. */
export function keyOf(text: string, base?: string): ResourceKey | undefined {
  const parsed = parseReference(text, base);
  return parsed?.kind === 'local' ? { type: parsed.type, id: parsed.id } : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The type of an object by where it stands; a resource tells its own. Undefined where R4 does not know the element. */
const typeAt = (value: Record<string, unknown>, expected: string | undefined): string | undefined =>
  (expected === undefined || expected === 'Resource') && typeof value.resourceType === 'string' ? value.resourceType : expected;

/** The type of a member's values; the companion of a primitive (`_birthDate`) is an Element with extensions. */
const memberType = (type: string | undefined, name: string): string | undefined =>
  name.startsWith('_') ? 'Element' : type === undefined ? undefined : elementOf(type, name)?.type;

/** Expression, DetectedIssue and Immunization.education have an element `reference` that is a uri: the type decides, the shape only where it is unknown. */
const isReference = (value: Record<string, unknown>, type: string | undefined): value is FoundReference['reference'] & Record<string, unknown> =>
  typeof value.reference === 'string' && (type === undefined || type === 'Reference');

function collect(value: unknown, expected: string | undefined, path: string, holder: object, found: FoundReference[]): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, expected, `${path}[${index}]`, holder, found);
  } else if (isObject(value)) {
    const type = typeAt(value, expected);
    if (isReference(value, type)) found.push({ path, reference: value, holder });
    for (const name of Object.keys(value)) {
      if (isObject(value[name])) collect(value[name], memberType(type, name), `${path}.${segmentOf(type, name)}`, value, found);
    }
  }
}

/** A member's name in FHIRPath: `value` for `valueReference`, `birthDate` for `_birthDate`. */
function segmentOf(type: string | undefined, name: string): string {
  const property = name.startsWith('_') ? name.slice(1) : name;
  const def = type === undefined ? undefined : elementOf(type, property)?.def;
  return def?.choice ? def.name.slice(0, -3) : property;
}

/** Every Reference with a literal `reference` in the resource, in extensions, contained resources and Bundle entries too. */
export function references(resource: Resource): readonly FoundReference[] {
  const found: FoundReference[] = [];
  collect(resource, 'Resource', resource.resourceType, resource, found);
  return found;
}

/** The resources of ours that it refers to, each once, whichever version the reference names. */
export function localReferences(resource: Resource, base?: string): readonly KeyName[] {
  const names = new Set<KeyName>();
  for (const { reference } of references(resource)) {
    const key = keyOf(reference.reference, base);
    if (key) names.add(nameOf(key));
  }
  return [...names];
}

type Rewrite = (text: string) => string | undefined;

const rewritten: ReadonlySet<string> = new Set(['uri', 'url', 'oid', 'uuid']);

const unescapeXml = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const rewriteNarrative = (xhtml: string, map: Rewrite): string =>
  xhtml.replace(/(\s(?:href|src)\s*=\s*)("[^"]*"|'[^']*')/g, (whole, before: string, quoted: string) => {
    const text = map(unescapeXml(quoted.slice(1, -1)));
    return text === undefined ? whole : `${before}"${escapeXml(text)}"`;
  });

function rewriteText(text: string, type: string | undefined, map: Rewrite): string {
  if (type === 'xhtml') return rewriteNarrative(text, map);
  return type !== undefined && rewritten.has(type) && text.startsWith('urn:') ? (map(text) ?? text) : text;
}

/** Answers the value itself where nothing in it changes. */
function rewrite(value: unknown, expected: string | undefined, map: Rewrite): unknown {
  if (typeof value === 'string') return rewriteText(value, expected, map);
  if (Array.isArray(value)) {
    const items = value.map(item => rewrite(item, expected, map));
    return items.some((item, index) => item !== value[index]) ? keepLexemes(value, items) : value;
  }
  if (!isObject(value)) return value;
  const type = typeAt(value, expected);
  const changed: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const isText = name === 'reference' && isReference(value, type);
    const after = isText ? (map(value.reference) ?? member) : rewrite(member, memberType(type, name), map);
    if (after !== member) changed.push([name, after]);
  }
  return changed.length === 0 ? value : withMembers(value, Object.fromEntries(changed));
}

/**
 * A copy with other reference texts: `map` answers the new text, or undefined to leave it. Asked for are every `Reference.reference`, the links and
 * images of narrative, and the `urn:` values of elements of type uri, url, oid and uuid. Their other values stay, although the specification
 * has them replaced too: the `url` of a conformance resource is its name and often its fullUrl. Canonicals and strings (an identifier's value) stay.
 * @see http://hl7.org/fhir/R4/http.html#trules
 */
export const rewriteReferences = (resource: Resource, map: Rewrite): Resource => rewrite(resource, 'Resource', map) as Resource;
