import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { type Reading, readCondition } from './condition.ts';
import { type Include, readCount, readInclude, readSort, readSummary, readTotal, type Total } from './control.ts';
import { controls } from './control-names.ts';
import { limitConditions, limitParameters } from './limits.ts';
import { and, type Link, type Predicate, queryOf, type SearchQuery, type SortKey } from './query.ts';
import type { Registry } from './registry.ts';

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
  /** `limit` 0: only the number of matches is asked for. */
  readonly query: SearchQuery;
  readonly includes: readonly Include[];
  readonly total: Total;
  readonly summary?: 'count';
  /** Still sealed. */
  readonly cursor?: string;
  /** Names that a lenient search left out. */
  readonly ignored: readonly string[];
  /** What was followed, for the self link: without the cursor, and `_count` as it was capped. */
  readonly understood: Pairs;
  readonly reads: {
    /** Far ends of chains: without them it cannot be answered. */
    readonly needs: readonly ResourceType[];
    /** What includes may bring along. */
    readonly brings: readonly ResourceType[];
  };
}

/** Controls that are given once: a second would contradict the first. */
const single = ['_count', '_sort', '_total', '_summary', '_cursor'];

/**
 * Reads a search of one type (http://hl7.org/fhir/R4/search.html). A parameter given several times must hold each time, a comma lists alternatives.
 * Throws a Problem that names the parameter, and the value where that is what is wrong.
 */
export function parseSearch(type: ResourceType, parameters: Pairs, context: SearchContext): ParsedSearch {
  limitParameters(parameters);
  const repeated = single.find(name => parameters.filter(([other]) => other === name).length > 1);
  if (repeated !== undefined) throw new Problem('invalid', `\`${repeated}\` is given more than once`);

  const wheres: Predicate[] = [];
  const links: Link[] = [];
  const includes: Include[] = [];
  const ignored: string[] = [];
  const understood: (readonly [string, string])[] = [];
  let sort: readonly SortKey[] = [];
  let limit = context.defaultCount;
  let total: Total = 'none';
  let summary: 'count' | undefined;
  let cursor: string | undefined;

  /** The Problem where the parameter is not known. */
  function read(name: string, value: string): Problem | undefined {
    switch (name) {
      case '_count':
        limit = readCount(value, context.maxCount);
        return undefined;
      case '_total':
        total = readTotal(value);
        return undefined;
      case '_cursor':
        cursor = value;
        return undefined;
      case '_summary': {
        const read = readSummary(value);
        if (read instanceof Problem) return read;
        summary = read === 'count' ? read : undefined;
        return undefined;
      }
      case '_sort': {
        const read = readSort(type, value, context.registry);
        if (read instanceof Problem) return read;
        sort = read;
        return undefined;
      }
      case '_include': {
        const read = readInclude(type, value, context.registry);
        if (read instanceof Problem) return read;
        includes.push(read);
        return undefined;
      }
      default: {
        const read = readCondition(type, name, value, context);
        if (read instanceof Problem) return read;
        if ('link' in read) links.push(read.link);
        else wheres.push(read.where);
        return undefined;
      }
    }
  }
  for (const [name, value] of parameters) {
    // How the answer is written is read where it is written.
    if (name === '_format' || name === '_pretty') continue;
    const problem = read(name, value);
    if (problem !== undefined && !context.lenient) throw problem;
    if (problem !== undefined) ignored.push(name);
    else if (name !== '_cursor') understood.push([name, name === '_count' ? String(limit) : value]);
  }
  limitConditions(wheres, links);
  const countOnly = summary === 'count' || limit === 0;
  return {
    query: { branches: [{ type, where: and(...wheres), links }], sort, limit: countOnly ? 0 : limit },
    includes,
    total: countOnly ? 'accurate' : total,
    ...(countOnly ? { summary: 'count' } : {}),
    ...(cursor === undefined ? {} : { cursor }),
    ignored,
    understood,
    reads: { needs: [...new Set(links.flatMap(link => link.ends.map(end => end.type)))], brings: broughtBy(includes, context.registry) },
  };
}

function broughtBy(includes: readonly Include[], registry: Registry): readonly ResourceType[] {
  const targets = includes.flatMap(({ param, from, target }) => {
    const possible = target === undefined ? registry.targetsOf(from, param) : [target];
    return possible.length > 0 ? possible : [...resourceTypes];
  });
  return [...new Set(targets)];
}

/**
 * The query of a conditional create, update, delete or reference (http://hl7.org/fhir/R4/http.html#ccreate): search parameters of the resource itself
 * and nothing else, at least one. It asks for two, so that one can be told from several.
 * @param criteria the part after `?`, encoded.
 */
export function criteriaQuery(type: ResourceType, criteria: string, context: Reading): SearchQuery {
  const pairs = [...new URLSearchParams(criteria)];
  limitParameters(pairs);
  if (pairs.length === 0) throw new Problem('invalid', `criteria for ${type} are empty: they would match anything`);
  const wheres = pairs.map(([name, value]) => readPlain(type, name, value, context, 'criteria'));
  limitConditions(wheres, []);
  return queryOf(type, and(...wheres), 2);
}

/**
 * The predicate of a granular scope's `?param=value` pairs (http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html). No chains, modifiers,
 * controls or dates relative to now: a scope must mean the same whenever and of whatever it is asked. Throws for them.
 */
export function scopePredicate(type: ResourceType, pairs: Pairs, registry: Registry): Predicate {
  limitParameters(pairs);
  const modified = pairs.find(([name]) => name.includes(':'));
  if (modified !== undefined) throw new Problem('invalid', `\`${modified[0]}\`: a modifier is not allowed in a scope`);
  return and(...pairs.map(([name, value]) => readPlain(type, name, value, { registry }, 'a scope')));
}

/** A parameter where nothing but conditions on the resource itself are in place: what is not known is never left out. */
function readPlain(type: ResourceType, name: string, value: string, reading: Reading, place: string): Predicate {
  if (controls.has(name.split(':')[0]!)) throw new Problem('invalid', `\`${name}\` is not allowed in ${place}`);
  // What it finds would depend on resources that nobody asked whether the caller may read.
  if (name.includes('.')) throw new Problem('unsupported', `\`${name}\`: a chain is not allowed in ${place}`);
  const read = readCondition(type, name, value, reading);
  if (read instanceof Problem) throw read;
  if ('link' in read) throw new Problem('unsupported', `\`${name}\`: a chain is not allowed in ${place}`);
  return read.where;
}
