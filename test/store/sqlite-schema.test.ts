import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkHash } from '../../src/audit/chain.ts';
import { parsePosition } from '../../src/search/kinds/position.ts';
import { parseWords } from '../../src/search/kinds/words.ts';
import type { Atom } from '../../src/search/query.ts';
import { type Driver, openDriver } from '../../src/store/sqlite/driver.ts';
import { configure, migrate, steps } from '../../src/store/sqlite/schema.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { namesOf, put, registry, some, write } from '../contract/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-schema-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
let path: string;
beforeEach(() => {
  files += 1;
  path = join(folder, `${files}.db`);
});
const open = () => openSqlite({ path, paramsOf: registry.paramsOf, linkHash, writer: 'one' });

function withDriver<T>(use: (driver: Driver) => T): T {
  const driver = openDriver(path);
  try {
    configure(driver);
    return use(driver);
  } finally {
    driver.close();
  }
}

describe('the schema of a file', () => {
  test('a new file gets the newest one, with pages and log as they measured best', async () => {
    await (await open()).close();
    withDriver(driver => {
      const pragmas = ['page_size', 'journal_mode', 'user_version', 'synchronous', 'foreign_keys'];
      const values = pragmas.map(name => Object.values(driver.get<Record<string, unknown>>(`PRAGMA ${name}`)!)[0]);
      expect(values).toEqual([8192, 'wal', steps.length, 2, 0]);
    });
  });
  test('a new file, its log and its folder are for nobody else on the machine', async () => {
    path = join(folder, 'new', 'deep', 'kindred.db');
    const store = await open();
    await write(store, put('Patient/kept'));
    for (const name of [path, `${path}-wal`, `${path}-shm`, dirname(path)]) expect([name, statSync(name).mode & 0o077]).toEqual([name, 0]);
    await store.close();
  });
  test('an older file is brought up step by step, keeps what is in it, and is told', async () => {
    const store = await open();
    await write(store, put('Patient/kept'));
    await store.close();
    const later = [...steps, 'CREATE TABLE fresh (id TEXT); INSERT INTO fresh SELECT id FROM res', 'ALTER TABLE fresh ADD COLUMN more TEXT'];
    const said: string[] = [];
    withDriver(driver => {
      migrate(driver, later, text => said.push(text));
      migrate(driver, later, text => said.push(text));
      expect(driver.all('SELECT id, more FROM fresh')).toEqual([{ id: 'kept', more: null }]);
    });
    expect(said).toEqual([
      `changing the database from schema ${steps.length} to ${steps.length + 1}`,
      `changing the database from schema ${steps.length + 1} to ${steps.length + 2}`,
    ]);
    await expect(open()).rejects.toThrow(`this database was written by a newer Kindred (schema ${steps.length + 2}; this one knows ${steps.length})`);
  });
  test('a file from before numbers, composites, places and words were indexed takes them from now on', async () => {
    withDriver(driver => migrate(driver, steps.slice(0, 1)));
    const store = await open();
    await write(store, put('Location/l', { position: { latitude: 1, longitude: 2 }, text: { status: 'generated', div: '<div>here</div>' } }));
    const found = async (code: string, atom: Atom) => {
      const { versions } = await store.search({ branches: [{ type: 'Location', where: some('Location', code, atom), links: [] }], sort: [], limit: 9 });
      return namesOf(versions);
    };
    expect([await found('_text', parseWords('here')!), await found('near', parsePosition('1|2')!)]).toEqual([['Location/l'], ['Location/l']]);
    await store.close();
  });
  test('a file from before documents could expire keeps those that it has, which stay, and takes others', async () => {
    withDriver(driver => {
      migrate(driver, steps.slice(0, 2));
      driver.exec(`INSERT INTO documents (kind, id, value) VALUES ('client', 'app', '1'); INSERT INTO epochs (name, epoch) VALUES ('client:app', 7)`);
    });
    const store = await open();
    await write(store, { op: 'document', kind: 'session', id: 's', value: 1, expires: 10 });
    expect(await store.sweep(Number.MAX_SAFE_INTEGER, 100)).toBe(1);
    expect([await store.document('client', 'app'), await store.epochs(['client:app', 'session:s'])]).toEqual([1, [7, 0]]);
    await store.close();
  });
  test('what has expired is found by an index that holds nothing else', async () => {
    await (await open()).close();
    withDriver(driver => {
      const plan = driver.all<{ detail: string }>('EXPLAIN QUERY PLAN SELECT kind, id FROM documents WHERE expires < ? ORDER BY expires LIMIT 9', 1);
      expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH documents USING COVERING INDEX documents_expires (expires<?)']);
      expect(driver.get(`SELECT 1 FROM sqlite_schema WHERE name = 'documents_expires' AND sql LIKE '%WHERE expires IS NOT NULL'`)).toBeDefined();
    });
  });
  test('a step that fails leaves the file as it was', async () => {
    await (await open()).close();
    withDriver(driver => {
      expect(() => migrate(driver, [...steps, 'CREATE TABLE fresh (id TEXT)', 'SELECT nonsense'])).toThrow();
      expect(driver.get('PRAGMA user_version')).toEqual({ user_version: steps.length });
      expect(driver.get(`SELECT 1 FROM sqlite_schema WHERE name = 'fresh'`)).toBeUndefined();
    });
    await (await open()).close();
  });
  test('a file that is no database, or that of another program, is refused and left alone', async () => {
    writeFileSync(path, 'These are my notes, which are quite long enough to be read as the header of a database file. '.repeat(20));
    await expect(open()).rejects.toMatchObject({ code: 'exception', message: 'this file is not a Kindred database' });
    path += '.other';
    const theirs = openDriver(path);
    theirs.exec('CREATE TABLE theirs (id TEXT)');
    await expect(open()).rejects.toMatchObject({ code: 'exception', message: 'this file is a database of another program, not of Kindred' });
    expect(theirs.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'delete' });
    expect(theirs.all('SELECT name FROM sqlite_schema')).toEqual([{ name: 'theirs' }]);
    theirs.close();
  });
});
