import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { elementOf, patientCompartment, resourceTypes, searchParameters, typeOf } from '../../../src/fhir/definitions/definitions.ts';

const folder = new URL('../../../src/fhir/definitions/', import.meta.url);

test('the artefact is the one whose SHA-256 was recorded', () => {
  const hash = createHash('sha256')
    .update(readFileSync(new URL('r4.json.gz', folder)))
    .digest('hex');
  expect(readFileSync(new URL('r4.json.gz.sha256', folder), 'utf8')).toBe(`${hash}  r4.json.gz\n`);
});

describe('types', () => {
  test('R4 has 146 concrete resource types', () => {
    expect(resourceTypes.size).toBe(146);
    expect(['Patient', 'Consent', 'Binary', 'Parameters'].every(type => resourceTypes.has(type))).toBe(true);
    expect(['Resource', 'DomainResource', 'MetadataResource', 'HumanName', 'constructor'].some(type => resourceTypes.has(type))).toBe(false);
  });

  test('each has its kind', () => {
    expect(['Patient', 'Resource', 'HumanName', 'Patient.contact', 'Timing.repeat', 'date', 'nothing', '__proto__'].map(name => typeOf(name)?.kind)).toEqual([
      'resource',
      'resource',
      'complex',
      'backbone',
      'backbone',
      'primitive',
      undefined,
      undefined,
    ]);
  });

  test('every type that an element names exists, and every property leads to it', () => {
    const names = [...resourceTypes];
    for (const name of names) {
      for (const [property, def] of typeOf(name)!.elements) {
        const type = elementOf(name, property)!.type;
        expect(def.types).toContain(type);
        expect(typeOf(type)).toBeDefined();
        if (!names.includes(type)) names.push(type);
      }
    }
    expect(names.length).toBeGreaterThan(600);
  });
});

describe('elements', () => {
  test('a choice is a property for each type', () => {
    const quantity = elementOf('Observation', 'valueQuantity')!;
    expect(quantity.type).toBe('Quantity');
    expect(quantity.def).toBe(elementOf('Observation', 'valueDateTime')!.def);
    expect(quantity.def).toMatchObject({ name: 'value[x]', choice: true, min: 0, max: 1 });
    expect(elementOf('Observation', 'value')).toBeUndefined();
    expect(elementOf('Observation', 'valueAddress')).toBeUndefined();
  });

  test('a reference to content elsewhere has its type', () => {
    expect(elementOf('Questionnaire.item', 'item')!.type).toBe('Questionnaire.item');
    expect(elementOf('Observation.component', 'referenceRange')!.type).toBe('Observation.referenceRange');
  });

  test('cardinality, targets, codes and inherited elements', () => {
    expect(elementOf('Patient', 'name')!.def.max).toBe(Number.POSITIVE_INFINITY);
    expect(elementOf('Observation', 'status')!.def.min).toBe(1);
    expect(elementOf('Patient', 'managingOrganization')!.def.targets).toEqual(['Organization']);
    expect(elementOf('Provenance', 'target')!.def.targets).toBeUndefined();
    expect([...elementOf('Patient', 'gender')!.def.codes!].sort()).toEqual(['female', 'male', 'other', 'unknown']);
    expect(elementOf('Composition', 'confidentiality')!.def.codes).toEqual(new Set(['U', 'L', 'M', 'N', 'R', 'V']));
    expect(elementOf('Attachment', 'contentType')!.def.codes).toBeUndefined();
    expect(elementOf('Patient', 'id')!.type).toBe('id');
    expect(elementOf('Patient.contact', 'modifierExtension')!.type).toBe('Extension');
    expect(elementOf('Age', 'comparator')!.type).toBe('code');
  });

  test('agree with those that fhirpath.js has for R4', () => {
    const model: { path2Type: Record<string, string>; path2Repeating: Record<string, unknown> } = createRequire(import.meta.url)('fhirpath/fhir-context/r4');
    const differing: string[] = [];
    let compared = 0;
    for (const [path, type] of Object.entries(model.path2Type)) {
      const parent = path.slice(0, path.lastIndexOf('.'));
      const found = elementOf(parent, path.slice(parent.length + 1));
      if (!found || type.startsWith('System.')) continue;
      compared++;
      const ours = typeOf(found.type)!.kind === 'backbone' ? ['BackboneElement', 'Element'] : [found.type];
      if (!ours.includes(type) || found.def.max > 1 !== Boolean(model.path2Repeating[path])) differing.push(`${path} ${type} ${found.type}`);
    }
    expect(compared).toBeGreaterThan(6000);
    expect(differing).toEqual([]);
  });
});

describe('search', () => {
  test("has HL7's parameters alone, each with a code, a base and an address", () => {
    expect(searchParameters).toHaveLength(1375);
    expect(searchParameters.every(({ code, base, url }) => code && base.length > 0 && url.startsWith('http://hl7.org/fhir/SearchParameter/'))).toBe(true);
    expect(searchParameters.filter(({ expression }) => expression === '').map(({ code }) => code)).toEqual(['_text', '_content', '_query']);
    expect(searchParameters.some(({ expression }) => / as |\.as\(/.test(expression))).toBe(false);
  });

  test('places resources in the patient compartment', () => {
    expect(patientCompartment.get('Observation')).toEqual(['subject', 'performer']);
    expect(patientCompartment.has('Organization')).toBe(false);
    expect(patientCompartment.size).toBe(66);
  });
});
