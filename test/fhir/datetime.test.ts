import { describe, expect, test } from '@jest/globals';
import { earliest, isDate, isDateTime, isInstant, isTime, latest, periodRange, rangeOf } from '../../src/fhir/datetime.ts';

const span = (text: string) => {
  const range = rangeOf(text);
  return range && [new Date(range.low).toISOString(), new Date(range.high).toISOString()];
};

describe('rangeOf', () => {
  test.each([
    ['2026', '2026-01-01T00:00:00.000Z', '2026-12-31T23:59:59.999Z'],
    ['2026-11', '2026-11-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z'],
    ['2026-12', '2026-12-01T00:00:00.000Z', '2026-12-31T23:59:59.999Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
    ['0033-04-03', '0033-04-03T00:00:00.000Z', '0033-04-03T23:59:59.999Z'],
    ['2026-11-24T17:41', '2026-11-24T17:41:00.000Z', '2026-11-24T17:41:59.999Z'],
    ['2026-11-24T17:41:19', '2026-11-24T17:41:19.000Z', '2026-11-24T17:41:19.999Z'],
    ['2026-11-24T17:41:19Z', '2026-11-24T17:41:19.000Z', '2026-11-24T17:41:19.999Z'],
    ['2026-11-24T17:41:19+02:00', '2026-11-24T15:41:19.000Z', '2026-11-24T15:41:19.999Z'],
    ['2026-11-24T23:41-05:30', '2026-11-25T05:11:00.000Z', '2026-11-25T05:11:59.999Z'],
    ['2026-11-24T17:41:19.5Z', '2026-11-24T17:41:19.500Z', '2026-11-24T17:41:19.599Z'],
    ['2026-11-24T17:41:19.123Z', '2026-11-24T17:41:19.123Z', '2026-11-24T17:41:19.123Z'],
    ['2026-11-24T17:41:19.123999Z', '2026-11-24T17:41:19.123Z', '2026-11-24T17:41:19.123Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z', '2016-12-31T23:59:59.999Z'],
  ])('%s covers %s to %s', (text, low, high) => expect(span(text)).toEqual([low, high]));

  test.each([
    ['', '26', '2026-13', '2026-00', '2025-02-29', '2025-02-30', '1900-02-29', '2026-04-31', '2026-11-00', '0000', '2026-11-24T25:00:00Z'],
    ['2026-11-24T24:00:00Z', '2026-11-24T17:60:00Z', '2026-11-24T17:41:61Z', '2026-11-24T17', '2026-11-24T17:41:19+15:00', '2026-11-24T17:41:19+14:30'],
    ['2026-11-24 17:41', '2026-11-24Z', 'gt2026', '2026-1-1', '20261124', '2026-11-24T17:41:19.Z', ' 2026', '2026\n'],
  ])('names no real date: %j …', (...texts) => expect(texts.map(rangeOf)).toEqual(texts.map(() => undefined)));
});

test('an open end of a Period reaches as far as a Date can', () => {
  expect(periodRange({})).toEqual({ low: earliest, high: latest });
  expect(periodRange({ start: '2026' })).toEqual({ low: Date.UTC(2026, 0), high: latest });
  expect(periodRange({ end: '2026-11-24' })).toEqual({ low: earliest, high: Date.UTC(2026, 10, 25) - 1 });
});

describe('the primitives of http://hl7.org/fhir/R4/datatypes.html#primitive', () => {
  test('date has no time', () => {
    expect(['2026', '2026-11', '2026-11-24'].map(isDate)).toEqual([true, true, true]);
    expect(['2026-02-30', '2026-11-24T00:00:00Z', ''].map(isDate)).toEqual([false, false, false]);
  });
  test('dateTime with a time has seconds and a zone', () => {
    expect(['2026', '2026-11-24', '2026-11-24T17:41:19Z', '2026-11-24T17:41:19.1-05:00'].map(isDateTime)).toEqual([true, true, true, true]);
    expect(['2026-11-24T17:41:19', '2026-11-24T17:41Z', '2026-02-30T00:00:00Z'].map(isDateTime)).toEqual([false, false, false]);
  });
  test('instant is exact to the second', () => {
    expect(['2026-11-24T17:41:19Z', '2026-11-24T17:41:19.123+01:00'].map(isInstant)).toEqual([true, true]);
    expect(['2026-11-24', '2026-11-24T17:41Z', '2026-11-24T17:41:19'].map(isInstant)).toEqual([false, false, false]);
  });
  test('time has seconds and no zone', () => {
    expect(['17:41:19', '00:00:00.5', '23:59:60'].map(isTime)).toEqual([true, true, true]);
    expect(['17:41', '24:00:00', '17:41:19Z'].map(isTime)).toEqual([false, false, false]);
  });
});
