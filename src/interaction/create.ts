import { withMembers } from '../fhir/json.ts';
import { Problem } from '../fhir/problem.ts';
import { nameOf, type Resource, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { SearchQuery } from '../search/query.ts';
import type { Version } from '../store/store.ts';
import { readBody } from './body.ts';
import type { Answer, Draft, Found, WriteInteraction, WritePlan } from './interaction.ts';
import { versionHeaders } from './read.ts';

interface CreatePlan extends WritePlan {
  readonly key: ResourceKey;
  readonly resource: Resource;
  /** If-None-Exist, as it was sent. */
  readonly criteria: ReadonlyMap<string, SearchQuery>;
}
/** Text of a criterion → the query it means. */
export type ReadCriteria = (type: ResourceType, text: string) => SearchQuery;

/** One match is found, none creates, more are refused: http://hl7.org/fhir/R4/http.html#ccreate */
export function draftCreate(key: ResourceKey, resource: Resource, criterion: string | undefined, found: Found): Draft {
  const matches = criterion === undefined ? [] : (found.get(criterion) ?? []);
  if (matches.length > 1) throw new Problem('multiple-matches', `\`${criterion}\` matches more than one ${key.type}`);
  const [match] = matches;
  if (match !== undefined) return { op: 'found', key: match };
  return { op: 'put', action: 'create', key, resource: withMembers(resource, { id: key.id }), ...(criterion === undefined ? {} : { unless: criterion }) };
}
/** The criterion's name in a plan: type and text together, since one text means something else for another type. */
export const criterionName = (type: ResourceType, text: string): string => `${type}?${text.replace(/^\?/, '')}`;

/** http://hl7.org/fhir/R4/http.html#create */
export const create = (readCriteria: ReadCriteria, base: () => string): WriteInteraction<CreatePlan> => ({
  code: 'create',
  effect: 'write',
  plan({ path: [type = ''], body, headers }, given) {
    const condition = headers['if-none-exist'];
    const criteria = new Map(condition === undefined ? [] : [[criterionName(type, condition), readCriteria(type, condition)] as const]);
    return { keys: [], criteria, key: { type, id: given.newId() }, resource: readBody(body, type) };
  },
  drafts({ key, resource, criteria }, _current, found) {
    return [draftCreate(key, resource, [...criteria.keys()][0], found)];
  },
  answer(_plan, [made], [draft], [readable]) {
    return writeAnswer(made!, draft?.op === 'found' ? 200 : 201, readable === true, base());
  },
});

/** What a single write answers: the version's headers, and its body where the caller may read it. */
export function writeAnswer(version: Version, status: number, readable: boolean, base: string): Answer {
  const headers = { ...versionHeaders(version), ...(status === 201 ? { Location: `${base}/${nameOf(version.key)}/_history/${version.versionId}` } : {}) };
  return { status, headers, shows: [version], ...(readable ? { body: { raw: version.body } } : {}) };
}
