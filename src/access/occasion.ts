import { rangeOf } from '../fhir/datetime.ts';
import type { KeyName, Range, Resource } from '../fhir/types.ts';
import { elements, follow, isElement, readRange, referenceNames } from './elements.ts';

/** In this order: when it happened, when it was said, when it was written down. */
const dateElements = [
  ...[
    'effective',
    'onset',
    'performed',
    'occurrence',
    'serviced',
    'identified',
    'started',
    'period',
    'collection.collected',
    'context.period',
    'servicePeriod',
  ],
  ...[
    'dateAsserted',
    'assertedDate',
    'recordedDate',
    'authoredOn',
    'date',
    'dateTime',
    'issued',
    'sent',
    'created',
    'recorded',
    'whenHandedOver',
    'whenPrepared',
  ],
];
const variants = ['', 'DateTime', 'Period', 'Instant', 'Date', 'Timing'];

/** When what the resource tells of happened; undefined where it does not say. */
export function clinicalDateOf(resource: Resource): Range | undefined {
  for (const name of dateElements) {
    for (const variant of variants) {
      const [value] = follow(resource, name + variant);
      const range =
        typeof value === 'string'
          ? rangeOf(value)
          : (timingRange(value) ?? (isElement(value) && (value.start ?? value.end) !== undefined ? readRange(value) : undefined));
      if (range !== undefined) return range;
    }
  }
  return undefined;
}
function timingRange(value: unknown): Range | undefined {
  if (!isElement(value)) return undefined;
  const events = (Array.isArray(value.event) ? value.event : []).flatMap(event => (typeof event === 'string' ? (rangeOf(event) ?? []) : []));
  if (events.length > 0) return { low: Math.min(...events.map(one => one.low)), high: Math.max(...events.map(one => one.high)) };
  return isElement(value.repeat) && value.repeat.boundsPeriod !== undefined ? readRange(value.repeat.boundsPeriod) : undefined;
}

const authorElements = [
  'author',
  'informationSource',
  'asserter',
  'recorder',
  'requester',
  'sender',
  'source',
  'enterer',
  'performer',
  'performer.actor',
  'agent.who',
];
/** Who said it, as `Type/id`. */
export const authorsOf = (resource: Resource): readonly KeyName[] => [
  ...new Set(
    authorElements.flatMap(path => follow(resource, path)).flatMap(value => (elements(value).some(one => 'reference' in one) ? referenceNames(value) : [])),
  ),
];
