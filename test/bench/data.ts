import type { Resource } from '../../src/fhir/types.ts';

/** Synthetic records: every patient has as many statements and observations, each about 1.2 kB, as an EHR sends them. */
export const STATEMENTS = 24;
const OBSERVATIONS = 24;

const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const drugs = [
  ['314076', 'lisinopril 10 MG Oral Tablet'],
  ['860975', 'metformin hydrochloride 500 MG Oral Tablet'],
  ['617312', 'atorvastatin 20 MG Oral Tablet'],
  ['197361', 'amlodipine 5 MG Oral Tablet'],
] as const;
const measures = [
  ['8480-6', 'Systolic blood pressure', 'mm[Hg]'],
  ['29463-7', 'Body weight', 'kg'],
  ['8867-4', 'Heart rate', '/min'],
] as const;
/** On that day; each patient comes at another time of it. */
const day = (number: number, of: string): string => new Date(Date.UTC(2025, 0, 1 + number, 9, 30) + (numberOf(of) % 36_000) * 1000).toISOString();
const numberOf = (patient: string): number => Number(/\d+$/.exec(patient)?.[0] ?? 0);

const patient = (at: number): Resource => ({
  resourceType: 'Patient',
  id: `p${at}`,
  identifier: [{ system: 'https://clinic.example/mrn', value: String(100_000 + at) }],
  active: true,
  name: [{ use: 'official', family: `Family${at % 40}`, given: [`Given${at}`, 'Q.'] }],
  telecom: [{ system: 'phone', value: `555-${1000 + at}`, use: 'home' }],
  gender: at % 2 === 0 ? 'female' : 'male',
  birthDate: `${1930 + (at % 70)}-0${1 + (at % 9)}-1${at % 9}`,
  address: [{ line: [`${at} Main Street`], city: 'Springfield', postalCode: String(10_000 + at), country: 'US' }],
});

/** A statement as it is sent; with `id` as it is loaded. */
export function statement(of: string, at: number, id?: string): Resource {
  const [code, display] = drugs[at % drugs.length]!;
  return {
    resourceType: 'MedicationStatement',
    ...(id === undefined ? {} : { id }),
    identifier: [{ system: 'https://clinic.example/statement', value: `${of.slice('Patient/'.length)}-${at}` }],
    status: at % 5 === 0 ? 'completed' : 'active',
    category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medication-statement-category', code: 'outpatient', display: 'Outpatient' }] },
    medicationCodeableConcept: { coding: [{ system: RXNORM, code, display }], text: display },
    subject: { reference: of },
    effectivePeriod: { start: day(at, of) },
    dateAsserted: day(at, of),
    informationSource: { reference: of },
    reasonCode: [{ coding: [{ system: 'http://snomed.info/sct', code: '38341003', display: 'Hypertensive disorder' }], text: 'High blood pressure' }],
    note: [{ time: day(at, of), text: 'Taken in the morning with a glass of water. The patient says that it is well tolerated and that no dose was missed.' }],
    dosage: [
      {
        sequence: 1,
        text: 'one tablet once a day',
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        route: { coding: [{ system: 'http://snomed.info/sct', code: '26643006', display: 'Oral route' }] },
        doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablet', system: 'http://unitsofmeasure.org', code: '{tbl}' } }],
      },
    ],
  };
}
function observation(of: string, at: number, id: string): Resource {
  const [code, display, unit] = measures[(at + numberOf(of)) % measures.length]!;
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs', display: 'Vital Signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code, display }], text: display },
    subject: { reference: of },
    effectiveDateTime: day(at, of),
    issued: day(at, of),
    valueQuantity: { value: 60 + at, unit, system: 'http://unitsofmeasure.org', code: unit },
    interpretation: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'N', display: 'Normal' }] }],
    note: [{ text: 'Measured at rest, sitting, on the left arm, by the nurse on duty.' }],
  };
}

export const statementId = (patient: number, at: number): string => `p${patient}-m${at}`;

/** Resources of each record. */
export const PER_PATIENT = 1 + STATEMENTS + OBSERVATIONS;

/** The records of so many patients, each in a transaction of its own: lines of an NDJSON file. */
export function records(patients: number, first = 0): readonly string[] {
  return Array.from({ length: patients }, (_, number) => {
    const at = first + number;
    const of = `Patient/p${at}`;
    const resources = [
      patient(at),
      ...Array.from({ length: STATEMENTS }, (_, one) => statement(of, one, statementId(at, one))),
      ...Array.from({ length: OBSERVATIONS }, (_, one) => observation(of, one, `p${at}-o${one}`)),
    ];
    const entry = resources.map(resource => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
  });
}
