import { Problem } from '../../fhir/problem.ts';
import { type Driver, resultCode } from './driver.ts';

/** `PRAGMA application_id` of our files: 'Kind'. */
const APPLICATION = 0x4b696e64;

/**
 * Step n brings a file from schema n-1 to n. Steps that have been released are never edited.
 *
 * Integers stand for types, parameters, systems and resources wherever rows are many. A row of `res` exists for each resource and also for each
 * target of a reference that is not stored (`deleted` = 2, a stub), so that references are pairs of integers. Targets that can never be ours (urn,
 * foreign URL, canonical) are stubs of the type ''. `deleted` comes before the body, which may lie on other pages.
 * A period that ends before it begins is kept as it is; an index lists those, since no search for a range of the others finds them.
 * Index tables hold live current versions only, by value first: a seek for a value gives resources in the order of their rows. Units are systems too.
 * A document whose `expires` is null stays.
 * The parts of a composite are pairs of texts (composite.ts); words are in a full-text table, and in `wrd` is what tells whether they are the same.
 */
export const steps: readonly string[] = [
  `
CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, live INTEGER NOT NULL DEFAULT 0);
CREATE TABLE param (id INTEGER PRIMARY KEY, type INTEGER NOT NULL, code TEXT NOT NULL, UNIQUE (code, type));
CREATE TABLE system (id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE);

CREATE TABLE res (rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL,
  deleted INTEGER NOT NULL, facets TEXT, body BLOB);
CREATE UNIQUE INDEX res_key ON res (id, type);
CREATE INDEX res_live ON res (type) WHERE deleted = 0;
CREATE INDEX res_updated ON res (type, updated) WHERE deleted = 0;
CREATE TABLE hist (at INTEGER PRIMARY KEY, updated INTEGER NOT NULL, deleted INTEGER NOT NULL, facets TEXT, body BLOB);

CREATE TABLE tok (p INTEGER NOT NULL, code TEXT NOT NULL, sys INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, code, rid, sys)) WITHOUT ROWID;
CREATE INDEX tok_rid ON tok (rid, p);
CREATE TABLE str (p INTEGER NOT NULL, text TEXT NOT NULL, exact TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, text, exact, rid)) WITHOUT ROWID;
CREATE INDEX str_rid ON str (rid, p);
CREATE TABLE dat (p INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, low, high, rid)) WITHOUT ROWID;
CREATE INDEX dat_high ON dat (p, high, rid);
CREATE INDEX dat_rid ON dat (rid, p);
CREATE INDEX dat_inverted ON dat (p) WHERE low > high;
CREATE TABLE ref (p INTEGER NOT NULL, target INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, target, rid)) WITHOUT ROWID;
CREATE INDEX ref_rid ON ref (rid, p);
CREATE TABLE uri (p INTEGER NOT NULL, uri INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, uri, rid)) WITHOUT ROWID;
CREATE INDEX uri_rid ON uri (rid, p);

CREATE TABLE grants (record TEXT NOT NULL, actor TEXT NOT NULL, consent TEXT NOT NULL, node INTEGER NOT NULL, deny INTEGER NOT NULL, depth INTEGER NOT NULL,
  narrow INTEGER NOT NULL, purposes TEXT, access INTEGER NOT NULL, correct INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, row TEXT NOT NULL,
  classes TEXT, profiles TEXT, notClasses TEXT, codes TEXT, upTo INTEGER, onlySensitivities TEXT, notSensitivities TEXT, atLeast INTEGER, anySensitivity TEXT,
  dateLow INTEGER, dateHigh INTEGER, instances TEXT, related TEXT, dependents TEXT, authors TEXT,
  PRIMARY KEY (record, actor, consent, node)) WITHOUT ROWID;
CREATE INDEX grants_consent ON grants (consent);
CREATE INDEX grants_actor ON grants (actor, record);

CREATE TABLE epochs (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE link (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, writer TEXT NOT NULL, number INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
  events INTEGER NOT NULL, UNIQUE (writer, number));
`,
  `
CREATE TABLE num (p INTEGER NOT NULL, unit INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (p, unit, low, high, rid)) WITHOUT ROWID;
CREATE INDEX num_rid ON num (rid, p);
CREATE INDEX num_span ON num (p, unit, high) WHERE low < high;
CREATE INDEX num_inverted ON num (p, unit) WHERE low > high;
CREATE TABLE com (p INTEGER NOT NULL, a TEXT NOT NULL, a2 TEXT NOT NULL, b TEXT NOT NULL, b2 TEXT NOT NULL, c TEXT NOT NULL, c2 TEXT NOT NULL,
  rid INTEGER NOT NULL, PRIMARY KEY (p, a, a2, b, b2, c, c2, rid)) WITHOUT ROWID;
CREATE INDEX com_rid ON com (rid, p);
CREATE TABLE pos (p INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL, z REAL NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, z, x, y, rid)) WITHOUT ROWID;
CREATE INDEX pos_rid ON pos (rid, p);
CREATE TABLE wrd (p INTEGER NOT NULL, digest TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (rid, p, digest)) WITHOUT ROWID;
CREATE VIRTUAL TABLE word USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none');
`,
  `
ALTER TABLE documents ADD COLUMN expires INTEGER;
CREATE INDEX documents_expires ON documents (expires) WHERE expires IS NOT NULL;
`,
];

/** Brings the file to the newest schema, in one transaction. Several processes may try at once: the others find it done. */
export function migrate(driver: Driver, known: readonly string[] = steps, progress: (text: string) => void = () => {}): void {
  refuseForeign(driver, known.length);
  if (pragma(driver, 'user_version') === known.length) return;
  driver.exec('BEGIN IMMEDIATE');
  try {
    const from = refuseForeign(driver, known.length);
    for (let at = from; at < known.length; at++) {
      if (from > 0) progress(`changing the database from schema ${at} to ${at + 1}`);
      driver.exec(known[at]!);
    }
    driver.exec(`PRAGMA user_version = ${known.length}; PRAGMA application_id = ${APPLICATION}; COMMIT`);
  } catch (error) {
    if (driver.inTransaction()) driver.exec('ROLLBACK');
    throw error;
  }
}

/** The schema of the file; throws where it is not ours, or newer than what is known. */
function refuseForeign(driver: Driver, known: number): number {
  const version = pragma(driver, 'user_version');
  const empty = driver.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined;
  if (!empty && pragma(driver, 'application_id') !== APPLICATION) throw new Problem('exception', 'this file is a database of another program, not of Kindred');
  if (version > known) throw new Problem('exception', `this database was written by a newer Kindred (schema ${version}; this one knows ${known})`);
  return version;
}
const pragma = (driver: Driver, name: string): number => Number(Object.values(driver.get<Record<string, number>>(`PRAGMA ${name}`)!)[0]);

/**
 * Settings of the connection, once the file is known to be ours or new. The page size counts only for a new file, and must come first.
 * @throws Problem `exception` for any other file, which is left as it is.
 */
export function configure(driver: Driver): void {
  try {
    driver.exec('PRAGMA busy_timeout = 5000');
    refuseForeign(driver, steps.length);
  } catch (error) {
    if (resultCode(error) === 26) throw new Problem('exception', 'this file is not a Kindred database', { cause: error });
    throw error;
  }
  driver.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL');
  // FULL: what is acknowledged survives a power cut. Group commit makes it as fast as NORMAL.
  // Checkpoints are rare, since each one holds up a commit; the log grows to some 80 MB.
  driver.exec(
    'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY',
  );
}
