import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { within } from './compartment.ts';
import { cut, readCondition } from './condition.ts';
import { readCount, readSort, readTotal, type Total } from './control.ts';
import { unsupportedControls } from './control-names.ts';
import { broughtBy, type Include, isSame, readInclude } from './include.ts';
import { allEnds, limitConditions, limitParameters } from './limits.ts';
import { type Place, searchedIn } from './place.ts';
import { all, and, type Branch, type Link, none, type Predicate, type SearchQuery, type SortKey } from './query.ts';
import type { Registry } from './registry.ts';
import { readElements, readSummary, refuseBoth, type Subset, summarySubset } from './subset.ts';
import type { Reading } from './values.ts';

export type Pairs = readonly (readonly [string, string])[];

export interface SearchContext {
  readonly registry: Registry;
  /** The public FHIR base URL. */
  readonly base: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** `Prefer: handling=lenient`: what is not known is left out and named in `ignored`. */
  readonly lenient: boolean;
  readonly maxCount: number;
  readonly defaultCount: number;
}

/** What a search means. */
export interface ParsedSearch {
  /** `limit` 0: only the number of matches is asked for. One branch for each type. */
  readonly query: SearchQuery;
  readonly types: readonly ResourceType[];
  /** The client named none of the types: one that it may not search is left out. */
  readonly whichever: boolean;
  readonly includes: readonly Include[];
  readonly total: Total;
  readonly summary?: 'count';
  /** Absent: whole resources. */
  readonly subset?: Subset;
  /** Still sealed. */
  readonly cursor?: string;
  /** Names that a lenient search left out. */
  readonly ignored: readonly string[];
  /** What was followed, for the self link: without the cursor, and `_count` as it was capped. */
  readonly understood: Pairs;
  readonly reads: {
    /** Far ends of chains, at any depth: without them it cannot be answered. */
    readonly needs: readonly ResourceType[];
    /** What includes may bring along. */
    readonly brings: readonly ResourceType[];
  };
}

/** Controls that are given once: a second would contradict the first. */
const single = ['_count', '_sort', '_total', '_type', '_cursor'];
/** How the answer is written is read where it is written. */
const others = ['_format', '_pretty'];

/** What has been read so far. */
interface Draft {
  readonly types: readonly ResourceType[];
  readonly context: SearchContext;
  readonly includes: Include[];
  sort: readonly SortKey[];
  limit: number;
  total: Total;
  countOnly: boolean;
  subset?: Subset | undefined;
  cursor?: string;
}
/** Returns the Problem for what is not known. */
type ReadControl = (draft: Draft, value: string, modifier: string | undefined) => Problem | undefined;

const including =
  (how: Include['how']): ReadControl =>
  ({ types, includes, context }, value, modifier) =>
    kept(readInclude(types, how, modifier, value, context.registry), include => {
      if (!includes.some(other => isSame(include, other))) includes.push(include);
    });
const readers: ReadonlyMap<string, ReadControl> = new Map<string, ReadControl>(
  Object.entries({
    _count: (draft, value) => kept(readCount(value, draft.context.maxCount), limit => set(draft, { limit })),
    _total: (draft, value) => kept(readTotal(value), total => set(draft, { total })),
    _cursor: (draft, cursor) => set(draft, { cursor }),
    // Read before all others (place.ts).
    _type: () => undefined,
    _summary: (draft, value) =>
      kept(readSummary(value), summary => set(draft, { countOnly: summary === 'count', subset: summarySubset(summary) ?? draft.subset })),
    _elements: (draft, value) => kept(readElements(draft.types, value), subset => set(draft, { subset })),
    _sort: (draft, value) => kept(readSort(draft.types, value, draft.context.registry), sort => set(draft, { sort })),
    _include: including('refers-to'),
    _revinclude: including('referred-by'),
    // R4's default; anything else would bring other resources.
    _contained: (_, value) => (value === 'false' ? undefined : refuseControl('_contained')),
  }),
);
const set = (draft: Draft, read: Partial<Draft>): undefined => void Object.assign(draft, read);
const modifiable = ['_include', '_revinclude'];

function kept<T>(read: T | Problem, keep: (read: T) => unknown): Problem | undefined {
  if (read instanceof Problem) return read;
  keep(read);
  return undefined;
}

/**
 * Reads a search (http://hl7.org/fhir/R4/search.html). A parameter given several times must hold each time, a comma lists alternatives; of several types
 * each must have it. Throws a Problem that names the parameter, and the value where that is what is wrong.
 */
export function parseSearch(place: Place, parameters: Pairs, context: SearchContext): ParsedSearch {
  limitParameters(parameters);
  refuseContradictions(parameters);
  const { types, whichever } = searchedIn(place, parameters);
  const { registry } = context;
  const compartment = types.map(type => (place.within === undefined ? all : within(place.within, type, registry)));
  const draft: Draft = { types, context, includes: [], sort: [], limit: context.defaultCount, total: 'none', countOnly: false };
  const read: readonly Conditions[] = types.map(() => ({ wheres: [], links: [] }));
  const reading: Reading = { ...context, ends: allEnds() };
  const ignored: string[] = [];
  const understood: (readonly [string, string])[] = [];
  for (const [name, value] of parameters) {
    if (others.includes(name)) continue;
    const problem = readParameter(name, value, { draft, read, reading, whichever });
    if (problem !== undefined && !context.lenient) throw problem;
    if (problem !== undefined) ignored.push(name);
    else if (name !== '_cursor') understood.push([name, name === '_count' ? String(draft.limit) : value]);
  }
  limitConditions(
    read.flatMap(one => one.wheres),
    read.flatMap(one => one.links),
  );
  if (draft.subset?.how === 'text' && draft.includes.length > 0)
    throw new Problem('invalid', '`_summary=text` cannot be asked for together with `_include` or `_revinclude` (http://hl7.org/fhir/R4/search.html#summary)');
  const branches = types.map((type, at): Branch => ({ type, where: and(compartment[at]!, ...read[at]!.wheres), links: read[at]!.links }));
  const countOnly = draft.countOnly || draft.limit === 0;
  return {
    query: { branches, sort: draft.sort, limit: countOnly ? 0 : draft.limit },
    types,
    whichever,
    includes: draft.includes,
    total: countOnly ? 'accurate' : draft.total,
    ...(countOnly ? { summary: 'count' } : {}),
    ...(draft.subset === undefined ? {} : { subset: draft.subset }),
    ...(draft.cursor === undefined ? {} : { cursor: draft.cursor }),
    ignored,
    understood,
    reads: { needs: [...new Set(branches.flatMap(endsOf))], brings: broughtBy(draft.includes, types, registry) },
  };
}

/** What the client demands of one type. */
interface Conditions {
  readonly wheres: Predicate[];
  readonly links: Link[];
}
/** Returns the Problem where the parameter is not known, of one of the types at least. */
function readParameter(
  name: string,
  value: string,
  { draft, read, reading, whichever }: { draft: Draft; read: readonly Conditions[]; reading: Reading; whichever: boolean },
): Problem | undefined {
  const { code, modifier } = cut(name);
  // An answer that leaves these out would not be what was asked for, however lenient (http://hl7.org/fhir/R4/search.html#query).
  if (unsupportedControls.has(code)) return refuseControl(code);
  const control = readers.get(code);
  if (control !== undefined) {
    if (modifier !== undefined && !modifiable.includes(code)) throw new Problem('invalid', `\`${name}\`: \`${code}\` takes no modifier`);
    return control(draft, value, modifier);
  }
  const conditions = draft.types.map(type => readCondition(type, name, value, reading));
  const problem = conditions.find(condition => condition instanceof Problem);
  // A type that the client has not named, and that is not indexed by what all have, is not found by it.
  const leftOut = whichever && conditions.some(condition => !(condition instanceof Problem));
  if (problem !== undefined && !(leftOut && conditions.every(condition => !(condition instanceof Problem) || condition.code === 'unsupported'))) return problem;
  for (const [at, condition] of conditions.entries()) {
    if (condition instanceof Problem) read[at]!.wheres.push(none);
    else if ('link' in condition) read[at]!.links.push(condition.link);
    else read[at]!.wheres.push(condition.where);
  }
  return undefined;
}

function refuseControl(code: string): never {
  throw new Problem('unsupported', `\`${code}\` is not supported`);
}
function refuseContradictions(parameters: Pairs): void {
  const repeated = single.find(name => parameters.filter(([other]) => other === name).length > 1);
  if (repeated !== undefined) throw new Problem('invalid', `\`${repeated}\` is given more than once`);
  refuseBoth(parameters);
}

/** The types of all far ends. */
const endsOf = ({ links }: Branch): readonly ResourceType[] => links.flatMap(link => link.ends.flatMap(end => [end.type, ...endsOf(end)]));
