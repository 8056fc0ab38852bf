import { Problem } from '../../fhir/problem.ts';
import type { Instant } from '../../fhir/types.ts';
import type { Change, Committed } from '../store.ts';
import { apply, type Parts, type Work } from './apply.ts';
import { addLink, type LinkHash } from './chain.ts';
import { resultCode } from './driver.ts';

interface Request {
  readonly changes: readonly Change[];
  readonly at: Instant;
  readonly answer: PromiseWithResolvers<Committed>;
}
/** Commits that wait for the same turn of the event loop share one transaction, and one wait for the disk. */
export interface Committer {
  commit(changes: readonly Change[], at: Instant): Promise<Committed>;
  /** Commits what waits; later commits are refused. */
  close(): void;
}

/** Requests in one transaction at most: reads wait for it. */
const GROUP = 64;
/** Results of SQLite after which nothing of the transaction can be trusted: busy, out of memory, read-only, input or output, corrupt, full, cannot open. */
const fatal: ReadonlySet<number | undefined> = new Set([5, 7, 8, 10, 11, 13, 14]);

export function openCommitter(parts: Parts, writer: string, linkHash: LinkHash): Committer {
  const { driver, known } = parts;
  const queue: Request[] = [];
  let closed = false;

  function flush(): void {
    const group = queue.splice(0, GROUP);
    if (queue.length > 0) setImmediate(flush);
    if (group.length === 0) return;
    const answers: (() => void)[] = [];
    try {
      driver.run('BEGIN IMMEDIATE');
      const done = group.flatMap(request => attempt(request, answers));
      conclude(done);
      driver.run('COMMIT');
    } catch (cause) {
      if (driver.inTransaction()) driver.exec('ROLLBACK');
      known.forget();
      known.settled();
      for (const { answer } of group) answer.reject(new Problem('unavailable', 'nothing can be stored at the moment; try again later', { cause }));
      return;
    }
    known.settled();
    for (const answer of answers) answer();
  }

  /** One request under a savepoint of its own. Throws only what ends the whole group. */
  function attempt({ changes, at, answer }: Request, answers: (() => void)[]): readonly Work[] {
    const work: Work = { made: [], events: [], live: new Map() };
    driver.run('SAVEPOINT request');
    try {
      for (const [index, change] of changes.entries()) {
        const why = apply(change, at, work, parts);
        if (why === undefined) continue;
        undo();
        answers.push(() => answer.resolve({ ok: false, at: index, why }));
        return [];
      }
    } catch (error) {
      if (!driver.inTransaction() || fatal.has(resultCode(error))) throw error;
      undo();
      answers.push(() => answer.reject(error));
      return [];
    }
    driver.run('RELEASE request');
    answers.push(() => answer.resolve({ ok: true, made: work.made }));
    return [work];
  }
  function undo(): void {
    driver.exec('ROLLBACK TO request; RELEASE request');
    known.forget();
  }

  /** What is written once for the whole group: the link of the chain, the counters. */
  function conclude(done: readonly Work[]): void {
    const events = done.flatMap(work => work.events);
    if (events.length > 0) addLink(events, events[0]!.rid, events.at(-1)!.rid, writer, linkHash, driver);
    const live = new Map<number, number>();
    for (const work of done) for (const [type, by] of work.live) live.set(type, (live.get(type) ?? 0) + by);
    for (const [type, by] of live) if (by !== 0) driver.run('UPDATE type SET live = live + ? WHERE id = ?', by, type);
  }

  return {
    commit(changes, at) {
      if (closed) return Promise.reject(new Problem('unavailable', 'the store is closed'));
      const answer = Promise.withResolvers<Committed>();
      if (queue.push({ changes, at, answer }) === 1) setImmediate(flush);
      return answer.promise;
    },
    close() {
      closed = true;
      while (queue.length > 0) flush();
    },
  };
}
