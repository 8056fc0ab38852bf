import type { LoadedGrant } from '../../src/search/grant.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { matches } from '../../src/search/match.ts';
import type { Branch, Link, SearchParam } from '../../src/search/query.ts';

/** What a branch finds among these resources, read in memory: what every store must find too. */
export const finds = (branch: Branch, population: readonly Indexed[], grants: readonly LoadedGrant[]): readonly Indexed[] =>
  population.filter(
    each =>
      each.resource.resourceType === branch.type && matches(branch.where, each, grants) && branch.links.every(link => holds(link, each, population, grants)),
  );

function holds({ how, param, ends }: Link, indexed: Indexed, population: readonly Indexed[], grants: readonly LoadedGrant[]): boolean {
  return ends.some(end => finds(end, population, grants).some(far => (how === 'refers-to' ? refers(indexed, far, param) : refers(far, indexed, param))));
}
const refers = (from: Indexed, to: Indexed, param: SearchParam): boolean =>
  param.extract(from).some(value => value.kind === 'reference' && value.type === to.resource.resourceType && value.id === to.resource.id);
