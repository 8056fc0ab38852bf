import { type Caller, isHandOfCaregiver } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { nameOf, type Resource, type ResourceKey } from '../fhir/types.ts';

const activities = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const;

/**
 * Who wrote this version, for whom, and under which Consents: http://hl7.org/fhir/R4/provenance.html. A caregiver is the author on behalf of the patient.
 * Pure.
 */
export function provenanceOf(
  id: string,
  target: ResourceKey,
  versionId: string,
  action: keyof typeof activities,
  caller: Caller,
  reasons: readonly Reason[],
  at: string,
): Resource {
  const consents = [...new Set(reasons.flatMap(reason => reason.sources.filter(source => source.startsWith('Consent/'))))].sort();
  const behalf =
    caller.kind === 'caregiver' || isHandOfCaregiver(caller)
      ? caller.record
      : caller.kind === 'practitioner' && caller.organization !== undefined
        ? `Organization/${caller.organization}`
        : undefined;
  return {
    resourceType: 'Provenance',
    id,
    target: [{ reference: `${nameOf(target)}/_history/${versionId}` }],
    recorded: at,
    activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: activities[action] }] },
    reason: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: caller.purpose }] }],
    agent: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }] },
        who: { reference: caller.who },
        ...(behalf === undefined ? {} : { onBehalfOf: { reference: behalf } }),
      },
    ],
    ...(consents.length === 0 ? {} : { entity: consents.map(consent => ({ role: 'source', what: { reference: consent } })) }),
  };
}
