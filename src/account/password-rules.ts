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
const words = new Set(blocked);
const longest = Math.max(...blocked.map(word => word.length));

/**
 * What is wrong with a password that somebody chooses; undefined: nothing. Any characters may be in it and none must be; it is held against what people choose
 * most, what repeats or runs on, and what is known of the account (`names`: user name, given and family name, e-mail address, the service's name).
 */
export function mistakeInPassword(password: string, names: readonly string[]): string | undefined {
  const normal = normalPassword(password);
  if (normal === undefined) return `A password has at most ${MAX_PASSWORD} characters.`;
  const length = [...normal].length;
  if (length < MIN_PASSWORD) return `A password has at least ${MIN_PASSWORD} characters. Several words that do not belong together are easy to remember.`;
  const plain = plainOf(normal);
  const left = withoutGuesses(plain, new Set(names.flatMap(partsOf)));
  return left < LEAST ? 'This password is too easy to guess: it is made of common words, names, repeats or sequences.' : undefined;
}

/** So many characters must be left once everything that is guessed first is taken out. */
const LEAST = 6;

const leet: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' };
const unleet = (text: string): string => [...text].map(letter => leet[letter] ?? letter).join('');
/** Small letters and what else counts; what people put between words does not. */
const plainOf = (text: string): string => text.toLowerCase().replace(/[\s._\-,;:/]+/g, '');
const partsOf = (name: string): readonly string[] =>
  [plainOf(name), ...name.toLowerCase().split(/[^\p{L}\p{N}]+/u)].filter(part => part.length >= 3);

/** How many characters are left of it. */
function withoutGuesses(plain: string, names: ReadonlySet<string>): number {
  const guesses = (text: string): boolean => words.has(text) || names.has(text);
  const reach = Math.max(longest, ...[...names].map(name => name.length));
  const other = unleet(plain);
  let left = 0;
  let before = '';
  for (let at = 0; at < plain.length; ) {
    const taken = Math.max(
      longestAt(plain, at, reach, guesses),
      other.length === plain.length ? longestAt(other, at, reach, guesses) : 0,
      runAt(plain, at),
    );
    const chunk = plain.slice(at, at + Math.max(taken, 1));
    // The same again is not more of it.
    if (taken < 3 && !before.includes(chunk.repeat(2)) && !repeats(plain, at)) left += 1;
    before += chunk;
    at += chunk.length;
  }
  return left;
}
function longestAt(text: string, at: number, reach: number, guesses: (text: string) => boolean): number {
  for (let length = Math.min(reach, text.length - at); length >= 3; length--) if (guesses(text.slice(at, at + length))) return length;
  return 0;
}

const rows = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop', '1qaz2wsx3edc4rfv5tgb6yhn7ujm'];
const runs = rows.flatMap(row => [row, [...row].reverse().join('')]);
/** How many characters from here on run along the alphabet, the digits or a keyboard, or are all the same; 0 where fewer than three do. */
function runAt(text: string, at: number): number {
  let same = 1;
  while (text[at + same] === text[at]) same++;
  let along = 0;
  for (let length = 3; at + length <= text.length && runs.some(row => row.includes(text.slice(at, at + length))); length++) along = length;
  return Math.max(same >= 3 ? same : 0, along);
}
/** Whether the three characters that begin here have stood there before. */
const repeats = (text: string, at: number): boolean => {
  const three = text.slice(Math.max(0, at - 2), at + 1);
  return three.length === 3 && text.slice(0, at).includes(three);
};
