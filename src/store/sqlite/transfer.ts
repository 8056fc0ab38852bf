import { Problem } from '../../fhir/problem.ts';
import { readFacets } from '../encoding.ts';
import { type Carried, type Items, migrationNote, type Progress, portion, type ResourceOf, type Transfer } from '../transfer.ts';
import { chainOf } from './chain.ts';
import { openDictionary } from './dictionary.ts';
import { dumpsOf } from './dump.ts';
import { openIndexer } from './index-rows.ts';
import { openDatabase, type SqliteOptions } from './store.ts';
import { takesOf } from './take.ts';
import { type StoredRow, storedColumns, versionOf } from './version.ts';

/** Everything that is stored lies in these. */
const filled = ['res', 'hist', 'grants', 'epochs', 'documents', 'link'];
/** The dictionary stays: its words mean the same for whatever comes. */
const emptied = ['res', 'hist', 'grants', 'epochs', 'link', 'tok', 'str', 'dat', 'ref', 'uri', 'num', 'com', 'pos', 'wrd', 'word'];
const isNote = 'kind = ? AND id = ?';
const note = [migrationNote.kind, migrationNote.id];

/** The database as something that is carried. */
export async function openSqliteTransfer(
  options: Pick<SqliteOptions, 'path' | 'paramsOf' | 'progress'> & { readonly resourceOf: ResourceOf },
): Promise<Transfer> {
  const { resourceOf, paramsOf } = options;
  const driver = openDatabase(options);
  const known = openDictionary(driver);
  const indexer = openIndexer(driver, known, paramsOf);

  const noted = (): string | undefined => driver.get<{ value: string }>(`SELECT value FROM documents WHERE ${isNote}`, ...note)?.value;
  function transact<T>(work: () => T): T {
    driver.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      driver.exec('COMMIT');
      known.settled();
      return result;
    } catch (error) {
      if (driver.inTransaction()) driver.exec('ROLLBACK');
      known.forget();
      known.settled();
      throw error;
    }
  }
  /** Inside a transaction. */
  function move(from: Progress, to: Progress | undefined): void {
    if (noted() !== JSON.stringify(from)) throw new Problem('exception', 'another process is migrating into this store');
    if (to === undefined) driver.run(`DELETE FROM documents WHERE ${isNote}`, ...note);
    else driver.run(`UPDATE documents SET value = ? WHERE ${isNote}`, JSON.stringify(to), ...note);
  }
  const takes = takesOf(driver, known, indexer);
  const count = (sql: string): number => driver.get<{ n: number }>(sql)!.n;

  return {
    dumps: dumpsOf(driver, known),
    totals: async () => ({
      link: count('SELECT count(*) AS n FROM link'),
      resource: count('SELECT (SELECT count(*) FROM res WHERE version > 0) - (SELECT coalesce(sum(events), 0) FROM link) AS n'),
      past: count('SELECT count(*) AS n FROM hist'),
      grants: count('SELECT count(DISTINCT consent) AS n FROM grants'),
      epoch: count('SELECT count(*) AS n FROM epochs'),
      document: count('SELECT count(*) AS n FROM documents'),
    }),
    chain: () => chainOf(driver, indexer),
    async progress() {
      const text = noted();
      return text === undefined ? undefined : (JSON.parse(text) as Progress);
    },
    begin: async to =>
      transact(() => {
        if (filled.some(table => driver.get(`SELECT 1 FROM ${table} LIMIT 1`) !== undefined)) return false;
        driver.run('INSERT INTO documents (kind, id, value) VALUES (?, ?, ?)', ...note, JSON.stringify(to));
        return true;
      }),
    async take<P extends Carried>(part: P, items: readonly Items[P][], from: Progress, to: Progress) {
      transact(() => {
        move(from, to);
        takes[part](items);
      });
    },
    index: async from =>
      transact(() => {
        const next = indexSome(Number(from.after[0] ?? 0));
        if (next === undefined) return undefined;
        const to = { ...from, after: [next.rid], done: { ...from.done, index: (from.done.index ?? 0) + next.made } };
        move(from, to);
        return to;
      }),
    async empty() {
      transact(() => {
        for (const table of emptied) driver.exec(`DELETE FROM ${table}`);
        driver.exec('UPDATE type SET live = 0');
        driver.run(`DELETE FROM documents WHERE NOT (${isNote})`, ...note);
      });
    },
    note: async (from, to) => transact(() => move(from, to)),
    close: async () => driver.close(),
  };

  /** Index rows for a portion of the live resources after a row. */
  function indexSome(after: number): { readonly rid: number; readonly made: number } | undefined {
    let rid = after;
    let made = 0;
    for (let bytes = 0; made < portion.items && bytes < portion.bytes; made++) {
      const row = driver.get<StoredRow>(`SELECT ${storedColumns} FROM res NOT INDEXED WHERE rid > ? AND deleted = 0 ORDER BY rid LIMIT 1`, rid);
      if (row === undefined) break;
      const { key, body } = versionOf(row, known);
      indexer.reindex(row.rid, false, { resource: resourceOf(key, body), facets: readFacets(row.facets), updated: row.updated });
      rid = row.rid;
      bytes += body.length;
    }
    return made === 0 ? undefined : { rid, made };
  }
}
