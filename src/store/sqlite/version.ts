import { Buffer } from 'node:buffer';
import { parseJson } from '../../fhir/json.ts';
import { Problem } from '../../fhir/problem.ts';
import { nameOf, type Resource } from '../../fhir/types.ts';
import type { Facets } from '../../search/indexed.ts';
import type { SortKey } from '../../search/query.ts';
import { readFacets } from '../encoding.ts';
import { makePageLimit } from '../page-size.ts';
import type { Version } from '../store.ts';
import type { Dictionary } from './dictionary.ts';
import { bufferOf, type Driver, type Sql } from './driver.ts';

/** A version as it is stored: a row of `res`, or of `hist` with what `res` knows of it. */
export interface StoredRow {
  readonly rid: number;
  readonly type: number;
  readonly id: string;
  readonly version: number;
  readonly updated: number;
  readonly deleted: number;
  readonly facets: string;
  readonly body: Uint8Array | null;
}
/** The columns of a StoredRow from `res`. */
export const storedColumns = 'res.rid, res.type, res.id, res.version, res.updated, res.deleted, res.facets, res.body';

/** A row that a query found: with the keys it is sorted by as k0, k1 … */
export type FoundRow = StoredRow & { readonly [key: `k${number}`]: string | number | null };

/** Bodies are fetched last, for the rows of the page only; CROSS JOIN keeps their order. */
export function pageOf(rows: Sql, sort: readonly SortKey[], driver: Driver): readonly FoundRow[] {
  const keys = sort.map((_, at) => `, x.k${at}`).join('');
  const found: FoundRow[] = [];
  const limit = makePageLimit();
  for (const row of driver.each<FoundRow>(`SELECT ${storedColumns}${keys} FROM (${rows.text}) x CROSS JOIN res ON res.rid = x.rid`, ...rows.values)) {
    limit(row.body?.length ?? 0);
    found.push(row);
  }
  return found;
}

const nothing = Buffer.alloc(0);

/** The version of a row. Facets and body are read when they are asked for: most answers only send the bytes. */
export function versionOf(row: StoredRow, known: Dictionary, resource?: Resource): Version {
  const key = { type: known.typeName(row.type), id: row.id };
  const body = row.body === null ? nothing : bufferOf(row.body);
  const deleted = row.deleted !== 0;
  let facets: Facets | undefined;
  let parsed = resource;
  return {
    key,
    versionId: String(row.version),
    lastUpdated: new Date(row.updated).toISOString(),
    deleted,
    get facets() {
      facets ??= readFacets(row.facets);
      return facets;
    },
    body,
    parsed() {
      if (deleted) throw new Problem('deleted', `\`${nameOf(key)}\` is deleted`);
      parsed ??= parseJson(body.toString('utf8')) as Resource;
      return parsed;
    },
  };
}
