import { ObjectId } from 'mongodb';
import type { KeyName } from '../../fhir/types.ts';
import { readGrant } from '../encoding.ts';
import { type Dumps, migrationNote, type Position } from '../transfer.ts';
import type { Filter } from './condition.ts';
import { documentId } from './plan.ts';
import { type Collections, type Sent, type StoredGrants, sent, versionOf } from './stored.ts';

/** Links and resources that are fetched at once. */
const AT_ONCE = 200;
const noteId = documentId(migrationNote.kind, migrationNote.id);

/** All that is stored, from cursors of the server: no more is held than one of its batches. */
export function dumpsOf({ links, resources, past, grants, epochs, documents, writers }: Collections): Dumps {
  /** Which of these lines of the log a link covers. */
  async function coveredOf(ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const found = await links.find({ events: { $in: [...ids] } }, { projection: { events: 1 } }).toArray();
    return new Set(found.flatMap(link => link.events));
  }
  return {
    async *link(after) {
      const order = { at: 1, writer: 1, number: 1 } as const;
      for await (const some of inGroups(links.find(beyond(order, after), { sort: order }))) {
        const names = some.flatMap(link => link.events.map((id): KeyName => `AuditEvent/${id}`));
        const stored = await resources.find<Sent>({ _id: { $in: names }, v: { $gt: 0 } }, { projection: sent }).toArray();
        const found = new Map(stored.map(one => [one.id, versionOf(one)]));
        for (const { writer, number, previous, hash, at, events } of some)
          yield { item: { writer, number, previous, hash, events: events.flatMap(id => found.get(id) ?? []) }, at: [at, writer, number] };
      }
    },
    async *resource([after]) {
      // Bodies are fetched later: there is no index by rows alone, and sorting keys is cheap.
      const later = after === undefined ? {} : { rid: { $gt: new ObjectId(String(after)) } };
      for await (const keys of inGroups(resources.find<Sent>({ v: { $gt: 0 }, ...later }, { projection: { t: 1, id: 1 }, sort: { rid: 1 } }))) {
        const covered = await coveredOf(keys.filter(key => key.t === 'AuditEvent').map(key => key.id));
        const names = keys.filter(key => key.t !== 'AuditEvent' || !covered.has(key.id)).map(key => key._id);
        if (names.length === 0) continue;
        for await (const one of resources.find<Sent>({ _id: { $in: names } }, { projection: sent, sort: { rid: 1 } }))
          yield { item: versionOf(one), at: [one.rid.toHexString()] };
      }
    },
    async *past(after) {
      const order = { of: 1, v: -1 } as const;
      for await (const { of, v, u, deleted, f, b } of past.find(beyond(order, after), { sort: order })) {
        const slash = of.indexOf('/');
        const t = of.slice(0, slash);
        const item = versionOf({ t, id: of.slice(slash + 1), v, u, f, ...(deleted ? {} : { live: t }), ...(b === undefined ? {} : { b }) });
        yield { item, at: [of, v] };
      }
    },
    async *grants(after) {
      let those: StoredGrants[] = [];
      const item = (): { consent: KeyName; rows: ReturnType<typeof readGrant>[] } => ({
        consent: those[0]!.consent,
        rows: those
          .flatMap(({ rows }) => rows)
          // A grant that names nobody is no row elsewhere.
          .filter(({ actors }) => actors.length > 0)
          .toSorted((one, other) => one.node - other.node)
          .map(({ text }) => readGrant(text)),
      });
      for await (const one of grants.find(beyond({ consent: 1 }, after), { sort: { consent: 1 } })) {
        if (those.length > 0 && those[0]!.consent !== one.consent) {
          if (item().rows.length > 0) yield { item: item(), at: [item().consent] };
          those = [];
        }
        those.push(one);
      }
      if (those.length > 0 && item().rows.length > 0) yield { item: item(), at: [item().consent] };
    },
    async *epoch(after) {
      // Those of a Consent's grants are this engine's own.
      for await (const { _id, epoch } of epochs.find(beyond({ _id: 1 }, after), { sort: { _id: 1 } }))
        if (epoch > 0 && !_id.startsWith('grants:')) yield { item: { name: _id, epoch }, at: [_id] };
    },
    async *document(after) {
      for await (const { _id, kind, id, value, expires } of documents.find(beyond({ _id: 1 }, after), { sort: { _id: 1 } }))
        if (_id !== noteId) yield { item: { kind, id, value, ...(expires === undefined ? {} : { expires }) }, at: [_id] };
    },
    async *end(after) {
      for await (const { _id, number, hash, begun } of writers.find({ number: { $gt: 0 }, ...beyond({ _id: 1 }, after) }, { sort: { _id: 1 } }))
        yield { item: { writer: _id, number, hash, begun }, at: [_id] };
    },
  };
}

/** What comes after a position in an order. */
function beyond(order: Readonly<Record<string, 1 | -1>>, after: Position): Filter {
  if (after.length === 0) return {};
  const fields = Object.entries(order);
  const same = (count: number): Filter => Object.fromEntries(fields.slice(0, count).map(([field], at) => [field, after[at]]));
  return { $or: fields.map(([field, way], at) => ({ ...same(at), [field]: { [way > 0 ? '$gt' : '$lt']: after[at] } })) };
}

async function* inGroups<T>(all: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let some: T[] = [];
  for await (const one of all) {
    if (some.push(one) < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
