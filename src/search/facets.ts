import { localReferences } from '../fhir/reference.ts';
import type { KeyName } from '../fhir/types.ts';
import { profilesOf } from './granted.ts';
import type { Indexed } from './indexed.ts';
import { spanOf } from './kinds/date.ts';
import { tokensOf } from './kinds/token.ts';
import type { IndexValue, Kind, SearchParam } from './query.ts';

/**
 * The facets as search parameters: what rules, narrowing and grants ask of the store. No client can name them, since a name of a client's
 * parameter never begins with a dot.
 */
function facet(name: string, kind: Kind, extract: (of: Indexed) => readonly IndexValue[]): SearchParam {
  return { code: `.${name}`, kind, base: [], targets: [], extract };
}
const code = (text: string, system = ''): IndexValue => ({ kind: 'token', system, code: text });
const reference = (name: KeyName): IndexValue => {
  const slash = name.indexOf('/');
  return { kind: 'reference', type: name.slice(0, slash), id: name.slice(slash + 1) };
};

/** The records that the resource belongs to: code `Patient/mary`. */
export const record = facet('record', 'token', ({ facets }) => facets.records.map(name => code(name)));
/** How many those are: code `0`, `1`, or `2` for more than one. */
export const records = facet('records', 'token', ({ facets }) => [code(String(Math.min(facets.records.length, 2)))]);
/** Who made it: system the kind of origin, code by whom. */
export const origin = facet('origin', 'token', ({ facets }) => [code(facets.origin.by, facets.origin.kind)]);
/** Code `0` to `5`. */
export const confidentiality = facet('confidentiality', 'token', ({ facets }) => [code(String(facets.confidentiality))]);
export const sensitivity = facet('sensitivity', 'token', ({ facets }) => facets.sensitivity.map(label => code(label)));
export const codes = facet('code', 'token', ({ facets }) => tokensOf(facets.codes));
export const clinicalDate = facet('clinical-date', 'date', ({ facets }) => [spanOf(facets.clinicalDate)]);
export const author = facet('author', 'reference', ({ facets }) => facets.authors.map(reference));
export const about = facet('about', 'reference', ({ facets }) => facets.about.map(reference));
/** Of a Provenance: the types of its targets; of a line of the log: AuditEvent and what it is about. */
export const targetType = facet('target-type', 'token', ({ facets }) => (facets.targetTypes ?? []).map(type => code(type)));
/** Of a Provenance: the Consents that it cites. */
export const cites = facet('cites', 'reference', ({ facets }) => (facets.cites ?? []).map(reference));
/** Everything of ours that the resource refers to, anywhere in it. */
export const ref = facet('ref', 'reference', ({ resource }) => localReferences(resource).map(reference));
/** The profiles it claims, with and without a version. */
export const profile = facet('profile', 'uri', ({ resource }) => profilesOf(resource.meta?.profile).map(uri => ({ kind: 'uri', uri })));

export const facetParams: readonly SearchParam[] = [
  record,
  records,
  origin,
  confidentiality,
  sensitivity,
  codes,
  clinicalDate,
  author,
  about,
  targetType,
  cites,
  ref,
  profile,
];

/**
 * `_id`, to sort by. It is no row of any index: a store reads its own id column wherever a sort key has this code. As a condition it is the
 * predicate `keys`.
 */
export const idParam: SearchParam = {
  code: '_id',
  kind: 'token',
  base: [],
  targets: [],
  extract: ({ resource: { id } }) => (id === undefined ? [] : [code(id)]),
};
