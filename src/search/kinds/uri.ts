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

export const parseUri = (text: string): UriAtom => ({ kind: 'uri', uri: unescaped(text) });

/** Uris are equal or not: character by character. */
export const passesUri = (atom: UriAtom, value: UriValue): boolean => atom.uri === value.uri;
