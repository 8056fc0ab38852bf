import type { PlainAtom, Prefix } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import { momentText, numberText, startsWith, targetOf, unitText } from './texts.ts';

type Comparison = '$gte' | '$gt' | '$lte' | '$lt' | '$regex' | '$options';
/** What one entry must be: a text for each side that is asked, or comparisons with it. */
export type Element = Readonly<Record<string, string | Readonly<Partial<Record<Comparison, string>>>>>;

/** Where in an entry a value is. */
export interface Place {
  readonly k: string;
  readonly h: string;
  /** What its texts begin with: the parameter, or nothing. */
  readonly begin: string;
  /** Of a parameter of all types, whose references have no id by itself. */
  readonly ofAll?: boolean;
}

/** What an entry must be at the place: one of these. */
export function elementsOf(atom: PlainAtom, { k, h, begin, ofAll = false }: Place): readonly Element[] {
  const whole = startsWith(begin);
  switch (atom.kind) {
    case 'token': {
      const { system, code } = atom;
      if (system === undefined && code === undefined) return [{ [k]: whole }];
      return [{ ...(code === undefined ? {} : { [k]: begin + code }), ...(system === undefined ? {} : { [h]: begin + system }) }];
    }
    case 'string': {
      if (atom.how === 'exact') return [{ [h]: begin + atom.text }];
      if (atom.how === 'starts') return [{ [k]: startsWith(begin + atom.text) }];
      return [{ [k]: { ...whole, $regex: `^${literally(begin)}.*${literally(atom.text)}`, $options: 's' } }];
    }
    case 'date':
      return spansOf(atom.how, clamp(atom.low), clamp(atom.high)).map(span => spanElement(span, { k, h, begin }, momentText));
    case 'quantity':
      // Both sides of a value are in one unit.
      return spansOf(atom.how, atom.low, atom.high).map(span => spanElement(span, { k, h, begin: begin + unitText(atom.unit) }, numberText));
    case 'reference':
      if (atom.type !== undefined) return [{ [k]: begin + targetOf(atom.type, atom.id) }];
      if (ofAll) return [{ [k]: { ...whole, $regex: `^${literally(begin)}[A-Za-z]+/${literally(atom.id)}$` } }];
      // What is not ours begins with a slash, which comes before all letters.
      return [{ [h]: begin + atom.id, [k]: { ...whole, $gte: `${begin}A` } }];
    case 'uri':
      return [{ [k]: begin + atom.uri }, ...(atom.how === 'under' ? [{ [k]: startsWith(`${begin}${atom.uri}/`) }] : [])];
  }
}

/** The text as a regular expression that stands for nothing but itself. */
const literally = (text: string): string =>
  text.replaceAll(/[\\^$.|?*+()[\]{}\s\p{Cc}]/gu, one => (one > '\x7f' || one === ' ' ? one : `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`));

/** Comparisons of the beginning of a span, and of its end. */
export interface Span {
  readonly low?: Readonly<Partial<Record<'$lt' | '$lte' | '$gt' | '$gte', number>>>;
  readonly high?: Span['low'];
}
/** R4's prefixes (../../search/kinds/span.ts): what the span of a value must be, against the one that is asked for: one of these. */
export function spansOf(how: Prefix, low: number, high: number): readonly Span[] {
  const within: Span = { low: { $gte: low }, high: { $lte: high } };
  const below: Span = { low: { $lt: low } };
  const above: Span = { high: { $gt: high } };
  const spans: Readonly<Record<Prefix, readonly Span[]>> = {
    eq: [within],
    ne: [below, above],
    gt: [above],
    lt: [below],
    ge: [above, within],
    le: [below, within],
    sa: [{ low: { $gt: high } }],
    eb: [{ high: { $lt: low } }],
    ap: [{ low: { $lte: high }, high: { $gte: low } }],
  };
  return spans[how];
}
function spanElement({ low, high }: Span, { k, h, begin }: Place, text: (value: number) => string): Element {
  // Each side keeps to the parameter, since either may be the one that an index is sought by.
  const side = (comparisons: NonNullable<Span['low']>) => ({
    ...startsWith(begin),
    ...Object.fromEntries(Object.entries(comparisons).map(([how, value]) => [how, begin + text(value)])),
  });
  return { ...(low === undefined ? {} : { [k]: side(low) }), ...(high === undefined ? {} : { [h]: side(high) }) };
}
