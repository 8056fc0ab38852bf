import { Buffer } from 'node:buffer';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** What can be bound to a parameter of a statement. Numbers are bound as doubles: cast where integer arithmetic matters. */
export type Value = string | number | null | Uint8Array;

/** A piece of SQL and the values of its parameters, in their order. */
export interface Sql {
  readonly text: string;
  readonly values: readonly Value[];
}

/** All that this engine needs of a binding to SQLite. Statements are prepared once for each text: keep texts few, put what varies into values. */
export interface Driver {
  /** One or more statements without parameters. */
  exec(text: string): void;
  /** Runs a statement and gives the rowid that was inserted last. */
  run(text: string, ...values: readonly Value[]): number;
  get<Row>(text: string, ...values: readonly Value[]): Row | undefined;
  all<Row>(text: string, ...values: readonly Value[]): Row[];
  /** The same one by one: what is not asked for any more is not read. */
  each<Row>(text: string, ...values: readonly Value[]): Iterable<Row>;
  /** Ends what `timely` statements it runs after so many milliseconds: they throw `overtime()`. */
  within<T>(milliseconds: number, work: () => T, overtime: () => Error): T;
  inTransaction(): boolean;
  close(): void;
}

/** More texts than this are made only by odd queries; the oldest is forgotten then. */
const MAX_STATEMENTS = 1000;

/** Opens or makes a database file; `:memory:` for none. */
export function openDriver(path: string): Driver {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false, enableDoubleQuotedStringLiterals: false });
  const prepared = new Map<string, StatementSync>();
  let limit = { end: Infinity, overtime: () => new Error() };
  // A running statement cannot be interrupted from outside, so it looks at the clock itself.
  db.function('in_time', () => {
    if (performance.now() > limit.end) throw limit.overtime();
    return 1;
  });

  function statement(text: string): StatementSync {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    if (prepared.size >= MAX_STATEMENTS) prepared.delete(prepared.keys().next().value!);
    const made = db.prepare(text);
    prepared.set(text, made);
    return made;
  }
  return {
    exec: text => db.exec(text),
    run: (text, ...values) => Number(statement(text).run(...values).lastInsertRowid),
    get: <Row>(text: string, ...values: readonly Value[]) => statement(text).get(...values) as Row | undefined,
    all: <Row>(text: string, ...values: readonly Value[]) => statement(text).all(...values) as Row[],
    each: <Row>(text: string, ...values: readonly Value[]) => statement(text).iterate(...values) as Iterable<Row>,
    within(milliseconds, work, overtime) {
      const before = limit;
      limit = { end: performance.now() + milliseconds, overtime };
      try {
        return work();
      } finally {
        limit = before;
      }
    },
    inTransaction: () => db.isTransaction,
    close: () => {
      prepared.clear();
      db.close();
    },
  };
}

/** A BLOB as a Buffer over the same memory. */
export const bufferOf = (blob: Uint8Array): Buffer => Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);

/** SQLite's result code (https://www.sqlite.org/rescode.html) without its extension, or undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

export const sql = (text: string, ...values: readonly Value[]): Sql => ({ text, values });

/** The pieces one after the other, with text between them. */
export function joined(parts: readonly Sql[], between: string): Sql {
  return { text: parts.map(part => part.text).join(between), values: parts.flatMap(part => part.values) };
}
export const anyOf = (parts: readonly Sql[]): Sql => (parts.length === 0 ? sql('0') : wrapped(joined(parts, ' OR ')));
export const allOf = (parts: readonly Sql[]): Sql => (parts.length === 0 ? sql('1') : joined(parts, ' AND '));
/** A bare parameter after LIMIT would have the statement planned anew at every call: SQLite looks at its value. */
export const limitSql = (count: number): Sql => sql('LIMIT CAST(? AS INTEGER)', count);
export const wrapped = (part: Sql): Sql => ({ text: `(${part.text})`, values: part.values });

/** A condition that always holds while there is time (`within`). It looks at the clock at one row in 61 or so: a prime, since rows may come in steps. */
export const timely = (rid: Sql): Sql => sql(`(${rid.text} % 61 <> 0 OR in_time())`, ...rid.values);

/** Template for SQL: pieces are put in with their values, anything else becomes the value of a parameter. */
export function q(texts: TemplateStringsArray, ...parts: readonly (Sql | Value)[]): Sql {
  let text = texts[0]!;
  const values: Value[] = [];
  parts.forEach((part, index) => {
    if (typeof part === 'object' && part !== null && 'text' in part) {
      text += part.text;
      values.push(...part.values);
    } else {
      text += '?';
      values.push(part);
    }
    text += texts[index + 1]!;
  });
  return { text, values };
}
