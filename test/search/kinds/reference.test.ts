import { describe, expect, test } from '@jest/globals';
import { indexReference, parseReference, passesReference } from '../../../src/search/kinds/reference.ts';
import { indexUri, parseUri, passesUri } from '../../../src/search/kinds/uri.ts';

const base = 'https://here.example/fhir';
const to = (type: string, id: string) => ({ kind: 'reference', type, id });

/** http://hl7.org/fhir/R4/search.html#reference */
describe('what a reference names', () => {
  test.each<[string, unknown, object[]]>([
    ['Reference', { reference: 'Patient/1' }, [to('Patient', '1')]],
    ['Reference', { reference: 'Patient/1/_history/3' }, [to('Patient', '1'), to('', 'Patient/1/_history/3')]],
    ['Reference', { reference: `${base}/Patient/1` }, [to('Patient', '1')]],
    ['Reference', { reference: 'https://elsewhere.example/fhir/Patient/1' }, [to('', 'https://elsewhere.example/fhir/Patient/1')]],
    ['Reference', { reference: 'urn:uuid:1' }, [to('', 'urn:uuid:1')]],
    ['canonical', 'http://q', [to('', 'http://q')]],
    ['canonical', 'http://q|2', [to('', 'http://q'), to('', 'http://q|2')]],
    ['uri', 'http://q', [to('', 'http://q')]],
    ['Resource', { resourceType: 'Composition', id: 'c' }, [to('Composition', 'c')]],
  ])('%s %j', (type, value, found) => expect(indexReference(type, value, base)).toEqual(found));

  test.each([{ reference: '#p' }, { identifier: { value: '1' } }, { reference: 'Patient?identifier=1' }, { display: 'her mother' }])(
    'no search can name it, but it is there: %j',
    value => expect(indexReference('Reference', value, base)).toEqual([to('', '#')]),
  );
  test.each([
    ['Reference', 'Patient/1'],
    ['canonical', '#q'],
    ['Resource', { resourceType: 'Composition' }],
    ['string', 'Patient/1'],
  ])('nothing that a search could name: %s %j', (type, value) => expect(indexReference(type, value, base)).toEqual([]));
});

describe('the forms', () => {
  test('an id: of any type of ours, or of the one there can be', () => {
    expect(parseReference('1', undefined, base)).toEqual({ kind: 'reference', id: '1' });
    expect(parseReference('1', 'Patient', base)).toEqual(to('Patient', '1'));
  });
  test.each([
    ['Patient/1', to('Patient', '1')],
    ['Patient/1/_history/2', to('', 'Patient/1/_history/2')],
    [`${base}/Patient/1`, to('Patient', '1')],
    ['http://q|2', to('', 'http://q|2')],
    ['urn:uuid:1', to('', 'urn:uuid:1')],
  ])('%s', (text, atom) => expect(parseReference(text, undefined, base)).toEqual(atom));
  test.each(['', ' ', 'Patient/', '/1', 'patient/1', '#p', 'Patient?x=1', 'a b'])('refuses %j', text =>
    expect(parseReference(text, undefined, base)).toBeUndefined(),
  );

  test('an id never finds what is elsewhere', () => {
    const atom = parseReference('1', undefined)!;
    expect([passesReference(atom, { kind: 'reference', type: 'Group', id: '1' }), passesReference(atom, { kind: 'reference', type: '', id: '1' })]).toEqual([
      true,
      false,
    ]);
  });
});

/** http://hl7.org/fhir/R4/search.html#uri */
describe('uris', () => {
  const found = (text: string, type: string, value: unknown, modifier?: 'above' | 'below') =>
    indexUri(type, value).some(uri => parseUri(text, modifier)!.some(atom => passesUri(atom, uri)));
  test('are equal or not', () =>
    expect([found('http://a', 'uri', 'http://a'), found('http://a/', 'uri', 'http://a'), found('http://A', 'uri', 'http://a')]).toEqual([true, false, false]));
  test('a canonical is found with and without its version', () =>
    expect([
      found('http://a', 'canonical', 'http://a|1'),
      found('http://a|1', 'canonical', 'http://a|1'),
      found('http://a|2', 'canonical', 'http://a|1'),
    ]).toEqual([true, true, false]));
  test(':below finds the uri and what goes on after a slash, no other beginning', () =>
    expect(
      ['http://a/b', 'http://a/b/', 'http://a/b/c/d', 'http://a/bc', 'http://a', 'http://a/B/c'].map(uri => found('http://a/b', 'uri', uri, 'below')),
    ).toEqual([true, true, true, false, false, false]));
  test(':above finds the uri and what it begins with up to a slash', () =>
    expect(
      ['http://a/b/c', 'http://a/b', 'http://a/b/', 'http://a', 'http://a/b/c/d', 'http://'].map(uri => found('http://a/b/c', 'uri', uri, 'above')),
    ).toEqual([true, true, true, true, false, false]));
  test('only a URL has others above and below it', () =>
    expect([parseUri('urn:oid:1.2', 'below'), parseUri('urn:uuid:1', 'above'), parseUri('x', 'below')]).toEqual([undefined, undefined, undefined]));
  test('odd data gives none', () => expect(indexUri('uri', {})).toEqual([]));
});
