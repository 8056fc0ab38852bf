import type { ResourceType } from '../../fhir/types.ts';
import { targetType } from '../../search/facets.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { Kind, SearchParam } from '../../search/query.ts';
import type { Dictionary } from './dictionary.ts';
import type { Driver, Value } from './driver.ts';
import { columnsOf, type Numbers, tables } from './rows.ts';
import { markedWords, replaceWords } from './words.ts';

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

/** The rows that a resource should have. */
interface Wanted {
  /** By kind, each under its text. */
  readonly rows: Map<Kind, Map<string, Row>>;
  /** For the full-text table. */
  readonly words: string;
}
const nothing: Wanted = { rows: new Map(), words: '' };

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

  /**
   * Gives all parameters of a type their integers, once, so that queries by what nothing has yet need not look for them each time. Not that of the
   * target types: where it is missing, grants do not ask for them (granted.ts).
   */
  function nameParams(type: ResourceType): void {
    if (named.has(type)) return;
    for (const { code } of paramsOf(type)) if (code !== targetType.code) dictionary.addParam(type, code);
    named.add(type);
  }
  function wantedOf(indexed: Indexed, numbers: Numbers): Wanted {
    const wanted = new Map<Kind, Map<string, Row>>();
    const words: string[] = [];
    const type = indexed.resource.resourceType;
    // The same few targets come under many parameters.
    const targets = new Map<string, number>();
    const target = (of: ResourceType, id: string): number => {
      const name = `${of}/${id}`;
      const found = targets.get(name) ?? numbers.target(of, id);
      targets.set(name, found);
      return found;
    };
    const named = { system: numbers.system, target };
    for (const param of paramsOf(type)) {
      const values = param.extract(indexed);
      if (values.length === 0) continue;
      const p = numbers.param(type, param.code);
      const rows = wanted.get(param.kind) ?? new Map<string, Row>();
      wanted.set(param.kind, rows);
      for (const value of values) {
        const row: Row = [p, ...columnsOf(value, named)];
        rows.set(row.join('\0'), row);
        if (value.kind === 'words') words.push(markedWords(p, value.words));
      }
    }
    return { rows: wanted, words: words.join(' ') };
  }
  return {
    ridOf,
    holds(rid, indexed) {
      const wanted = wantedOf(indexed, looking).rows;
      return statements.every(({ kind, read }) => {
        const stored = new Set(driver.all<Record<string, Value>>(read, rid).map(row => Object.values(row).join('\0')));
        return stored.symmetricDifference(wanted.get(kind) ?? new Map()).size === 0;
      });
    },
    reindex(rid, from, to) {
      if (to !== undefined) nameParams(to.resource.resourceType);
      const wanted = to === undefined ? nothing : wantedOf(to, making);
      for (const { kind, read, inserts, remove } of statements) {
        const rows = wanted.rows.get(kind);
        // What is stored is read, not extracted anew from the old version: parameters may have meant something else then.
        const stored = from ? driver.all<Record<string, Value>>(read, rid) : [];
        let same = 0;
        for (const row of stored.map(Object.values<Value>)) {
          if (rows?.delete(row.join('\0')) === true) same += 1;
          else driver.run(remove, rid, ...row);
        }
        const fresh = [...(rows?.values() ?? [])];
        for (let at = 0; at < fresh.length; at += AT_ONCE) {
          const some = fresh.slice(at, at + AT_ONCE);
          driver.run(inserts[some.length - 1]!, ...some.flatMap(row => [rid, ...row]));
        }
        if (kind === 'words' && (fresh.length > 0 || same < stored.length)) replaceWords(rid, stored.length > 0, wanted.words, driver);
      }
    },
  };
}
