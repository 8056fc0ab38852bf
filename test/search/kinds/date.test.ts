import { describe, expect, test } from '@jest/globals';
import { indexDate, parseDate } from '../../../src/search/kinds/date.ts';
import { passesSpan } from '../../../src/search/kinds/span.ts';
import type { Prefix } from '../../../src/search/query.ts';

const utc = (text: string) => Date.parse(text);
const span = (low: string, high: string) => [{ kind: 'date', low: utc(low), high: utc(high) }];
const ever = 8.64e15;

/** http://hl7.org/fhir/R4/search.html#date */
describe('what spans a value has', () => {
  test.each<[string, unknown, object[]]>([
    ['date', '2024-02', span('2024-02-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z')],
    ['dateTime', '2024-02-29T23:30:00+01:00', span('2024-02-29T22:30:00.000Z', '2024-02-29T22:30:00.999Z')],
    ['instant', '2024-02-29T22:30:00.250Z', span('2024-02-29T22:30:00.250Z', '2024-02-29T22:30:00.250Z')],
    ['Period', { start: '2023', end: '2024-01-01' }, span('2023-01-01T00:00:00.000Z', '2024-01-01T23:59:59.999Z')],
    ['Period', { start: '2023' }, [{ kind: 'date', low: utc('2023-01-01'), high: ever }]],
    ['Period', { end: '2023' }, [{ kind: 'date', low: -ever, high: utc('2024-01-01') - 1 }]],
    ['Timing', { event: ['2024-03-01', '2024-01-01'] }, span('2024-01-01T00:00:00.000Z', '2024-03-01T23:59:59.999Z')],
    ['Timing', { event: ['2024-03-01'], repeat: { boundsPeriod: { start: '2024-02-01' } } }, [{ kind: 'date', low: utc('2024-02-01'), high: ever }]],
  ])('%s %j', (type, value, found) => expect(indexDate(type, value)).toEqual(found));

  test.each([
    ['Period', {}],
    ['Period', 'x'],
    ['Timing', { repeat: { boundsDuration: {} } }],
    ['dateTime', '2024-02-30'],
    ['dateTime', 7],
    ['date', null],
  ])('odd data gives none: %s %j', (type, value) => expect(indexDate(type, value)).toEqual([]));
});

/** http://hl7.org/fhir/R4/search.html#prefix – over spans, the search value being the middle of three days. */
describe('prefixes', () => {
  const day = (n: number, to = n) => ({ kind: 'date', low: utc(`2024-01-0${n}T00:00:00.000Z`), high: utc(`2024-01-0${to}T23:59:59.999Z`) }) as const;
  const values = { before: day(4), within: day(5), after: day(6), into: day(4, 5), out: day(5, 6), around: day(4, 6) };
  const expected: Record<Prefix, readonly (keyof typeof values)[]> = {
    eq: ['within'],
    ne: ['before', 'after', 'into', 'out', 'around'],
    gt: ['after', 'out', 'around'],
    lt: ['before', 'into', 'around'],
    ge: ['within', 'after', 'out', 'around'],
    le: ['before', 'within', 'into', 'around'],
    sa: ['after'],
    eb: ['before'],
    ap: ['within', 'into', 'out', 'around'],
  };
  test.each(Object.entries(expected))('%s', (prefix, wanted) => {
    const atom = parseDate(`${prefix}2024-01-05`, utc('2024-01-05T12:00:00Z'))!;
    expect(Object.keys(values).filter(name => passesSpan(atom, values[name as keyof typeof values]))).toEqual(wanted);
  });
  test('an hour within a day is equal to the day, the day not to the hour', () => {
    expect(passesSpan(parseDate('2024-01-05', 0)!, { low: utc('2024-01-05T10:00Z'), high: utc('2024-01-05T10:00Z') })).toBe(true);
    expect(passesSpan(parseDate('2024-01-05T10:00Z', 0)!, day(5))).toBe(false);
  });
  test('ap widens by a tenth of the gap to now', () => {
    const atom = parseDate('ap2024-01-01', utc('2024-01-11T00:00:00Z'))!;
    expect([atom.low, atom.high]).toEqual([utc('2024-01-01T00:00:00Z') - 77_760_000, utc('2024-01-01T23:59:59.999Z') + 77_760_000]);
    expect(parseDate('ap2024-01-01', undefined)).toBeUndefined();
  });
  test('minutes without seconds, and the + of a zone that came as a blank', () => {
    expect(parseDate('ge2024-01-05T10:30', 0)).toEqual({ kind: 'date', how: 'ge', low: utc('2024-01-05T10:30:00Z'), high: utc('2024-01-05T10:30:59.999Z') });
    expect(parseDate('2024-01-05T10:30:00 01:00', 0)?.low).toBe(utc('2024-01-05T09:30:00Z'));
  });
  test.each(['', 'x', 'ge', 'xx2024', '2024-13', '2024-02-30', 'gege2024', '24'])('refuses %j', text => expect(parseDate(text, 0)).toBeUndefined());
});
