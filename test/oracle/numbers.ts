/** Exact decimals: whole numbers of 1e-30. */
const places = 30;
const one = 10n ** BigInt(places);

/** A decimal as it is written, `5.40` or `1e3`. */
export function decimal(text: string): bigint {
  const [, sign, whole, fraction = '', exponent = '0'] = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`\`${text}\` is no decimal`);
  const shift = places + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === '-' ? -scaled : scaled;
}
const times = (left: bigint, right: bigint): bigint => (left * right) / one;

/** From low to high; `open` sides are not part of it. Absent: without end. */
export interface Span {
  readonly low?: bigint;
  readonly high?: bigint;
  readonly lowOpen?: true;
  readonly highOpen?: true;
}

/** What comes of a unit in others of its dimension: `factor` times, and then as much more as `more`. Of UCUM, only what occurs. */
const units: Readonly<Record<string, readonly [dimension: string, factor: string, more?: string]>> = {
  kg: ['mass', '1000'],
  g: ['mass', '1'],
  mg: ['mass', '0.001'],
  pg: ['mass', '1e-12'],
  '[lb_av]': ['mass', '453.59237'],
  m: ['length', '1'],
  cm: ['length', '0.01'],
  mm: ['length', '0.001'],
  'mg/dL': ['mass of a volume', '0.01'],
  'g/dL': ['mass of a volume', '10'],
  'g/L': ['mass of a volume', '1'],
  'kg/m3': ['mass of a volume', '1'],
  'mg/L': ['mass of a volume', '0.001'],
  'ug/L': ['mass of a volume', '0.000001'],
  'ng/mL': ['mass of a volume', '0.000001'],
  'pg/mL': ['mass of a volume', '1e-9'],
  'ug/mL': ['mass of a volume', '0.001'],
  'ug/dL': ['mass of a volume', '0.00001'],
  'mmol/L': ['amount of a volume', '0.001'],
  'mol/L': ['amount of a volume', '1'],
  'umol/mL': ['amount of a volume', '0.001'],
  s: ['time', '1'],
  min: ['time', '60'],
  h: ['time', '3600'],
  '/min': ['each time', '60'],
  '/h': ['each time', '1'],
  'mm[Hg]': ['pressure', '133.322'],
  kPa: ['pressure', '1000'],
  Pa: ['pressure', '1'],
  Cel: ['temperature', '1', '273.15'],
  K: ['temperature', '1'],
  '%': ['none', '0.01'],
  '1': ['none', '1'],
  '{score}': ['none', '1'],
  '{T-score}': ['none', '1'],
  '{INR}': ['none', '1'],
  '{nominal}': ['none', '1'],
  '{count}': ['none', '1'],
  '{#}': ['none', '1'],
  'mg/g': ['none', '0.001'],
};

/** A span in the unit as one in the common unit of its dimension; undefined where the unit is not in the table. */
export function common(unit: string, { low, high, ...open }: Span): { readonly dimension: string; readonly span: Span } | undefined {
  const found = units[unit];
  if (found === undefined) return undefined;
  const [dimension, factor, more = '0'] = found;
  const brought = (value: bigint): bigint => times(value, decimal(factor)) + decimal(more);
  return { dimension, span: { ...open, ...(low === undefined ? {} : { low: brought(low) }), ...(high === undefined ? {} : { high: brought(high) }) } };
}

/** What a number means in a search: `100` is anything that rounds to it, with a prefix that compares it is itself, `ap` a tenth to each side. */
export function asked(prefix: string, text: string): Span {
  const value = decimal(text);
  const size = value < 0n ? -value : value;
  if (prefix === 'ap') return { low: value - size / 10n, high: value + size / 10n };
  if (prefix !== 'eq' && prefix !== 'ne') return { low: value, high: value };
  const decimals = text.split('.')[1]?.length ?? 0;
  const half = decimal(`${decimals === 0 ? '0.5' : `0.${'0'.repeat(decimals)}5`}`);
  return { low: value - half, high: value + half, highOpen: true };
}

/** http://hl7.org/fhir/R4/search.html#prefix, of a stored span and an asked one. */
export function passes(prefix: string, stored: Span, wanted: Span): boolean {
  // How the left of two sides lies to the right one: -1, 0, 1. A side that is open lies just beside its number.
  const place = (value: bigint | undefined, without: -1 | 1, beside: -1 | 0 | 1): readonly [number, bigint, number] =>
    value === undefined ? [without, 0n, 0] : [0, value, beside];
  const compare = (left: readonly [number, bigint, number], right: readonly [number, bigint, number]): number =>
    left[0] - right[0] || (left[1] < right[1] ? -1 : left[1] > right[1] ? 1 : left[2] - right[2]);
  const low = (span: Span) => place(span.low, -1, span.lowOpen ? 1 : 0);
  const high = (span: Span) => place(span.high, 1, span.highOpen ? -1 : 0);
  const within = compare(low(stored), low(wanted)) >= 0 && compare(high(stored), high(wanted)) <= 0;
  const above = compare(high(stored), high(wanted)) > 0;
  const below = compare(low(stored), low(wanted)) < 0;
  switch (prefix) {
    case 'eq':
      return within;
    case 'ne':
      return !within;
    case 'gt':
      return above;
    case 'lt':
      return below;
    case 'ge':
      return above || within;
    case 'le':
      return below || within;
    case 'sa':
      return compare(low(stored), high(wanted)) > 0;
    case 'eb':
      return compare(high(stored), low(wanted)) < 0;
    case 'ap':
      return compare(low(stored), high(wanted)) <= 0 && compare(low(wanted), high(stored)) <= 0;
    default:
      throw new Error(`\`${prefix}\` is no prefix`);
  }
}
