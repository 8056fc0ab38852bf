import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_PASSWORD, normalPassword } from './password.ts';

/**
 * NIST SP 800-63B-4 §3.1.1.2: a password that may be the only factor has at least 15 characters. One that is never without a second factor might have 8;
 * a factor can be taken away again, and the length of a password cannot be told from its hash, so 15 are asked of all.
 */
export const MIN_PASSWORD = 15;

const blocked: readonly string[] = readFileSync(join(import.meta.dirname, 'blocked-passwords.txt'), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'));
const words: ReadonlySet<string> = new Set(blocked);
const longest = Math.max(...blocked.map(word => word.length));

const tooEasy = 'This password is too easy to guess: it is made of common words, names, repeats or sequences. Choose one that nobody would think of.';

/**
 * What is wrong with a password that somebody chooses; undefined: nothing. Any characters may be in it and none must be. The whole of it is held against what
 * people choose most, what is known of the account (`names`: user name, given and family name, e-mail address, the service's name), runs along the alphabet or
 * a keyboard, and what can be put together of a few of these.
 */
export function mistakeInPassword(password: string, names: readonly string[]): string | undefined {
  const normal = normalPassword(password);
  if (normal === undefined) return `A password has at most ${MAX_PASSWORD} characters.`;
  if ([...normal].length < MIN_PASSWORD)
    return `A password has at least ${MIN_PASSWORD} characters. Several words that do not belong together are easy to remember.`;
  const plain = plainOf(normal);
  const known = new Set(names.flatMap(partsOf));
  return repeatsItself(plain) || isGuessed(plain, known) || isGuessed(unleet(plain), known) ? tooEasy : undefined;
}

/** Small letters; what people put between words does not count. */
const plainOf = (text: string): string => text.toLowerCase().replace(/[\s._\-,;:/+*#]+/g, '');
const partsOf = (name: string): readonly string[] => [plainOf(name), ...name.toLowerCase().split(/[^\p{L}\p{N}]+/u)].filter(part => part.length >= SHORTEST);
const looks: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' };
const unleet = (text: string): string => text.replace(/[013457@$!]/g, letter => looks[letter]!);

/** The same twice or more is no longer than once. */
function repeatsItself(text: string): boolean {
  for (let unit = 1; unit <= text.length / 2; unit++) if (text.slice(unit) === text.slice(0, -unit)) return true;
  return false;
}

// A piece is a common word, a name or a run. So few of them, with so few characters beside them (a year, a digit, `!`), are guessed together.
const PIECES = 3;
const BESIDE = 4;
const SHORTEST = 3;

function isGuessed(text: string, names: ReadonlySet<string>): boolean {
  const reach = Math.max(longest, ...[...names].map(name => name.length));
  const pieces = new Set<string>();
  let beside = 0;
  for (let at = 0; at < text.length; ) {
    const length = Math.max(wordAt(text, at, reach, names), runAt(text, at));
    if (length === 0) beside++;
    else pieces.add(text.slice(at, at + length));
    at += Math.max(length, 1);
  }
  return pieces.size <= PIECES && beside <= BESIDE;
}
/** Length of the longest word or name that begins here; 0: none does. */
function wordAt(text: string, at: number, reach: number, names: ReadonlySet<string>): number {
  for (let length = Math.min(reach, text.length - at); length >= SHORTEST; length--) {
    const word = text.slice(at, at + length);
    if (words.has(word) || names.has(word)) return length;
  }
  return 0;
}

const rows = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop', '1qaz2wsx3edc4rfv5tgb6yhn7ujm'];
const runs = rows.flatMap(row => [row, [...row].reverse().join('')]);
/** How many characters from here on run along the alphabet, the digits or a keyboard, or are all the same; 0 where fewer than three do. */
function runAt(text: string, at: number): number {
  let same = 1;
  while (at + same < text.length && text[at + same] === text[at]) same++;
  let along = 0;
  for (let length = SHORTEST; at + length <= text.length && runs.some(row => row.includes(text.slice(at, at + length))); length++) along = length;
  return Math.max(same >= SHORTEST ? same : 0, along);
}
