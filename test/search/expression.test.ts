import { describe, expect, test } from '@jest/globals';
import { searchParameters } from '../../src/fhir/definitions/definitions.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { compile } from '../../src/search/expression.ts';
import { parseExpression } from '../../src/search/expression-syntax.ts';

const values = (expression: string, resource: object) =>
  compile<unknown>(expression, (resource as Resource).resourceType, () => (value, into) => void into.push(value))(resource as Resource);

describe('the FHIRPath of search parameters', () => {
  const bundle = {
    resourceType: 'Bundle',
    entry: [{ resource: { resourceType: 'Composition', id: 'c' } }, { resource: { resourceType: 'Patient', id: 'p' } }],
  };
  const patient = {
    resourceType: 'Patient',
    name: [{ family: 'Moss', given: ['Mary', 'Ann'] }, null],
    telecom: [
      { system: 'phone', value: '1' },
      { system: 'email', value: '2' },
    ],
    deceasedDateTime: '2024',
    extension: [
      { url: 'http://a', valueCode: 'x' },
      { url: 'http://b', valueCode: 'y' },
    ],
  };
  const encounter = (reference: string, type?: string) => ({ resourceType: 'Encounter', subject: { reference, ...(type === undefined ? {} : { type }) } });
  const isPatient = (resource: object) => values('Encounter.subject.where(resolve() is Patient)', resource).length === 1;

  test('takes members through lists, and nulls in them for nothing', () => expect(values('Patient.name.given', patient)).toEqual(['Mary', 'Ann']));
  test('takes a bare member of the root', () => expect(values('name.family | alias', patient)).toEqual(['Moss']));
  test('leaves out the parts for other types', () => expect(values('Person.name.family | Patient.name.family', patient)).toEqual(['Moss']));
  test('filters by equality', () => expect(values("Patient.telecom.where(system='email').value", patient)).toEqual(['2']));
  test('takes one type of a choice, in each spelling', () => {
    for (const written of [
      '(Patient.deceased as dateTime)',
      'Patient.deceased as dateTime',
      'Patient.deceased.as(dateTime)',
      'Patient.deceased.ofType(FHIR.dateTime)',
    ])
      expect(values(written, patient)).toEqual(['2024']);
    expect(values('Patient.deceased.ofType(boolean)', patient)).toEqual([]);
  });
  test('answers yes or no', () => {
    const deceased = 'Patient.deceased.exists() and Patient.deceased != false';
    expect(values(deceased, patient)).toEqual([true]);
    expect(values(deceased, { resourceType: 'Patient' })).toEqual([false]);
    expect(values(deceased, { resourceType: 'Patient', deceasedBoolean: false })).toEqual([false]);
    expect(values("Patient.gender = 'male' or Patient.active = true", { resourceType: 'Patient', active: true })).toEqual([true]);
  });
  test('takes extensions by url', () => expect(values("Patient.extension('http://b').value", patient)).toEqual(['y']));
  test('takes one item of a list', () => expect(values('Bundle.entry[0].resource', bundle)).toEqual([{ resourceType: 'Composition', id: 'c' }]));
  test('tells what a reference resolves to by its text, then by its type', () => {
    for (const text of ['Patient/1', 'Patient/1/_history/2', 'https://elsewhere.example/fhir/Patient/1']) expect(isPatient(encounter(text))).toBe(true);
    for (const text of ['Group/1', 'https://elsewhere.example/fhir/Group/1', 'urn:uuid:1', '#p', '']) expect(isPatient(encounter(text))).toBe(false);
    expect(isPatient(encounter('urn:uuid:1', 'Patient'))).toBe(true);
    expect(isPatient(encounter('Group/1', 'Patient'))).toBe(false);
  });
  test('knows that a canonical is a uri', () =>
    expect(values('ConceptMap.source.ofType(uri)', { resourceType: 'ConceptMap', sourceCanonical: 'http://v' })).toEqual(['http://v']));

  test('refuses what it does not know rather than mean less', () => {
    for (const wrong of ['Patient.name.first()', 'Patient.name.where(', "Patient.name + 'x'", 'Patient.name |', 'Patient.name[x]', ''])
      expect(() => parseExpression(wrong)).toThrow(SyntaxError);
  });
  test('never throws on odd data', () => {
    for (const { expression, base } of searchParameters.filter(each => each.expression !== ''))
      for (const resourceType of base.filter(type => type === 'Patient' || type === 'Observation' || type === 'Bundle'))
        for (const odd of [1, 'text', null, [null], [[]], {}, [{ value: 3, coding: 'x', reference: 7 }]])
          expect(() =>
            values(expression, { resourceType, name: odd, telecom: odd, subject: odd, code: odd, component: odd, entry: odd, extension: odd, deceased: odd }),
          ).not.toThrow();
  });
});
