import type { ResourceType } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { IndexValue, Kind, SearchParam } from '../../search/query.ts';
import type { Dictionary } from './dictionary.ts';
import type { Driver, Value } from './driver.ts';

interface Table {
  readonly name: string;
  /** Between the parameter and the resource. */
  readonly columns: readonly string[];
}
/** The index table of each kind of parameter. */
export const tables: Readonly<Record<Kind, Table>> = {
  token: { name: 'tok', columns: ['code', 'sys'] },
  string: { name: 'str', columns: ['text', 'exact'] },
  date: { name: 'dat', columns: ['low', 'high'] },
  reference: { name: 'ref', columns: ['target'] },
  uri: { name: 'uri', columns: ['uri'] },
};
const statements = Object.entries(tables).map(([kind, { name, columns }]) => ({
  kind: kind as Kind,
  read: `SELECT p, ${columns.join(', ')} FROM ${name} WHERE rid = ?`,
  insert: `INSERT INTO ${name} (rid, p, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')})`,
  remove: `DELETE FROM ${name} WHERE rid = ? AND p = ? AND ${columns.map(column => `${column} = ?`).join(' AND ')}`,
}));
type Row = readonly [p: number, ...values: Value[]];

/** The furthest moments that a Date can hold: where an open end is brought to. */
const FURTHEST = 8.64e15;
export const clamp = (moment: number): number => Math.min(FURTHEST, Math.max(-FURTHEST, moment));

/** Keeps the index rows of resources in step with their live current versions. */
export interface Indexer {
  /** `from`: whether the resource has rows already; `to` undefined takes them all away. Only what differs is written. */
  reindex(rid: number, from: boolean, to: Indexed | undefined): void;
  /** The row of a resource, as the target of references; made as a stub if need be. */
  ridOf(type: ResourceType, id: string): number;
}

export function openIndexer(driver: Driver, dictionary: Dictionary, paramsOf: (type: ResourceType) => readonly SearchParam[]): Indexer {
  function ridOf(type: ResourceType, id: string): number {
    const of = dictionary.addType(type);
    const known = driver.get<{ rid: number }>('SELECT rid FROM res WHERE id = ? AND type = ?', id, of);
    return known?.rid ?? driver.run('INSERT INTO res (type, id, version, updated, deleted) VALUES (?, ?, 0, 0, 2)', of, id);
  }
  function columnsOf(value: IndexValue): Value[] {
    switch (value.kind) {
      case 'token':
        return [value.code, dictionary.addSystem(value.system)];
      case 'string':
        return [value.text, value.exact];
      case 'date':
        return [clamp(value.low), clamp(value.high)];
      case 'reference':
        return [ridOf(value.type, value.id)];
      case 'uri':
        return [dictionary.addSystem(value.uri)];
    }
  }
  /** The rows that it should have, by kind, each under its text. */
  function wantedRows(indexed: Indexed): Map<Kind, Map<string, Row>> {
    const wanted = new Map<Kind, Map<string, Row>>();
    const type = indexed.resource.resourceType;
    for (const param of paramsOf(type)) {
      const values = param.extract(indexed);
      if (values.length === 0) continue;
      const p = dictionary.addParam(type, param.code);
      const rows = wanted.get(param.kind) ?? new Map<string, Row>();
      wanted.set(param.kind, rows);
      for (const value of values) {
        const row: Row = [p, ...columnsOf(value)];
        rows.set(row.join('\0'), row);
      }
    }
    return wanted;
  }
  return {
    ridOf,
    reindex(rid, from, to) {
      const wanted = to === undefined ? new Map<Kind, Map<string, Row>>() : wantedRows(to);
      for (const { kind, read, insert, remove } of statements) {
        const rows = wanted.get(kind);
        // What is stored is read, not extracted anew from the old version: parameters may have meant something else then.
        for (const stored of from ? driver.all<Record<string, Value>>(read, rid) : []) {
          const row = Object.values(stored);
          if (rows?.delete(row.join('\0')) !== true) driver.run(remove, rid, ...row);
        }
        for (const row of rows?.values() ?? []) driver.run(insert, rid, ...row);
      }
    },
  };
}
