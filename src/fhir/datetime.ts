import type { Range } from './types.ts';

/** The furthest moments that a JavaScript Date can name: what an open end of a period stands for. */
export const earliest = -8.64e15;
export const latest = 8.64e15;

const minute = 60_000;
const shape = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const timeShape = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/;
const zoneShape = /^(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/;
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The last day of a month (1 to 12). */
function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leap ? 29 : monthLengths[month - 1]!;
}

/** The parts of a text in the shape of a date with perhaps a time, when it names a real day, time and zone: year to zone are groups 1 to 8. */
function partsOf(text: string): RegExpExecArray | undefined {
  const parts = shape.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hours, minutes, seconds, , zone] = parts;
  if (year === '0000') return undefined;
  if (month !== undefined && (month < '01' || month > '12')) return undefined;
  if (day !== undefined && (day < '01' || Number(day) > daysIn(Number(year), Number(month)))) return undefined;
  if (hours !== undefined && (hours > '23' || minutes! > '59')) return undefined;
  // 60 is a leap second: which days have one is not ours to judge.
  if (seconds !== undefined && seconds > '60') return undefined;
  if (zone !== undefined && !zoneShape.test(zone)) return undefined;
  return parts;
}

/** Date.UTC takes the years 0 to 99 for 1900 to 1999. */
function utc(year: number, month: number, day: number, hours: number, minutes: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hours, minutes);
  return date.getTime();
}

function zoneOffset(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const size = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * minute;
  return zone.startsWith('-') ? -size : size;
}

/** The first and the last millisecond that seconds such as `07.25` may mean, counted from the start of their minute. */
function secondsRange(seconds: string, fraction: string | undefined): Range {
  if (seconds === '60') return { low: minute - 1, high: minute - 1 };
  const start = Number(seconds) * 1000;
  if (fraction === undefined) return { low: start, high: start + 999 };
  const low = start + Number(fraction.slice(0, 3).padEnd(3, '0'));
  return { low, high: low + 10 ** Math.max(0, 3 - fraction.length) - 1 };
}

/**
 * The milliseconds that a date, dateTime or instant covers, as precise as it is written: `2026-11` is all of November.
 * Takes the forms of search too (a time without seconds or without zone). Without a zone it is read as UTC.
 * @returns epoch milliseconds, both ends included; undefined when the text names no real date (`2025-02-30`, hour 25).
 * @see http://hl7.org/fhir/R4/datatypes.html#dateTime http://hl7.org/fhir/R4/search.html#date
 */
export function rangeOf(text: string): Range | undefined {
  const parts = partsOf(text);
  if (!parts) return undefined;
  const [, yearText, monthText, dayText, hours, minutes, seconds, fraction, zone] = parts;
  const year = Number(yearText);
  if (monthText === undefined) return { low: utc(year, 1, 1, 0, 0), high: utc(year + 1, 1, 1, 0, 0) - 1 };
  const month = Number(monthText);
  if (dayText === undefined) return { low: utc(year, month, 1, 0, 0), high: utc(year, month + 1, 1, 0, 0) - 1 };
  const day = Number(dayText);
  if (hours === undefined) return { low: utc(year, month, day, 0, 0), high: utc(year, month, day + 1, 0, 0) - 1 };
  const start = utc(year, month, day, Number(hours), Number(minutes)) - zoneOffset(zone);
  if (seconds === undefined) return { low: start, high: start + minute - 1 };
  const within = secondsRange(seconds, fraction);
  return { low: start + within.low, high: start + within.high };
}

/** From the first millisecond of `start` to the last of `end`; an end that is missing or no date is open: ±8.64e15. */
export function periodRange(period: { readonly start?: string; readonly end?: string }): Range {
  const start = period.start === undefined ? undefined : rangeOf(period.start);
  const end = period.end === undefined ? undefined : rangeOf(period.end);
  return { low: start?.low ?? earliest, high: end?.high ?? latest };
}

/** Whether the text is a FHIR `date`: a real year, month or day. */
export const isDate = (text: string): boolean => text.length <= 10 && partsOf(text) !== undefined;

/** Whether the text is a FHIR `dateTime`: with a time it has seconds and a zone. */
export function isDateTime(text: string): boolean {
  const parts = partsOf(text);
  return parts !== undefined && (parts[4] === undefined || (parts[6] !== undefined && parts[8] !== undefined));
}

/** Whether the text is a FHIR `instant`: to the second at least, with a zone. */
export function isInstant(text: string): boolean {
  const parts = partsOf(text);
  return parts?.[6] !== undefined && parts[8] !== undefined;
}

/** Whether the text is a FHIR `time`: `hh:mm:ss`, without zone. */
export const isTime = (text: string): boolean => timeShape.test(text);
