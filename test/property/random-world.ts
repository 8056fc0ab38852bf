import fc from 'fast-check';
import type { Caller } from '../../src/access/caller.ts';
import { parseScopes } from '../../src/access/scope.ts';
import type { Resource } from '../../src/fhir/types.ts';
import type { Origin, RecordId } from '../../src/search/indexed.ts';

/** Three patients, two organizations, a daughter who cares for two of them, and whatever may be in their records. */
export const patients = ['p1', 'p2', 'p3'] as const;
export const organizations = ['o1', 'o2'] as const;
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const SENSITIVITY = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

export interface Made {
  readonly resource: Resource & { readonly id: string };
  readonly origin: Origin;
}
const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(...values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values], { minLength: 1 });

/** Who is there before anything else: contributed by one of the organizations, or registered by themselves. */
export const people: readonly Made[] = [
  ...organizations.map((id): Made => ({ resource: { resourceType: 'Organization', id, name: id }, origin: { kind: 'organization', by: id } })),
  { resource: { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Lee' }] }, origin: { kind: 'organization', by: 'o1' } },
  { resource: { resourceType: 'Patient', id: 'p1', gender: 'female', birthDate: '1947-03-02' }, origin: { kind: 'organization', by: 'o1' } },
  { resource: { resourceType: 'Patient', id: 'p2', gender: 'male', birthDate: '1950-01-01' }, origin: { kind: 'organization', by: 'o2' } },
  {
    resource: { resourceType: 'Patient', id: 'p3', gender: 'female', birthDate: '1975-08-20' },
    origin: { kind: 'patient', by: 'Patient/p3', record: 'Patient/p3' },
  },
  ...(['p1', 'p2'] as const).map(
    (id): Made => ({
      resource: { resourceType: 'RelatedPerson', id: `anna-for-${id}`, active: true, patient: { reference: `Patient/${id}` } },
      origin: { kind: 'organization', by: 'o1' },
    }),
  ),
  {
    resource: { resourceType: 'Medication', id: 'm1', code: { coding: [{ system: RXNORM, code: '1819', display: 'buprenorphine' }] } },
    origin: { kind: 'organization', by: 'o1' },
  },
  {
    resource: { resourceType: 'Medication', id: 'm2', code: { coding: [{ system: RXNORM, code: '29046', display: 'lisinopril' }] } },
    origin: { kind: 'organization', by: 'o2' },
  },
];

const originArb = (record: RecordId): fc.Arbitrary<Origin> =>
  fc.oneof(
    pick(...organizations).map((by): Origin => ({ kind: 'organization', by })),
    fc.constant<Origin>({ kind: 'patient', by: record, record }),
    fc.constant<Origin>({ kind: 'caregiver', by: `RelatedPerson/anna-for-${record.slice('Patient/'.length)}`, record }),
  );

const labelsArb: fc.Arbitrary<object> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: some('HIV', 'PSY', 'SUD', 'PSYTHPN').map(codes => ({ meta: { security: codes.map(code => ({ system: SENSITIVITY, code })) } })) },
  { weight: 1, arbitrary: pick('L', 'N', 'R', 'V').map(code => ({ meta: { security: [{ system: CONFIDENTIALITY, code }] } })) },
);
const medicationArb = fc.oneof(
  pick('29046', '5640', '1819').map(code => ({ medicationCodeableConcept: { coding: [{ system: RXNORM, code }] } })),
  pick('m1', 'm2').map(id => ({ medicationReference: { reference: `Medication/${id}` } })),
);
const dateArb = pick('2021-05-01', '2022-05-01', '2023-05', '2024');

/** What is in the records: statements and observations of every origin, label and date. */
export const contentArb: fc.Arbitrary<readonly Made[]> = fc
  .array(
    fc
      .tuple(pick(...patients), labelsArb, dateArb, medicationArb, pick('active', 'stopped'), fc.boolean(), pick('718-7', '4548-4'))
      .chain(([patient, labels, date, medication, status, isStatement, loinc]) => {
        const record: RecordId = `Patient/${patient}`;
        const subject = { subject: { reference: record } };
        const resource = isStatement
          ? { resourceType: 'MedicationStatement', status, effectiveDateTime: date, ...subject, ...medication, ...labels }
          : {
              resourceType: 'Observation',
              status: 'final',
              effectiveDateTime: date,
              code: { coding: [{ system: 'http://loinc.org', code: loinc }] },
              ...subject,
              ...labels,
            };
        return originArb(record).map(origin => ({ resource, origin }));
      }),
    { minLength: 8, maxLength: 24 },
  )
  .map(made => made.map(({ resource, origin }, index) => ({ resource: { ...resource, id: `c${index}` } as Made['resource'], origin })));

const coding = (system: string, code: string): object => ({ system, code });
const criteriaArb: fc.Arbitrary<object> = fc.record(
  {
    class: some('MedicationStatement', 'Observation', 'Patient', 'Medication').map(codes =>
      codes.map(code => coding('http://hl7.org/fhir/resource-types', code)),
    ),
    securityLabel: fc.oneof(
      pick('N', 'R', 'V').map(code => [coding(CONFIDENTIALITY, code)]),
      some('HIV', 'PSY', 'SUD').map(codes => codes.map(code => coding(SENSITIVITY, code))),
    ),
    code: pick('29046', '1819').map(code => [{ coding: [{ system: RXNORM, code }] }]),
    dataPeriod: pick({ start: '2022-01-01', end: '2022-12-31' }, { start: '2023' }),
    action: some('access', 'correct').map(codes => codes.map(code => ({ coding: [coding('http://terminology.hl7.org/CodeSystem/consentaction', code)] }))),
    period: pick({ start: '2020-01-01' }, { end: '2021-01-01' }, { start: '2026-01-01', end: '2099-12-31' }),
  },
  { requiredKeys: [] },
);
const actorArb = fc
  .subarray(['RelatedPerson/anna-for-p1', 'RelatedPerson/anna-for-p2', 'Organization/o1', 'Organization/o2', 'Practitioner/dr'], { minLength: 1 })
  .map(names => ({
    actor: names.map(reference => ({ role: { text: 'whoever' }, reference: { reference } })),
  }));
const nodeArb = (depth: number): fc.Arbitrary<object> =>
  fc
    .tuple(
      pick('permit', 'deny'),
      criteriaArb,
      fc.option(actorArb, { nil: {} }),
      depth === 0 ? fc.constant([]) : fc.array(nodeArb(depth - 1), { maxLength: 2 }),
    )
    .map(([type, criteria, actor, provision]) => ({ type, ...criteria, ...actor, ...(provision.length > 0 ? { provision } : {}) }));

/** Consents in force or not, of every kind that grants or denies, with trees up to three deep. */
export const consentsArb: fc.Arbitrary<readonly Made[]> = fc
  .array(
    fc.tuple(
      pick(...patients),
      pick('enrolment', 'primary-caregiver', 'authorized-user', 'share', 'restriction'),
      criteriaArb,
      actorArb,
      fc.array(nodeArb(1), { maxLength: 2 }),
      pick('active', 'active', 'active', 'inactive', 'proposed'),
    ),
    { maxLength: 8 },
  )
  // One primary caregiver at a time: the second designation of a patient would be refused.
  .map(all => all.filter(([patient, kind], index) => kind !== 'primary-caregiver' || all.findIndex(one => one[0] === patient && one[1] === kind) === index))
  .map(all =>
    all.map(([patient, kind, criteria, actor, nested, status], index) => {
      const deny = kind === 'restriction';
      const provision = { type: deny ? 'deny' : 'permit', ...criteria, ...actor, ...(nested.length > 0 && !deny ? { provision: nested } : {}) };
      const resource = {
        resourceType: 'Consent',
        id: `consent${index}`,
        status,
        scope: { coding: [coding('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy')] },
        category: [{ coding: [coding('https://kindred.example/fhir/CodeSystem/consent-kind', kind)] }],
        patient: { reference: `Patient/${patient}` },
        policy: [{ uri: 'https://kindred.example/policy' }],
        provision,
      };
      return { resource, origin: { kind: 'patient', by: `Patient/${patient}`, record: `Patient/${patient}` } satisfies Origin };
    }),
  );

const scopeTypes = ['MedicationStatement', 'Observation', 'Patient', 'Medication', 'Consent', 'Provenance', 'Practitioner'];
/** What may limit a scope over a type. */
const limits: Readonly<Record<string, readonly string[]>> = {
  MedicationStatement: ['status=active', 'status=completed', 'subject=Patient/p1'],
  Observation: ['code=http://loinc.org|718-7', 'status=final', 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'],
  Patient: ['_id=p1', 'gender=female'],
  Consent: ['status=active'],
};
/** Reading and searching always together, since that is what agrees; v1 and v2, with and without limits, of one type or all. */
const scopeArb = (level: string): fc.Arbitrary<string> =>
  fc.tuple(pick('*', ...scopeTypes, ...scopeTypes), pick('rs', 'read', 'crus', 'rs'), fc.nat(5)).map(([type, may, at]) => {
    const limit = may === 'read' ? undefined : limits[type]?.[at];
    return `${level}/${type}.${may}${limit === undefined ? '' : `?${limit}`}`;
  });
const scopesArb = (level: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant(`${level}/*.rs`),
    fc.constant(`${level}/*.read`),
    some(...scopeTypes).map(types => types.map(type => `${level}/${type}.rs`).join(' ')),
    fc.array(scopeArb(level), { minLength: 1, maxLength: 5 }).map(scopes => scopes.join(' ')),
  );
const asCaller = (more: Pick<Caller, 'kind' | 'who' | 'actors' | 'purpose'> & Partial<Caller>, scope: string): Caller => ({
  client: 'test',
  grant: 'test',
  token: 'test',
  grantEpoch: 0,
  ...more,
  scopes: parseScopes(scope).scopes,
});

/** Anybody who may hold a token. */
export const callerArb: fc.Arbitrary<Caller> = fc.oneof(
  fc
    .tuple(pick(...patients), scopesArb('patient'))
    .map(([id, scope]) => asCaller({ kind: 'patient', who: `Patient/${id}`, actors: [`Patient/${id}`], record: `Patient/${id}`, purpose: 'PATRQT' }, scope)),
  fc
    .tuple(pick('p1', 'p2'), scopesArb('patient'))
    .map(([id, scope]) =>
      asCaller(
        { kind: 'caregiver', who: `RelatedPerson/anna-for-${id}`, actors: [`RelatedPerson/anna-for-${id}`], record: `Patient/${id}`, purpose: 'FAMRQT' },
        scope,
      ),
    ),
  fc
    .tuple(pick(...organizations), scopesArb('system'))
    .map(([id, scope]) => asCaller({ kind: 'system', who: `Organization/${id}`, actors: [`Organization/${id}`], organization: id, purpose: 'TREAT' }, scope)),
  fc
    .tuple(scopesArb('user'))
    .map(([scope]) =>
      asCaller({ kind: 'practitioner', who: 'Practitioner/dr', actors: ['Practitioner/dr', 'Organization/o1'], organization: 'o1', purpose: 'TREAT' }, scope),
    ),
  fc.tuple(pick(...patients), scopesArb('patient')).map(([id, scope]) =>
    asCaller(
      {
        kind: 'practitioner',
        who: 'Practitioner/dr',
        actors: ['Practitioner/dr', 'Organization/o1'],
        organization: 'o1',
        record: `Patient/${id}`,
        purpose: 'TREAT',
      },
      scope,
    ),
  ),
);

/** Searches of every kind this server knows, as type and parameters. */
export const queryArb: fc.Arbitrary<readonly [string, readonly (readonly [string, string])[]]> = fc.oneof(
  fc.tuple(
    fc.constant('MedicationStatement'),
    fc.subarray<readonly [string, string]>(
      [
        ['status', 'active'],
        ['status:not', 'stopped'],
        ['effective', 'ge2022'],
        ['code', `${RXNORM}|1819,5640`],
        ['medication:missing', 'true'],
        ['subject', 'Patient/p1,Patient/p2'],
        ['_sort', '-effective,status'],
        ['subject:Patient.gender', 'female'],
        ['medication.code', '1819'],
      ],
      { maxLength: 3 },
    ),
  ),
  fc.tuple(
    fc.constant('Observation'),
    fc.subarray<readonly [string, string]>(
      [
        ['code', 'http://loinc.org|718-7'],
        ['date', 'lt2023'],
        ['_sort', 'date'],
        ['patient.birthdate', 'lt1960'],
      ],
      { maxLength: 3 },
    ),
  ),
  fc.tuple(pick('Patient', 'Medication', 'Consent', 'Practitioner', 'RelatedPerson', 'Provenance'), fc.constant([])),
);
