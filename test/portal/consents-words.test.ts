import { describe, expect, test } from '@jest/globals';
import { wordsOf } from '../../src/portal/consent-words.ts';
import { actions, classes, confidentiality, consent } from '../http/resources.ts';

const anna = 'RelatedPerson/anna-for-mary';
const act = (...codes: readonly string[]): object => ({
  securityLabel: codes.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code })),
});
const actor = (reference: string): object => ({ actor: [{ role: { text: 'x' }, reference: { reference } }] });
const purpose = (...codes: readonly string[]): object => ({
  purpose: codes.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code })),
});
const names = (key: string): string | undefined => ({ 'Practitioner/lee': 'Dr Lee' })[key];
/** What a Consent says: each thing with what narrows it. */
const said = (kind: string, provision: object, of: string | undefined = anna): readonly (readonly string[])[] =>
  wordsOf({ ...consent({ kind, ...(of === undefined ? {} : { actor: of }), provision }), id: 'c' }, names).map(({ text, more }) => [text, ...more]);

describe('what a consent says, as it is enforced', () => {
  const plain = 'Nothing that is marked as sensitive';
  const everything = 'everything in the record, without consents, requests and the access log';

  test('what may be seen and changed', () => {
    expect(said('authorized-user', { ...actions('access'), ...classes('MedicationStatement', 'AllergyIntolerance') })).toEqual([
      ['See medications and allergies', plain],
    ]);
    expect(said('authorized-user', { ...actions('access', 'correct') })).toEqual([[`See, add and change ${everything}`, plain]]);
  });

  test('how far it goes into what is sensitive (ACCESS §4, Labels)', () => {
    expect(said('authorized-user', { ...actions('access'), ...confidentiality('R') })).toEqual([
      [`See ${everything}`, 'Also what is marked as sensitive, but not psychotherapy notes or treatment of addiction'],
    ]);
    expect(said('enrolment', actions('access'), 'Organization/ima')[0]![1]).toBe(
      'Also what is marked as sensitive, but not psychotherapy notes or treatment of addiction',
    );
    expect(said('authorized-user', { ...actions('access'), ...act('HIV', 'SUD') })[0]![1]).toBe(
      'Also what is marked as sensitive, of that only HIV and AIDS, and alcohol and drug use',
    );
    expect(said('authorized-user', { ...actions('access'), ...confidentiality('V') })[0]![1]).toContain('sensitive or very sensitive');
  });

  test('exceptions, below what they are exceptions from', () => {
    const provision = { ...actions('access'), ...classes('MedicationStatement'), provision: [{ type: 'deny', ...act('MH') }] };
    expect(said('authorized-user', provision)).toEqual([['See medications', plain], ['But not anything that is about mental health']]);
    expect(said('authorized-user', { ...actions('access', 'correct'), provision: [{ type: 'deny', ...actions('correct'), ...classes('Goal') }] })[1]).toEqual([
      'But may not change health goals',
    ]);
  });

  test('restrictions', () => {
    expect(said('restriction', { ...actions('access'), ...classes('Condition') })).toEqual([['Cannot see health problems']]);
    expect(said('restriction', actions('access'), undefined)).toEqual([['Cannot see anything in the record']]);
    expect(said('restriction', { ...actions('access'), ...confidentiality('R') })).toEqual([['Cannot see anything that is marked as sensitive']]);
    expect(said('restriction', actions('correct'))).toEqual([['Cannot change anything in the record']]);
  });

  test('codes by what the consent calls them, dates, authors, entries and purposes', () => {
    const code = [{ coding: [{ system: 'http://snomed.info/sct', code: '73211009', display: 'diabetes' }] }];
    const of = (provision: object): readonly string[] => said('authorized-user', { ...actions('access'), ...classes('Condition'), ...provision })[0]!.slice(1);
    expect(of({ code })).toEqual(['Only about diabetes', plain]);
    expect(of({ dataPeriod: { start: '2020-01-01', end: '2021-12-31' } })).toEqual(['Only of the time from 1 January 2020 to 31 December 2021', plain]);
    expect(of({ dataPeriod: { start: '2020-01-01' } })).toEqual(['Only of 1 January 2020 and later', plain]);
    expect(of({ data: [{ meaning: 'authoredby', reference: { reference: 'Practitioner/lee' } }] })).toEqual(['Only what Dr Lee wrote', plain]);
    expect(of({ data: [{ meaning: 'instance', reference: { reference: 'Condition/1' } }] })).toEqual(['Only one entry, which the consent names', plain]);
    expect(of(purpose('TREAT'))).toEqual([plain, 'Only for treatment']);
  });

  test('what has no effect is not told as if it had one', () => {
    expect(said('authorized-user', { ...actions('access'), ...actor('Device/1') })).toEqual([]);
    expect(said('authorized-user', { ...actions('access'), modifierExtension: [{ url: 'x', valueBoolean: true }] })).toEqual([]);
  });
});
