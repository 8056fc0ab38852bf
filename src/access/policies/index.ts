import type { ResourceType } from '../../fhir/types.ts';
import type { ScopeLetter } from '../scope.ts';
import { auditEventPolicy } from './audit-event.ts';
import { consentPolicy } from './consent.ts';
import { documentReferencePolicy } from './document-reference.ts';
import { organizationPolicy, patientPolicy, personPolicy, relatedPersonPolicy } from './people.ts';
import type { Policy } from './policy.ts';
import { provenancePolicy } from './provenance.ts';

export type { Policy } from './policy.ts';

/** A new policy: one file and one line. */
export const policies: readonly Policy[] = [
  auditEventPolicy,
  consentPolicy,
  documentReferencePolicy,
  organizationPolicy,
  patientPolicy,
  personPolicy,
  provenancePolicy,
  relatedPersonPolicy,
];

const byType = new Map(policies.map(policy => [policy.type, policy]));

/** The policy of a type; of one that has none, nothing particular. */
export const policyOf = (type: ResourceType): Policy => byType.get(type) ?? { type };

/** Whether a `*` scope covers this letter of the type, at patient and user level. */
export const isInWildcard = (type: ResourceType, letter: ScopeLetter): boolean => policyOf(type).wildcard?.includes(letter) ?? true;
