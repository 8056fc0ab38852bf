import type { Json } from './data.ts';

/** A patient and others of the files that searches name. */
export const patient = '057aa36e-b892-9964-75b9-ffb46b097e34';
export const practitioner = '898be824-2b2a-3818-a374-0cde084e78f6';
export const organization = 'fbf6180e-b800-3ebe-b91d-93d0288c400e';
export const encounter = '120de2e7-0af1-cbce-3199-6dbaaf9b60ca';
export const loinc = 'http://loinc.org';
export const snomed = 'http://snomed.info/sct';
export const ucum = 'http://unitsofmeasure.org';
export const own = 'http://example.org/codes';

const observation = (id: string, code: object, more: object): Json => ({ resourceType: 'Observation', id, status: 'final', code, ...more });
const coded = (system: string, code: string): object => ({ coding: [{ system, code }] });
const mass = coded(own, 'mass');
const quantity = (value: number, code: string, more: object = {}): object => ({ valueQuantity: { value, system: ucum, code, unit: code, ...more } });

/** What Synthea's patients have nothing of; loaded after them. */
export const extra: readonly Json[] = [
  {
    resourceType: 'Patient',
    id: 'oracle-zoe',
    meta: { tag: [{ system: 'http://example.org/tags', code: 'trial' }], profile: ['http://example.org/fhir/StructureDefinition/a|1.0'] },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Crème <b>brûlée</b> &amp; tea</div>' },
    active: true,
    identifier: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }, value: '0012' }],
    name: [{ family: 'Müller-Lüdenscheidt', given: ['Zoë', 'Ägir'], text: 'Zoë  Müller' }],
    telecom: [
      { system: 'phone', value: '+49 30 1234' },
      { system: 'email', value: 'zoe@example.org' },
    ],
    gender: 'other',
    birthDate: '1990-02',
    deceasedBoolean: false,
    address: [{ line: ['Rua Nova 1'], city: 'São Paulo', country: 'BR' }],
    generalPractitioner: [{ reference: `Practitioner/${practitioner}` }],
    managingOrganization: { reference: `Organization/${organization}` },
    link: [{ other: { reference: `Patient/${patient}` }, type: 'seealso' }],
  },
  {
    resourceType: 'Patient',
    id: 'oracle-jose',
    meta: { tag: [{ code: 'trial' }] },
    active: false,
    name: [{ family: 'Muller', given: ['José'] }],
    birthDate: '1990',
    deceasedDateTime: '2020-05-01',
    maritalStatus: { text: 'It is complicated' },
    generalPractitioner: [{ reference: `Organization/${organization}` }],
  },
  { resourceType: 'Patient', id: 'oracle-bare', language: 'de' },
  {
    resourceType: 'List',
    id: 'oracle-list',
    status: 'current',
    mode: 'working',
    subject: { reference: `Patient/${patient}` },
    entry: [{ item: { reference: 'Patient/oracle-zoe' } }, { item: { reference: `Patient/${patient}` } }, { item: { reference: `Encounter/${encounter}` } }],
  },
  { resourceType: 'List', id: 'oracle-list-2', status: 'retired', mode: 'snapshot', entry: [{ item: { reference: 'Patient/oracle-jose' } }] },
  {
    resourceType: 'ValueSet',
    id: 'oracle-vitals',
    url: 'http://example.org/fhir/ValueSet/vitals',
    version: '1',
    status: 'active',
    compose: { include: [{ system: loinc, concept: [{ code: '8867-4' }, { code: '2708-6' }] }] },
  },
  { resourceType: 'ValueSet', id: 'oracle-vitals-more', url: 'http://example.org/fhir/ValueSet/vitals/more', status: 'draft' },
  { resourceType: 'ValueSet', id: 'oracle-vitals-other', url: 'http://example.org/fhir/ValueSet/vitals-other', status: 'draft' },
  {
    resourceType: 'CodeSystem',
    id: 'oracle-codes',
    url: own,
    status: 'active',
    content: 'complete',
    concept: [{ code: 'body', concept: [{ code: 'mass', concept: [{ code: 'lean-mass' }] }, { code: 'girth' }] }, { code: 'mood' }],
  },
  observation('oracle-grams', mass, { subject: { reference: 'Patient/oracle-zoe' }, ...quantity(70_500, 'g') }),
  observation('oracle-kilos', mass, { subject: { reference: 'Patient/oracle-zoe' }, ...quantity(70.5, 'kg') }),
  observation('oracle-lean', coded(own, 'lean-mass'), { subject: { reference: 'Patient/oracle-jose' }, ...quantity(155, '[lb_av]') }),
  observation('oracle-less', coded(own, 'girth'), { subject: { reference: 'Patient/oracle-jose' }, ...quantity(5, 'cm', { comparator: '<' }) }),
  observation('oracle-more', coded(own, 'girth'), { subject: { reference: 'Patient/oracle-jose' }, ...quantity(90, 'cm', { comparator: '>=' }) }),
  observation('oracle-five', coded(own, 'girth'), { effectiveDateTime: '2017-12-31', ...quantity(5, 'cm') }),
  observation('oracle-inches', coded(own, 'girth'), { effectiveDateTime: '2019-01-01T00:00:00Z', ...quantity(51, 'mm') }),
  observation('oracle-number', coded(own, 'mood'), { subject: { reference: 'https://elsewhere.example/fhir/Patient/9' }, valueQuantity: { value: 7 } }),
  observation('oracle-drops', coded(own, 'mood'), {
    subject: { reference: 'Patient/oracle-zoe/_history/1' },
    valueQuantity: { value: 12, system: 'http://example.org/units', code: 'gtt', unit: 'Drops' },
  }),
  observation(
    'oracle-string',
    { text: 'Diary' },
    {
      subject: { identifier: { system: 'http://example.org/ids', value: 'p-7' } },
      effectiveDateTime: '2018',
      valueString: 'Äpfel und  Birnen',
    },
  ),
  observation('oracle-month', coded(own, 'mood'), { effectiveDateTime: '2018-07', valueDateTime: '2018-06-30' }),
  observation('oracle-day', coded(own, 'mood'), { effectiveDateTime: '2018-07-01', valuePeriod: { start: '2018-06-01', end: '2018-07-15' } }),
  observation('oracle-since', coded(own, 'mood'), { effectivePeriod: { start: '2018-07-01T12:00:00Z' } }),
  observation('oracle-until', coded(own, 'mood'), { effectivePeriod: { end: '2018-07-31' } }),
  observation('oracle-span', coded(own, 'mood'), { effectivePeriod: { start: '2018-06-30', end: '2018-07-02' } }),
  observation('oracle-pair', coded(own, 'body'), {
    effectiveDateTime: '2018-07-01T12:30:15.250+02:00',
    component: [
      { code: mass, valueQuantity: { value: 80, system: ucum, code: 'kg', unit: 'kg' } },
      { code: coded(own, 'girth'), valueQuantity: { value: 95, system: ucum, code: 'cm', unit: 'cm' } },
      { code: coded(own, 'mood'), valueCodeableConcept: coded(own, 'good') },
    ],
  }),
  ...[0.12, 0.25, 0.5, 0.505].map(
    (probabilityDecimal, index): Json => ({
      resourceType: 'RiskAssessment',
      id: `oracle-risk-${index}`,
      status: 'final',
      subject: { reference: 'Patient/oracle-zoe' },
      prediction: [{ probabilityDecimal }],
    }),
  ),
  {
    resourceType: 'Encounter',
    id: 'oracle-visit',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/oracle-zoe' },
    partOf: { reference: `Encounter/${encounter}` },
    length: { value: 90, system: ucum, code: 'min', unit: 'min' },
  },
  {
    resourceType: 'Encounter',
    id: 'oracle-visit-2',
    status: 'planned',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    partOf: { reference: 'Encounter/oracle-visit' },
    length: { value: 2, system: ucum, code: 'h', unit: 'h' },
  },
];
