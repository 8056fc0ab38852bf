import type { Atom, IndexValue } from '../query.ts';
import { textOf, unescaped } from './value.ts';

type UriAtom = Extract<Atom, { kind: 'uri' }>;
type UriValue = Extract<IndexValue, { kind: 'uri' }>;

/**
 * The forms under which a canonical is found: as it is written, and without the version that it may end in. A search without a version finds any,
 * a search with one finds that one.
 */
export function canonicalForms(text: string): readonly string[] {
  const bar = text.indexOf('|');
  return bar <= 0 ? [text] : [text.slice(0, bar), text];
}

/** The uris of a value of the FHIR type (http://hl7.org/fhir/R4/search.html#uri). Odd data gives none. */
export function indexUri(type: string, value: unknown): readonly UriValue[] {
  const text = textOf(value);
  if (text === undefined) return [];
  return (type === 'canonical' ? canonicalForms(text) : [text]).map(uri => ({ kind: 'uri', uri }));
}

/**
 * Reads a uri; with `below` as the beginning of a path, with `above` as a path and all that it begins with. Undefined where those make no sense, since it is no
 * URL (http://hl7.org/fhir/R4/search.html#uri).
 */
export function parseUri(text: string, modifier?: 'above' | 'below'): readonly UriAtom[] | undefined {
  const uri = unescaped(text);
  if (modifier === undefined) return [{ kind: 'uri', how: 'is', uri }];
  const [, root, path] = /^([a-z][a-z0-9+.-]*:\/\/[^/]+)(.*)$/i.exec(uri) ?? [];
  if (root === undefined) return undefined;
  if (modifier === 'below') return [{ kind: 'uri', how: 'under', uri: uri.replace(/\/$/, '') }];
  const steps = path!.split('/').filter(step => step !== '');
  const above = [root, ...steps.map((_, at) => `${root}/${steps.slice(0, at + 1).join('/')}`)];
  return above.flatMap(one => [one, `${one}/`]).map((one): UriAtom => ({ kind: 'uri', how: 'is', uri: one }));
}

/** Uris are compared character by character. */
export const passesUri = (atom: UriAtom, value: UriValue): boolean => atom.uri === value.uri || (atom.how === 'under' && value.uri.startsWith(`${atom.uri}/`));
