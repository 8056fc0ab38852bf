import { describe, expect, test } from '@jest/globals';
import { Problem } from '../../../src/fhir/problem.ts';
import { checked, validate } from '../../../src/fhir/validate/validate.ts';

const patient = (members: object) => ({ resourceType: 'Patient', ...members });
const observation = (members: object) => ({ resourceType: 'Observation', status: 'final', code: { text: 'weight' }, ...members });
const basic = (value: object) => patient({ extension: [{ url: 'http://x.example', ...value }] });
const found = (resource: unknown) => validate(resource).map(({ code, expression }) => `${code} ${expression}`);

/** What is wrong with each, as `code expression`. */
type Case = readonly [what: string, resource: unknown, ...issues: string[]];
const cases = (list: readonly Case[]) => test.each(list.map(([what, resource, ...issues]) => [what, resource, issues] as const));

describe('resourceType', () => {
  cases([
    ['is enough', patient({})],
    ['is missing', { id: 'a' }, 'structure Resource'],
    ['is no resource of R4', { resourceType: 'Patients' }, 'structure Resource'],
    ['is abstract', { resourceType: 'DomainResource' }, 'structure Resource'],
    ['is a data type', { resourceType: 'HumanName' }, 'structure Resource'],
    ['is a name of JavaScript', { resourceType: 'constructor' }, 'structure Resource'],
    ['is no string', { resourceType: ['Patient'] }, 'structure Resource'],
    ['of a list', [patient({})], 'structure Resource'],
    ['of null', null, 'structure Resource'],
    ['of a string', 'Patient', 'structure Resource'],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('JSON (http://hl7.org/fhir/R4/json.html)', () => {
  cases([
    ['an element unknown in a resource', patient({ nmae: [] }), 'structure Patient.nmae'],
    ['an element unknown in a data type', patient({ name: [{ famly: 'x' }] }), 'structure Patient.name[0].famly'],
    ['an element unknown in a backbone', patient({ contact: [{ nome: {} }] }), 'structure Patient.contact[0].nome'],
    ['a resourceType inside a data type', patient({ name: [{ resourceType: 'HumanName', family: 'x' }] }), 'structure Patient.name[0].resourceType'],
    ['a choice without its type', observation({ value: 1 }), 'structure Observation.value'],
    ['a choice of a type that is not offered', observation({ valueAddress: { city: 'x' } }), 'structure Observation.valueAddress'],
    ['a name that is no step of FHIRPath', patient({ 'a.b`c': 1 }), 'structure Patient'],
    ['names that reach prototypes', JSON.parse('{"resourceType":"Patient","__proto__":{"active":1}}'), 'structure Patient'],
    [
      'names of JavaScript',
      JSON.parse('{"resourceType":"Patient","constructor":1,"prototype":2}'),
      'structure Patient.constructor',
      'structure Patient.prototype',
    ],
    ['a list where one is allowed', patient({ active: [true] }), 'structure Patient.active'],
    ['one where a list is due', patient({ name: { family: 'x' } }), 'structure Patient.name'],
    ['a string where an object is due', patient({ maritalStatus: 'M' }), 'structure Patient.maritalStatus'],
    ['an object where a string is due', patient({ birthDate: { value: '2000' } }), 'structure Patient.birthDate'],
    ['a string for a boolean', patient({ active: 'true' }), 'structure Patient.active'],
    ['a string for a number', observation({ valueInteger: '1' }), 'structure Observation.value'],
    ['a number for a string', patient({ name: [{ family: 1 }] }), 'structure Patient.name[0].family'],
    ['a list in a list', patient({ name: [[{ family: 'x' }]] }), 'structure Patient.name[0]'],
    ['an empty list', patient({ name: [] }), 'structure Patient.name'],
    ['an empty object', patient({ name: [{}] }), 'structure Patient.name[0]'],
    ['an object with an id only', patient({ name: [{ id: 'a' }] }), 'structure Patient.name[0]'],
    ['an empty string', patient({ name: [{ family: '' }] }), 'value Patient.name[0].family'],
    ['null', patient({ active: null }), 'structure Patient.active'],
    ['null in a list of objects', patient({ name: [null] }), 'structure Patient.name[0]'],
    ['null in a list of primitives', patient({ name: [{ given: ['a', null] }] }), 'structure Patient.name[0].given[1]'],
    ['undefined, which JSON would not print', patient({ active: undefined, name: undefined, maritalStatus: undefined })],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('primitives with extensions (http://hl7.org/fhir/R4/json.html#primitive)', () => {
  const extension = [{ url: 'http://x.example', valueString: 'x' }];
  cases([
    ['beside a value', patient({ birthDate: '2000', _birthDate: { extension } })],
    ['an id beside a value', patient({ birthDate: '2000', _birthDate: { id: 'a' } })],
    ['in place of a value', patient({ _birthDate: { extension } })],
    ['in place of a required value', { resourceType: 'Observation', _status: { extension }, code: { text: 'x' } }],
    ['aligned with null', patient({ name: [{ given: [null, 'b'], _given: [{ extension }, null] }] })],
    ['a list of companions alone', patient({ name: [{ _given: [{ extension }] }] })],
    ['null on both sides', patient({ name: [{ given: ['a', null], _given: [null, null] }] }), 'structure Patient.name[0].given[1]'],
    ['lists of different length', patient({ name: [{ given: ['a', 'b'], _given: [{ extension }] }] }), 'structure Patient.name[0].given'],
    ['no list beside a list', patient({ name: [{ given: ['a'], _given: { extension } }] }), 'structure Patient.name[0].given'],
    ['no object', patient({ _birthDate: 'x' }), 'structure Patient.birthDate'],
    ['an empty object', patient({ _birthDate: {} }), 'structure Patient.birthDate'],
    ['an id without a value', patient({ _birthDate: { id: 'a' } }), 'structure Patient.birthDate'],
    ['null', patient({ birthDate: '2000', _birthDate: null }), 'structure Patient.birthDate'],
    ['an unknown element', patient({ _birthDate: { value: 1, extension } }), 'structure Patient.birthDate.value'],
    ['beside what is no primitive', patient({ name: [{ family: 'x' }], _name: [{ extension }] }), 'structure Patient'],
    ['beside nothing that R4 knows', patient({ _foo: { extension } }), 'structure Patient'],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('cardinality and choices (http://hl7.org/fhir/R4/formats.html#choice)', () => {
  cases([
    ['required elements', { resourceType: 'Observation' }, 'required Observation.status', 'required Observation.code'],
    ['a required element of a backbone', observation({ component: [{ valueString: 'x' }] }), 'required Observation.component[0].code'],
    [
      'a required list',
      { resourceType: 'Provenance', recorded: '2026-11-24T00:00:00Z', agent: [] },
      'structure Provenance.agent',
      'required Provenance.target',
    ],
    [
      'a required choice',
      { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/mary' } },
      'required MedicationRequest.medication',
    ],
    ['a choice given twice', observation({ valueString: 'x', valueInteger: 1 }), 'structure Observation'],
    [
      'a choice given twice, once as extension',
      observation({ valueString: 'x', _valueInteger: { extension: [{ url: 'u:x', valueCode: 'x' }] } }),
      'structure Observation',
    ],
    ['a choice with its extension is given once', observation({ valueString: 'x', _valueString: { id: 'a' } })],
    [
      'content defined elsewhere',
      { resourceType: 'Questionnaire', status: 'draft', item: [{ linkId: '1', type: 'group', item: [{ type: 'string' }] }] },
      'required Questionnaire.item[0].item[0].linkId',
    ],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('primitive values (http://hl7.org/fhir/R4/datatypes.html#primitive)', () => {
  const uuid = 'urn:uuid:5b3a7c1e-0000-4000-8000-000000000000';
  test.each<readonly [property: string, good: readonly unknown[], bad: readonly unknown[]]>([
    ['valueDate', ['2026', '2026-11', '2024-02-29'], ['2025-02-29', '2026-13', '26', '2026-11-24T00:00:00Z', ' 2026']],
    ['valueDateTime', ['2026', '2026-11-24T17:41:19Z', '2026-11-24T17:41:19.123+01:00'], ['2026-11-24T17:41:19', '2026-11-24T17:41Z', '2026-02-30']],
    ['valueInstant', ['2026-11-24T17:41:19Z'], ['2026-11-24', '2026-11-24T17:41:19']],
    ['valueTime', ['17:41:19', '00:00:00.5'], ['24:00:00', '17:41']],
    ['valueId', ['a', 'A-1.b', 'a'.repeat(64)], ['a_b', 'a b', 'a'.repeat(65)]],
    ['valueCode', ['a', 'a b'], [' a', 'a ', 'a  b']],
    ['valueUri', ['http://x.example', 'urn:oid:1.2', 'x'], ['a b', ' x', 'x\n']],
    ['valueUrl', ['http://x.example'], ['a b']],
    ['valueCanonical', ['http://x.example|1#a'], ['a b']],
    ['valueOid', ['urn:oid:1.2.0.3'], ['1.2.3', 'urn:oid:1.02', 'urn:oid:3.1']],
    ['valueUuid', [uuid], [uuid.toUpperCase(), uuid.slice(9)]],
    ['valueBase64Binary', ['QUJD', 'QUI=', 'QQ==', 'QU\nJD', '+/+/'], ['QUJ', 'QUJD!', 'Q===', '=QUJ']],
    ['valueString', ['x', ' x ', 'x'.repeat(1024 * 1024)], ['x'.repeat(1024 * 1024 + 1)]],
    ['valueInteger', [0, -1, 2 ** 31 - 1, -(2 ** 31)], [1.5, 2 ** 31]],
    ['valueUnsignedInt', [0, 1], [-1, 0.5]],
    ['valuePositiveInt', [1, 2 ** 31 - 1], [0, -1]],
    ['valueDecimal', [0, 1.5, -1e-10], [Number.POSITIVE_INFINITY]],
  ])('%s', (property, good, bad) => {
    for (const value of good) expect(found(basic({ [property]: value }))).toEqual([]);
    for (const value of bad) expect(found(basic({ [property]: value }))).toEqual(['value Patient.extension[0].value']);
  });

  test('the id of a resource is an id', () => expect(found(patient({ id: 'a/b' }))).toEqual(['value Patient.id']));
});

describe('required bindings (http://hl7.org/fhir/R4/terminologies.html#required)', () => {
  const condition = (clinicalStatus: object) => ({ resourceType: 'Condition', subject: { reference: 'Patient/mary' }, clinicalStatus });
  const system = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
  cases([
    ['a code', patient({ gender: 'female' })],
    ['a code that is not in it', patient({ gender: 'F' }), 'code-invalid Patient.gender'],
    ['a coding', condition({ coding: [{ system, code: 'active' }] })],
    [
      'one coding among others',
      condition({
        coding: [
          { system: 'http://x.example', code: 'x' },
          { system, code: 'active' },
        ],
      }),
    ],
    ['no coding that is in it', condition({ coding: [{ system, code: 'asleep' }] }), 'code-invalid Condition.clinicalStatus'],
    ['the code of another system', condition({ coding: [{ system: 'http://x.example', code: 'active' }] }), 'code-invalid Condition.clinicalStatus'],
    ['text alone', condition({ text: 'active' }), 'code-invalid Condition.clinicalStatus'],
    [
      'an extension that says why there is none',
      condition({ extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] }),
    ],
    ['a value set that cannot be listed', patient({ photo: [{ contentType: 'image/x-whatever' }] })],
    [
      'a value set of v3',
      { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ display: 'x' }], title: 'x', confidentiality: 'R' },
    ],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('references (http://hl7.org/fhir/R4/references.html)', () => {
  const issue = 'value Patient.managingOrganization';
  cases([
    ['to the right type', patient({ managingOrganization: { reference: 'Organization/o' } })],
    ['to a wrong type', patient({ managingOrganization: { reference: 'Patient/o' } }), issue],
    ['to a wrong type elsewhere', patient({ managingOrganization: { reference: 'https://x.example/fhir/Patient/o/_history/1' } }), issue],
    ['said to be of a wrong type', patient({ managingOrganization: { type: 'Patient', identifier: { value: '1' } } }), issue],
    ['that do not tell their type', patient({ managingOrganization: { reference: 'urn:uuid:x' } })],
    [
      'to anything',
      { resourceType: 'Provenance', recorded: '2026-11-24T00:00:00Z', agent: [{ who: { reference: 'Patient/p' } }], target: [{ reference: 'Slot/s' }] },
    ],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('resources in resources', () => {
  cases([
    [
      'contained (http://hl7.org/fhir/R4/references.html#contained)',
      patient({ contained: [{ resourceType: 'Organization', id: 'o', nam: 'x' }] }),
      'structure Patient.contained[0].nam',
    ],
    ['contained in a contained one', patient({ contained: [patient({ contained: [patient({})] })] }), 'structure Patient.contained[0].contained'],
    ['contained, of no type', patient({ contained: [{ id: 'o' }] }), 'structure Patient.contained[0]'],
    [
      'in an entry of a Bundle',
      { resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient({ active: 1 }) }] },
      'structure Bundle.entry[0].resource.active',
    ],
    ['that contain, in an entry', { resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient({ contained: [patient({ id: 'a' })] }) }] }],
    [
      'in Parameters',
      { resourceType: 'Parameters', parameter: [{ name: 'r', resource: patient({ gender: 'x' }) }] },
      'code-invalid Parameters.parameter[0].resource.gender',
    ],
  ])('%s', (_, resource, issues) => expect(found(resource)).toEqual(issues));
});

describe('limits', () => {
  test('deep nesting is an issue, not an overflow', () => {
    let extension: object = { url: 'http://x.example', valueString: 'x' };
    for (let depth = 0; depth < 100_000; depth++) extension = { url: 'http://x.example', extension: [extension] };
    expect(validate(patient({ extension: [extension] }))).toEqual([{ code: 'structure', text: 'Patient is nested too deeply.', expression: 'Patient' }]);
  });
  test('50 issues are enough', () => expect(validate(patient({ name: Array(1000).fill(1) }))).toHaveLength(50));
  test('long values do not overflow regular expressions', () => {
    expect(found({ resourceType: 'Binary', contentType: 'a '.repeat(1_000_000), data: `${'QUJD'.repeat(1_000_000)}!` })).toEqual([
      'value Binary.contentType',
      'value Binary.data',
    ]);
  });
});

describe('texts', () => {
  test.each([
    [patient({ birthDate: '2025-02-30' }), 'Patient.birthDate must be a real date as YYYY, YYYY-MM or YYYY-MM-DD, not `2025-02-30`.'],
    [patient({ gender: 'F' }), 'Patient.gender must be one of `female`, `male`, `other`, `unknown`, not `F`.'],
    [patient({ name: [{ fmaily: 'x' }] }), 'Patient.name[0].fmaily is unknown: HumanName has no element `fmaily`.'],
    [patient({ active: [true] }), 'Patient.active must be `true` or `false`, not a list.'],
    [patient({ name: {} }), 'Patient.name must be a list, not an object.'],
    [{ resourceType: 'Observation', status: 'final' }, 'Observation.code is required.'],
    [patient({ [`\`${'x'.repeat(200)}`]: 1 }), `Patient has an unknown element \`'${'x'.repeat(79)}…\`.`],
  ])('%#: %#', (resource, text) => expect(validate(resource)[0]!.text).toBe(text));
});

describe('checked', () => {
  test('answers the resource itself', () => {
    const resource = patient({});
    expect(checked(resource)).toBe(resource);
  });
  test('throws a Problem with every issue and the code of the first', () => {
    const resource = { resourceType: 'Observation', status: 'x' };
    expect(() => checked(resource)).toThrow(Problem);
    try {
      checked(resource);
    } catch (error) {
      const { code, issues, message } = error as Problem;
      expect([code, issues.map(issue => issue.code)]).toEqual(['code-invalid', ['code-invalid', 'required']]);
      expect(message).toMatch(/^Observation\.status must be .* \(The first of 2 issues\.\)$/);
    }
  });
});
