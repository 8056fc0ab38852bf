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
  const kinds = { number: 'quantity', special: 'position' } as const;
  test('has every parameter of R4, and compiles them for every type', () => {
    for (const { code, type, base, expression } of searchParameters) {
      if (expression === '' || code === '_id' || code === '_lastUpdated') continue;
      for (const each of base.filter(name => resourceTypes.has(name) && name !== 'AuditEvent')) {
        expect([each, code, registry.param(each, code)?.kind]).toEqual([
          each,
          code,
          code === 'phonetic' ? 'words' : (kinds[type as keyof typeof kinds] ?? type),
        ]);
        expect(found({ resourceType: each }, code)).toBeInstanceOf(Array);
      }
    }
  });
  test('knows what R4 has and is not indexed', () => {
    for (const [type, code] of [
      ['Observation', '_query'],
      ['Observation', '_filter'],
      ['AuditEvent', 'entity-name'],
      ['AuditEvent', '_text'],
    ] as const) {
      expect([code, registry.unsupported(type, code)]).toEqual([code, true]);
      expect(registry.param(type, code)).toBeUndefined();
    }
    for (const code of ['colour', 'value-quantity', '_text']) expect([code, registry.unsupported('Observation', code)]).toEqual([code, false]);
  });
  test('_text and _content are of every type, and read the narrative and all that people read (http://hl7.org/fhir/R4/search.html#content)', () => {
    const note = { resourceType: 'Basic', text: { div: '<div>Caf\u00e9 <b>noir</b></div>' }, code: { text: 'One cup' } };
    expect(found(note, '_text')).toEqual([{ kind: 'words', words: ['cafe', 'noir'] }]);
    expect(found(note, '_content')).toEqual([{ kind: 'words', words: expect.arrayContaining(['cafe', 'cup', 'noir', 'one']) }]);
    expect([...resourceTypes].filter(type => type !== 'AuditEvent' && registry.param(type, '_content')?.kind !== 'words')).toEqual([]);
  });
  test('a composite is as its parts are, in their order (http://hl7.org/fhir/R4/search.html#composite)', () => {
    const param = registry.param('Observation', 'component-code-value-quantity')!;
    expect(param.components?.map(({ code, kind }) => [code, kind])).toEqual([
      ['component-code', 'token'],
      ['component-value-quantity', 'quantity'],
    ]);
  });
  test('what a modifier asks is a parameter of its own, once for one definition, where the values have something for it', () => {
    const code = registry.param('Observation', 'code')!;
    const text = registry.modified('Observation', code, 'text')!;
    expect([text.code, text.kind]).toEqual(['code:text', 'string']);
    expect(registry.modified('Condition', registry.param('Condition', 'code')!, 'text')).toBe(text);
    expect(registry.paramsOf('Observation')).toContain(text);
    expect(text.extract(indexed({ resourceType: 'Observation', code: { text: 'Pulse', coding: [{ display: 'Rate' }] } }))).toEqual([
      { kind: 'string', text: 'pulse', exact: 'Pulse' },
      { kind: 'string', text: 'rate', exact: 'Rate' },
    ]);
    expect(registry.modified('Observation', code, 'of-type')).toBeUndefined();
    expect(registry.modified('Patient', registry.param('Patient', 'gender')!, 'text')).toBeUndefined();
    expect(registry.modified('Patient', registry.param('Patient', 'identifier')!, 'of-type')?.kind).toBe('token');
    expect(registry.modified('Observation', registry.param('Observation', 'subject')!, 'identifier')?.kind).toBe('token');
  });
  test('indexes of the log what its readers ask', () => {
    expect(registry.codesOf('AuditEvent')).toEqual(['_id', '_lastUpdated', 'action', 'agent', 'date', 'entity', 'outcome', 'patient']);
    expect(registry.paramsOf('AuditEvent')).toHaveLength(6 + facetParams.length);
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
    // With the label that the server shows of its own (search/security.ts).
    expect(found(patient, '_security')).toEqual([
      { kind: 'token', system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'U' },
      { kind: 'token', system: 's', code: 'R' },
    ]);
    expect(found(patient, '_profile')).toEqual([
      { kind: 'uri', uri: 'http://p' },
      { kind: 'uri', uri: 'http://p|1' },
    ]);
    expect(found(patient, '_source')).toEqual([{ kind: 'uri', uri: 'urn:s' }]);
  });
});
