import { Problem } from '../../fhir/problem.ts';
import type { EpochName } from '../store.ts';
import type { Driver } from './driver.ts';

/**
 * Takes away documents that expired before this moment (epoch ms), the longest expired first, at most `limit`, and their epochs with them, in one transaction.
 * Gives back how many. What is in the file is what counts, since writers take turns.
 * @throws Problem `unavailable` where nothing can be written; nothing was done then.
 */
export function sweepSome(before: number, limit: number, driver: Driver): number {
  // Most often there is nothing, and to look does not hold up anybody.
  if (limit <= 0 || driver.get('SELECT 1 FROM documents WHERE expires < ? LIMIT 1', before) === undefined) return 0;
  try {
    driver.run('BEGIN IMMEDIATE');
    const swept = driver.all<{ name: EpochName }>(
      `DELETE FROM documents WHERE (kind, id) IN (SELECT kind, id FROM documents WHERE expires < ? ORDER BY expires LIMIT CAST(? AS INTEGER))
       RETURNING kind || ':' || id AS name`,
      ...[before, limit],
    );
    for (const { name } of swept) driver.run('DELETE FROM epochs WHERE name = ?', name);
    driver.run('COMMIT');
    return swept.length;
  } catch (cause) {
    if (driver.inTransaction()) driver.run('ROLLBACK');
    throw new Problem('unavailable', 'nothing can be stored at the moment; try again later', { cause });
  }
}
