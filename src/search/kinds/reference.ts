import { parseReference as parseText } from '../../fhir/reference.ts';
import type { ResourceType } from '../../fhir/types.ts';
import type { Atom, IndexValue } from '../query.ts';
import { canonicalForms } from './uri.ts';
import { recordOf, textOf, unescaped } from './value.ts';

type ReferenceAtom = Extract<Atom, { kind: 'reference' }>;
type ReferenceValue = Extract<IndexValue, { kind: 'reference' }>;

/**
 * The references of a value of the FHIR type (http://hl7.org/fhir/R4/search.html#reference). What is contained cannot be named by a search, nor
 * can what is known by identifier only; odd data gives none.
 * @param base our public URL: what lies below it is ours, however it is written.
 */
export function indexReference(type: string, value: unknown, base?: string): readonly ReferenceValue[] {
  switch (type) {
    case 'Reference': {
      const reference = recordOf(value);
      const text = textOf(reference?.reference);
      const named = text === undefined ? [] : literal(text, base);
      return named.length > 0 || reference === undefined ? named : [there];
    }
    case 'canonical':
    case 'uri':
    case 'url': {
      const text = textOf(value);
      return text === undefined || text.startsWith('#') ? [] : canonicalForms(text).map(id => ({ kind: 'reference', type: '', id }));
    }
    case 'Resource': {
      // A message or a document refers to its first entry by holding it.
      const resource = recordOf(value);
      const { resourceType, id } = resource ?? {};
      return typeof resourceType === 'string' && typeof id === 'string' ? [{ kind: 'reference', type: resourceType, id }] : [];
    }
    default:
      return [];
  }
}
/** What is contained, or only described: no search can name it, but it is not missing. */
const there: ReferenceValue = { kind: 'reference', type: '', id: '#' };

function literal(text: string, base: string | undefined): readonly ReferenceValue[] {
  const parsed = parseText(text, base);
  if (parsed === undefined || parsed.kind === 'contained') return [];
  if (parsed.kind !== 'local') return [{ kind: 'reference', type: '', id: parsed.text }];
  const { type, id, version } = parsed;
  // A search that names a version finds what refers to that one; any other finds it whatever the version.
  return [{ kind: 'reference', type, id }, ...(version === undefined ? [] : [{ kind: 'reference', type: '', id: versionOf(type, id, version) } as const])];
}
const versionOf = (type: string, id: string, version: string): string => `${type}/${id}/_history/${version}`;

/**
 * Reads `id`, `Type/id`, `Type/id/_history/version` or an absolute URL; undefined where it is none of them.
 * @param target the type that an id alone is one of, where it is known; undefined: of any.
 */
export function parseReference(text: string, target: ResourceType | undefined, base?: string): ReferenceAtom | undefined {
  const wanted = unescaped(text);
  if (/^[A-Za-z0-9\-.]{1,64}$/.test(wanted)) return { kind: 'reference', ...(target === undefined ? {} : { type: target }), id: wanted };
  return literal(wanted, base).at(-1);
}

/** An atom without a type is an id of ours: it never finds what is elsewhere. */
export const passesReference = (atom: ReferenceAtom, value: ReferenceValue): boolean =>
  value.id === atom.id && (atom.type === undefined ? value.type !== '' : value.type === atom.type);
