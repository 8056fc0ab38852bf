import { isDeepStrictEqual } from 'node:util';
import { printJson } from '../../fhir/json.ts';
import { type Instant, nameOf, type ResourceKey } from '../../fhir/types.ts';
import type { Facets } from '../../search/indexed.ts';
import type { DocumentChange } from '../documents.ts';
import { readFacets, writeFacets } from '../encoding.ts';
import { stamped } from '../stamp.ts';
import type { ChainedEvent, Change, Committed, EpochName, Expectation, Version } from '../store.ts';
import { bufferOf, type Driver } from './driver.ts';
import { replaceGrants } from './grants.ts';
import type { Indexer } from './index-rows.ts';
import { findKeys } from './query.ts';
import type { Database } from './source.ts';
import { type StoredRow, storedColumns, versionOf } from './version.ts';

type Refusal = Extract<Committed, { ok: false }>['why'];
type ChangeOf<Op extends Change['op']> = Extract<Change, { op: Op }>;

/** What one commit has done so far. */
export interface Work {
  readonly made: Version[];
  readonly events: (ChainedEvent & { readonly rid: number })[];
  /** By how much the number of live resources of a type has changed. */
  readonly live: Map<number, number>;
}
export interface Parts extends Database {
  readonly indexer: Indexer;
}

/** Makes one change inside the transaction, in `work` and the tables, or says why not; then what was begun must be rolled back. */
export function apply(change: Change, at: Instant, work: Work, parts: Parts): Refusal | undefined {
  switch (change.op) {
    case 'put':
      return put(change, at, work, parts);
    case 'delete':
      return remove(change, at, work, parts);
    case 'restamp':
      return restamp(change, parts);
    case 'expect':
      return holds(change.expect, currentRow(change.key, parts)) ? undefined : 'version';
    case 'when':
      return finds(change, parts) ? undefined : 'matches';
    case 'epoch':
      return epochOf(change.of, parts.driver) === change.is ? undefined : 'epoch';
    case 'grants': {
      const records = replaceGrants(change.consent, change.rows, parts.driver, parts.known, parts.indexer);
      for (const record of new Set([change.record, ...records])) bump(`record:${record}`, parts.driver);
      return undefined;
    }
    case 'event':
      return log(change, at, work, parts);
    case 'document':
      return keep(change, parts.driver);
  }
}

/** The current version, a deletion too; undefined where nothing was ever stored. */
export function currentRow(key: ResourceKey, database: Database): StoredRow | undefined {
  const row = rowOf(key, database);
  return row?.version === 0 ? undefined : row;
}
/** The row, which may be only a stub (schema.ts). */
const rowOf = ({ type, id }: ResourceKey, { driver, known }: Database): StoredRow | undefined =>
  driver.get<StoredRow>(`SELECT ${storedColumns} FROM res WHERE id = ? AND type = ?`, id, known.typeId(type));
const epochOf = (name: EpochName, driver: Driver): number => driver.get<{ epoch: number }>('SELECT epoch FROM epochs WHERE name = ?', name)?.epoch ?? 0;
/** In their order, by one question: they are asked for with every request. */
export function epochsOf(names: readonly EpochName[], driver: Driver): readonly number[] {
  if (names.length < 2) return names.map(name => epochOf(name, driver));
  const columns = names.map((_, at) => `(SELECT epoch FROM epochs WHERE name = ?${at + 1}) AS e${at}`);
  const found = driver.get<Record<string, number | null>>(`SELECT ${columns.join(', ')}`, ...names)!;
  return names.map((_, at) => found[`e${at}`] ?? 0);
}

function holds(expect: Expectation, found: StoredRow | undefined): boolean {
  if (expect === 'any') return true;
  if (expect === 'absent') return found === undefined;
  return found !== undefined && String(found.version) === expect.versionId && (expect.facets === undefined || sameFacets(expect.facets, found.facets));
}
const sameFacets = (expected: Facets, stored: string): boolean => {
  const text = writeFacets(expected);
  return text === stored || isDeepStrictEqual(readFacets(stored), readFacets(text));
};

function put({ key, resource, facets, expect }: ChangeOf<'put'>, at: Instant, work: Work, parts: Parts): Refusal | undefined {
  const found = rowOf(key, parts);
  const before = found?.version === 0 ? undefined : found;
  if (!holds(expect, before)) return 'version';
  const { driver, known, indexer } = parts;
  const version = (before?.version ?? 0) + 1;
  const updated = Date.parse(at);
  const stored = stamped(resource, key, String(version), new Date(updated).toISOString());
  const content = {
    type: known.addType(key.type),
    id: key.id,
    version,
    updated,
    deleted: 0,
    facets: writeFacets(facets),
    body: Buffer.from(printJson(stored)),
  };
  const row: StoredRow = { rid: found?.rid ?? insert(content, driver), ...content };
  if (found !== undefined) supersede(before, row, driver);
  const alive = before?.deleted === 0;
  if (!alive) count(work, row.type, 1);
  indexer.reindex(row.rid, alive, { resource: stored, facets, updated });
  work.made.push(versionOf(row, known, stored));
  return undefined;
}

function remove({ key, expect }: ChangeOf<'delete'>, at: Instant, work: Work, parts: Parts): Refusal | undefined {
  const before = currentRow(key, parts);
  if (before === undefined || !holds(expect, before)) return 'version';
  let row = before;
  if (before.deleted === 0) {
    row = { ...before, version: before.version + 1, updated: Date.parse(at), deleted: 1, body: null };
    supersede(before, row, parts.driver);
    parts.indexer.reindex(row.rid, true, undefined);
    count(work, row.type, -1);
  }
  work.made.push(versionOf(row, parts.known));
  return undefined;
}

function restamp({ key, resource, facets, expect }: ChangeOf<'restamp'>, parts: Parts): Refusal | undefined {
  const before = currentRow(key, parts);
  if (before === undefined || !holds(expect, before)) return 'version';
  const stored = stamped(resource, key, String(before.version), new Date(before.updated).toISOString());
  const body = before.deleted === 0 ? Buffer.from(printJson(stored)) : null;
  parts.driver.run('UPDATE res SET facets = ?, body = ? WHERE rid = ?', writeFacets(facets), body, before.rid);
  if (before.deleted === 0) parts.indexer.reindex(before.rid, true, { resource: stored, facets, updated: before.updated });
  return undefined;
}

/** A line of the log. Its row comes after all others, so that the link of its group is a range of rows; so the id must be new. */
function log({ id, indexed, body }: ChangeOf<'event'>, at: Instant, work: Work, { driver, known, indexer }: Parts): Refusal | undefined {
  const type = known.addType('AuditEvent');
  if (driver.get('SELECT 1 FROM res WHERE id = ? AND type = ?', id, type) !== undefined) return 'version';
  const updated = Date.parse(at);
  const rid = insert({ type, id, version: 1, updated, deleted: 0, facets: writeFacets(indexed.facets), body }, driver);
  count(work, type, 1);
  indexer.reindex(rid, false, { ...indexed, updated });
  work.events.push({ id, body: bufferOf(body), rid });
  return undefined;
}

/** A row where there was none. Gives its rid. */
const insert = ({ type, id, version, updated, deleted, facets, body }: Omit<StoredRow, 'rid'>, driver: Driver): number =>
  driver.run(
    'INSERT INTO res (type, id, version, updated, deleted, facets, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[type, id, version, updated, deleted, facets, body],
  );

/** The one that was current goes to the history, the new one takes its place. */
function supersede(before: StoredRow | undefined, row: StoredRow, driver: Driver): void {
  // Computed by SQLite: bound numbers are doubles, which would not hold it.
  if (before !== undefined) {
    driver.run(
      'INSERT INTO hist (at, updated, deleted, facets, body) SELECT rid << 24 | version, updated, deleted, facets, body FROM res WHERE rid = ?',
      row.rid,
    );
  }
  driver.run(
    'UPDATE res SET version = ?, updated = ?, deleted = ?, facets = ?, body = ? WHERE rid = ?',
    ...[row.version, row.updated, row.deleted, row.facets, row.body, row.rid],
  );
}

const count = ({ live }: Work, type: number, by: number): unknown => live.set(type, (live.get(type) ?? 0) + by);

/** One more than are expected is enough to tell that there are others. */
function finds({ query, matches }: ChangeOf<'when'>, parts: Parts): boolean {
  const names = new Set(findKeys({ ...query, limit: matches.length + 1 }, parts).map(nameOf));
  const wanted = new Set(matches.map(nameOf));
  return names.symmetricDifference(wanted).size === 0;
}

function bump(name: EpochName, driver: Driver): void {
  driver.run('INSERT INTO epochs (name, epoch) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1', name);
}

function keep({ kind, id, value, expect, expires }: DocumentChange, driver: Driver): Refusal | undefined {
  if (expect === 'absent' && driver.get('SELECT 1 FROM documents WHERE kind = ? AND id = ?', kind, id) !== undefined) return 'document';
  if (value === undefined) driver.run('DELETE FROM documents WHERE kind = ? AND id = ?', kind, id);
  else
    driver.run(
      'INSERT INTO documents (kind, id, value, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, expires = excluded.expires',
      ...[kind, id, JSON.stringify(value), expires ?? null],
    );
  bump(`${kind}:${id}`, driver);
  return undefined;
}
