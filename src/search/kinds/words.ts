import { doubleMetaphone } from 'double-metaphone';
import { elementOf } from '../../fhir/definitions/definitions.ts';
import type { Resource } from '../../fhir/types.ts';
import type { Atom, IndexValue } from '../query.ts';
import { fold } from './string.ts';
import { recordOf, textOf, unescaped } from './value.ts';

type WordsAtom = Extract<Atom, { kind: 'words' }>;
type WordsValue = Extract<IndexValue, { kind: 'words' }>;

/** The words of texts: letters and digits, without accents and case, each once. */
const wordsOf = (texts: readonly string[]): readonly string[] => [
  ...new Set(texts.flatMap(text => fold(text).split(/[^\p{L}\p{N}]+/u)).filter(word => word !== '')),
];
const wordsIn = (texts: readonly string[]): readonly WordsValue[] => {
  const words = wordsOf(texts);
  return words.length === 0 ? [] : [{ kind: 'words', words }];
};

/** The words of the narrative (http://hl7.org/fhir/R4/search.html#content: `_text`). */
export const narrativeWords = (resource: Resource): readonly WordsValue[] => {
  const div = textOf(recordOf((resource as { readonly text?: unknown }).text)?.div);
  return wordsIn(div === undefined ? [] : [readable(div)]);
};
/** The words of all that people read in it (`_content`): strings, markdown, codes and the narrative. Ids, addresses, dates and attachments are no text. */
export const contentWords = (resource: Resource): readonly WordsValue[] => {
  const texts: string[] = [];
  gather(resource, resource.resourceType, texts);
  return wordsIn(texts);
};

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };
/** XHTML without its marks. What a mark parts is two words, as on the page. */
const readable = (xhtml: string): string =>
  withoutMarks(xhtml).replaceAll(/&(#x?)?(\w{1,8});/gi, (_, number, name) =>
    number === undefined ? (entities[name.toLowerCase()] ?? ' ') : character(number, name),
  );
/** In one walk, whatever is sent: an expression that looks for the end of each mark takes the square of the time. What has no end goes to the end. */
function withoutMarks(xhtml: string): string {
  const texts: string[] = [];
  for (let at = 0; at < xhtml.length; ) {
    const mark = xhtml.indexOf('<', at);
    texts.push(xhtml.slice(at, mark < 0 ? xhtml.length : mark));
    const end = xhtml.startsWith('<!--', mark) ? '-->' : '>';
    const close = mark < 0 ? -1 : xhtml.indexOf(end, mark + 1);
    at = close < 0 ? xhtml.length : close + end.length;
  }
  return texts.join(' ');
}
function character(number: string, digits: string): string {
  const point = Number.parseInt(digits, number === '#' ? 10 : 16);
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ' ';
}

const read: ReadonlySet<string> = new Set(['string', 'markdown', 'code', 'xhtml']);
function gather(value: unknown, type: string, into: string[]): void {
  if (Array.isArray(value)) for (const item of value) gather(item, type, into);
  else if (typeof value === 'string') {
    if (read.has(type)) into.push(type === 'xhtml' ? readable(value) : value);
  } else if (typeof value === 'object' && value !== null) {
    const inside = type === 'Resource' ? String((value as { resourceType?: unknown }).resourceType) : type;
    for (const [name, member] of Object.entries(value)) {
      const element = elementOf(inside, name);
      if (element !== undefined) gather(member, element.type, into);
    }
  }
}

/** How the words of names sound (http://hl7.org/fhir/R4/patient.html#search: `phonetic`), by double metaphone. */
export function soundsOf(texts: readonly string[]): readonly WordsValue[] {
  const sounds = [...new Set(wordsOf(texts).flatMap(word => doubleMetaphone(word)))].filter(sound => sound !== '').map(sound => sound.toLowerCase());
  return sounds.length === 0 ? [] : [{ kind: 'words', words: sounds }];
}
/** Each word must sound like one of the name. */
export function parseSounds(text: string): WordsAtom | undefined {
  const sounds = wordsOf([unescaped(text)]).map(word => doubleMetaphone(word)[0].toLowerCase());
  return sounds.length === 0 || sounds.includes('') ? undefined : { kind: 'words', words: [...new Set(sounds)] };
}

/** Brackets, and AND, OR and NOT as R4's examples have them: no words to be found. */
const logic = /[()]|\b(AND|OR|NOT)\b/;

/** Reads a text as the words that must all be there; undefined where there are none, and for logic, which would be something else. */
export function parseWords(text: string): WordsAtom | undefined {
  const words = wordsOf([unescaped(text)]);
  return words.length === 0 || logic.test(text) ? undefined : { kind: 'words', words };
}
export const passesWords = (atom: WordsAtom, value: WordsValue): boolean => atom.words.every(word => value.words.includes(word));
