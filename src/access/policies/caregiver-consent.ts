import type { KeyName, Resource, ResourceType } from '../../fhir/types.ts';
import * as facets from '../../search/facets.ts';
import type { Criteria } from '../../search/grant.ts';
import type { Indexed, RecordId } from '../../search/indexed.ts';
import { and, queryOf } from '../../search/query.ts';
import { namedOnly } from '../codes.ts';
import { actorsOf, grantsOf, kindOf } from '../consent.ts';
import type { Facts, Question } from '../decision.ts';
import { elements, referenceName } from '../elements.ts';
import { ofRecord, refersTo } from '../rules/demands.ts';
import type { Needs } from './policy.ts';

/** The primary caregiver's designation: lodged by a practice, active at once, so everything that vouches for it is checked (ACCESS §4, Who makes them). */

// More Consents than this in one record and a designation is refused rather than made unseen.
const most = 10_000;

const isOfType = (name: KeyName | undefined, type: ResourceType): name is KeyName => name?.startsWith(`${type}/`) === true;

export function designationNeeds({ caller }: Question, after: Indexed): Needs {
  const consent = after.resource;
  const named = [...actorsOf(consent), referenceName(consent.sourceReference)].filter(name => name !== undefined);
  const record = recordOf(after);
  return {
    keys: named,
    hats: actorsOf(consent),
    ...(record === undefined
      ? {}
      : {
          searches: {
            standing: queryOf('Consent', ofRecord(record), most),
            ...(caller.organization === undefined
              ? {}
              : { enrolments: queryOf('Consent', and(ofRecord(record), refersTo(facets.ref, [`Organization/${caller.organization}`])), most) }),
          },
        }),
  };
}

/** The one record that a Consent is about. */
export const recordOf = ({ facets: { records } }: Indexed): RecordId | undefined => (records.length === 1 ? records[0] : undefined);

/** Whether the organization contributed the record's Patient, or is enrolled there. */
export function treats({ caller, at }: Question, record: RecordId, { known }: Facts): boolean {
  if (known.contributed.has(record)) return true;
  const organization = `Organization/${caller.organization}` as const;
  return (known.searches.get('enrolments') ?? []).some(
    ({ resource }) => kindOf(resource) === 'enrolment' && actorsOf(resource).includes(organization) && stands(resource, record, at),
  );
}

/** In force now, for whatever it permits. */
export function stands(consent: Resource, record: RecordId, at: string): boolean {
  const now = Date.parse(at);
  return grantsOf(consent, record).some(row => row.effect === 'permit' && row.during.low <= now && now <= row.during.high);
}

/** Why the designation cannot be accepted; undefined: it can. */
export function refuseDesignation(question: Question, facts: Facts, after: Indexed): string | undefined {
  const { resource: consent } = after;
  const { known } = facts;
  const record = recordOf(after);
  if (record === undefined || !treats(question, record, facts))
    return 'A primary caregiver is designated by an organization that contributed or enrolled the patient.';
  const inRecord = (name: KeyName | undefined): boolean => {
    const found = name === undefined ? undefined : known.resources.get(name);
    return found !== undefined && found.facets.records.length === 1 && found.facets.records[0] === record;
  };
  const [actor, ...others] = actorsOf(consent);
  const [root] = elements(consent.provision);
  const names = elements(root?.actor).map(one => referenceName(one.reference));
  if (!isOfType(actor, 'RelatedPerson') || others.length > 0 || names[0] !== actor || !inRecord(actor) || !known.hats.has(actor)) {
    return "The one actor of the root provision is a RelatedPerson of this patient under which somebody's account acts.";
  }
  const agreement = referenceName(consent.sourceReference);
  const origin = agreement === undefined ? undefined : known.resources.get(agreement)?.facets.origin;
  if (!isOfType(agreement, 'DocumentReference') || !inRecord(agreement) || origin?.kind !== 'organization' || origin.by !== question.caller.organization) {
    return "`sourceReference` is the signed agreement: a DocumentReference in the patient's record that this organization contributed.";
  }
  const verified = elements(consent.verification).some(one => one.verified === true && referenceName(one.verifiedWith) === referenceName(consent.patient));
  if (!verified) return 'The patient is present and has verified it: `verification` with `verified` true and the Patient as `verifiedWith`.';
  const namesSecret = ({ onlySensitivities, notSensitivities = [] }: Criteria): boolean =>
    namedOnly.some(code => (onlySensitivities === undefined ? !notSensitivities.includes(code) : onlySensitivities.includes(code)));
  const tooFar = grantsOf(consent, record).some(({ effect, what }) => effect === 'permit' && ((what.upTo ?? 5) > 4 || namesSecret(what)));
  return tooFar
    ? 'A practice designates a caregiver for content up to restricted; very restricted content and what must be named the patient grants in our own pages.'
    : undefined;
}
