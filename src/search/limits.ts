import { Problem } from '../fhir/problem.ts';
import type { Link, Predicate } from './query.ts';

/** What one search may ask at most, so that no store is kept busy by one of them, and no engine refuses what another takes. */
const most = {
  parameters: 200,
  /** Values to compare with, at every end of its chains. */
  values: 2000,
  /** Characters of one value; of one that may stand anywhere in a text. */
  text: 8000,
  contained: 1000,
  /** Far ends of its chains. */
  ends: 100,
} as const;

/** Throws Problem `too-costly`, which names the limit. */
export function limitParameters(parameters: readonly unknown[]): void {
  if (parameters.length > most.parameters) throw tooMany(`${parameters.length} parameters`, most.parameters);
}

/** The same of what they mean. */
export function limitConditions(wheres: readonly Predicate[], links: readonly Link[]): void {
  const ends = links.flatMap(link => link.ends);
  if (ends.length > most.ends) throw tooMany(`the search follows references to ${ends.length} ends`, most.ends);
  const all = [...wheres, ...ends.map(end => end.where)];
  const values = all.reduce((sum, where) => sum + valuesIn(where), 0);
  if (values > most.values) throw tooMany(`the search compares with ${values} values`, most.values);
  for (const where of all) limitTexts(where);
}
const tooMany = (what: string, limit: number): Problem => new Problem('too-costly', `${what}; at most ${limit} are allowed`);

function valuesIn(where: Predicate): number {
  switch (where.op) {
    case 'some':
    case 'updated':
      return where.test.anyOf.length;
    case 'keys':
      return where.keys.length;
    case 'not':
      return valuesIn(where.term);
    default:
      return 1;
  }
}
function limitTexts(where: Predicate): void {
  if (where.op === 'not') limitTexts(where.term);
  if (where.op === 'and' || where.op === 'or') where.terms.forEach(limitTexts);
  if (where.op !== 'some') return;
  for (const atom of where.test.anyOf) {
    const limit = atom.kind === 'string' && atom.how === 'contains' ? most.contained : most.text;
    const longest = Math.max(...Object.values(atom).map(value => (typeof value === 'string' ? value.length : 0)));
    if (longest > limit) throw tooMany(`a value of \`${where.param.code}\` has ${longest} characters`, limit);
  }
}
