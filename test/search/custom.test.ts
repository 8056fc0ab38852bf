import { describe, expect, test } from '@jest/globals';
import { resourceTypes } from '../../src/fhir/definitions/definitions.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { type Found, readCustom } from '../../src/search/custom.ts';
import { fingerprintsOf, pendingOf } from '../../src/search/fingerprint.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { facetsOf } from '../contract/world.ts';

const parameter = (members: Readonly<Record<string, unknown>> = {}): Found => ({
  file: 'x.tgz/SearchParameter-x.json',
  resource: {
    resourceType: 'SearchParameter',
    url: 'http://example.org/SearchParameter/eyes',
    code: 'eyes',
    status: 'active',
    type: 'token',
    base: ['Patient'],
    expression: "Patient.extension.where(url = 'http://example.org/eyes').value",
    ...members,
  },
});
const name = 'x.tgz/SearchParameter-x.json: SearchParameter `eyes`';
const mistakesOf = (...found: readonly Found[]): readonly string[] => readCustom(found).mistakes;
const r4 = 'http://hl7.org/fhir/SearchParameter';

describe('parameters of packages (http://hl7.org/fhir/R4/searchparameter.html)', () => {
  test('one that R4 has not is added, and finds what its expression says', () => {
    const { definitions, skipped, mistakes } = readCustom([parameter()]);
    expect([skipped, mistakes]).toEqual([[], []]);
    const registry = buildRegistry(undefined, definitions);
    expect(registry.codesOf('Patient')).toContain('eyes');
    expect(registry.codesOf('Person')).not.toContain('eyes');
    const value = { coding: [{ system: 'http://example.org/colours', code: 'green' }] };
    const resource = { resourceType: 'Patient', id: 'p', extension: [{ url: 'http://example.org/eyes', valueCodeableConcept: value }] } as Resource;
    expect(registry.param('Patient', 'eyes')!.extract({ resource, facets: facetsOf({ type: 'Patient', id: 'p' }) })).toEqual([
      { kind: 'token', system: 'http://example.org/colours', code: 'green' },
    ]);
  });
  test('a choice may be written with its type, as the data writes it', () => {
    const { definitions } = readCustom([parameter({ type: 'date', expression: "Patient.extension.where(url = 'http://example.org/seen').valueDateTime" })]);
    const resource = { resourceType: 'Patient', id: 'p', extension: [{ url: 'http://example.org/seen', valueDateTime: '2020' }] } as Resource;
    const indexed = { resource, facets: facetsOf({ type: 'Patient', id: 'p' }) };
    expect(buildRegistry(undefined, definitions).param('Patient', 'eyes')!.extract(indexed)).toHaveLength(1);
  });
  test('one of all types is found in each, but not in the log', () => {
    const everywhere = { base: ['DomainResource'], expression: "DomainResource.extension.where(url = 'http://example.org/eyes').value" };
    const { definitions, mistakes } = readCustom([parameter(everywhere)]);
    expect(mistakes).toEqual([]);
    const registry = buildRegistry(undefined, definitions);
    expect(['Patient', 'Basic', 'AuditEvent'].map(type => registry.codesOf(type).includes('eyes'))).toEqual([true, true, false]);
  });
  test('a composite may be made of parameters of R4 and of packages', () => {
    const composite = parameter({
      url: 'http://example.org/SearchParameter/code-eyes',
      code: 'code-eyes',
      type: 'composite',
      base: ['Observation'],
      expression: 'Observation',
      component: [
        { definition: `${r4}/clinical-code`, expression: 'code' },
        { definition: 'http://example.org/SearchParameter/part', expression: 'method' },
      ],
    });
    const part = parameter({ url: 'http://example.org/SearchParameter/part', code: 'way', base: ['Observation'], expression: 'Observation.method' });
    const { definitions, mistakes } = readCustom([composite, part]);
    expect(mistakes).toEqual([]);
    expect(
      buildRegistry(undefined, definitions)
        .param('Observation', 'code-eyes')
        ?.components?.map(each => each.code),
    ).toEqual(['code', 'way']);
    expect(mistakesOf(composite)).toEqual([
      'x.tgz/SearchParameter-x.json: SearchParameter `code-eyes`: there is no parameter `http://example.org/SearchParameter/part` for one of its components to be like',
    ]);
  });
});

describe('none takes the place of another', () => {
  const birth = { url: 'http://example.org/SearchParameter/b', code: 'birthdate', type: 'date', expression: 'Patient.birthDate' };
  test.each<[string, object]>([
    ['has the same url', { url: `${r4}/individual-birthdate`, code: 'birthdate', type: 'token', expression: 'Patient.id' }],
    ['says the same of its type', birth],
    ['says the same in other words', { ...birth, code: 'death-date', expression: '(Patient.deceased as dateTime)' }],
    ['is derived from it, and so consistent with it', { ...birth, expression: 'Patient.birthDate.extension.value', derivedFrom: `${r4}/individual-birthdate` }],
    ['is what R4 finds by the id', { code: '_id', expression: 'Patient.id', derivedFrom: `${r4}/Resource-id` }],
    ['is retired', { status: 'retired' }],
  ])('what %s is left out', (_, members) => {
    const { definitions, skipped, mistakes } = readCustom([parameter(members as Record<string, unknown>)]);
    expect([definitions, skipped.length, mistakes]).toEqual([[], 1, []]);
  });
  test('what R4 has for one of two types is added for the other', () => {
    const active = { ...birth, code: 'active', type: 'token', base: ['Patient', 'Device'], expression: 'Patient.active | Device.lotNumber' };
    const { definitions, skipped, mistakes } = readCustom([parameter(active)]);
    expect([definitions, skipped, mistakes]).toEqual([
      [expect.objectContaining({ base: ['Device'], code: 'active' })],
      [`x.tgz/SearchParameter-x.json: SearchParameter \`active\` is left out for Patient: \`${r4}/Patient-active\` is there already, and is used`],
      [],
    ]);
  });
  test('the same code with another meaning is refused, of R4 or of another package', () => {
    expect(mistakesOf(parameter({ ...birth, expression: 'Patient.deceased' }))).toEqual([
      `x.tgz/SearchParameter-x.json: SearchParameter \`birthdate\`: Patient has a parameter \`birthdate\` already, which means something else: \`${r4}/individual-birthdate\``,
    ]);
    expect(mistakesOf(parameter(), parameter({ url: 'http://example.org/other', expression: 'Patient.maritalStatus' }))).toEqual([
      `${name}: Patient has a parameter \`eyes\` already, which means something else: \`http://example.org/SearchParameter/eyes\``,
    ]);
    expect(mistakesOf(parameter({ ...birth, type: 'string', derivedFrom: `${r4}/individual-birthdate` }))).toHaveLength(1);
  });
  test('so rules ask for what R4 defines, whatever is added: the parameters that access goes by', () => {
    const asked = { Consent: ['actor', 'status', 'category', 'source-reference'], Provenance: ['agent'] };
    const registry = buildRegistry();
    for (const [type, codes] of Object.entries(asked))
      for (const code of codes) {
        const found = parameter({
          url: 'http://example.org/evil',
          code,
          base: [type],
          type: registry.definitionOf(registry.param(type, code)!)!.type,
          expression: `${type}.extension.value`,
        });
        const { definitions, mistakes } = readCustom([found]);
        expect([type, code, definitions, mistakes.length]).toEqual([type, code, [], 1]);
      }
  });
  test('and no code of R4 can be had for any type that has it', () => {
    const registry = buildRegistry();
    const evil = [...resourceTypes]
      .filter(type => type !== 'AuditEvent')
      .flatMap(type =>
        registry.codesOf(type).map((code, at) => parameter({ url: `http://example.org/${type}/${at}`, base: [type], code, expression: `${type}.id` })),
      );
    const found = readCustom(evil);
    expect(found.definitions).toEqual([]);
    expect(found.mistakes.length + found.skipped.length).toBe(evil.length);
  });
});

test.each<[string, object, string]>([
  ['no url', { url: undefined }, '`url` is missing'],
  ['an unknown type', { type: 'colour' }, '`type` is `"colour"`; it may be token, string, date, reference, uri, number, quantity, composite'],
  ['special', { type: 'special' }, '`type` is `"special"`; it may be token, string, date, reference, uri, number, quantity, composite'],
  ['no base', { base: [] }, '`base` names no type of resource'],
  ['a base of R5', { base: ['Transport'] }, '`base` names `Transport`, which R4 has not'],
  ['the log', { base: ['AuditEvent'] }, '`base` names AuditEvent, which is found by parameters of R4 only'],
  ['no expression', { expression: undefined }, '`expression` is missing, without which nothing can be indexed'],
  [
    'what is not FHIRPath of parameters',
    { expression: 'Patient.name.select(given)' },
    '`expression` is beyond the part of FHIRPath that parameters are written in: `Patient.name.select(given)`: `select()` is not known at given',
  ],
  ['an element that is not there', { expression: 'Patient.eyes' }, '`expression` yields nothing of Patient: `Patient.eyes`'],
  ['another type than its base', { expression: 'Person.name' }, '`expression` yields nothing of Patient: `Person.name`'],
  ['values of which no token is made', { expression: 'Patient.name' }, '`expression` yields HumanName, of which no token is made'],
  ['labels', { expression: 'Patient.meta.security' }, '`expression` goes through `meta`, which has the parameters _tag, _profile, _source and _security'],
])('a parameter with %s is refused, with a sentence that names file and parameter', (_, members, sentence) => {
  expect(mistakesOf(parameter(members as Record<string, unknown>))).toEqual([`${name}: ${sentence}`]);
});
test.each(['_eyes', '.eyes', 'eyes:exact', 'a.b', 'a,b', '$eyes', '-eyes', ''])('the code `%s` is refused', code => {
  expect(mistakesOf(parameter({ code }))).toHaveLength(1);
});
test('all mistakes are told at once', () => {
  expect(mistakesOf(parameter({ type: 'colour', base: [], expression: '' }), parameter({ code: undefined }))).toHaveLength(4);
});

describe('fingerprints', () => {
  const { definitions } = readCustom([parameter()]);
  test('tell what is new, and what has changed', () => {
    const before = fingerprintsOf(definitions);
    expect([...pendingOf(fingerprintsOf(definitions), before)]).toEqual([]);
    expect([...pendingOf(before, fingerprintsOf([]))]).toEqual(['http://example.org/SearchParameter/eyes']);
    const changed = fingerprintsOf(definitions.map(each => ({ ...each, expression: 'Patient.maritalStatus' })));
    expect([...pendingOf(changed, before)]).toEqual(['http://example.org/SearchParameter/eyes']);
    const wider = fingerprintsOf(definitions.map(each => ({ ...each, base: ['Patient', 'Person'] })));
    expect(pendingOf(wider, before).size).toBe(1);
  });
});
