import { Problem } from '../problem.ts';
import { conceptsOf } from './filter.ts';
import { codesOf, completeSystem } from './hierarchy.ts';
import { difference, intersection, type Members, union } from './members.ts';
import type { Contained, Expansion, Include, Sources, ValueSet } from './sources.ts';

/** Codes that are looked at for one value set, or all of one search, at most: so many are compared in a fraction of a second. */
const mostLooks = 1_000_000;

interface Walk {
  readonly sources: Sources;
  /** Value sets that are being expanded, the outermost first. */
  readonly open: readonly string[];
  readonly done: Map<string, Members>;
  readonly looks: { left: number };
}

/**
 * The codes of a value set (http://hl7.org/fhir/R4/valueset.html#compositions), by its `compose`, else by its `expansion`. Throws a Problem that names
 * the value set and what is missing where they cannot be told.
 */
export const expand = (canonical: string, sources: Sources): Members => expanderOf(sources)(canonical);

/** The same for several: none is expanded twice, and the limit is for all of them together. */
export function expanderOf(sources: Sources): (canonical: string) => Members {
  const walk: Walk = { sources, open: [], done: new Map(), looks: { left: mostLooks } };
  return canonical => expandSet(canonical, walk);
}

/** The same with every code of its own: none is left as the whole of a system. */
export function listed(members: Members, sources: Sources): Members {
  return new Map([...members].map(([system, codes]) => [system, codes === 'all' ? new Set(codesOf(completeSystem(system, sources))) : codes]));
}

function expandSet(canonical: string, walk: Walk): Members {
  const known = walk.done.get(canonical);
  if (known !== undefined) return known;
  const inside = { ...walk, open: [...walk.open, canonical] };
  if (walk.open.includes(canonical)) throw new Problem('value', `the value set \`${canonical}\` includes itself: ${inside.open.join(' > ')}`);
  const valueSet = walk.sources.valueSet(canonical);
  if (valueSet === undefined) throw new Problem('value', `${nameOf(inside)} is not known here`);
  const members = membersOf(valueSet, inside);
  walk.done.set(canonical, members);
  return members;
}

function membersOf({ compose, expansion }: ValueSet, walk: Walk): Members {
  if (compose === undefined) {
    if (expansion === undefined) throw new Problem('unsupported', `${nameOf(walk)} has neither a compose nor an expansion`);
    return expanded(expansion, walk);
  }
  const included = union((compose.include ?? []).map(include => within(include, walk)));
  const excluded = union((compose.exclude ?? []).map(exclude => within(exclude, walk)));
  return difference(included, excluded, system => named(walk, () => new Set(codesOf(completeSystem(system, walk.sources)))));
}

/** What one include or exclude names: what all its parts have in common. */
function within(include: Include, walk: Walk): Members {
  const parts = (include.valueSet ?? []).filter(each => each !== null).map(each => expandSet(each, walk));
  for (const part of parts) for (const codes of part.values()) look(walk, codes === 'all' ? 1 : codes.size);
  if (include.system !== undefined) parts.push(new Map([[include.system, named(walk, () => conceptsOf(include, walk.sources, count => look(walk, count)))]]));
  else if (include.concept !== undefined || include.filter !== undefined || parts.length === 0)
    throw new Problem('value', `${nameOf(walk)} has an include or exclude without a system`);
  return parts.reduce(intersection);
}
function look({ open, looks }: Walk, count: number): void {
  looks.left -= count;
  if (looks.left < 0) throw new Problem('too-costly', `the value set \`${open[0]}\` takes comparing more than ${mostLooks} codes`);
}

/** By the expansion as it is stored, where that is all of it. */
function expanded({ total, offset = 0, contains = [], parameter = [], extension = [] }: Expansion, walk: Walk): Members {
  const members = new Map<string, Set<string>>();
  const left: Contained[] = [...contains];
  // Not by recursion, since they may be nested deep; the list grows while it is walked.
  for (const next of left) {
    for (const each of next.contains ?? []) left.push(each);
    // Without a code, or abstract, it only groups others.
    if (next.code === undefined || next.abstract === true) continue;
    const system = next.system ?? '';
    members.set(system, (members.get(system) ?? new Set()).add(next.code));
  }
  const partial = offset > 0 || (total ?? 0) > left.length || parameter.some(({ name }) => name === 'filter');
  if (partial || extension.some(({ url }) => url !== undefined && unfinished.includes(url)))
    throw new Problem('unsupported', `${nameOf(walk)} has no compose, and its expansion is only a part of it`);
  return members;
}
const unfinished = ['valueset-unclosed', 'valueset-toocostly'].map(name => `http://hl7.org/fhir/StructureDefinition/${name}`);

/** Does it; a Problem names the value set that it was done for. */
function named<T>(walk: Walk, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Problem && error.code !== 'too-costly' ? new Problem(error.code, `${nameOf(walk)}: ${error.message}`) : error;
  }
}
/** The value set that is being expanded, and the one that was asked for. */
function nameOf({ open }: Walk): string {
  const [asked, ...others] = open;
  return others.length === 0 ? `the value set \`${asked}\`` : `the value set \`${others.at(-1)}\`, which \`${asked}\` draws on,`;
}
