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
/** What became of a request, to be told once the transaction is on disk. `work`: what it did, where it was not refused. */
interface Outcome {
  answer(): void;
  readonly work?: Work;
}
/** Commits that wait for the same turn of the event loop share one transaction, and one wait for the disk. */
export interface Committer {
  commit(changes: readonly Change[], at: Instant): Promise<Committed>;
  /** Commits what waits; later commits are refused. */
  close(): void;
}

/** Requests in one transaction at most: reads wait for it. */
const GROUP = 64;
/** Changes that only look. */
const conditions: ReadonlySet<Change['op']> = new Set(['expect', 'when', 'epoch']);
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
    let outcomes: readonly Outcome[];
    try {
      // A savepoint costs a copy of every page that is written, and is hardly ever gone back to: so first without.
      outcomes = transact(group, false) ?? transact(group, true)!;
    } catch (cause) {
      if (driver.inTransaction()) driver.exec('ROLLBACK');
      known.forget();
      known.settled();
      for (const { answer } of group) answer.reject(new Problem('unavailable', 'nothing can be stored at the moment; try again later', { cause }));
      return;
    }
    known.settled();
    for (const { answer } of outcomes) answer();
  }

  /** One transaction for the group. Undefined, and nothing done: without savepoints it cannot take back one of them and keep the others. */
  function transact(group: readonly Request[], savepoints: boolean): readonly Outcome[] | undefined {
    const outcomes: Outcome[] = [];
    driver.run('BEGIN IMMEDIATE');
    for (const request of group) {
      const outcome = attempt(request, savepoints);
      if (outcome === undefined) {
        driver.run('ROLLBACK');
        known.forget();
        known.settled();
        return undefined;
      }
      outcomes.push(outcome);
    }
    conclude(outcomes.flatMap(outcome => outcome.work ?? []));
    driver.run('COMMIT');
    return outcomes;
  }

  /** One request. Undefined: it must be taken back, and there is no savepoint. Throws only what ends the whole group. */
  function attempt({ changes, at, answer }: Request, savepoint: boolean): Outcome | undefined {
    const work: Work = { made: [], events: [], live: new Map() };
    let wrote = false;
    if (savepoint) driver.run('SAVEPOINT request');
    try {
      for (const [index, change] of changes.entries()) {
        const why = apply(change, at, work, parts);
        if (why !== undefined) {
          if (savepoint) undo();
          else if (wrote) return undefined;
          return { answer: () => answer.resolve({ ok: false, at: index, why }) };
        }
        wrote ||= !conditions.has(change.op);
      }
    } catch (error) {
      if (!driver.inTransaction() || fatal.has(resultCode(error))) throw error;
      if (!savepoint) return undefined;
      undo();
      return { answer: () => answer.reject(error) };
    }
    if (savepoint) driver.run('RELEASE request');
    return { answer: () => answer.resolve({ ok: true, made: work.made }), work };
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
