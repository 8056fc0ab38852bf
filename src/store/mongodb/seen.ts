import { type KeyName, nameOf } from '../../fhir/types.ts';
import { documentId, grantsEpoch, type Planned, type Seen } from './plan.ts';
import type { Collections } from './stored.ts';

/**
 * Reads what the changes look at, outside of any transaction: the writes ask again. `events`: whether the ids of events are looked for too; they are random,
 * so only after one was found to be taken.
 */
export async function look(changes: readonly Planned[], { resources, epochs, documents, grants }: Collections, events: boolean): Promise<Seen> {
  const names = new Set<KeyName>();
  const ids = new Set<string>();
  const consents = new Set<KeyName>();
  const counted = new Set<string>();
  for (const change of changes) {
    switch (change.op) {
      case 'put':
      case 'delete':
      case 'restamp':
      case 'expect':
        if (change.op !== 'expect' || change.expect !== 'any') names.add(nameOf(change.key));
        break;
      case 'event':
        if (events) names.add(`AuditEvent/${change.id}`);
        break;
      case 'epoch':
        counted.add(change.of);
        break;
      case 'grants':
        consents.add(change.consent);
        for (const record of [change.record, ...change.rows.map(row => row.record)]) counted.add(`record:${record}`);
        break;
      case 'document':
      case 'sweep':
        counted.add(`${change.kind}:${change.id}`);
        if (change.op === 'sweep' || change.expect === 'absent') ids.add(documentId(change.kind, change.id));
        break;
    }
  }
  // Their epochs come first: what is replaced after that makes the write fail.
  const before = consents.size === 0 ? [] : await epochs.find({ _id: { $in: [...consents].map(grantsEpoch) } }).toArray();
  const granted = consents.size === 0 ? [] : await grants.find({ consent: { $in: [...consents] } }, { projection: { consent: 1, record: 1 } }).toArray();
  for (const { record } of granted) counted.add(`record:${record}`);
  const [stored, epoch] = await Promise.all([
    names.size === 0 ? [] : resources.find({ _id: { $in: [...names] } }).toArray(),
    counted.size === 0 ? [] : epochs.find({ _id: { $in: [...counted] } }).toArray(),
  ]);
  // After their epochs too: one that is made or prolonged in between must not be taken for the older one.
  const there = ids.size === 0 ? [] : await documents.find({ _id: { $in: [...ids] } }, { projection: { expires: 1 } }).toArray();
  return {
    resources: new Map(stored.map(one => [one._id, one])),
    epochs: new Map([...before, ...epoch].map(one => [one._id, one])),
    documents: new Map(there.map(one => [one._id, one])),
    granted: new Map([...Map.groupBy(granted, one => one.consent)].map(([consent, those]) => [consent, those.map(one => one.record)])),
  };
}
