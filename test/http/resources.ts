import type { Resource } from '../../src/fhir/types.ts';

const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';

/** Small resources for the family of the demo. */
export const statement = (code: string, display: string, more: object = {}): Resource => ({
  resourceType: 'MedicationStatement',
  status: 'active',
  subject: { reference: 'Patient/mary' },
  medicationCodeableConcept: { coding: [{ system: RXNORM, code, display }] },
  ...more,
});
export const lisinopril = (more: object = {}): Resource => statement('314076', 'lisinopril 10 MG Oral Tablet', more);
export const buprenorphine = (more: object = {}): Resource => statement('1819', 'buprenorphine', more);

export const agreement = (more: object = {}): Resource => ({
  resourceType: 'DocumentReference',
  status: 'current',
  subject: { reference: 'Patient/mary' },
  content: [{ attachment: { contentType: 'application/pdf', title: 'Caregiver agreement, signed' } }],
  ...more,
});

interface ConsentOptions {
  readonly kind: string;
  readonly actor?: string;
  readonly provision?: object;
  readonly more?: object;
}
/** A Consent about Mary's record. */
export const consent = ({ kind, actor, provision = {}, more = {} }: ConsentOptions): Resource => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [
    { coding: [{ system: 'http://loinc.org', code: '59284-0' }] },
    { coding: [{ system: 'https://kindred.example/fhir/CodeSystem/consent-kind', code: kind }] },
  ],
  patient: { reference: 'Patient/mary' },
  performer: [{ reference: 'Patient/mary' }],
  policy: [{ uri: 'https://kindred.example/policy/caregiver-agreement/1' }],
  provision: {
    type: kind === 'restriction' ? 'deny' : 'permit',
    ...(actor === undefined
      ? {}
      : {
          actor: [
            { role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] }, reference: { reference: actor } },
          ],
        }),
    ...provision,
  },
  ...more,
});
export const actions = (...codes: readonly string[]): object => ({
  action: codes.map(code => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentaction', code }] })),
});
export const classes = (...codes: readonly string[]): object => ({ class: codes.map(code => ({ system: 'http://hl7.org/fhir/resource-types', code })) });
export const confidentiality = (...codes: readonly string[]): object => ({
  securityLabel: codes.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code })),
});

/** The designation that the practice lodges: medications, to read and write, nothing labelled above N. */
export const designation = (documentReference: string, more: object = {}): Resource =>
  consent({
    kind: 'primary-caregiver',
    actor: 'RelatedPerson/anna-for-mary',
    provision: { ...actions('access', 'correct'), ...classes('MedicationStatement', 'Medication', 'Provenance'), ...confidentiality('N') },
    more: {
      organization: [{ reference: 'Organization/ima' }],
      sourceReference: { reference: documentReference },
      verification: [{ verified: true, verifiedWith: { reference: 'Patient/mary' }, verificationDate: '2026-11-22' }],
      ...more,
    },
  });
