import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { STATEMENTS, statementId } from './data.ts';
import { floorTables } from './floor-sqlite.ts';
import { searchPath } from './paths.ts';

interface Stored {
  readonly key: string;
  readonly body: Uint8Array;
}
/** The bytes that Kindred has stored in a SQLite file, by key. */
function storedIn(path: string): readonly Stored[] {
  const from = new DatabaseSync(path, { readOnly: true });
  const rows = from
    .prepare(`SELECT type.name || '/' || res.id AS key, res.body FROM res JOIN type ON type.id = res.type WHERE deleted = 0 AND name <> 'AuditEvent'`)
    .all();
  from.close();
  return rows as unknown as readonly Stored[];
}
/** For each search that is asked the keys of its page. */
const pagesOf = (patients: number): readonly { readonly url: string; readonly keys: readonly string[] }[] =>
  Array.from({ length: patients }, (_, patient) => ({
    url: searchPath(patient),
    keys: Array.from({ length: Math.min(20, STATEMENTS) }, (_, at) => `MedicationStatement/${statementId(patient, at)}`),
  }));

export function fillSqliteFloor(path: string, store: string, patients: number): void {
  const to = new DatabaseSync(path);
  to.exec(`${floorTables}; BEGIN`);
  const keep = to.prepare('INSERT INTO stored VALUES (?, ?)');
  for (const { key, body } of storedIn(store)) keep.run(key, body);
  const page = to.prepare('INSERT INTO page VALUES (?, ?)');
  for (const { url, keys } of pagesOf(patients)) page.run(url, JSON.stringify(keys));
  to.exec('COMMIT');
  to.close();
}

export async function fillMongodbFloor(address: string, store: string, patients: number): Promise<void> {
  const client = new MongoClient(address);
  const db = client.db();
  await db.collection<{ _id: string; body: Buffer }>('floor').insertMany(storedIn(store).map(({ key, body }) => ({ _id: key, body: Buffer.from(body) })));
  await db.collection<{ _id: string; keys: string[] }>('floorpage').insertMany(pagesOf(patients).map(({ url, keys }) => ({ _id: url, keys: [...keys] })));
  await client.close();
}
