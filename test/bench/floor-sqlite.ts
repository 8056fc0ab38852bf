import { DatabaseSync } from 'node:sqlite';
import type { Floor } from './floor.ts';

export const floorTables =
  'CREATE TABLE IF NOT EXISTS stored (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID; CREATE TABLE IF NOT EXISTS page (key TEXT PRIMARY KEY, keys TEXT)';

/** Bodies in a SQLite file; inserts by group commit. */
export function openSqliteFloor(path: string): Floor {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; ${floorTables}`);
  const one = db.prepare('SELECT body FROM stored WHERE key = ?');
  const page = db.prepare('SELECT stored.key, stored.body FROM page, json_each(page.keys) j CROSS JOIN stored ON stored.key = j.value WHERE page.key = ?');
  const put = db.prepare('INSERT INTO stored VALUES (?, ?)');
  let waiting: { readonly body: Uint8Array; done(): void }[] = [];
  let made = 0;
  const run = Date.now();
  function commit(): void {
    const group = waiting;
    waiting = [];
    db.exec('BEGIN IMMEDIATE');
    for (const { body } of group) put.run(`new/${run}-${made++}`, body);
    db.exec('COMMIT');
    for (const { done } of group) done();
  }
  return {
    one: async key => (one.get(key) as { body: Uint8Array }).body,
    page: async url => page.all(url) as { key: string; body: Uint8Array }[],
    insert: body =>
      new Promise(done => {
        if (waiting.push({ body, done }) === 1) setImmediate(commit);
      }),
    close: async () => db.close(),
  };
}
