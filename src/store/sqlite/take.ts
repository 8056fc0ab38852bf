import { writeFacets } from '../encoding.ts';
import type { Version } from '../store.ts';
import type { Carried, Items } from '../transfer.ts';
import type { Dictionary } from './dictionary.ts';
import type { Driver, Value } from './driver.ts';
import { replaceGrants } from './grants.ts';
import type { Indexer } from './index-rows.ts';

type Take<P extends Carried> = (items: readonly Items[P][]) => void;

/**
 * Takes in what another store held, inside a transaction. Rows come in the order that they are given in, and no index row yet: those make stubs for
 * what they refer to, which would be in the way of that order.
 */
export function takesOf(driver: Driver, known: Dictionary, indexer: Indexer): { readonly [P in Carried]: Take<P> } {
  /** The columns that a version has in `res` and in `hist`. */
  const columnsOf = ({ lastUpdated, deleted, facets, body }: Version): readonly Value[] => [
    Date.parse(lastUpdated),
    deleted ? 1 : 0,
    writeFacets(facets),
    deleted ? null : body,
  ];
  function insert(version: Version): number {
    const { key, versionId, deleted } = version;
    const type = known.addType(key.type);
    if (!deleted) driver.run('UPDATE type SET live = live + 1 WHERE id = ?', type);
    return driver.run(
      'INSERT INTO res (type, id, version, updated, deleted, facets, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[type, key.id, Number(versionId), ...columnsOf(version)],
    );
  }
  return {
    link(links) {
      for (const { writer, number, previous, hash, events } of links) {
        const rows = events.map(insert);
        // A link whose events were all taken out has a row that is no event.
        const first = rows[0] ?? indexer.ridOf('', `link ${number} of ${writer}`);
        driver.run(
          'INSERT INTO link (first, last, writer, number, previous, hash, events) VALUES (?, ?, ?, ?, ?, ?, ?)',
          ...[first, rows.at(-1) ?? first, writer, number, previous, hash, events.length],
        );
      }
    },
    resource(versions) {
      for (const version of versions) insert(version);
    },
    past(versions) {
      for (const version of versions) {
        driver.run(
          `INSERT INTO hist (at, updated, deleted, facets, body) SELECT rid << 24 | CAST(? AS INTEGER), ?, ?, ?, ? FROM res WHERE id = ? AND type = ?`,
          ...[Number(version.versionId), ...columnsOf(version), version.key.id, known.typeId(version.key.type)],
        );
      }
    },
    grants(consents) {
      for (const { consent, rows } of consents) replaceGrants(consent, rows, driver, known, indexer);
    },
    epoch(epochs) {
      for (const { name, epoch } of epochs) driver.run('INSERT INTO epochs (name, epoch) VALUES (?, ?)', name, epoch);
    },
    document(documents) {
      for (const { kind, id, value, expires } of documents)
        driver.run('INSERT INTO documents (kind, id, value, expires) VALUES (?, ?, ?, ?)', kind, id, value, expires ?? null);
    },
  };
}
