import { Problem } from '../fhir/problem.ts';
import type { Atom, Branch, Link, Predicate } from './query.ts';

/** What one search may ask at most, so that no store is kept busy by one of them, and no engine refuses what another takes. */
const most = {
  parameters: 200,
  /** Values to compare with, at every end of its chains. */
  values: 2000,
  /** Characters of one value; of one that may stand anywhere in a text. */
  text: 8000,
  contained: 1000,
  /** Far ends of its chains, at any depth, of all types. */
  ends: 100,
  /** Of one chain. */
  steps: 8,
  /** In one text. */
  words: 100,
  includes: 50,
} as const;

/** Throws Problem `too-costly`, which names the limit. */
export function limitParameters(parameters: readonly (readonly [string, string])[]): void {
  if (parameters.length > most.parameters) throw tooMany(`${parameters.length} parameters`, most.parameters);
  // What is longer is not even read: each step may lead to several types.
  for (const [name] of parameters) {
    const steps = name.split('.').length - 1 + name.split('_has:').length - 1;
    if (steps > most.steps) throw tooMany(`\`${name.slice(0, 80)}\` has ${steps} steps`, most.steps);
  }
  const includes = parameters.filter(([name]) => /^_(rev)?include(:|$)/.test(name)).length;
  if (includes > most.includes) throw tooMany(`${includes} of \`_include\` and \`_revinclude\``, most.includes);
}
/** How many ends may still be read; more of them throw. */
export interface Ends {
  left: number;
}
export const allEnds = (): Ends => ({ left: most.ends });
export function takeEnd(ends: Ends): void {
  if (ends.left === 0) throw tooMany(`the search follows references to more than ${most.ends} ends`, most.ends);
  ends.left--;
}

/** The same of what they mean, each term by itself. */
export function limitConditions(wheres: readonly Predicate[], links: readonly Link[]): void {
  const all = [...wheres, ...links.flatMap(link => link.ends.flatMap(wheresOf))];
  const values = all.reduce((sum, where) => sum + valuesIn(where), 0);
  if (values > most.values) throw tooMany(`the search compares with ${values} values`, most.values);
  for (const where of all) limitTexts(where);
}
const wheresOf = ({ where, links }: Branch): readonly Predicate[] => [where, ...links.flatMap(link => link.ends.flatMap(wheresOf))];
const tooMany = (what: string, limit: number): Problem => new Problem('too-costly', `${what}; at most ${limit} are allowed`);

function valuesIn(where: Predicate): number {
  switch (where.op) {
    case 'some':
    case 'updated':
      return where.test.anyOf.reduce((sum, atom) => sum + valuesOf(atom), where.test.terms === undefined ? 0 : 1);
    case 'keys':
      return where.keys.length;
    case 'not':
      return valuesIn(where.term);
    case 'and':
    case 'or':
      return where.terms.reduce((sum, term) => sum + valuesIn(term), 0);
    default:
      return 1;
  }
}
const valuesOf = (atom: Atom): number => (atom.kind === 'composite' ? atom.parts.length : atom.kind === 'words' ? atom.words.length : 1);

function limitTexts(where: Predicate): void {
  if (where.op === 'not') limitTexts(where.term);
  if (where.op === 'and' || where.op === 'or') where.terms.forEach(limitTexts);
  // What `:text` makes of a text: all of its words.
  if (where.op === 'and') limitWords(where.terms.length);
  if (where.op !== 'some') return;
  const { code } = where.param;
  for (const atom of where.test.anyOf) limitAtom(atom, code);
  for (const text of Object.values(where.test.terms ?? {})) limitText(text, most.text, code);
}
function limitAtom(atom: Atom, code: string): void {
  if (atom.kind === 'composite') for (const part of atom.parts) limitAtom(part, code);
  if (atom.kind === 'words') limitWords(atom.words.length);
  const texts = atom.kind === 'words' ? atom.words : Object.values(atom).filter(value => typeof value === 'string');
  for (const text of texts) limitText(text, atom.kind === 'string' && atom.how === 'contains' ? most.contained : most.text, code);
}
function limitWords(count: number): void {
  if (count > most.words) throw tooMany(`a text has ${count} words to look for`, most.words);
}
function limitText({ length }: string, limit: number, code: string): void {
  if (length > limit) throw tooMany(`a value of \`${code}\` has ${length} characters`, limit);
}
