import { auditEntry } from '../audit/event.ts';
import { type Occurrence, occurrenceRecord } from '../audit/occurrence.ts';
import type { Change } from '../store/store.ts';
import type { Parts } from './parts.ts';

type Event = Extract<Change, { readonly op: 'event' }>;

/** The line of the log about what happens beside the road, to be put into the commit of what it tells. With the log off, none. */
export function makeNote({ audit, base, now, newId }: Pick<Parts, 'audit' | 'base' | 'now' | 'newId'>): (occurrence: Occurrence) => readonly Event[] {
  return occurrence => (audit ? [{ op: 'event', ...auditEntry(occurrenceRecord(occurrence, { id: newId(), at: now(), server: base() })) }] : []);
}
