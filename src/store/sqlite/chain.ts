import { readFacets } from '../encoding.ts';
import type { ChainedEvent, ChainLink, KeptEvent } from '../store.ts';
import { bufferOf, type Driver } from './driver.ts';
import type { Indexer } from './index-rows.ts';

export type LinkHash = (previous: string, events: readonly ChainedEvent[]) => string;

interface LinkRow {
  readonly first: number;
  readonly last: number;
  readonly writer: string;
  readonly number: number;
  readonly previous: string;
  readonly hash: string;
}
const AT_ONCE = 200;

/** Closes a commit group: one link over its events, the rows `first` to `last`, after the writer's last link. */
export function addLink(events: readonly ChainedEvent[], first: number, last: number, writer: string, linkHash: LinkHash, driver: Driver): void {
  const before = driver.get<LinkRow>('SELECT number, hash FROM link WHERE writer = ? ORDER BY number DESC LIMIT 1', writer);
  const previous = before?.hash ?? openEnds(driver);
  driver.run(
    'INSERT INTO link (first, last, writer, number, previous, hash, events) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[first, last, writer, (before?.number ?? 0) + 1, previous, linkHash(previous, events), events.length],
  );
}

/** The newest link of each writer that no later writer began from. Others may go on after it: it is theirs to continue, and must stay where it is. */
function openEnds(driver: Driver): string {
  const writers = driver.all<{ last: number; hash: string; writer: string; begun: string }>(
    // Each writer by a seek from the one before it: links are many.
    `WITH RECURSIVE one (writer) AS (SELECT min(writer) FROM link UNION ALL SELECT (SELECT min(writer) FROM link WHERE writer > one.writer) FROM one
       WHERE one.writer IS NOT NULL)
     SELECT l.writer, l.number AS last, l.hash, f.previous AS begun FROM one
     CROSS JOIN link l ON l.writer = one.writer AND l.number = (SELECT max(number) FROM link WHERE writer = one.writer)
     CROSS JOIN link f ON f.writer = one.writer AND f.number = (SELECT min(number) FROM link WHERE writer = one.writer) ORDER BY l.writer`,
  );
  const named = new Set(writers.flatMap(({ begun }) => begun.split('\n')));
  return writers
    .map(({ writer, last, hash }) => `${writer} ${last} ${hash}`)
    .filter(end => !named.has(end))
    .join('\n');
}

/** The log, oldest link first; what no link covers comes last as number -1. Read in portions, so that commits may come between. */
export async function* chainOf(driver: Driver, indexer: Indexer): AsyncIterable<ChainLink> {
  const stray: KeptEvent[] = [];
  let behind = 0;
  for (;;) {
    const portion = driver.all<LinkRow>('SELECT first, last, writer, number, previous, hash FROM link WHERE first > ? ORDER BY first LIMIT ?', behind, AT_ONCE);
    const links = portion.map(({ first, last, ...link }) => {
      stray.push(...eventsOf(driver, indexer, behind + 1, first - 1));
      behind = last;
      return { ...link, events: eventsOf(driver, indexer, first, last) };
    });
    if (portion.length === 0) {
      stray.push(...eventsOf(driver, indexer, behind + 1, Number.MAX_SAFE_INTEGER));
      break;
    }
    yield* links;
  }
  if (stray.length > 0) yield { number: -1, writer: '', previous: '', hash: '', events: stray };
}

const eventsOf = (driver: Driver, indexer: Indexer, first: number, last: number): readonly KeptEvent[] =>
  driver
    .all<{ rid: number; id: string; facets: string; body: Uint8Array | null }>(
      `SELECT rid, id, facets, body FROM res WHERE rid BETWEEN ? AND ? AND type = (SELECT id FROM type WHERE name = 'AuditEvent') AND deleted = 0 ORDER BY rid`,
      first,
      last,
    )
    .map(({ rid, id, facets, body }) => ({
      id,
      body: bufferOf(body ?? new Uint8Array(0)),
      facets: readFacets(facets),
      foundBy: indexed => indexer.holds(rid, indexed),
    }));
