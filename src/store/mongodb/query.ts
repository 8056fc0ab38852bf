import type { Branch, Cursor, SearchQuery } from '../../search/query.ts';
import { allOf, type Filter } from './condition.ts';
import { type Far, nearStages, without } from './far.ts';
import type { Stage } from './granted.ts';
import { joinedStages, makeJoins, plainFilter } from './joins.ts';
import { afterFilter, keyStages, orderOf } from './order.ts';
import { type Sent, sent } from './stored.ts';

/** What a query found: with the keys it is sorted by. */
export type Found = Sent & { readonly [key: `k${number}`]: string | number | null };

/** The page and one more where there is one. Sorted before anything is joined, so that joins end with the page. */
export function pagePipeline({ branches, sort, limit, from }: SearchQuery, far?: Far): readonly Stage[] {
  const { begin, joined, fields } = partsOf(branches, far);
  const after = from === undefined ? [] : [{ $match: afterFilter(sort, from) }];
  const unwanted = [...Object.keys(sent), ...fields, ...sort.map((_, at) => `m${at}`)];
  return [
    ...begin,
    ...keyStages(sort, branches),
    ...after,
    orderOf(sort),
    ...joined,
    { $limit: limit + 1 },
    { $project: Object.fromEntries(unwanted.map(field => [field, 0])) },
  ];
}
/** All that is found, in no order. */
export function findStages({ branches }: Pick<SearchQuery, 'branches'>, far?: Far): readonly Stage[] {
  const { begin, joined } = partsOf(branches, far);
  return [...begin, ...joined];
}
export const cursorOf = (last: Found, { sort }: SearchQuery): Cursor => ({ keys: sort.map((_, at) => last[`k${at}`] ?? null), rid: last.rid.toHexString() });

interface Parts {
  /** Finds those that pass by themselves. */
  readonly begin: readonly Stage[];
  readonly joined: readonly Stage[];
  readonly fields: readonly string[];
}
/** Several branches are one pipeline, in which each document must pass one of them. */
function partsOf(branches: readonly Branch[], far?: Far): Parts {
  const joins = makeJoins();
  if (far !== undefined) return { begin: nearStages(far), joined: joinedStages(without(far), joins), fields: joins.fields };
  const filters = branches.map(branch => plainFilter(branch, joins));
  const [only] = branches;
  if (branches.length === 1) return { begin: [{ $match: filters[0]! }], joined: joinedStages(only!, joins), fields: joins.fields };
  const ends = branches.map((branch, at) => {
    const stages = joinedStages(branch, joins);
    const matches = stages.flatMap(stage => ('$match' in stage ? [stage.$match as Filter] : []));
    return { stages: stages.filter(stage => !('$match' in stage)), filter: allOf([filters[at]!, ...matches]) };
  });
  const stages = ends.flatMap(end => end.stages);
  const begin = [{ $match: { $or: filters } }];
  return { begin, joined: stages.length === 0 ? [] : [...stages, { $match: { $or: ends.map(end => end.filter) } }], fields: joins.fields };
}
