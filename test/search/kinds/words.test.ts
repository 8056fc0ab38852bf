import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../../src/fhir/types.ts';
import { contentWords, narrativeWords, parseWords, passesWords } from '../../../src/search/kinds/words.ts';

const patient = (members: object): Resource => ({ resourceType: 'Patient', id: 'secret', ...members }) as Resource;
const narrative = (div: string) => narrativeWords(patient({ text: { status: 'generated', div } })).flatMap(({ words }) => words);
const content = (members: object) => contentWords(patient(members)).flatMap(({ words }) => words);

/** http://hl7.org/fhir/R4/search.html#content */
describe('_text and _content', () => {
  test('the words of a narrative, without marks, accents and case, each once', () => {
    expect(narrative('<div xmlns="http://www.w3.org/1999/xhtml"><b>Müller</b>-Straße <i>muller</i>&nbsp;7&#38;x<!-- no --></div>')).toEqual([
      'muller',
      'strasse',
      '7',
      'x',
    ]);
    expect(narrative('<p>one</p><p>two</p>')).toEqual(['one', 'two']);
    expect(narrativeWords(patient({}))).toEqual([]);
    expect(narrativeWords(patient({ text: { div: '<div> … </div>' } }))).toEqual([]);
  });
  test.each(['<!--', '<', '<!-- ', '<a ', '-->', '&#'])('a narrative full of %s is read in one walk', mark => {
    expect(narrative(`<p>before</p>${mark.repeat(500_000)}`)[0]).toBe('before');
  });
  test('the words of all that people read, and of nothing else', () => {
    const words = content({
      name: [{ family: 'Moss', given: ['Mary Ann'] }],
      gender: 'female',
      birthDate: '1960-01-02',
      telecom: [{ system: 'phone', value: '555' }],
      identifier: [{ system: 'http://hidden.example', value: 'MRN7' }],
      photo: [{ contentType: 'image/png', data: 'aGlkZGVu', title: 'Portrait' }],
      text: { status: 'generated', div: '<div>Read me</div>' },
    });
    expect(words).toEqual(expect.arrayContaining(['moss', 'mary', 'ann', 'female', '555', 'mrn7', 'portrait', 'read', 'me']));
    for (const hidden of ['secret', 'hidden', '1960', 'aghkzgvu', 'div']) expect(words).not.toContain(hidden);
  });
  test('all words of the question must be there, whole', () => {
    const [value] = narrativeWords(patient({ text: { div: '<div>Ångström met Mary</div>' } }));
    const passes = (text: string) => passesWords(parseWords(text)!, value!);
    expect([passes('mary ANGSTROM'), passes('mary'), passes('mar'), passes('mary tom')]).toEqual([true, true, false, false]);
  });
  test('a question without words is none', () => expect([parseWords(''), parseWords(' … ')]).toEqual([undefined, undefined]));
});
