/**
 * JSON with its decimals kept: FHIR calls `1.0` and `1.00` different, JavaScript does not. Numbers are plain numbers; the source text of those
 * that would not print as they came is remembered beside the object or array that holds them, and follows `withMembers`.
 */
import { Problem } from './problem.ts';

/** The deepest nesting that is read. */
const deepest = 200;
/** Names through which a careless assignment would reach an object's prototype. No element of FHIR is called so. */
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** holder → member name (or index) → how the number was written. */
const lexemes = new WeakMap<object, ReadonlyMap<string, string>>();

/** What the library of TypeScript does not declare yet: https://github.com/tc39/proposal-json-parse-with-source */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Each number that would not print as it came costs a piece of text and an entry in a table. */
const mostOdd = 100_000;
/** Stands in the text for such a number while it is parsed, `{"prototype":"1.00"}`: no member may be called so, thus it can be nothing else. */
const stand = 'prototype';
const isNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Finding a fault takes ten times as long as parsing, so that in longer texts (characters) it is not looked for. */
const longestSearched = 1_000_000;

const numberEnd = /[^0-9eE.+-]/g;
const space = /[ \t\n\r]*/y;

/** The position behind the string that opens at `start`; the end of the text when it is not closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** Both counted from 1. */
function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  return `line ${before.split('\n').length}, column ${position - before.lastIndexOf('\n')}`;
}

/** The name that a string token gives a member, when it is one that we refuse. */
function refusedName(text: string, start: number, end: number): string | undefined {
  const first = text.charCodeAt(start + 1);
  // `_`, `c`, `p`, or an escape: with every character escaped the longest of the names takes 68.
  if ((first !== 95 && first !== 99 && first !== 112 && first !== 92) || end - start > 68) return undefined;
  const token = text.slice(start, end);
  const name = token.includes('\\') ? unescaped(token) : token.slice(1, -1);
  if (!refusedNames.has(name)) return undefined;
  space.lastIndex = end;
  space.test(text);
  return text[space.lastIndex] === ':' ? name : undefined;
}

function unescaped(token: string): string {
  try {
    return JSON.parse(token);
  } catch {
    return '';
  }
}

/**
 * One pass over the text before it is parsed, which would overflow the stack on deep nesting.
 * @returns the text with something to know them by in place of the numbers that would not print as they are written.
 * @throws Problem for nesting, for refused names and for too many of those numbers.
 */
function scan(text: string): string {
  const pieces: string[] = [];
  let taken = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 34) {
      const end = endOfString(text, at);
      const name = refusedName(text, at, end);
      if (name !== undefined) throw new Problem('structure', `A member may not be called \`${name}\` (${placeOf(text, at)}).`);
      at = end - 1;
    } else if (char === 123 || char === 91) {
      if (++depth > deepest) throw new Problem('structure', `The JSON is nested more than ${deepest} levels deep (${placeOf(text, at)}).`);
    } else if (char === 125 || char === 93) depth--;
    else if (char === 45 || (char >= 48 && char <= 57)) {
      numberEnd.lastIndex = at;
      const end = numberEnd.test(text) ? numberEnd.lastIndex - 1 : text.length;
      const token = text.slice(at, end);
      // What is no number is left for the parser to refuse.
      if (String(Number(token)) !== token && isNumber.test(token)) {
        if (pieces.length >= mostOdd) throw new Problem('too-costly', `More than ${mostOdd} numbers are written like \`1.0\` (${placeOf(text, at)}).`);
        pieces.push(`${text.slice(taken, at)}{"${stand}":"${token}"}`);
        taken = end;
      }
      at = end - 1;
    }
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(taken);
}

/** The first position at which the text stops being JSON. */
function faultOf(text: string): number {
  const token = /[ \t\n\r]*(?:(")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![0-9.eE+-])|true|false|null|([[{])|([\]}])|([,:]))/y;
  const open: string[] = [];
  let expected: 'value' | 'first' | 'name' | 'first name' | 'colon' | 'next' = 'value';
  for (;;) {
    const from = token.lastIndex;
    const found = token.exec(text);
    space.lastIndex = from;
    space.test(text);
    const start = space.lastIndex;
    if (!found) return start;
    const [, quote, opening, closing, mark] = found;
    if (closing) {
      if (open.pop() !== (closing === '}' ? '{' : '[') || !['next', closing === '}' ? 'first name' : 'first'].includes(expected)) return start;
      expected = 'next';
    } else if (mark) {
      if (mark === ':' ? expected !== 'colon' : expected !== 'next' || open.length === 0) return start;
      expected = mark === ',' && open.at(-1) === '{' ? 'name' : 'value';
    } else if (expected === 'name' || expected === 'first name') {
      if (!quote) return start;
      expected = 'colon';
    } else if (expected === 'value' || expected === 'first') {
      expected = opening === '{' ? 'first name' : opening ? 'first' : 'next';
      if (opening) open.push(opening);
    } else return start;
    if (quote) {
      const end = endOfString(text, start);
      try {
        JSON.parse(text.slice(start, end));
      } catch {
        return start;
      }
      token.lastIndex = end;
    }
  }
}

/** Puts the numbers back, and remembers how they were written. A reviver would take ten times as long. */
function restore(holder: Record<string | number, unknown>): void {
  let known: Map<string, string> | undefined;
  for (const name of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
    const value = holder[name];
    if (typeof value !== 'object' || value === null) continue;
    const source = (value as { [stand]?: string })[stand];
    if (source === undefined) restore(value as Record<string, unknown>);
    else {
      holder[name] = Number(source);
      known ??= new Map();
      known.set(String(name), source);
    }
  }
  if (known !== undefined) lexemes.set(holder, known);
}

/**
 * Reads JSON; `printJson` of the answer has every number inside as it was written.
 * @throws Problem `structure` for what is not JSON, nests too deeply or has a member named `__proto__`, `constructor` or `prototype`, saying where;
 * `too-costly` for too many numbers such as `1.0`.
 */
export function parseJson(text: string): unknown {
  const parsed = scan(text);
  try {
    const root = { value: JSON.parse(parsed) as unknown };
    if (parsed !== text) restore(root);
    return root.value;
  } catch (cause) {
    if (text.length > longestSearched) throw new Problem('structure', 'This is not well-formed JSON.', { cause });
    const fault = faultOf(text);
    const what = fault >= text.length ? 'The JSON ends too early' : 'This is not well-formed JSON';
    throw new Problem('structure', `${what} (${placeOf(text, fault)}).`, { cause });
  }
}

function hasLexemes(value: object): boolean {
  if (lexemes.has(value)) return true;
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null && hasLexemes(member)) return true;
  return false;
}

/** Prints JSON, with the numbers that came through `parseJson` as they were written. A number that was changed since prints plainly. */
export function printJson(value: unknown): string {
  if (typeof value !== 'object' || value === null || !hasLexemes(value)) return JSON.stringify(value);
  return JSON.stringify(value, function (this: object, name: string, member: unknown) {
    if (typeof member !== 'number') return member;
    const lexeme = lexemes.get(this)?.get(name);
    return lexeme !== undefined && Object.is(Number(lexeme), member) ? rawJSON(lexeme) : member;
  });
}

/** Makes `to`, a shallow copy of `from`, print its numbers as `from` does. */
export function keepLexemes<T extends object>(from: object, to: T): T {
  const known = lexemes.get(from);
  if (known) lexemes.set(to, known);
  return to;
}

/** A shallow copy with other members, its numbers still printed as they came. A member given as undefined is left out. */
export function withMembers<T extends object>(holder: T, members: { readonly [Name in keyof T]?: T[Name] | undefined }): T {
  const copy: Record<string, unknown> = { ...holder, ...members };
  for (const name of Object.keys(members)) if (copy[name] === undefined) delete copy[name];
  return keepLexemes(holder, copy as T);
}
