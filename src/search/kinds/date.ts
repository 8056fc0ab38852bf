import { earliest, latest, rangeOf } from '../../fhir/datetime.ts';
import type { Range } from '../../fhir/types.ts';
import type { Atom, IndexValue, Prefix } from '../query.ts';
import { listOf, recordOf } from './value.ts';

type DateAtom = Extract<Atom, { kind: 'date' }>;
type DateValue = Extract<IndexValue, { kind: 'date' }>;

/** The spans of a value of the FHIR type (http://hl7.org/fhir/R4/search.html#date). Odd data gives none. */
export function indexDate(type: string, value: unknown): readonly DateValue[] {
  switch (type) {
    case 'Period':
      return spansOf([periodOf(value)]);
    case 'Timing': {
      // Only the outer limits of a schedule count.
      const timing = recordOf(value);
      const within = [...listOf(timing?.event).map(momentOf), periodOf(recordOf(timing?.repeat)?.boundsPeriod)].filter(range => range !== undefined);
      if (within.length === 0) return [];
      return spansOf([{ low: Math.min(...within.map(range => range.low)), high: Math.max(...within.map(range => range.high)) }]);
    }
    default:
      return spansOf([momentOf(value)]);
  }
}

/** A span as an index value, open ends brought to the furthest moments that there are. */
export const spanOf = ({ low, high }: Range): DateValue => ({ kind: 'date', low: Math.max(low, earliest), high: Math.min(high, latest) });

const spansOf = (ranges: readonly (Range | undefined)[]): readonly DateValue[] => ranges.filter(range => range !== undefined).map(spanOf);

const momentOf = (value: unknown): Range | undefined => (typeof value === 'string' ? rangeOf(value) : undefined);

/** A period without either end says nothing. */
function periodOf(value: unknown): Range | undefined {
  const period = recordOf(value);
  const start = momentOf(period?.start);
  const end = momentOf(period?.end);
  return start === undefined && end === undefined ? undefined : { low: start?.low ?? earliest, high: end?.high ?? latest };
}

const shape = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)$/;

/**
 * Reads a prefix and a date of any precision; undefined where it is none. `ap` widens the span on both sides by a tenth of the gap between
 * it and `now` (epoch milliseconds), which is why it cannot be read where there is no now.
 */
export function parseDate(text: string, now: number | undefined): DateAtom | undefined {
  const [, prefix, date = ''] = shape.exec(text) ?? [];
  // A client that leaves the + of a zone unencoded sends a blank.
  const range = rangeOf(date.replace(' ', '+'));
  if (range === undefined) return undefined;
  const how = (prefix ?? 'eq') as Prefix;
  if (how !== 'ap') return { kind: 'date', how, ...range };
  if (now === undefined) return undefined;
  const slack = Math.round(Math.max(0, range.low - now, now - range.high) / 10);
  return { kind: 'date', how, low: range.low - slack, high: range.high + slack };
}
