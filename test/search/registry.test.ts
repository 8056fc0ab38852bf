import { describe, expect, test } from '@jest/globals';
import { resourceTypes, searchParameters } from '../../src/fhir/definitions/definitions.ts';
import { facetParams } from '../../src/search/facets.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { buildRegistry } from '../../src/search/registry.ts';

const registry = buildRegistry();
const indexed = (resource: object): Indexed => ({
  resource: resource as Indexed['resource'],
  facets: {
    records: [],
    origin: { kind: 'server', by: 'x' },
    confidentiality: 0,
    sensitivity: [],
    codes: [],
    clinicalDate: { low: 0, high: 0 },
    authors: [],
    about: [],
  },
});
const found = (resource: { resourceType: string; [element: string]: unknown }, code: string) =>
  registry.param(resource.resourceType, code)?.extract(indexed(resource));

describe('the registry', () => {
  test('has every parameter of R4 of the five kinds, and compiles them for every type', () => {
    for (const { code, type, base, expression } of searchParameters) {
      if (!['token', 'string', 'date', 'reference', 'uri'].includes(type) || expression === '' || code === '_id' || code === '_lastUpdated') continue;
      for (const each of base.filter(name => resourceTypes.has(name) && name !== 'AuditEvent')) {
        expect([each, code, registry.param(each, code)?.kind]).toEqual([each, code, type]);
        expect(found({ resourceType: each }, code)).toBeInstanceOf(Array);
      }
    }
  });
  test('knows what is not indexed yet', () => {
    expect(registry.unsupported('Observation', 'value-quantity')).toBe(true);
    expect(registry.unsupported('Observation', '_text')).toBe(true);
    expect(registry.unsupported('Observation', 'colour')).toBe(false);
    expect(registry.param('Observation', 'value-quantity')).toBeUndefined();
  });
  test('indexes of the log what its readers ask', () => {
    expect(registry.codesOf('AuditEvent')).toEqual(['_id', '_lastUpdated', 'action', 'agent', 'date', 'patient']);
    expect(registry.paramsOf('AuditEvent')).toHaveLength(4 + facetParams.length);
    const event = { resourceType: 'AuditEvent', agent: [{ who: { reference: 'Practitioner/lee' } }], entity: [{ what: { reference: 'Patient/mary' } }] };
    expect(found(event, 'patient')).toEqual([{ kind: 'reference', type: 'Patient', id: 'mary' }]);
  });
  test('hands out facets to be indexed and to nobody by name', () => {
    expect(registry.paramsOf('Patient')).toEqual(expect.arrayContaining([...facetParams]));
    expect(facetParams.every(({ code }) => code.startsWith('.'))).toBe(true);
    expect(registry.param('Patient', '.record')).toBeUndefined();
    expect(registry.codesOf('Patient').some(code => code.startsWith('.'))).toBe(false);
  });
  test('lists what can be included', () =>
    expect(
      registry
        .includesOf('Patient')
        .map(({ code }) => code)
        .sort(),
    ).toEqual(['general-practitioner', 'link', 'organization']));
  test('one definition is one parameter, for all its types', () =>
    expect(registry.param('Observation', 'patient')).toBe(registry.param('Condition', 'patient')));
  test('what a parameter may refer to depends on the type it is asked of, and what may be anything says so', () => {
    const encounter = registry.param('Observation', 'encounter')!;
    expect(registry.targetsOf('Observation', encounter)).toEqual(['Encounter']);
    expect([...registry.targetsOf('DocumentReference', encounter)].sort()).toEqual(['Encounter', 'EpisodeOfCare']);
    expect(registry.targetsOf('Observation', registry.param('Observation', 'patient')!)).toEqual(['Patient']);
    expect(registry.targetsOf('Provenance', registry.param('Provenance', 'patient')!)).toEqual(['Patient']);
    expect(registry.targetsOf('List', registry.param('List', 'item')!)).toEqual([]);
    expect(registry.param('List', 'item')?.targets).toEqual([]);
  });
  test('an unknown type has nothing', () =>
    expect([registry.paramsOf('Foo'), registry.param('Foo', 'x'), registry.unsupported('Foo', 'x')]).toEqual([[], undefined, false]));
  test('systems are implied for codes, not for concepts', () => {
    expect(registry.impliesSystem('Patient', registry.param('Patient', 'gender')!)).toBe(true);
    expect(registry.impliesSystem('Observation', registry.param('Observation', 'code')!)).toBe(false);
    expect(registry.impliesSystem('Patient', registry.param('Patient', 'identifier')!)).toBe(false);
  });
  test('its own base is ours', () => {
    const own = buildRegistry('https://here.example/fhir');
    const resource = { resourceType: 'Condition', subject: { reference: 'https://here.example/fhir/Patient/mary' } };
    expect(own.param('Condition', 'patient')?.extract(indexed(resource))).toEqual([{ kind: 'reference', type: 'Patient', id: 'mary' }]);
  });
  test('the parameters for all types', () => {
    const patient = {
      resourceType: 'Patient',
      meta: { tag: [{ code: 't' }], security: [{ system: 's', code: 'R' }], profile: ['http://p|1'], source: 'urn:s' },
    };
    expect(found(patient, '_tag')).toEqual([{ kind: 'token', system: '', code: 't' }]);
    expect(found(patient, '_security')).toEqual([{ kind: 'token', system: 's', code: 'R' }]);
    expect(found(patient, '_profile')).toEqual([
      { kind: 'uri', uri: 'http://p' },
      { kind: 'uri', uri: 'http://p|1' },
    ]);
    expect(found(patient, '_source')).toEqual([{ kind: 'uri', uri: 'urn:s' }]);
  });
});
