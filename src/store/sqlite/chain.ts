import type { ChainedEvent, ChainLink } from '../store.ts';
import { bufferOf, type Driver } from './driver.ts';

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
  const previous = before?.hash ?? '';
  driver.run(
    'INSERT INTO link (first, last, writer, number, previous, hash, events) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[first, last, writer, (before?.number ?? 0) + 1, previous, linkHash(previous, events), events.length],
  );
}

/** The log, oldest link first; what no link covers comes last as number -1. Read in portions, so that commits may come between. */
export async function* chainOf(driver: Driver): AsyncIterable<ChainLink> {
  const stray: ChainedEvent[] = [];
  let behind = 0;
  for (;;) {
    const portion = driver.all<LinkRow>('SELECT first, last, writer, number, previous, hash FROM link WHERE first > ? ORDER BY first LIMIT ?', behind, AT_ONCE);
    const links = portion.map(({ first, last, ...link }) => {
      stray.push(...eventsOf(driver, behind + 1, first - 1));
      behind = last;
      return { ...link, events: eventsOf(driver, first, last) };
    });
    if (portion.length === 0) {
      stray.push(...eventsOf(driver, behind + 1, Number.MAX_SAFE_INTEGER));
      break;
    }
    yield* links;
  }
  if (stray.length > 0) yield { number: -1, writer: '', previous: '', hash: '', events: stray };
}

const eventsOf = (driver: Driver, first: number, last: number): readonly ChainedEvent[] =>
  driver
    .all<{ id: string; body: Uint8Array | null }>(
      `SELECT id, body FROM res WHERE rid BETWEEN ? AND ? AND type = (SELECT id FROM type WHERE name = 'AuditEvent') AND deleted = 0 ORDER BY rid`,
      first,
      last,
    )
    .map(({ id, body }) => ({ id, body: bufferOf(body ?? new Uint8Array(0)) }));
