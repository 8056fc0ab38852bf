import { Buffer } from 'node:buffer';
import { type ClientSession, type Collection, ObjectId, type OptionalUnlessRequiredId } from 'mongodb';
import { nameOf } from '../../fhir/types.ts';
import type { Version } from '../store.ts';
import type { Carried, Items, Progress, ResourceOf } from '../transfer.ts';
import { foundBy } from './entries.ts';
import { storedGrants } from './grants.ts';
import { documentId, fitting, type ParamsOf } from './plan.ts';
import type { Collections, StoredResource, StoredWriter } from './stored.ts';

type Take<P extends Carried> = (items: readonly Items[P][], from: Progress, session: ClientSession) => Promise<void>;

/** Takes in what another store held, inside a transaction, with all that it is found by. What has an order is numbered by what was taken before. */
export function takesOf(at: Collections, paramsOf: ParamsOf, resourceOf: ResourceOf): { readonly [P in Carried]: Take<P> } {
  function stateOf({ key, versionId, lastUpdated, deleted, facets, body }: Version, row: number): StoredResource {
    const u = Date.parse(lastUpdated);
    const state = { _id: nameOf(key), t: key.type, id: key.id, rid: rowId(row), v: Number(versionId), u, s: 1, f: facets };
    if (deleted) return { ...state, ix: [] };
    const found = foundBy({ resource: resourceOf(key, body), facets, updated: u }, paramsOf(key.type));
    return fitting({ ...state, live: key.type, b: bufferOf(body), ...found });
  }
  const add = (versions: readonly Version[], rows: number, session: ClientSession): Promise<void> =>
    insert(
      at.resources,
      versions.map((version, n) => stateOf(version, rows + n)),
      session,
    );
  return {
    async link(links, { rows, done }, session) {
      const before = done.link ?? 0;
      await add(
        links.flatMap(link => link.events),
        rows,
        session,
      );
      await insert(
        at.links,
        links.map(({ events, ...link }, n) => ({
          _id: `${link.writer} ${link.number}`,
          ...link,
          at: before + n + 1,
          events: events.map(event => event.key.id),
        })),
        session,
      );
      const writers = Map.groupBy(
        links.map((link, n) => ({ ...link, at: before + n + 1 })),
        link => link.writer,
      );
      for (const [_id, those] of writers) {
        const { number, hash, at: moment } = those.at(-1)!;
        const head: Omit<StoredWriter, '_id' | 'begun'> = { commits: number, number, hash, at: moment };
        await at.writers.updateOne({ _id }, { $set: head, $setOnInsert: { begun: those[0]!.previous } }, { upsert: true, session });
      }
    },
    resource: (versions, { rows }, session) => add(versions, rows, session),
    past: (versions, _from, session) =>
      insert(
        at.past,
        versions.map(({ key, versionId, lastUpdated, deleted, facets, body }) => {
          const of = nameOf(key);
          const state = { _id: `${of} ${versionId}`, of, v: Number(versionId), u: Date.parse(lastUpdated), deleted, f: facets };
          return fitting(deleted ? state : { ...state, b: bufferOf(body) });
        }),
        session,
      ),
    grants: (consents, _from, session) =>
      insert(
        at.grants,
        consents.flatMap(({ consent, rows }) => storedGrants(consent, rows)),
        session,
      ),
    epoch: (epochs, _from, session) =>
      insert(
        at.epochs,
        epochs.map(({ name, epoch }) => ({ _id: name, epoch, s: 1 })),
        session,
      ),
    document: (documents, _from, session) =>
      insert(
        at.documents,
        documents.map(document => ({ _id: documentId(document.kind, document.id), ...document })),
        session,
      ),
  };
}

/** The nth row: before all that is ever made by a clock. */
const rowId = (row: number): ObjectId => new ObjectId(row.toString(16).padStart(24, '0'));
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

async function insert<T extends { readonly _id: string }>(into: Collection<T>, documents: readonly T[], session: ClientSession): Promise<void> {
  if (documents.length > 0) await into.insertMany(documents as unknown as OptionalUnlessRequiredId<T>[], { session });
}
