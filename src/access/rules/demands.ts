import type { KeyName } from '../../fhir/types.ts';
import * as facets from '../../search/facets.ts';
import type { LoadedGrant } from '../../search/grant.ts';
import { granted } from '../../search/granted.ts';
import type { Indexed, RecordId } from '../../search/indexed.ts';
import { type Ask, and, not, type Predicate, type SearchParam } from '../../search/query.ts';
import type { Question } from '../decision.ts';

/** The conditions that rules are put together from: each over the facets, so that a store can ask them of its indexes. */

export const token = (param: SearchParam, ...codes: readonly string[]): Predicate => ({
  op: 'some',
  param,
  test: { anyOf: codes.map(code => ({ kind: 'token', code })) },
});
export const coded = (param: SearchParam, system: string, ...codes: readonly string[]): Predicate => ({
  op: 'some',
  param,
  test: { anyOf: codes.map(code => ({ kind: 'token', system, code })) },
});
export const refersTo = (param: SearchParam, names: readonly KeyName[]): Predicate => ({
  op: 'some',
  param,
  test: { anyOf: names.map(name => ({ kind: 'reference', type: name.slice(0, name.indexOf('/')), id: name.slice(name.indexOf('/') + 1) })) },
});

/** Also in this record. */
export const ofRecord = (record: RecordId): Predicate => token(facets.record, record);
/** In this record and in no other: what is in two needs both, and a `patient/` token answers about one. */
export const ofOneRecord = (record: RecordId): Predicate => and(ofRecord(record), token(facets.records, '1'));
export const ofNoRecord: Predicate = token(facets.records, '0');
export const contributedBy = (organization: string): Predicate => coded(facets.origin, 'organization', organization);

/** What a Consent is held against. Reading and searching need `access`, all writing `correct`. */
export const askOf = ({ caller, action, at }: Question): Ask => ({
  actors: caller.actors,
  purpose: caller.purpose,
  action: action === 'read' || action === 'search' ? 'access' : 'correct',
  at,
});
/** What several records share is permitted by the Consents of one of them. */
export const shared = (ask: Ask): Predicate => ({ op: 'granted', effect: 'share', ask });
export const permitted = (ask: Ask): Predicate => ({ op: 'granted', effect: 'permit', ask });
export const undenied = (ask: Ask): Predicate => not({ op: 'granted', effect: 'deny', ask });

/** The permits that are in force for this ask, whatever they cover. */
export function inForce(grants: readonly LoadedGrant[], { actors, purpose, action, at }: Ask): readonly LoadedGrant[] {
  const now = Date.parse(at);
  return grants.filter(
    grant =>
      grant.effect === 'permit' &&
      (grant.actors === 'anyone' || grant.actors.some(actor => actors.includes(actor))) &&
      (grant.purposes === undefined || grant.purposes.includes(purpose)) &&
      grant.actions.includes(action) &&
      grant.during.low <= now &&
      now <= grant.during.high,
  );
}

/** The Consents that a permit rests on: those that cover the resource, or (of a search) that are in force. */
export function sourcesOf(grants: readonly LoadedGrant[], ask: Ask, of: Indexed | undefined): readonly string[] {
  const consents = [...new Set(inForce(grants, ask).map(grant => grant.consent))];
  if (of === undefined) return consents;
  return consents.filter(consent => {
    const rows = grants.filter(grant => grant.consent === consent);
    return rows.some(
      ({ record }) => of.facets.records.includes(record) && granted('permit', ask, { ...of, facets: { ...of.facets, records: [record] } }, rows),
    );
  });
}
