import { describe, expect, test } from '@jest/globals';
import { after, furthest, indexQuantity, parseNumber, parseQuantity, passesQuantity } from '../../../src/search/kinds/quantity.ts';

const ucum = 'http://unitsofmeasure.org';
const mg = (value: number) => ({ value, unit: 'milligram', system: ucum, code: 'mg' });
const found = (text: string, type: string, value: unknown) => indexQuantity(type, value).some(each => passesQuantity(parseQuantity(text)!, each));
const spans = (type: string, value: unknown, unit = '') =>
  indexQuantity(type, value)
    .filter(each => each.unit === unit)
    .map(({ low, high }) => [low, high]);

/** http://hl7.org/fhir/R4/search.html#quantity */
describe('what numbers a value has', () => {
  test('a quantity is there without a unit, by its code, by its unit, and in base units', () => {
    const units = indexQuantity('Quantity', mg(5)).map(({ unit }) => unit);
    expect(units.slice(0, 3)).toEqual(['', '|mg', '|milligram']);
    expect(units[3]).toMatch(/^=/);
    expect(indexQuantity('Quantity', { value: 5, system: 'http://units.example', code: 'spoon' }).map(({ unit }) => unit)).toEqual([
      '',
      '|spoon',
      'http://units.example|spoon',
    ]);
  });
  test.each<[string, unknown, number[][]]>([
    ['integer', 7, [[7, 7]]],
    ['decimal', -0.5, [[-0.5, -0.5]]],
    ['Quantity', { value: 5, comparator: '<=' }, [[-furthest, 5]]],
    ['Quantity', { value: 5, comparator: '>' }, [[after(5), furthest]]],
    ['Range', { low: { value: 1 }, high: { value: 3 } }, [[1, 3]]],
    ['Range', { high: { value: 3 } }, [[-furthest, 3]]],
    ['SampledData', { origin: { value: 10 }, factor: 2, data: '1 -3 E 4' }, [[4, 18]]],
    ['Money', { value: 9.5, currency: 'EUR' }, [[9.5, 9.5]]],
  ])('%s %j', (type, value, expected) => expect(spans(type, value)).toEqual(expected));
  test('minus nothing is nothing', () => expect(Object.is(indexQuantity('decimal', -0)[0]?.low, 0)).toBe(true));
  test.each([
    ['Quantity', {}],
    ['Quantity', { value: '5' }],
    ['Quantity', 'x'],
    ['Range', {}],
    ['SampledData', { origin: { value: 1 }, data: 'E U' }],
    ['decimal', '1'],
    ['string', '1'],
  ])('odd data gives none: %s %j', (type, value) => expect(indexQuantity(type, value)).toEqual([]));
});

/** http://hl7.org/fhir/R4/search.html#number: a number means what rounds to it. */
describe('precision', () => {
  test.each([
    ['100', [99.5, 100, 100.49], [99.49, 100.5]],
    ['100.00', [99.995, 100.00499], [99.99, 100.005]],
    ['1e2', [95, 104.9], [94.9, 105]],
    ['5.4', [5.35, 5.4499], [5.349, 5.45]],
    ['-3', [-3.5, -2.51], [-3.51, -2.5]],
    ['0', [-0.5, 0, 0.49], [0.5]],
  ])('%s', (text, equal, unequal) => {
    for (const value of equal) expect([value, found(text, 'decimal', value), found(`ne${text}`, 'decimal', value)]).toEqual([value, true, false]);
    for (const value of unequal) expect([value, found(text, 'decimal', value), found(`ne${text}`, 'decimal', value)]).toEqual([value, false, true]);
  });
  test('a prefix that compares means the number itself', () => {
    expect([found('gt100', 'decimal', 100.2), found('gt100', 'decimal', 100), found('lt100', 'decimal', 99.9), found('ge100', 'decimal', 100)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect([found('ap100', 'decimal', 91), found('ap100', 'decimal', 110), found('ap100', 'decimal', 111)]).toEqual([true, true, false]);
  });
  test('what is open is beyond any number', () => {
    const more = { value: 5, comparator: '>' };
    expect([found('gt1000000', 'Quantity', more), found('sa5', 'Quantity', more), found('sa6', 'Quantity', more), found('lt5', 'Quantity', more)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
  test.each(['', 'x', '1.', '.5', '1,5', 'gt', 'xx5', '5e', '1e999', '0x1'])('refuses %j', text => expect(parseNumber(text)).toBeUndefined());
});

describe('units', () => {
  test('UCUM: what is the same in other units', () => {
    expect(found(`0.005|${ucum}|g`, 'Quantity', mg(5))).toBe(true);
    expect(found(`gt4|${ucum}|mg`, 'Quantity', { value: 0.005, system: ucum, code: 'g' })).toBe(true);
    expect(found(`5|${ucum}|mL`, 'Quantity', mg(5))).toBe(false);
    expect(found(`37|${ucum}|Cel`, 'Quantity', { value: 98.6, system: ucum, code: '[degF]' })).toBe(true);
  });
  test('by the code or the unit as written, whatever the system', () =>
    expect([found('5||mg', 'Quantity', mg(5)), found('5||milligram', 'Quantity', mg(5)), found('5||g', 'Quantity', mg(5))]).toEqual([true, true, false]));
  test('an arbitrary unit is comparable with itself alone', () => {
    const units = { value: 10, system: ucum, code: '[IU]' };
    expect([found(`10|${ucum}|[IU]`, 'Quantity', units), found(`10|${ucum}|mg`, 'Quantity', units)]).toEqual([true, false]);
  });
  test.each(['5|x', '5|x|', '5|a|b|c', '|x|y'])('refuses %j', text => expect(parseQuantity(text)).toBeUndefined());
});
