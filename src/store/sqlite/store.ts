import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ResourceKey, ResourceType } from '../../fhir/types.ts';
import type { SearchParam } from '../../search/query.ts';
import type { DocumentKind } from '../documents.ts';
import type { ResourceStore, Version } from '../store.ts';
import { currentRow, epochsOf } from './apply.ts';
import { chainOf, type LinkHash } from './chain.ts';
import { openCommitter } from './commit.ts';
import { type Dictionary, openDictionary } from './dictionary.ts';
import { type Driver, openDriver } from './driver.ts';
import { loadGrants } from './grants.ts';
import { openIndexer } from './index-rows.ts';
import { countRows, findKeys, findRows } from './query.ts';
import { reindexSome } from './reindex.ts';
import { configure, migrate } from './schema.ts';
import { sweepSome } from './sweep.ts';
import { type FoundRow, type StoredRow, versionOf } from './version.ts';

export interface SqliteOptions {
  /** A file, made if need be, or `:memory:`. */
  readonly path: string;
  readonly paramsOf: (type: ResourceType) => readonly SearchParam[];
  /** audit/chain.ts. */
  readonly linkHash: LinkHash;
  /** Whose chain of the log this process continues. */
  readonly writer: string;
  /** From how many rows on a condition is not selective. */
  readonly many?: number;
  /** Milliseconds that one query may take. */
  readonly queryTime?: number;
  /** Told in a sentence what is changed in an older file. */
  readonly progress?: (text: string) => void;
}

/**
 * The store in one SQLite file. Several processes may hold it at once: writes take turns, waiting up to 5 s.
 * @throws Problem `exception` for a file of a newer version, of another program, or that is no database.
 */
export async function openSqlite(options: SqliteOptions): Promise<ResourceStore> {
  return storeOf(openDatabase(options), options);
}

/** The database with our schema, made where it is not there. */
export function openDatabase({ path, progress }: Pick<SqliteOptions, 'path' | 'progress'>): Driver {
  if (path !== ':memory:') makePrivate(path);
  const driver = openDriver(path);
  try {
    configure(driver);
    migrate(driver, undefined, progress);
  } catch (error) {
    driver.close();
    throw error;
  }
  return driver;
}

/**
 * Makes folder and file where they are not there, for nobody else on the machine to read: health records and the signing key are in them. SQLite gives
 * its log the mode of the file.
 */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

/** The store over a database that is open and has our schema. */
export function storeOf(
  driver: Driver,
  { paramsOf, linkHash, writer, many = 10_000, queryTime = 5000 }: Omit<SqliteOptions, 'path' | 'progress'>,
): ResourceStore {
  const known = openDictionary(driver);
  const parts = { driver, known, many, time: queryTime, indexer: openIndexer(driver, known, paramsOf) };
  const committer = openCommitter(parts, writer, linkHash);
  const current = (key: ResourceKey): StoredRow | undefined => currentRow(key, parts);

  return {
    async read(key, versionId) {
      const row = current(key);
      if (row === undefined) return undefined;
      if (versionId === undefined || versionId === String(row.version)) return versionOf(row, known);
      const asked = /^[1-9]\d{0,7}$/.test(versionId) ? Number(versionId) : 0;
      return asked > 0 && asked < row.version ? pastOf(row, asked, asked + 1, 1)[0] : undefined;
    },
    async readMany(keys) {
      const unique = new Map(keys.map(key => [`${key.type}/${key.id}`, key]));
      return [...unique.values()].flatMap(key => current(key) ?? []).map(row => versionOf(row, known));
    },
    async search(query) {
      if (query.limit <= 0) return { versions: [] };
      const rows = findRows(query, parts);
      const shown = rows.slice(0, query.limit);
      const versions = shown.map(row => versionOf(row, known));
      if (rows.length <= query.limit) return { versions };
      const last: FoundRow = shown.at(-1)!;
      return { versions, next: { keys: query.sort.map((_, at) => last[`k${at}`]!), rid: last.rid } };
    },
    keys: async query => findKeys(query, parts),
    count: async query => countRows(query, parts),
    async history({ of, limit, before = Infinity }) {
      const row = current(of);
      if (row === undefined || limit <= 0) return [];
      const newest = row.version < before ? [versionOf(row, known)] : [];
      return [...newest, ...pastOf(row, 1, Math.min(before, row.version), limit - newest.length)];
    },
    linked: async (of, param, how) => linkedKeys(of, param, how, driver, known),
    grants: async (records, actors) => loadGrants(records, actors, driver),
    epochs: async names => epochsOf(names, driver),
    async document(kind, id) {
      const row = driver.get<{ value: string }>('SELECT value FROM documents WHERE kind = ? AND id = ?', kind, id);
      return row === undefined ? undefined : JSON.parse(row.value);
    },
    documents: async kind =>
      driver
        .all<{ kind: DocumentKind; id: string; value: string }>('SELECT kind, id, value FROM documents WHERE kind = ? ORDER BY id', kind)
        .map(row => ({ ...row, value: JSON.parse(row.value) })),
    commit: (changes, at) => committer.commit(changes, at),
    reindex: async (type, after, limit, resourceOf) => reindexSome(type, Number(after ?? 0), limit, resourceOf, parts),
    sweep: async (before, limit) => sweepSome(before, limit, driver),
    ready: async () => {},
    totals: async () =>
      Object.fromEntries(
        driver.all<{ name: string; live: number }>('SELECT name, live FROM type WHERE live > 0 ORDER BY name').map(row => [row.name, row.live]),
      ),
    chain: () => chainOf(driver, parts.indexer),
    async close() {
      committer.close();
      driver.close();
    },
  };

  /** Superseded versions of the resource, from `low` to below `high`, newest first. */
  function pastOf({ rid, type, id }: StoredRow, low: number, high: number, limit: number): readonly Version[] {
    return driver
      .all<StoredRow>(
        `SELECT at & 16777215 AS version, updated, deleted, facets, body FROM hist
         WHERE at >= (CAST(? AS INTEGER) << 24 | CAST(? AS INTEGER)) AND at < (CAST(? AS INTEGER) << 24 | CAST(? AS INTEGER)) ORDER BY at DESC LIMIT CAST(? AS INTEGER)`,
        ...[rid, low, rid, high, limit],
      )
      .map(row => versionOf({ ...row, rid, type, id }, known));
  }
}

/** Live resources only, each once, in the order of their rows. */
function linkedKeys(
  of: readonly ResourceKey[],
  param: SearchParam,
  how: 'refers-to' | 'referred-by',
  driver: Driver,
  known: Dictionary,
): readonly ResourceKey[] {
  const bases = param.base.length === 0 ? known.types() : param.base;
  const params = bases.map(type => known.paramId(type, param.code)).filter(p => p >= 0);
  const [near, far] = how === 'refers-to' ? ['rid', 'target'] : ['target', 'rid'];
  const rows = driver.all<StoredRow>(
    `SELECT DISTINCT res.rid, res.type, res.id FROM json_each(?) j CROSS JOIN res o ON o.id = j.value ->> 1 AND o.type = j.value ->> 0
     CROSS JOIN ref ON ref.${near} = o.rid AND ref.p IN (SELECT value FROM json_each(?)) CROSS JOIN res ON res.rid = ref.${far} AND res.deleted = 0 ORDER BY res.rid`,
    JSON.stringify(of.map(key => [known.typeId(key.type), key.id])),
    JSON.stringify(params),
  );
  return rows.map(row => ({ type: known.typeName(row.type), id: row.id }));
}
