import { Buffer } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ChainLink, KeptEvent } from '../store/store.ts';
import { auditEntry } from './event.ts';
import type { AuditRecord } from './record.ts';

/**
 * The hash of a link: SHA-256 over the previous link's hash and, for each event in order, its id and the SHA-256 of its compact record. Hex.
 * Lengths are written before what varies, so that no two lists of events give the same text.
 */
export function linkHash(previous: string, events: readonly { readonly id: string; readonly body: Uint8Array }[]): string {
  const link = createHash('sha256').update(`${previous}\n${events.length}\n`);
  for (const event of events) link.update(`${event.id.length} ${event.id} ${hash('sha256', event.body, 'hex')}\n`);
  return link.digest('hex');
}

/** The newest link of a writer: published outside, it shows later that nothing was cut off after it. */
export interface ChainHead {
  readonly writer: string;
  readonly number: number;
  readonly hash: string;
}
export interface Verification {
  readonly events: number;
  readonly links: number;
  /** One sentence for each place where the log is not as it was written. */
  readonly faults: readonly string[];
  readonly heads: readonly ChainHead[];
}

/**
 * Reads the whole log and finds what was altered, hidden or shown otherwise than it was written, taken out, added, or (where a later writer or a published
 * head tells) cut off at the end.
 */
export async function verifyChain(links: AsyncIterable<ChainLink>, published: readonly ChainHead[] = []): Promise<Verification> {
  const faults: string[] = [];
  const heads = new Map<string, ChainHead>();
  const seen = new Set<string>();
  const begun = new Map<string, string>();
  let events = 0;
  let count = 0;
  for await (const link of links) {
    events += link.events.length;
    if (link.number < 0) {
      for (const event of link.events) faults.push(`event ${event.id} is in the log but in no link: it was added outside the server`);
      continue;
    }
    count++;
    const before = heads.get(link.writer);
    const place = `link ${link.number} of writer ${link.writer}`;
    if (link.number !== (before?.number ?? 0) + 1) faults.push(`${place} follows link ${before?.number ?? 0}: links are missing before it`);
    if (before === undefined) for (const end of link.previous.split('\n').filter(text => text !== '')) begun.set(end, link.writer);
    else if (link.previous !== before.hash) faults.push(`${place} does not continue the one before it`);
    if (linkHash(link.previous, link.events) !== link.hash)
      faults.push(`${place} (${link.events.length} events) does not hash to what was written: an event was altered, taken out or added`);
    faults.push(...link.events.flatMap(event => faultOf(event) ?? []));
    heads.set(link.writer, { writer: link.writer, number: link.number, hash: link.hash });
    seen.add(`${link.writer} ${link.number} ${link.hash}`);
  }
  for (const [end, writer] of begun) {
    const [of, number] = end.split(' ');
    if (!seen.has(end)) faults.push(`writer ${writer} began after link ${number} of writer ${of}, which is not in the log: it was cut off or rewritten`);
  }
  for (const head of published) {
    if (!seen.has(`${head.writer} ${head.number} ${head.hash}`))
      faults.push(`the published head, link ${head.number} of writer ${head.writer}, is not in the log: it was cut off or rewritten`);
  }
  return { events, links: count, faults, heads: [...heads.values()] };
}

/** What lies beside an event's bytes decides who sees it and who finds it, and follows from them: in words where it does not. */
function faultOf({ id, body, facets, foundBy }: KeptEvent): string | undefined {
  try {
    const { indexed } = auditEntry(JSON.parse(Buffer.from(body).toString('utf8')) as AuditRecord);
    if (isDeepStrictEqual(facets, indexed.facets) && foundBy(indexed)) return undefined;
  } catch {
    return `event ${id} cannot be read`;
  }
  return `event ${id} is shown or found by other marks than it was written with`;
}
