import type { ResourceType } from '../../fhir/types.ts';
import type { Driver } from './driver.ts';

/**
 * The integers that stand for types, parameters and systems. Other processes add to them too, so what is not known is looked up again;
 * what a transaction added is forgotten when any of it is rolled back.
 */
export interface Dictionary {
  /** -1, which equals nothing, where nothing has been stored under it. */
  typeId(name: ResourceType): number;
  typeName(id: number): ResourceType;
  /** All types stored so far; the type of foreign targets ('') is not among them. */
  types(): readonly ResourceType[];
  paramId(type: ResourceType, code: string): number;
  systemId(uri: string): number;
  /** Inside a transaction: the id, made if need be. */
  addType(name: ResourceType): number;
  addParam(type: ResourceType, code: string): number;
  addSystem(uri: string): number;
  /** What this transaction added is no longer sure to be there: part of it was rolled back. */
  forget(): void;
  /** The transaction is over; what it added stays as it is remembered. */
  settled(): void;
}

/** Systems are as many as clients make up. */
const MAX_REMEMBERED = 20_000;

/** Opens the dictionary of a database. '' is system 0: no system. */
export function openDictionary(driver: Driver): Dictionary {
  const ids = new Map<string, number>();
  const names = new Map<number, ResourceType>();
  const fresh = new Set<string>();

  function remember(key: string, id: number): number {
    if (ids.size >= MAX_REMEMBERED) ids.clear();
    ids.set(key, id);
    return id;
  }
  function find(key: string, text: string, ...values: (string | number)[]): number {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const row = driver.get<{ id: number }>(text, ...values);
    return row === undefined ? -1 : remember(key, row.id);
  }
  function made(key: string, text: string, ...values: (string | number)[]): number {
    fresh.add(key);
    return remember(key, driver.run(text, ...values));
  }
  const dictionary: Dictionary = {
    typeId: name => find(`t${name}`, 'SELECT id FROM type WHERE name = ?', name),
    typeName(id) {
      const known = names.get(id);
      if (known !== undefined) return known;
      const { name } = driver.get<{ name: string }>('SELECT name FROM type WHERE id = ?', id)!;
      if (!fresh.has(`t${name}`)) names.set(id, name);
      return name;
    },
    types: () => driver.all<{ name: string }>(`SELECT name FROM type WHERE name <> ''`).map(row => row.name),
    paramId(type, code) {
      const of = dictionary.typeId(type);
      return of < 0 ? -1 : find(`p${of} ${code}`, 'SELECT id FROM param WHERE code = ? AND type = ?', code, of);
    },
    systemId: uri => (uri === '' ? 0 : find(`s${uri}`, 'SELECT id FROM system WHERE uri = ?', uri)),
    addType(name) {
      const known = dictionary.typeId(name);
      return known >= 0 ? known : made(`t${name}`, 'INSERT INTO type (name) VALUES (?)', name);
    },
    addParam(type, code) {
      const known = dictionary.paramId(type, code);
      if (known >= 0) return known;
      const of = dictionary.addType(type);
      return made(`p${of} ${code}`, 'INSERT INTO param (type, code) VALUES (?, ?)', of, code);
    },
    addSystem(uri) {
      const known = dictionary.systemId(uri);
      return known >= 0 ? known : made(`s${uri}`, 'INSERT INTO system (uri) VALUES (?)', uri);
    },
    forget() {
      for (const key of fresh) ids.delete(key);
    },
    settled: () => fresh.clear(),
  };
  return dictionary;
}
