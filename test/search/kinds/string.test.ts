import { describe, expect, test } from '@jest/globals';
import { indexString, parseString, passesString } from '../../../src/search/kinds/string.ts';

const exactly = (type: string, value: unknown) => indexString(type, value).map(({ exact }) => exact);

/** http://hl7.org/fhir/R4/search.html#string */
describe('what strings a value has', () => {
  test('the parts of a name', () => {
    const name = { use: 'official', family: 'Moss', given: ['Mary', 'Ann'], prefix: ['Dr.'], suffix: ['MD'], text: 'Dr. Mary Moss' };
    expect(exactly('HumanName', name)).toEqual(['Moss', 'Mary', 'Ann', 'Dr.', 'MD', 'Dr. Mary Moss']);
  });
  test('the parts of an address', () => {
    const address = { use: 'home', line: ['1 High St', 'Flat 2'], city: 'York', district: 'N', state: 'Y', postalCode: 'YO1', country: 'GB', text: 'all' };
    expect(exactly('Address', address)).toEqual(['1 High St', 'Flat 2', 'York', 'N', 'Y', 'YO1', 'GB', 'all']);
  });
  test('without accents and case, white space folded', () => {
    expect(indexString('string', ' Ångström  DE\tla Cruz ')).toEqual([{ kind: 'string', text: 'angstrom de la cruz', exact: ' Ångström  DE\tla Cruz ' }]);
  });
  test('odd data gives none', () => {
    for (const [type, value] of [
      ['HumanName', 'x'],
      ['HumanName', { given: [null, {}] }],
      ['Address', { line: {} }],
      ['string', {}],
      ['string', ''],
    ] as const)
      expect(indexString(type, value)).toEqual([]);
  });
});

describe('matching', () => {
  const value = indexString('string', 'Müller-Lüdenscheidt')[0]!;
  const passes = (text: string, modifier?: 'contains' | 'exact') => passesString(parseString(text, modifier)!, value);
  test('is by the beginning', () => expect([passes('MULLER'), passes('müller-l'), passes('scheidt')]).toEqual([true, true, false]));
  test(':contains is by a part', () => expect([passes('SCHEIDT', 'contains'), passes('x', 'contains')]).toEqual([true, false]));
  test(':exact is by the whole, case and accents included', () =>
    expect([passes('Müller-Lüdenscheidt', 'exact'), passes('müller-lüdenscheidt', 'exact'), passes('Müller', 'exact')]).toEqual([true, false, false]));
  test('escapes are taken off', () => expect(parseString('a\\,b', 'exact')?.text).toBe('a,b'));
  test('nothing to compare is refused', () =>
    expect([parseString(' ', undefined), parseString('\u0301', 'contains'), parseString('', 'exact')]).toEqual([undefined, undefined, undefined]));
});
