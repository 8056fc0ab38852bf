import { auditEntry, auditRecord } from '../../src/audit/event.ts';
import { nameOf, type Resource, type ResourceKey } from '../../src/fhir/types.ts';
import type { Facets } from '../../src/search/indexed.ts';
import type { Atom, Predicate, SearchParam } from '../../src/search/query.ts';
import { buildRegistry, type Registry } from '../../src/search/registry.ts';
import type { Change, Committed, Expectation, ResourceStore, Version } from '../../src/store/store.ts';

/** What every engine under the contract is opened with. */
export const registry = buildRegistry();

/** `reopen` closes the store and opens the same data again, where they outlive it. `beside`: as another process has them open meanwhile, where one can. */
interface Opened {
  readonly store: ResourceStore;
  reopen?(): Promise<ResourceStore>;
  beside?(): Promise<ResourceStore>;
}
/** `paramsOf` in place of the registry's. */
export type Open = (paramsOf?: Registry['paramsOf']) => Promise<Opened>;

/** The nth moment: a minute after the one before. */
export const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();

export function facetsOf(key: ResourceKey, facets: Partial<Facets> = {}): Facets {
  return {
    records: ['Patient/mary'],
    origin: { kind: 'organization', by: 'ima' },
    confidentiality: 2,
    sensitivity: [],
    codes: [],
    clinicalDate: { low: Date.UTC(2026, 0, 1), high: Infinity },
    authors: [],
    about: [nameOf(key)],
    ...facets,
  };
}
export const keyOf = (name: string): ResourceKey => ({ type: name.split('/')[0]!, id: name.split('/')[1]! });

/** A put of `Type/id`. */
export function put(name: string, members: object = {}, expect: Expectation = 'any', facets: Partial<Facets> = {}): Extract<Change, { op: 'put' }> {
  const key = keyOf(name);
  return { op: 'put', key, resource: { resourceType: key.type, id: key.id, ...members } as Resource, facets: facetsOf(key, facets), expect };
}
export const remove = (name: string, expect: Expectation = 'any'): Change => ({ op: 'delete', key: keyOf(name), expect });
export const expecting = (name: string, expect: Expectation): Change => ({ op: 'expect', key: keyOf(name), expect });

/** A line of the log about a record. */
export function event(id: string, record: `${string}/${string}` = 'Patient/mary'): Extract<Change, { op: 'event' }> {
  const happening = { id, at: at(0), code: 'read', outcome: '0', server: 'http://localhost/fhir', request: id, touched: [], reasons: [], record } as const;
  return { op: 'event', ...auditEntry(auditRecord(happening)) };
}

/** The versions that a commit made; fails where it was refused. */
export function madeBy(committed: Committed): readonly Version[] {
  if (!committed.ok) throw new Error(`refused: change ${committed.at}, ${committed.why}`);
  return committed.made;
}
export async function write(store: ResourceStore, ...changes: Change[]): Promise<readonly Version[]> {
  return madeBy(await store.commit(changes, at(0)));
}

export function param(type: string, code: string): SearchParam {
  const found = registry.paramsOf(type).find(one => one.code === code);
  if (found === undefined) throw new Error(`${type} has no parameter ${code}`);
  return found;
}
export const some = (type: string, code: string, ...anyOf: Atom[]): Predicate => ({ op: 'some', param: param(type, code), test: { anyOf } });
export const token = (code: string, system?: string): Atom => ({ kind: 'token', code, ...(system === undefined ? {} : { system }) });
export const reference = (name: string): Atom => ({ kind: 'reference', ...keyOf(name) });
export const namesOf = (found: readonly { readonly key: ResourceKey }[]): string[] => found.map(one => nameOf(one.key));
