import { setTimeout as sleep } from 'node:timers/promises';
import { type IndexDescription, MongoServerError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { explained } from './connect.ts';
import { withLease } from './lease.ts';
import type { Collections } from './stored.ts';

interface Step {
  /** What it does, for whoever waits for it. */
  readonly text: string;
  /** Done again from its beginning where a process died over it. */
  run(at: Collections): Promise<void>;
}

const indexes = {
  first: [
    // By a value of a parameter, in the order of rows.
    { key: { 'ix.k': 1, rid: 1 } },
    { key: { 'ix.h': 1, rid: 1 } },
    { key: { live: 1, rid: 1 } },
    { key: { live: 1, u: 1, rid: 1 } },
  ],
  documents: [{ key: { kind: 1, id: 1 } }],
  words: [{ key: { w: 1, rid: 1 } }],
  expiring: [{ key: { expires: 1 } }],
} as const satisfies Record<string, readonly IndexDescription[]>;

/** Step n brings a database from schema n-1 to n. Steps that have been released are never edited. */
export const steps: readonly Step[] = [
  {
    text: 'making the indexes',
    async run({ db, resources, past, epochs, grants, documents, writers, links, locks }) {
      await resources.createIndexes([...indexes.first]);
      await past.createIndexes([{ key: { of: 1, v: -1 }, unique: true }]);
      await grants.createIndexes([{ key: { record: 1 } }, { key: { consent: 1 } }]);
      await documents.createIndexes([...indexes.documents]);
      await links.createIndexes([{ key: { at: 1, writer: 1, number: 1 } }, { key: { events: 1 } }]);
      await locks.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 3600 }]);
      // Not by the first commits: of several at once, some servers refuse those that come second.
      for (const { collectionName } of [epochs, writers]) await db.createCollection(collectionName).catch(unlessThere);
    },
  },
  {
    text: 'making the index of words',
    async run({ resources }) {
      await resources.createIndexes([...indexes.words]);
    },
  },
  {
    text: 'making the index of documents that expire',
    async run({ documents }) {
      // Not one by which the server removes them: their epochs go with them (sweep.ts).
      await documents.createIndexes([...indexes.expiring]);
    },
  },
];
function unlessThere(error: unknown): void {
  if (!(error instanceof MongoServerError && error.codeName === 'NamespaceExists')) throw error;
}
const ours: ReadonlySet<string> = new Set(['resource', 'past', 'grant', 'epoch', 'document', 'writer', 'link', 'lock', 'lease', 'schema']);

/**
 * Brings the database to the newest schema. Of several processes one does it, and the others wait.
 * @throws Problem `exception` with one sentence: not ours, newer, or not to be written by this account.
 */
export async function prepare(at: Collections, progress: (text: string) => void = () => {}, known: readonly Step[] = steps): Promise<void> {
  try {
    await bringUp(at, progress, known);
  } catch (error) {
    throw explained(error, `${at.db.client.options.hosts.join(',')}/${at.db.databaseName}`);
  }
}

async function bringUp(at: Collections, progress: (text: string) => void, known: readonly Step[]): Promise<void> {
  const schema = at.db.collection<{ _id: string; version: number }>('schema');
  const versionNow = async (): Promise<number> => (await schema.findOne({ _id: 'schema' }))?.version ?? 0;
  if ((await versionNow()) === 0) await refuseForeign(at);
  for (let waited = 0; ; waited++) {
    const version = await versionNow();
    if (version > known.length)
      throw new Problem('exception', `this database was written by a newer Kindred (schema ${version}; this one knows ${known.length})`);
    if (version === known.length) return;
    const done = await withLease('schema', at.db, async () => {
      const from = await versionNow();
      // A new collection has all of them at once, and the steps find them: to add one to a collection that is there, some servers wait for everybody else.
      if (from === 0) {
        await at.resources.createIndexes([...indexes.first, ...indexes.words]);
        await at.documents.createIndexes([...indexes.documents, ...indexes.expiring]);
      }
      for (let next = from; next < known.length; next++) {
        const { text, run } = known[next]!;
        if (from > 0) progress(`changing the database from schema ${next} to ${next + 1}: ${text}`);
        await run(at);
        await schema.updateOne({ _id: 'schema' }, { $max: { version: next + 1 } }, { upsert: true });
      }
    });
    if (done) continue;
    if (waited % 50 === 49) progress('waiting for another process, which changes the database');
    await sleep(200);
  }
}

/** A database that is not ours is left as it is. */
async function refuseForeign({ db }: Collections): Promise<void> {
  const foreign = (await db.listCollections({}, { nameOnly: true }).toArray())
    .map(one => one.name)
    .filter(name => !ours.has(name) && !name.startsWith('system.'));
  if (foreign.length > 0)
    throw new Problem(
      'exception',
      `the database \`${db.databaseName}\` holds collections of another program (${foreign.slice(0, 3).join(', ')}); choose an empty one`,
    );
}
