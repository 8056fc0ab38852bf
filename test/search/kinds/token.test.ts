import { describe, expect, test } from '@jest/globals';
import { impliesSystem, indexToken, parseToken, passesToken } from '../../../src/search/kinds/token.ts';

const token = (system: string, code: string) => ({ kind: 'token', system, code }) as const;

/** http://hl7.org/fhir/R4/search.html#token */
describe('what is a token', () => {
  test.each<[string, unknown, object[]]>([
    ['Coding', { system: 'http://s', code: 'a', display: 'A' }, [token('http://s', 'a')]],
    ['Coding', { code: 'a' }, [token('', 'a')]],
    ['CodeableConcept', { coding: [{ system: 'http://s', code: 'a' }, { code: 'b' }], text: 'c' }, [token('http://s', 'a'), token('', 'b')]],
    ['Identifier', { system: 'http://mrn', value: '7' }, [token('http://mrn', '7')]],
    ['ContactPoint', { system: 'phone', value: '555' }, [token('', '555')]],
    ['boolean', false, [token('', 'false')]],
    ['code', 'final', [token('', 'final')]],
    ['string', 'lot 7', [token('', 'lot 7')]],
    ['id', 'x', [token('', 'x')]],
    ['uri', 'urn:x', [token('', 'urn:x')]],
    ['Identifier', { system: 'http://mrn' }, [token('http://mrn', '')]],
  ])('%s', (type, value, found) => expect(indexToken(type, value)).toEqual(found));

  test.each([
    ['CodeableConcept', { coding: 'x' }],
    ['CodeableConcept', { text: 'only text' }],
    ['Coding', 'x'],
    ['boolean', 'true'],
    ['code', {}],
    ['code', null],
  ])('odd data gives none: %s %j', (type, value) => expect(indexToken(type, value)).toEqual([]));
});

describe('the four forms', () => {
  const values = [token('http://s', 'a'), token('http://s', 'b'), token('', 'a'), token('http://t', 'a')];
  const found = (text: string) => values.filter(value => passesToken(parseToken(text, false)!, value));
  test('code: in any system', () => expect(found('a')).toEqual([values[0], values[2], values[3]]));
  test('system|code', () => expect(found('http://s|a')).toEqual([values[0]]));
  test('|code: in no system', () => expect(found('|a')).toEqual([values[2]]));
  test('system|: any code of it', () => expect(found('http://s|')).toEqual([values[0], values[1]]));
  test('upper and lower case differ', () => expect(found('A')).toEqual([]));
  test('| alone is none of them', () => expect(parseToken('|', false)).toBeUndefined());
  test('escapes', () => {
    expect(parseToken('a\\|b', false)).toEqual({ kind: 'token', code: 'a|b' });
    expect(parseToken('s\\|t|a\\,b\\$c\\\\d', false)).toEqual({ kind: 'token', system: 's|t', code: 'a,b$c\\d' });
    expect(parseToken('a\\\\|b', false)).toEqual({ kind: 'token', system: 'a\\', code: 'b' });
  });
  test('a system that the element implies is not held against data that never says it', () => {
    expect(parseToken('http://hl7.org/fhir/administrative-gender|male', true)).toEqual({ kind: 'token', code: 'male' });
    expect(impliesSystem(['code'])).toBe(true);
    expect(impliesSystem(['code', 'CodeableConcept'])).toBe(false);
    expect(impliesSystem([])).toBe(false);
  });
});
