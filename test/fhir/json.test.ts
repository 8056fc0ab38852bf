import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keepLexemes, parseJson, printJson, withMembers } from '../../src/fhir/json.ts';
import { Problem } from '../../src/fhir/problem.ts';

function problemOf(text: string): Problem | undefined {
  try {
    parseJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

describe('decimals are kept (http://hl7.org/fhir/R4/json.html#decimal)', () => {
  test.each([
    '1.00',
    '1e2',
    '1E+2',
    '-0',
    '-0.0',
    '0.0000001',
    '3.14159265358979323846264338327950288',
    '12345678901234567890',
    '1e400',
    '100',
    '0.1',
    '-12.5',
  ])('%s', lexeme => {
    const text = `{"valueQuantity":{"value":${lexeme},"unit":"1.00"},"list":[${lexeme},1,[${lexeme}]]}`;
    expect(printJson(parseJson(text))).toBe(text);
  });

  const digits = (min: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: 25 });
  const whole = fc.tuple(fc.constantFrom('', '1', '7', '9'), digits(0)).map(([first, rest]) => (first === '' ? '0' : first + rest));
  const fraction = fc.option(digits(1), { nil: '' }).map(text => text && `.${text}`);
  const exponent = fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e-', 'E+'), fc.integer({ min: 0, max: 400 })), { nil: ['', ''] as const });
  const lexeme = fc.tuple(fc.constantFrom('', '-'), whole, fraction, exponent).map(([sign, a, b, e]) => sign + a + b + e.join(''));

  test('whatever the numbers', () => {
    fc.assert(
      fc.property(fc.array(lexeme), lexeme, (numbers, number) => {
        const text = `{"a":[${numbers.join()}],"b":{"value":${number}}}`;
        expect(printJson(parseJson(text))).toBe(text);
      }),
    );
  });

  test('whatever else', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const text = JSON.stringify(value);
        if (/"(?:__proto__|constructor|prototype)":/.test(text)) return;
        expect(printJson(parseJson(text))).toBe(text);
      }),
    );
  });

  test('in a copy with other members', () => {
    const before = parseJson('{"value":1.00,"low":2.0,"unit":"mg"}') as { value: number; low?: number; unit: string };
    const after = withMembers(before, { unit: 'g', low: undefined });
    expect(printJson(after)).toBe('{"value":1.00,"unit":"g"}');
    expect(printJson(before)).toBe('{"value":1.00,"low":2.0,"unit":"mg"}');
    expect(printJson(withMembers(before, { value: 3 }))).toBe('{"value":3,"low":2.0,"unit":"mg"}');
  });

  test('in a list copied by hand', () => {
    const before = parseJson('[1.0,2.00]') as number[];
    expect(printJson(keepLexemes(before, [...before, 3]))).toBe('[1.0,2.00,3]');
  });
});

describe('is refused', () => {
  test.each([
    ['', 'The JSON ends too early (line 1, column 1).'],
    ['{"a":[1,2', 'The JSON ends too early (line 1, column 10).'],
    ['{"a":1,}', 'This is not well-formed JSON (line 1, column 8).'],
    ['{\n  "a" 1}', 'This is not well-formed JSON (line 2, column 7).'],
    ['{"a":1}}', 'This is not well-formed JSON (line 1, column 8).'],
    ['[01]', 'This is not well-formed JSON (line 1, column 2).'],
    ['["a\nb"]', 'This is not well-formed JSON (line 1, column 2).'],
    ['["\\x"]', 'This is not well-formed JSON (line 1, column 2).'],
    ['<Patient/>', 'This is not well-formed JSON (line 1, column 1).'],
    [`[${'1,'.repeat(600_000)}]`, 'This is not well-formed JSON.'],
  ])('what is not JSON: %.20j', (text, message) => expect(problemOf(text)).toMatchObject({ code: 'structure', message }));

  test.each(['{"__proto__":{"admin":true}}', '{"a":[{"constructor" :1}]}', '{"a":{"prototype":null}}', '{"\\u005f_proto__":1}', '{"constructo\\u0072":1}'])(
    'a name that reaches a prototype: %s',
    text => expect(problemOf(text)?.message).toMatch(/^A member may not be called `\w+` \(line 1, column \d+\)\.$/),
  );

  test('nesting of more than 200 levels, without overflowing the stack', () => {
    expect(problemOf('['.repeat(200) + ']'.repeat(200))).toBeUndefined();
    expect(problemOf('['.repeat(201) + ']'.repeat(201))?.message).toBe('The JSON is nested more than 200 levels deep (line 1, column 201).');
    expect(problemOf('{"a":'.repeat(1_000_000))?.code).toBe('structure');
  });

  test('more than a hundred thousand numbers that would not print as they came', () => {
    expect(problemOf(`[${'1.0,'.repeat(99_999)}1.0]`)).toBeUndefined();
    expect(problemOf(`[${'1.0,'.repeat(100_000)}1.0]`)?.code).toBe('too-costly');
  });

  test.each(['[1.0.0]', '[1.0e]', '[-]', '[00.10]', '{1.0:2}', '[1.0 1.0]', '[tru1.0]', '["a" 1.0]'])('a number that is none, or out of place: %s', text =>
    expect(problemOf(text)?.code).toBe('structure'),
  );

  test('but not those names as values, nor brackets in strings', () => {
    expect(problemOf(`{"a":"constructor","b":["__proto__"],"c":"${'['.repeat(300)}","d":"\\"","e\\\\":{}}`)).toBeUndefined();
  });
});
