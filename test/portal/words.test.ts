import { describe, expect, test } from '@jest/globals';
import { day } from '../../src/portal/pieces.ts';
import { grantedScopes, partsOf } from '../../src/portal/scopes.ts';
import { groupsOf, mannerBoxes, sentencesOf } from '../../src/portal/scopes-view.ts';
import { countOf, listed, nounOf } from '../../src/portal/words.ts';

const yours = { possessive: 'your' };
const observation = 'http://terminology.hl7.org/CodeSystem/observation-category';

describe('scopes in words', () => {
  test.each<[string, readonly string[]]>([
    ['patient/MedicationStatement.rs', ['See your medications']],
    ['patient/MedicationStatement.read', ['See your medications']],
    ['patient/MedicationStatement.cu', ['Add and change your medications']],
    ['patient/MedicationStatement.*', ['See, add, change and delete your medications']],
    [`patient/Observation.rs?category=${observation}|laboratory`, ['See your laboratory results']],
    ['patient/Observation.rs', ['See your measurements and results']],
    ['patient/Observation.rs?code=http://loinc.org|4548-4', ['See your measurements and results with code http://loinc.org|4548-4']],
    ['patient/*.rs', ['See everything in your record']],
    ['patient/*.rs patient/AuditEvent.rs', ['See everything in your record', 'See your access log']],
    ['patient/*.rs patient/MedicationStatement.rs', ['See everything in your record']],
    ['patient/Organization.rs', ['See practices and hospitals']],
    ['patient/MolecularSequence.rs', ['See your molecular sequence entries']],
    ['user/MedicationStatement.rs', ['See medications of patients whom you may see']],
    ['user/*.rs', ['See everything in the records of patients whom you may see']],
    ['offline_access', ['Stay connected while you are away']],
    ['openid fhirUser profile', ['Know who you are']],
    ['launch launch/patient launch/encounter', []],
  ])('%s', (scopes, sentences) => {
    expect(sentencesOf(scopes.split(' '), yours)).toEqual(sentences);
  });

  test('of somebody who is cared for', () => {
    expect(sentencesOf(['patient/Goal.rs'], { possessive: 'Mary Reyes’s' })).toEqual(['See Mary Reyes’s health goals']);
  });

  test('a wildcard of which something was taken away stays short', () => {
    const asked = ['patient/*.rs'];
    const kept = partsOf(asked).flatMap(({ key, type }) => (type === 'Goal' ? [] : [key]));
    const told = sentencesOf(grantedScopes(asked, new Set(kept)), yours);
    expect(told.length).toBe(2);
    expect(told.join()).not.toContain('goals');
    expect(told.join()).toContain('other, less usual entries');
  });
});

describe('the boxes that a person ticks', () => {
  test('one row a kind, seeing apart from changing, what matters most first', () => {
    expect(groupsOf(partsOf(['patient/Goal.cruds', 'patient/MedicationStatement.rs']))).toEqual([
      { heading: 'Medications', boxes: [{ key: 'patient/MedicationStatement.see', text: 'See' }] },
      {
        heading: 'Health goals',
        boxes: [
          { key: 'patient/Goal.see', text: 'See' },
          { key: 'patient/Goal.change', text: 'Add, change and delete' },
        ],
      },
    ]);
  });

  test('categories say that nothing else is seen once one is taken away', () => {
    const [group] = groupsOf(partsOf(['patient/Condition.rs']));
    expect(group!.boxes.map(({ text }) => text)).toEqual(['See ongoing health problems', 'See diagnoses made at visits', 'See health concerns']);
    expect(group!.hint).toContain('only the kinds that stay ticked');
  });

  test('openid, fhirUser and profile are one', () => {
    expect(mannerBoxes(['openid', 'fhirUser', 'profile', 'offline_access', 'launch']).map(({ key }) => key)).toEqual(['identity', 'offline']);
  });
});

test.each([
  ['1947', '1947'],
  ['1947-03', 'March 1947'],
  ['1947-03-02', '2 March 1947'],
  ['1947-03-02T23:30:00-05:00', '3 March 1947'],
])('a date says no more than is known: %s', (date, text) => {
  expect(day(date).html.replace(/<[^>]+>/g, '')).toBe(text);
});

test('counts and lists', () => {
  expect([countOf('MedicationStatement', 1), countOf('MedicationStatement', 12), countOf('AllergyIntolerance', 1), countOf('MolecularSequence', 1)]).toEqual([
    '1 medication',
    '12 medications',
    '1 allergy',
    '1 molecular sequence entry',
  ]);
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c']), listed(['a', 'b and c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
    'a, and b and c',
  ]);
  expect(nounOf('*')).toBe('everything else');
});
