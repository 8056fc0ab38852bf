import type { Range } from '../fhir/types.ts';
import type { Criteria, Grant } from '../search/grant.ts';
import type { Facets } from '../search/indexed.ts';

/** JSON has no infinity: an open end of a range is written as null. */
interface WrittenRange {
  readonly low: number | null;
  readonly high: number | null;
}
const openEnds = ({ low, high }: WrittenRange): Range => ({ low: low ?? -Infinity, high: high ?? Infinity });

export const writeFacets = (facets: Facets): string => JSON.stringify(facets);
export function readFacets(text: string): Facets {
  const facets = JSON.parse(text) as Facets;
  return { ...facets, clinicalDate: openEnds(facets.clinicalDate) };
}

export const writeGrant = (grant: Grant): string => JSON.stringify(grant);
export function readGrant(text: string): Grant {
  const grant = JSON.parse(text) as Grant;
  const what: Criteria = grant.what.dates === undefined ? grant.what : { ...grant.what, dates: openEnds(grant.what.dates) };
  return { ...grant, during: openEnds(grant.during), what };
}
