import { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { BSON, ObjectId } from 'mongodb';
import { printJson } from '../../fhir/json.ts';
import { Problem } from '../../fhir/problem.ts';
import { type Instant, type KeyName, nameOf, type ResourceKey, type ResourceType } from '../../fhir/types.ts';
import type { Facets, Indexed, RecordId } from '../../search/indexed.ts';
import type { SearchParam } from '../../search/query.ts';
import type { DocumentChange } from '../documents.ts';
import { readFacets, writeFacets } from '../encoding.ts';
import { stamped } from '../stamp.ts';
import type { ChainedEvent, Change, Committed, EpochName, Expectation, Version } from '../store.ts';
import { foundBy } from './entries.ts';
import { storedGrants } from './grants.ts';
import { type PastVersion, type StoredDocument, type StoredEpoch, type StoredGrants, type StoredResource, versionOf } from './stored.ts';

type Refusal = Extract<Committed, { ok: false }>['why'];
type ChangeOf<Op extends Change['op']> = Extract<Change, { op: Op }>;
/** A document goes with its epoch, where it has expired before this moment (epoch ms). Not for others to ask for: sweep.ts. */
export interface Sweeping extends Pick<StoredDocument, 'kind' | 'id'> {
  readonly op: 'sweep';
  readonly before: number;
}
export type Planned = Change | Sweeping;
export type ParamsOf = (type: ResourceType) => readonly SearchParam[];

/** What is stored of all that a group of commits looks at. */
export interface Seen {
  readonly resources: ReadonlyMap<KeyName, StoredResource>;
  readonly epochs: ReadonlyMap<string, StoredEpoch>;
  /** Documents that are there, by their ids: when they expire. */
  readonly documents: ReadonlyMap<string, Pick<StoredDocument, 'expires'>>;
  /** The records on which a Consent has grants. */
  readonly granted: ReadonlyMap<KeyName, readonly RecordId[]>;
}
/** What is to be written: new states by their names. What is held to be as it was seen is in it too, with nothing but `s` changed. */
export interface Sheet {
  readonly resources: Map<KeyName, StoredResource>;
  readonly past: PastVersion[];
  /** Undefined: what is to go, as for documents. */
  readonly epochs: Map<string, StoredEpoch | undefined>;
  readonly documents: Map<string, StoredDocument | undefined>;
  readonly grants: Map<KeyName, readonly StoredGrants[]>;
  readonly events: ChainedEvent[];
  readonly made: Version[];
}
export const emptySheet = (): Sheet => ({
  resources: new Map(),
  past: [],
  epochs: new Map(),
  documents: new Map(),
  grants: new Map(),
  events: [],
  made: [],
});
/** `into` with what another sheet adds, which was made upon it. */
export function merge(into: Sheet, more: Sheet): void {
  for (const part of ['resources', 'epochs', 'documents', 'grants'] as const)
    for (const [name, value] of more[part]) (into[part] as Map<string, unknown>).set(name, value);
  into.past.push(...more.past);
  into.events.push(...more.events);
}

export const documentId = (kind: string, id: string): string => `${kind}:${id}`;
/** The epoch of a Consent's grants: two that replace the same ones must not both be made. */
export const grantsEpoch = (consent: KeyName): string => `grants:${consent}`;

/**
 * Makes the changes of one request on a sheet of its own, upon what was seen and what the group has done so far. Pure but for new row ids: whether it was
 * all still so is decided by the writes. Throws Problem `too-long` for what no document can hold.
 */
export function plan(
  changes: readonly Planned[],
  at: Instant,
  seen: Seen,
  group: Sheet,
  paramsOf: ParamsOf,
): { readonly refused: Extract<Committed, { ok: false }> } | { readonly sheet: Sheet } {
  const sheet = emptySheet();
  const desk = deskOf(sheet, group, seen, paramsOf);
  for (const [index, change] of changes.entries()) {
    const why = apply(change, at, desk);
    if (why !== undefined) return { refused: { ok: false, at: index, why } };
  }
  return { sheet };
}

interface Desk {
  readonly sheet: Sheet;
  readonly paramsOf: ParamsOf;
  stored(name: KeyName): StoredResource | undefined;
  epoch(name: string): StoredEpoch;
  document(id: string): Pick<StoredDocument, 'expires'> | undefined;
  recordsOf(consent: KeyName): readonly RecordId[];
}
const deskOf = (sheet: Sheet, group: Sheet, seen: Seen, paramsOf: ParamsOf): Desk => ({
  sheet,
  paramsOf,
  stored: name => sheet.resources.get(name) ?? group.resources.get(name) ?? seen.resources.get(name),
  epoch: name => latest(name, [sheet.epochs, group.epochs, seen.epochs]) ?? { _id: name, epoch: 0, s: anyNumber() },
  document: id => latest(id, [sheet.documents, group.documents, seen.documents]),
  recordsOf: consent => (sheet.grants.get(consent) ?? group.grants.get(consent))?.map(one => one.record) ?? seen.granted.get(consent) ?? [],
});

/** What the first of them that knows the name says of it, also that it is to go. */
const latest = <T>(name: string, known: readonly ReadonlyMap<string, T | undefined>[]): T | undefined => known.find(one => one.has(name))?.get(name);
/** Where an epoch begins to be numbered: one that was swept away and begun anew must not look like the one that was seen before. */
const anyNumber = (): number => Math.floor(Math.random() * 2 ** 40);

function apply(change: Planned, at: Instant, desk: Desk): Refusal | undefined {
  switch (change.op) {
    case 'put':
      return put(change, at, desk);
    case 'delete':
      return remove(change, at, desk);
    case 'restamp':
      return restamp(change, desk);
    case 'expect':
      return hold(change, desk);
    case 'when':
      // Asked of the database, under its lock (transaction.ts).
      return undefined;
    case 'epoch': {
      const epoch = desk.epoch(change.of);
      desk.sheet.epochs.set(change.of, { _id: change.of, epoch: epoch.epoch, s: epoch.s + 1 });
      return epoch.epoch === change.is ? undefined : 'epoch';
    }
    case 'grants': {
      const before = desk.recordsOf(change.consent);
      desk.sheet.grants.set(change.consent, storedGrants(change.consent, change.rows));
      for (const record of new Set([change.record, ...before, ...change.rows.map(row => row.record)])) bump(`record:${record}`, desk);
      bump(grantsEpoch(change.consent), desk);
      return undefined;
    }
    case 'event':
      return log(change, at, desk);
    case 'document':
      return keep(change, desk);
    case 'sweep':
      return sweepAway(change, desk);
  }
}

/** The current version, a deletion too; undefined where nothing was ever stored. */
function currentOf(key: ResourceKey, desk: Desk): StoredResource | undefined {
  const stored = desk.stored(nameOf(key));
  return stored?.v === 0 ? undefined : stored;
}
function holds(expect: Expectation, found: StoredResource | undefined): boolean {
  if (expect === 'any') return true;
  if (expect === 'absent') return found === undefined;
  return found !== undefined && String(found.v) === expect.versionId && (expect.facets === undefined || alike(expect.facets, found.f));
}
const alike = (one: Facets, other: Facets): boolean => isDeepStrictEqual(readFacets(writeFacets(one)), readFacets(writeFacets(other)));

function write(state: StoredResource, before: StoredResource | undefined, desk: Desk): void {
  desk.sheet.resources.set(state._id, fitting({ ...state, s: (before?.s ?? 0) + 1 }));
}

function put({ key, resource, facets, expect }: ChangeOf<'put'>, at: Instant, desk: Desk): Refusal | undefined {
  const before = currentOf(key, desk);
  if (!holds(expect, before)) return 'version';
  const place = desk.stored(nameOf(key));
  const v = (before?.v ?? 0) + 1;
  const u = Date.parse(at);
  const stored = stamped(resource, key, String(v), new Date(u).toISOString());
  if (before !== undefined) desk.sheet.past.push(pastOf(before));
  const state = stateOf({ resource: stored, facets, updated: u }, key, v, Buffer.from(printJson(stored)), place?.rid, desk.paramsOf);
  write(state, place, desk);
  desk.sheet.made.push(versionOf(state, stored));
  return undefined;
}
function stateOf(
  { resource, facets, updated }: Required<Indexed>,
  key: ResourceKey,
  v: number,
  b: Buffer,
  rid: ObjectId | undefined,
  paramsOf: ParamsOf,
): Omit<StoredResource, 's'> & { s: number } {
  const found = foundBy({ resource, facets, updated }, paramsOf(key.type));
  return { _id: nameOf(key), t: key.type, id: key.id, rid: rid ?? new ObjectId(), v, u: updated, s: 1, live: key.type, f: facets, b, ...found };
}

function remove({ key, expect }: ChangeOf<'delete'>, at: Instant, desk: Desk): Refusal | undefined {
  const before = currentOf(key, desk);
  if (before === undefined || !holds(expect, before)) return 'version';
  if (before.live === undefined) {
    write(before, before, desk);
    desk.sheet.made.push(versionOf(before));
    return undefined;
  }
  const { live: _, b: __, w: ___, ...rest } = before;
  const state = { ...rest, v: before.v + 1, u: Date.parse(at), ix: [] };
  desk.sheet.past.push(pastOf(before));
  write(state, before, desk);
  desk.sheet.made.push(versionOf(state));
  return undefined;
}

function restamp({ key, resource, facets, expect }: ChangeOf<'restamp'>, desk: Desk): Refusal | undefined {
  const before = currentOf(key, desk);
  if (before === undefined || !holds(expect, before)) return 'version';
  if (before.live === undefined) {
    write({ ...before, f: facets }, before, desk);
    return undefined;
  }
  const stored = stamped(resource, key, String(before.v), new Date(before.u).toISOString());
  write(stateOf({ resource: stored, facets, updated: before.u }, key, before.v, Buffer.from(printJson(stored)), before.rid, desk.paramsOf), before, desk);
  return undefined;
}

/** Nothing is changed, but nobody else may change it at the same time. For what was never stored a place is made that others must see. */
function hold({ key, expect }: ChangeOf<'expect'>, desk: Desk): Refusal | undefined {
  if (expect === 'any') return undefined;
  if (!holds(expect, currentOf(key, desk))) return 'version';
  const place = desk.stored(nameOf(key));
  write(place ?? placeOf(key), place, desk);
  return undefined;
}
const placeOf = (key: ResourceKey): StoredResource => ({
  _id: nameOf(key),
  t: key.type,
  id: key.id,
  rid: new ObjectId(),
  v: 0,
  u: 0,
  s: 0,
  f: {
    records: [],
    origin: { kind: 'server', by: '' },
    confidentiality: 0,
    sensitivity: [],
    codes: [],
    clinicalDate: { low: 0, high: 0 },
    authors: [],
    about: [],
  },
  ix: [],
});

/** A line of the log; its id must be new. */
function log({ id, indexed, body }: ChangeOf<'event'>, at: Instant, desk: Desk): Refusal | undefined {
  const key = { type: 'AuditEvent', id };
  if (desk.stored(nameOf(key)) !== undefined) return 'version';
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  write(stateOf({ ...indexed, updated: Date.parse(at) }, key, 1, bytes, undefined, desk.paramsOf), undefined, desk);
  desk.sheet.events.push({ id, body: bytes });
  return undefined;
}

function keep({ kind, id, value, expect, expires }: DocumentChange, desk: Desk): Refusal | undefined {
  const _id = documentId(kind, id);
  if (expect === 'absent' && desk.document(_id) !== undefined) return 'document';
  const lasts = expires === undefined ? {} : { expires };
  desk.sheet.documents.set(_id, value === undefined ? undefined : { _id, kind, id, value: JSON.stringify(value), ...lasts });
  bump(`${kind}:${id}` as EpochName, desk);
  return undefined;
}
/** Refused where it has been prolonged, or is gone. Its epoch goes only as it was seen, and every change of a document is one of its epoch. */
function sweepAway({ kind, id, before }: Sweeping, desk: Desk): Refusal | undefined {
  const _id = documentId(kind, id);
  const { expires = Number.POSITIVE_INFINITY } = desk.document(_id) ?? {};
  if (expires >= before) return 'document';
  desk.sheet.documents.set(_id, undefined);
  desk.sheet.epochs.set(`${kind}:${id}`, undefined);
  return undefined;
}
function bump(name: string, desk: Desk): void {
  const { epoch, s } = desk.epoch(name);
  desk.sheet.epochs.set(name, { _id: name, epoch: epoch + 1, s: s + 1 });
}

function pastOf({ _id, v, u, live, f, b }: StoredResource): PastVersion {
  return { _id: `${_id} ${v}`, of: _id, v, u, deleted: live === undefined, f, ...(b === undefined ? {} : { b }) };
}

/** Texts in an array or a document, in bytes: a character has up to three. */
const sizeOf = (members: readonly (string | number)[]): number =>
  members.reduce<number>((sum, member) => sum + 25 + (typeof member === 'string' ? 3 * member.length : 8), 0);

/** MongoDB's limit for a document is 16 MiB; a little is left for what the server adds. */
const LARGEST = 16_000_000;
/** And for the keys that one document has in an index, 100,000. */
const MOST = 90_000;
export function fitting<T extends PastVersion | StoredResource>(state: T): T {
  const { ix, w = [] }: Pick<StoredResource, 'ix' | 'w'> = 'ix' in state ? state : { ix: [] };
  const texts = ix.reduce((sum, entry) => sum + sizeOf(Object.values(entry)), sizeOf(w));
  if (ix.length > MOST || w.length > MOST || ((state.b?.length ?? 0) + texts > LARGEST / 4 && BSON.calculateObjectSize(state) > LARGEST))
    throw new Problem('too-long', `\`${state._id}\` is larger than the 16 MB, or has more values to be found by, than the database can hold`);
  return state;
}
