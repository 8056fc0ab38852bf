import { hash } from 'node:crypto';
import { type Driver, q, type Sql, sql } from './driver.ts';

/**
 * Words lie in the full-text table with the integer of their parameter before them, so that those of one type and one parameter are found without
 * passing by all others. The sign between is neither a letter nor a digit, so no word holds it, and not ASCII, so that the table does not split there.
 */
const marked = (p: number, word: string): string => `${p}·${word}`;

export const markedWords = (p: number, words: readonly string[]): string => words.map(word => marked(p, word)).join(' ');

/** What tells whether words have changed: the full-text table cannot be read back. */
export const digestOf = (words: readonly string[]): string => hash('sha256', words.join(' '), 'base64').slice(0, 22);

/** Puts words in place of those of a resource. `before`: whether it has any; '' takes them away. */
export function replaceWords(rid: number, before: boolean, words: string, driver: Driver): void {
  if (before) driver.run('DELETE FROM word WHERE rowid = CAST(? AS INTEGER)', rid);
  if (words !== '') driver.run('INSERT INTO word (rowid, words) VALUES (CAST(? AS INTEGER), ?)', rid, words);
}

/** Rows of the resources that have all words of one of the lists, each once, in their order. */
export function wordRows(p: number, lists: readonly (readonly string[])[]): Sql {
  // No such parameter is stored.
  if (p < 0 || lists.length === 0) return sql('SELECT 0 AS rid WHERE 0');
  return q`SELECT word.rowid AS rid FROM word WHERE word MATCH ${asked(p, lists)}`;
}
/** The row is among them. `few`: it is one of some hundred, so that all of them need not be gathered. */
export function wordsSql(rid: Sql, p: number, lists: readonly (readonly string[])[], few: boolean): Sql {
  if (p < 0 || lists.length === 0) return sql('0');
  // As in condition.ts, the plus keeps SQLite from making a join of it.
  if (few) return q`+EXISTS (SELECT 1 FROM word WHERE word MATCH ${asked(p, lists)} AND word.rowid = ${rid})`;
  return q`${rid} IN (${wordRows(p, lists)})`;
}
const asked = (p: number, lists: readonly (readonly string[])[]): string =>
  lists.map(words => `(${words.map(word => `"${marked(p, word.replaceAll('"', '""'))}"`).join(' AND ')})`).join(' OR ');
