import type { ResourceType } from '../../fhir/types.ts';
import { targetType } from '../../search/facets.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { IndexValue, Kind, SearchParam } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
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
/** Rows that one statement inserts at most: calling one for each costs as much as the rows. */
const AT_ONCE = 16;
const statements = Object.entries(tables).map(([kind, { name, columns }]) => ({
  kind: kind as Kind,
  read: `SELECT p, ${columns.join(', ')} FROM ${name} WHERE rid = ?`,
  /** By how many rows there are to insert, less one. */
  inserts: Array.from({ length: AT_ONCE }, (_, more) => {
    const row = `(?, ?, ${columns.map(() => '?').join(', ')})`;
    return `INSERT INTO ${name} (rid, p, ${columns.join(', ')}) VALUES ${row}${`, ${row}`.repeat(more)}`;
  }),
  remove: `DELETE FROM ${name} WHERE rid = ? AND p = ? AND ${columns.map(column => `${column} = ?`).join(' AND ')}`,
}));
type Row = readonly [p: number, ...values: Value[]];

/** The integers that stand for names: made if need be, or only looked up, and then -1 where there are none. */
interface Numbers {
  param(type: ResourceType, code: string): number;
  system(uri: string): number;
  target(type: ResourceType, id: string): number;
}

/** Keeps the index rows of resources in step with their live current versions. */
export interface Indexer {
  /** `from`: whether the resource has rows already; `to` undefined takes them all away. Only what differs is written. */
  reindex(rid: number, from: boolean, to: Indexed | undefined): void;
  /** Whether the rows of a resource are those that it should have. */
  holds(rid: number, indexed: Indexed): boolean;
  /** The row of a resource, as the target of references; made as a stub if need be. */
  ridOf(type: ResourceType, id: string): number;
}

export function openIndexer(driver: Driver, dictionary: Dictionary, paramsOf: (type: ResourceType) => readonly SearchParam[]): Indexer {
  const named = new Set<ResourceType>();

  const rowOf = (type: number, id: string): number | undefined => driver.get<{ rid: number }>('SELECT rid FROM res WHERE id = ? AND type = ?', id, type)?.rid;
  function ridOf(type: ResourceType, id: string): number {
    const of = dictionary.addType(type);
    return rowOf(of, id) ?? driver.run('INSERT INTO res (type, id, version, updated, deleted) VALUES (?, ?, 0, 0, 2)', of, id);
  }
  const making: Numbers = { param: dictionary.addParam, system: dictionary.addSystem, target: ridOf };
  const looking: Numbers = { param: dictionary.paramId, system: dictionary.systemId, target: (type, id) => rowOf(dictionary.typeId(type), id) ?? -1 };

  function columnsOf(value: IndexValue, { system }: Numbers, targetOf: Indexer['ridOf']): Value[] {
    switch (value.kind) {
      case 'token':
        return [value.code, system(value.system)];
      case 'string':
        return [value.text, value.exact];
      case 'date':
        return [clamp(value.low), clamp(value.high)];
      case 'reference':
        return [targetOf(value.type, value.id)];
      case 'uri':
        return [system(value.uri)];
    }
  }
  /**
   * Gives all parameters of a type their integers, once, so that queries by what nothing has yet need not look for them each time. Not that of the
   * target types: where it is missing, grants do not ask for them (granted.ts).
   */
  function nameParams(type: ResourceType): void {
    if (named.has(type)) return;
    for (const { code } of paramsOf(type)) if (code !== targetType.code) dictionary.addParam(type, code);
    named.add(type);
  }
  /** The rows that it should have, by kind, each under its text. */
  function wantedRows(indexed: Indexed, numbers: Numbers): Map<Kind, Map<string, Row>> {
    const wanted = new Map<Kind, Map<string, Row>>();
    const type = indexed.resource.resourceType;
    // The same few targets come under many parameters.
    const targets = new Map<string, number>();
    const targetOf = (of: ResourceType, id: string): number => {
      const name = `${of}/${id}`;
      const target = targets.get(name) ?? numbers.target(of, id);
      targets.set(name, target);
      return target;
    };
    for (const param of paramsOf(type)) {
      const values = param.extract(indexed);
      if (values.length === 0) continue;
      const p = numbers.param(type, param.code);
      const rows = wanted.get(param.kind) ?? new Map<string, Row>();
      wanted.set(param.kind, rows);
      for (const value of values) {
        const row: Row = [p, ...columnsOf(value, numbers, targetOf)];
        rows.set(row.join('\0'), row);
      }
    }
    return wanted;
  }
  return {
    ridOf,
    holds(rid, indexed) {
      const wanted = wantedRows(indexed, looking);
      return statements.every(({ kind, read }) => {
        const stored = new Set(driver.all<Record<string, Value>>(read, rid).map(row => Object.values(row).join('\0')));
        return stored.symmetricDifference(wanted.get(kind) ?? new Map()).size === 0;
      });
    },
    reindex(rid, from, to) {
      if (to !== undefined) nameParams(to.resource.resourceType);
      const wanted = to === undefined ? new Map<Kind, Map<string, Row>>() : wantedRows(to, making);
      for (const { kind, read, inserts, remove } of statements) {
        const rows = wanted.get(kind);
        // What is stored is read, not extracted anew from the old version: parameters may have meant something else then.
        for (const stored of from ? driver.all<Record<string, Value>>(read, rid) : []) {
          const row = Object.values(stored);
          if (rows?.delete(row.join('\0')) !== true) driver.run(remove, rid, ...row);
        }
        const fresh = [...(rows?.values() ?? [])];
        for (let at = 0; at < fresh.length; at += AT_ONCE) {
          const some = fresh.slice(at, at + AT_ONCE);
          driver.run(inserts[some.length - 1]!, ...some.flatMap(row => [rid, ...row]));
        }
      }
    },
  };
}
