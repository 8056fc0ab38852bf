import { asked, common, decimal, passes, type Span } from './numbers.ts';

type Part = Readonly<Record<string, unknown>>;
export const partOf = (value: unknown): Part => (typeof value === 'object' && value !== null ? (value as Part) : {});
/** All values at a path such as `name.given`, through lists. */
export function at(value: unknown, path: string): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const key of path === '' ? [] : path.split('.'))
    found = found.flatMap(each => partOf(each)[key] ?? []).filter(each => each !== null && each !== undefined);
  return found;
}
export const atAny = (value: unknown, paths: readonly string[]): readonly unknown[] => paths.flatMap(path => at(value, path));
export const textsAt = (value: unknown, paths: readonly string[]): readonly string[] => atAny(value, paths).map(String);

/** Texts as people compare them: no accents, no case, white space as one blank. */
export const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();
export const wordsIn = (text: string): readonly string[] => folded(text).match(/[a-z0-9]+/g) ?? [];

export interface Code {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}
/** The codes of a CodeableConcept, a Coding, or a code by itself. */
export const codesAt = (value: unknown, path: string): readonly Code[] =>
  at(value, path).flatMap(each =>
    typeof each !== 'object'
      ? [{ code: String(each) }]
      : 'coding' in partOf(each)
        ? (at(each, 'coding') as Code[])
        : 'text' in partOf(each)
          ? []
          : [each as Code],
  );
export const referencesAt = (value: unknown, path: string): readonly string[] => at(value, `${path}.reference`).map(String);

/** From the first to the last millisecond. */
export interface Moments {
  readonly low: number;
  readonly high: number;
}
/** What a date or time covers, as precise as it is written; without a zone it is UTC. */
export function momentsOf(text: string): Moments {
  const [, year, month, day, hour, minute, second, fraction, zone] =
    /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d):(\d\d))?(?::(\d\d))?(?:\.(\d{3}))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  if (year === undefined) throw new Error(`\`${text}\` is no date`);
  const [y, m, d, h, min, s] = [year, month ?? 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const shift = zone === undefined || zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * 60_000;
  const low = Date.UTC(y, m - 1, d, h, min, s, Number(fraction ?? 0)) - shift;
  if (fraction !== undefined) return { low, high: low };
  if (second !== undefined) return { low, high: low + 999 };
  if (minute !== undefined) return { low, high: low + 59_999 };
  const next = day !== undefined ? Date.UTC(y, m - 1, d + 1) : month !== undefined ? Date.UTC(y, m, 1) : Date.UTC(y + 1, 0, 1);
  return { low, high: next - 1 - shift };
}
/** Of a date or a Period. A Period with one end is without end on the other side. */
export function momentsIn(value: unknown): readonly Moments[] {
  if (typeof value === 'string') return [momentsOf(value)];
  const { start, end } = partOf(value);
  if (typeof start !== 'string' && typeof end !== 'string') return [];
  return [
    {
      low: typeof start === 'string' ? momentsOf(start).low : Number.NEGATIVE_INFINITY,
      high: typeof end === 'string' ? momentsOf(end).high : Number.POSITIVE_INFINITY,
    },
  ];
}
/** http://hl7.org/fhir/R4/search.html#prefix, of what is stored and what is asked. */
export function passesDate(prefix: string, { low, high }: Moments, wanted: Moments, now = Date.now()): boolean {
  const within = wanted.low <= low && high <= wanted.high;
  const slack = wanted.high < now ? (now - wanted.high) / 10 : wanted.low > now ? (wanted.low - now) / 10 : 0;
  const answers: Readonly<Record<string, boolean>> = {
    eq: within,
    ne: !within,
    gt: high > wanted.high,
    lt: low < wanted.low,
    ge: high > wanted.high || within,
    le: low < wanted.low || within,
    sa: low > wanted.high,
    eb: high < wanted.low,
    ap: low <= wanted.high + slack && wanted.low - slack <= high,
  };
  return answers[prefix]!;
}

export const prefixed = (text: string): readonly [prefix: string, rest: string] =>
  /^(eq|ne|gt|lt|ge|le|sa|eb|ap)/.test(text) ? [text.slice(0, 2), text.slice(2)] : ['eq', text];

const spanOf = (value: number, comparator: unknown): Span => {
  const exact = decimal(String(value));
  const spans: Readonly<Record<string, Span>> = {
    '<': { high: exact, highOpen: true },
    '<=': { high: exact },
    '>': { low: exact, lowOpen: true },
    '>=': { low: exact },
  };
  return spans[String(comparator)] ?? { low: exact, high: exact };
};
const ucum = 'http://unitsofmeasure.org';
/** Whether a Quantity passes `gt5.4`, `5.4|system|code` or `5.4||code`. */
export function passesQuantity(quantity: unknown, text: string): boolean {
  const { value, comparator, unit, system, code } = partOf(quantity);
  if (typeof value !== 'number') return false;
  const [number = '', askedSystem, askedCode] = text.split('|');
  const [prefix, digits] = prefixed(number);
  const [stored, wanted] = [spanOf(value, comparator), asked(prefix, digits)];
  if (askedCode === undefined) return passes(prefix, stored, wanted);
  if (askedSystem === '') return (askedCode === code || askedCode === unit) && passes(prefix, stored, wanted);
  if (askedSystem !== system) return false;
  const [left, right] = system === ucum ? [common(String(code), stored), common(askedCode, wanted)] : [];
  if (left === undefined || right === undefined) return askedCode === code && passes(prefix, stored, wanted);
  return left.dimension === right.dimension && passes(prefix, left.span, right.span);
}
export const passesNumber = (value: unknown, text: string): boolean => {
  const [prefix, digits] = prefixed(text);
  return passes(prefix, spanOf(value as number, undefined), asked(prefix, digits));
};
