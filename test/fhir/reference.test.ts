import { describe, expect, test } from '@jest/globals';
import { parseJson, printJson } from '../../src/fhir/json.ts';
import { keyOf, localReferences, parseReference, references, rewriteReferences } from '../../src/fhir/reference.ts';
import type { Resource } from '../../src/fhir/types.ts';

const base = 'https://kindred.example/fhir';

describe('parseReference (http://hl7.org/fhir/R4/references.html#literal)', () => {
  test.each([
    ['Patient/mary', { kind: 'local', type: 'Patient', id: 'mary' }],
    ['Patient/mary/_history/2', { kind: 'local', type: 'Patient', id: 'mary', version: '2' }],
    [`${base}/Patient/mary`, { kind: 'local', type: 'Patient', id: 'mary' }],
    [`${base}/Patient/mary/_history/2`, { kind: 'local', type: 'Patient', id: 'mary', version: '2' }],
    [`${base}/Patient/mary/x`, { kind: 'absolute', text: `${base}/Patient/mary/x` }],
    ['https://other.example/fhir/Patient/mary', { kind: 'absolute', text: 'https://other.example/fhir/Patient/mary' }],
    [`${base}2/Patient/mary`, { kind: 'absolute', text: `${base}2/Patient/mary` }],
    ['urn:uuid:5b3a7c1e-0000-4000-8000-000000000000', { kind: 'urn', text: 'urn:uuid:5b3a7c1e-0000-4000-8000-000000000000' }],
    ['#med', { kind: 'contained', id: 'med' }],
    ['#', { kind: 'contained', id: '' }],
  ])('%s', (text, parsed) => {
    expect(parseReference(text, base)).toEqual(parsed);
    expect(parseReference(text, `${base}/`)).toEqual(parsed);
  });

  test.each([
    '',
    'Patient',
    'Patient/',
    '/Patient/mary',
    'patient/mary',
    'Patient/a b',
    'Patient/a_b',
    `Patient/${'a'.repeat(65)}`,
    'Patient/mary/',
    'Patient/mary/_history/',
  ])('names nothing: %j', text => expect(parseReference(text, base)).toBeUndefined());
  test.each([
    'Patient?identifier=1',
    'Patient/mary|2',
    'Patient/mary#x',
    ' Patient/mary',
    'Patient/mary\n',
    'https://x.example/a b',
    '#a b',
    '../Patient/mary',
  ])('names nothing: %j', text => expect(parseReference(text, base)).toBeUndefined());
});

test('keyOf leaves the version out, and is undefined for what is not ours', () => {
  expect(keyOf('Patient/mary/_history/2')).toEqual({ type: 'Patient', id: 'mary' });
  expect(keyOf(`${base}/Patient/mary`)).toBeUndefined();
  expect(keyOf(`${base}/Patient/mary`, base)).toEqual({ type: 'Patient', id: 'mary' });
});

const observation: Resource = {
  resourceType: 'Observation',
  contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: 'Patient/mary/_history/3' } }],
  subject: { reference: 'Patient/mary', _reference: { extension: [{ url: 'http://x.example', valueReference: { reference: 'Device/d' } }] } },
  performer: [{ display: 'somebody' }, { reference: `${base}/Organization/o` }],
  specimen: { reference: '#s' },
  extension: [{ url: 'http://x.example', valueExpression: { language: 'text/cql', reference: 'Library/no-reference' } }],
};

test('references finds each Reference and says where', () => {
  expect(references(observation).map(({ path, reference }) => [path, reference.reference])).toEqual([
    ['Observation.contained[0].subject', 'Patient/mary/_history/3'],
    ['Observation.subject', 'Patient/mary'],
    ['Observation.subject.reference.extension[0].value', 'Device/d'],
    ['Observation.performer[1]', `${base}/Organization/o`],
    ['Observation.specimen', '#s'],
  ]);
  expect(references(observation)[1]!.holder).toBe(observation);
});

test('references goes into the entries of a Bundle, and into what R4 does not know', () => {
  const bundle = { resourceType: 'Bundle', entry: [{ resource: observation }], unknown: { reference: 'Patient/x' } };
  expect(references(bundle).map(({ path }) => path)).toEqual([
    'Bundle.entry[0].resource.contained[0].subject',
    'Bundle.entry[0].resource.subject',
    'Bundle.entry[0].resource.subject.reference.extension[0].value',
    'Bundle.entry[0].resource.performer[1]',
    'Bundle.entry[0].resource.specimen',
    'Bundle.unknown',
  ]);
});

test('localReferences names each of our resources once', () => {
  expect(localReferences(observation)).toEqual(['Patient/mary', 'Device/d']);
  expect(localReferences(observation, base)).toEqual(['Patient/mary', 'Device/d', 'Organization/o']);
});

describe('rewriteReferences (http://hl7.org/fhir/R4/http.html#trules)', () => {
  const urn = 'urn:uuid:5b3a7c1e-0000-4000-8000-000000000000';
  const map = (text: string) => (text === urn ? 'Patient/1' : undefined);

  test('replaces references, links, urn values of uris, but neither canonicals nor strings', () => {
    const resource = {
      resourceType: 'Communication',
      text: { status: 'generated', div: `<div><a href="${urn}">her</a> <img src='${urn}'/> <a href="#x">${urn}</a></div>` },
      identifier: [{ system: 'urn:ietf:rfc:3986', value: urn }],
      instantiatesCanonical: [urn],
      instantiatesUri: [urn, 'urn:uuid:other'],
      subject: { reference: urn },
      payload: [{ contentAttachment: { url: urn } }, { contentReference: { reference: 'Patient/2' } }],
      note: [{ text: urn }],
    };
    expect(rewriteReferences(resource, map)).toEqual({
      ...resource,
      text: { status: 'generated', div: `<div><a href="Patient/1">her</a> <img src="Patient/1"/> <a href="#x">${urn}</a></div>` },
      instantiatesUri: ['Patient/1', 'urn:uuid:other'],
      subject: { reference: 'Patient/1' },
      payload: [{ contentAttachment: { url: 'Patient/1' } }, { contentReference: { reference: 'Patient/2' } }],
    });
    expect(resource.subject.reference).toBe(urn);
  });

  test('leaves the url of a conformance resource alone, although it is its fullUrl', () => {
    const valueSet = { resourceType: 'ValueSet', url: 'https://x.example/ValueSet/v' };
    expect(rewriteReferences(valueSet, () => 'ValueSet/1')).toBe(valueSet);
  });

  test('keeps decimals', () => {
    const text = `{"resourceType":"Observation","subject":{"reference":"${urn}"},"valueQuantity":{"value":1.00},"component":[{"valueQuantity":{"value":2.0}}]}`;
    expect(printJson(rewriteReferences(parseJson(text) as Resource, map))).toBe(text.replace(urn, 'Patient/1'));
  });
});
