import { Problem } from '../../fhir/problem.ts';
import type { ResourceKey, ResourceType } from '../../fhir/types.ts';
import { readFacets } from '../encoding.ts';
import type { Reindexed } from '../store.ts';
import type { ResourceOf } from '../transfer.ts';
import type { Dictionary } from './dictionary.ts';
import { type Driver, resultCode } from './driver.ts';
import type { Indexer } from './index-rows.ts';
import { type StoredRow, storedColumns, versionOf } from './version.ts';

/** What a file cannot be written with is not the fault of one resource: as in commit.ts. */
const fatal: ReadonlySet<number | undefined> = new Set([5, 7, 8, 10, 11, 13, 14]);

/** Makes the rows of some resources anew, in a transaction of its own, so that no commit comes in between. */
export function reindexSome(
  type: ResourceType,
  after: number,
  limit: number,
  resourceOf: ResourceOf,
  { driver, known, indexer }: { readonly driver: Driver; readonly known: Dictionary; readonly indexer: Indexer },
): Reindexed | undefined {
  const rows = (): readonly StoredRow[] =>
    driver.all<StoredRow>(
      `SELECT ${storedColumns} FROM res INDEXED BY res_live WHERE type = ? AND deleted = 0 AND rid > ? ORDER BY rid LIMIT CAST(? AS INTEGER)`,
      ...[known.typeId(type), after, limit],
    );
  const failed: ResourceKey[] = [];
  function reindex(row: StoredRow): void {
    const { key, body } = versionOf(row, known);
    driver.run('SAVEPOINT one');
    try {
      indexer.reindex(row.rid, true, { resource: resourceOf(key, body), facets: readFacets(row.facets), updated: row.updated });
    } catch (error) {
      if (!driver.inTransaction() || fatal.has(resultCode(error))) throw error;
      driver.run('ROLLBACK TO one');
      known.forget();
      failed.push(key);
    }
    driver.run('RELEASE one');
  }
  try {
    driver.run('BEGIN IMMEDIATE');
    const found = rows();
    for (const row of found) reindex(row);
    driver.run('COMMIT');
    known.settled();
    const last = found.at(-1);
    return last === undefined ? undefined : { after: last.rid, made: found.length - failed.length, failed };
  } catch (cause) {
    if (driver.inTransaction()) driver.run('ROLLBACK');
    known.forget();
    known.settled();
    throw new Problem('unavailable', 'nothing can be stored at the moment; try again later', { cause });
  }
}
