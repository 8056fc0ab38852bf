import type { Atom, IndexValue } from '../query.ts';
import { listOf, recordOf, textOf, unescaped } from './value.ts';

type StringAtom = Extract<Atom, { kind: 'string' }>;
type StringValue = Extract<IndexValue, { kind: 'string' }>;

/** The members of a type that a string parameter looks at (http://hl7.org/fhir/R4/search.html#string). */
const parts: Readonly<Record<string, readonly string[]>> = {
  HumanName: ['family', 'given', 'prefix', 'suffix', 'text'],
  Address: ['line', 'city', 'district', 'state', 'postalCode', 'country', 'text'],
};

/** The strings of a value of the FHIR type. Odd data gives none. */
export function indexString(type: string, value: unknown): readonly StringValue[] {
  const members = parts[type];
  if (members === undefined) return stringOf(value);
  const whole = recordOf(value);
  return whole === undefined ? [] : members.flatMap(member => listOf(whole[member]).flatMap(stringOf));
}
function stringOf(value: unknown): readonly StringValue[] {
  const exact = textOf(value);
  return exact === undefined ? [] : [{ kind: 'string', text: fold(exact), exact }];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
const plain = /^[\x00-\x7f]*$/;

/** Letters whose accent is a part of them, as they are written without it. */
const letters: ReadonlyMap<string, string> = new Map([
  ['ł', 'l'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['þ', 'th'],
  ['ı', 'i'],
]);
/** Text as it is compared: without accents and case, white space folded to one space. */
export function fold(text: string): string {
  if (plain.test(text)) return folded(text);
  const bare = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return folded(bare.replaceAll(/[łøđðßæœþı]/g, letter => letters.get(letter)!));
}
function folded(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

/**
 * Reads a value as the beginning of a string; with `:contains` as a part of it, with `:exact` as the whole, case and accents included.
 * Undefined where nothing is left to compare, since nothing is the beginning of everything.
 */
export function parseString(text: string, modifier: 'contains' | 'exact' | undefined): StringAtom | undefined {
  const wanted = modifier === 'exact' ? unescaped(text) : fold(unescaped(text));
  return wanted === '' ? undefined : { kind: 'string', how: modifier ?? 'starts', text: wanted };
}

export function passesString(atom: StringAtom, value: StringValue): boolean {
  switch (atom.how) {
    case 'exact':
      return value.exact === atom.text;
    case 'starts':
      return value.text.startsWith(atom.text);
    case 'contains':
      return value.text.includes(atom.text);
  }
}
