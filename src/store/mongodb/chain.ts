import { isDeepStrictEqual } from 'node:util';
import type { SearchParam } from '../../search/query.ts';
import type { ChainedEvent, ChainLink, KeptEvent } from '../store.ts';
import { type Entry, entriesOf } from './entries.ts';
import type { Collections, StoredLink, StoredResource, StoredWriter } from './stored.ts';

export type LinkHash = (previous: string, events: readonly ChainedEvent[]) => string;

/** Where the writer is after a commit with these events, and the link over them where there are any. */
export async function linkOf(
  events: readonly ChainedEvent[],
  from: StoredWriter,
  linkHash: LinkHash,
  at: Collections,
): Promise<{ readonly link?: StoredLink; readonly to: StoredWriter }> {
  const to = { ...from, commits: from.commits + 1 };
  if (events.length === 0) return { to };
  const previous = from.number === 0 ? await openEnds(at) : from.hash;
  const number = from.number + 1;
  const hash = linkHash(previous, events);
  const moment = Math.max(from.at + 1, Date.now() * 1000);
  return {
    link: { _id: `${from._id} ${number}`, writer: from._id, number, previous, hash, at: moment, events: events.map(event => event.id) },
    to: { ...to, number, hash, at: moment, begun: number === 1 ? previous : from.begun },
  };
}

/** The newest link of each writer that no later writer began from. Others may go on after it: it is theirs to continue, and must stay where it is. */
async function openEnds({ writers }: Collections): Promise<string> {
  const all = await writers.find({ number: { $gt: 0 } }, { sort: { _id: 1 } }).toArray();
  const named = new Set(all.flatMap(({ begun }) => begun.split('\n')));
  return all
    .map(({ _id, number, hash }) => `${_id} ${number} ${hash}`)
    .filter(end => !named.has(end))
    .join('\n');
}

/** The log, oldest link first; what no link covers comes last as number -1. */
export async function* chainOf({ links, resources }: Collections, params: readonly SearchParam[]): AsyncIterable<ChainLink> {
  for await (const { writer, number, previous, hash, events } of links.find({}, { sort: { at: 1, writer: 1, number: 1 } })) {
    const stored = await resources.find({ _id: { $in: events.map(id => `AuditEvent/${id}` as const) }, live: 'AuditEvent' }).toArray();
    const found = new Map(stored.map(one => [one.id, kept(one, params)]));
    yield { number, writer, previous, hash, events: events.flatMap(id => found.get(id) ?? []) };
  }
  const strays: StoredResource[] = [];
  for await (const ids of batches(resources.find({ live: 'AuditEvent' }, { sort: { rid: 1 }, projection: { id: 1 } }))) {
    const covering = await links.find({ events: { $in: ids } }, { projection: { events: 1 } }).toArray();
    const bare = new Set(ids).difference(new Set(covering.flatMap(link => link.events)));
    if (bare.size > 0)
      strays.push(...(await resources.find({ _id: { $in: [...bare].map(id => `AuditEvent/${id}` as const) } }, { sort: { rid: 1 } }).toArray()));
  }
  if (strays.length > 0) yield { number: -1, writer: '', previous: '', hash: '', events: strays.map(one => kept(one, params)) };
}

/** So many at a time that a log of any length is read in questions of which none takes long. */
async function* batches(all: AsyncIterable<{ readonly id: string }>): AsyncIterable<string[]> {
  let ids: string[] = [];
  for await (const { id } of all) {
    ids.push(id);
    if (ids.length < 1000) continue;
    yield ids;
    ids = [];
  }
  if (ids.length > 0) yield ids;
}

function kept({ id, b, f, u, ix }: StoredResource, params: readonly SearchParam[]): KeptEvent {
  return {
    id,
    body: b ?? new Uint8Array(0),
    facets: f,
    foundBy: indexed => isDeepStrictEqual(inOrder(ix), inOrder(entriesOf({ ...indexed, updated: u }, params))),
  };
}
const inOrder = (entries: readonly Entry[]): readonly string[] => entries.map(({ k, h }) => JSON.stringify([k, h])).toSorted();
