import type { Coding } from '../fhir/types.ts';
import type { Facets } from './indexed.ts';

/** The systems of security labels, and the codes of a confidentiality by its number. */
export const labelSystems = {
  confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  act: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
} as const;
export const confidentialities = ['U', 'L', 'M', 'N', 'R', 'V'] as const;
const normal = 3;

/** `meta.security` as it is shown and searched: one confidentiality where it is labelled, every sensitivity; codings of other systems stay as they were sent. */
export function shownSecurity(present: readonly Coding[], facets: Pick<Facets, 'confidentiality' | 'sensitivity'>): readonly Coding[] {
  const others = present.filter(coding => coding.system !== labelSystems.confidentiality);
  const labelled = present.length > others.length || facets.confidentiality !== normal;
  const code = confidentialities[facets.confidentiality];
  const stated = present.find(coding => coding.system === labelSystems.confidentiality && coding.code === code);
  const missing = facets.sensitivity.filter(label => !others.some(coding => coding.system === labelSystems.act && coding.code === label));
  return [
    ...(labelled ? [stated ?? { system: labelSystems.confidentiality, code }] : []),
    ...others,
    ...missing.map(label => ({ system: labelSystems.act, code: label })),
  ];
}
