import type { IndexValue, PlainAtom, Prefix } from '../query.ts';
import { passesSpan } from './span.ts';
import { baseUnitOf, ucumSystem } from './ucum.ts';
import { listOf, recordOf, split, textOf, unescaped } from './value.ts';

type QuantityAtom = Extract<PlainAtom, { kind: 'quantity' }>;
type QuantityValue = Extract<IndexValue, { kind: 'quantity' }>;

/** Where an open end is. */
export const furthest = Number.MAX_VALUE;

/**
 * The numbers and quantities of a value of the FHIR type (http://hl7.org/fhir/R4/search.html#number #quantity). Each quantity is there once for each way to
 * ask for it: without a unit (''), by its code or unit alone (`|mg`), and by system and code: in base units (`=…`) where it is of UCUM, else as they are
 * (`system|mg`). Odd data gives none.
 */
export function indexQuantity(type: string, value: unknown): readonly QuantityValue[] {
  switch (type) {
    case 'integer':
    case 'positiveInt':
    case 'unsignedInt':
    case 'decimal':
      return isNumber(value) ? [{ kind: 'quantity', unit: '', low: value + 0, high: value + 0 }] : [];
    case 'Quantity':
    case 'Age':
    case 'Count':
    case 'Distance':
    case 'Duration':
      return ofQuantity(recordOf(value));
    case 'Money': {
      const money = recordOf(value);
      return isNumber(money?.value) ? inUnits({ system: 'urn:iso:std:iso:4217', code: money.currency }, money.value, money.value) : [];
    }
    case 'Range': {
      const range = recordOf(value);
      const [low, high] = [recordOf(range?.low), recordOf(range?.high)];
      if (!isNumber(low?.value) && !isNumber(high?.value)) return [];
      return inUnits(low ?? high!, isNumber(low?.value) ? low.value : -furthest, isNumber(high?.value) ? high.value : furthest);
    }
    case 'SampledData':
      return ofSamples(recordOf(value));
    default:
      return [];
  }
}
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function ofQuantity(quantity: Readonly<Record<string, unknown>> | undefined): readonly QuantityValue[] {
  const value = quantity?.value;
  if (!isNumber(value)) return [];
  switch (quantity?.comparator) {
    case '<':
      return inUnits(quantity, -furthest, value, before);
    case '<=':
      return inUnits(quantity, -furthest, value);
    case '>':
      return inUnits(quantity, value, furthest, after);
    case '>=':
      return inUnits(quantity, value, furthest);
    default:
      return inUnits(quantity!, value, value);
  }
}
/** From the least to the greatest of the samples. */
function ofSamples(samples: Readonly<Record<string, unknown>> | undefined): readonly QuantityValue[] {
  const origin = recordOf(samples?.origin);
  const factor = isNumber(samples?.factor) ? samples.factor : 1;
  const zero = isNumber(origin?.value) ? origin.value : 0;
  const values = (typeof samples?.data === 'string' ? samples.data : '')
    .split(/\s+/)
    .filter(text => /^-?\d+(\.\d+)?$/.test(text))
    .map(text => zero + factor * Number(text));
  if (values.length === 0 || origin === undefined) return [];
  return inUnits(
    origin,
    values.reduce((least, one) => Math.min(least, one)),
    values.reduce((greatest, one) => Math.max(greatest, one)),
  );
}

/** `open`: what leaves the end that is a number out of the span, in whatever unit. */
function inUnits(
  { system, code, unit }: Readonly<Record<string, unknown>>,
  low: number,
  high: number,
  open: (value: number) => number = value => value,
): readonly QuantityValue[] {
  const ended = (value: number): number => (Math.abs(value) === furthest ? value : open(value));
  const spanIn = (name: string, from: number, to: number): QuantityValue => ({ kind: 'quantity', unit: name, low: ended(from) + 0, high: ended(to) + 0 });
  const names = [...new Set([...listOf(code), ...listOf(unit)].map(textOf).filter(text => text !== undefined))];
  const full = textOf(system) !== undefined && textOf(code) !== undefined ? `${textOf(system)}|${textOf(code)}` : undefined;
  const base = full !== undefined && system === ucumSystem ? baseUnitOf(textOf(code)!) : undefined;
  return [
    spanIn('', low, high),
    ...names.map(name => spanIn(`|${name}`, low, high)),
    ...(base !== undefined ? [spanIn(base.unit, inBase(low, base), inBase(high, base))] : full !== undefined ? [spanIn(full, low, high)] : []),
  ];
}
/** Digits beyond the fourteenth are noise of the conversion. An open end stays open. */
const inBase = (value: number, { factor, offset }: { readonly factor: number; readonly offset: number }): number =>
  Math.abs(value) === furthest ? value : Math.max(-furthest, Math.min(furthest, Number((offset + factor * value).toPrecision(14))));

const bits = new DataView(new ArrayBuffer(8));
/** The next number above, or below. */
export function after(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  if (value === furthest) return furthest;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}
const before = (value: number): number => -after(-value);

const shape = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?(?:\d+(?:\.(\d+))?)(?:[eE]([+-]?\d{1,3}))?)$/;

/**
 * Reads a prefix and a number; undefined where it is none. `100` is what rounds to it, from 99.5 to before 100.5, `1e2` from 95; with a prefix that compares it
 * is the number itself; `ap` is a tenth to each side.
 */
export function parseNumber(text: string): QuantityAtom | undefined {
  const [, prefix = 'eq', number = '', decimals = '', exponent] = shape.exec(text.replace(/^ /, '+')) ?? [];
  const value = Number(number);
  if (number === '' || !Number.isFinite(value)) return undefined;
  const how = prefix as Prefix;
  if (how === 'ap') return { kind: 'quantity', unit: '', how, low: value - Math.abs(value) / 10, high: value + Math.abs(value) / 10 };
  if (how !== 'eq' && how !== 'ne') return { kind: 'quantity', unit: '', how, low: value, high: value };
  // To the letter: with an exponent it is a digit more precise than it looks.
  const half = 0.5 * 10 ** (Number(exponent ?? 0) - decimals.length - (exponent === undefined ? 0 : 1));
  // However small the half, the number itself is in it.
  return { kind: 'quantity', unit: '', how, low: Math.min(value, rounded(value - half)), high: Math.max(value, before(rounded(value + half))) };
}
/** 5.4 - 0.05 is 5.35, which binary fractions miss by a little. */
const rounded = (value: number): number => Number(value.toPrecision(15));

/** Reads `5.4`, `5.4|system|code` or `5.4||code`, with a prefix; undefined where it is none of them. In UCUM it finds what is the same in other units. */
export function parseQuantity(text: string): QuantityAtom | undefined {
  const [number = '', system, code, ...more] = split(text, '|').map(unescaped);
  const atom = parseNumber(number);
  if (atom === undefined || more.length > 0) return undefined;
  if (system === undefined) return atom;
  if (code === undefined || code === '') return undefined;
  const base = system === ucumSystem ? baseUnitOf(code) : undefined;
  if (base === undefined) return { ...atom, unit: `${system}|${code}` };
  const rounds = atom.how === 'eq' || atom.how === 'ne';
  if (!rounds) return { ...atom, unit: base.unit, low: inBase(atom.low, base), high: inBase(atom.high, base) };
  const value = inBase(Number(number.replace(/^[a-z]+/, '').trim()), base);
  return { ...atom, unit: base.unit, low: Math.min(value, inBase(atom.low, base)), high: Math.max(value, before(inBase(after(atom.high), base))) };
}

/** Only what is in the unit that is asked for is compared. */
export const passesQuantity = (atom: QuantityAtom, value: QuantityValue): boolean => atom.unit === value.unit && passesSpan(atom, value);
