import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { storedResource } from '../audit/event.ts';
import { Problem } from '../fhir/problem.ts';
import type { Change, Committed } from '../store/store.ts';
import type { ReindexParts } from './reindex.ts';
import { advanced, type Job, notes } from './reindex-job.ts';

/** A job that this process is at, and the epoch of its note as it wrote that: whoever takes it over writes another. */
export interface Held {
  readonly job: Job;
  readonly epoch: number;
}
/** What one portion should take, milliseconds: commits and reads wait for it. And how many resources that may be. */
const PORTION = { ms: 25, first: 20, most: 500 };
/** How often the place is kept, and how soon a store that does not answer is asked again. */
const KEEP = 250;
const AGAIN = 1000;

type WorkParts = Pick<ReindexParts, 'store' | 'wanted' | 'owner' | 'alone' | 'now'> & {
  /** This process ends: the job is left for another. */
  gone(): boolean;
};

/**
 * Does what is left of the job, in short commits between others. `left`: this process ends, or another one has taken it over; `outdated`: it must be begun
 * anew, since what the store is indexed by has changed meanwhile.
 */
export async function work(held: Held, parts: WorkParts): Promise<Job | 'left' | 'outdated'> {
  let { job, epoch } = held;
  let limit = PORTION.first;
  let kept = Date.now();

  /** Keeps the place, where the job is still this process's. */
  async function keep(next: Job, also: readonly Change[] = []): Promise<Committed | undefined> {
    const changes: readonly Change[] = [{ op: 'epoch', of: 'note:reindex', is: epoch }, ...also, { op: 'document', ...notes.job, value: next }];
    const done = await patiently(() => parts.store.commit(changes, parts.now()), parts.gone);
    if (done?.ok === true) epoch += 1;
    kept = Date.now();
    return done;
  }
  while (job.types.length > 0) {
    const begun = performance.now();
    const [type] = job.types;
    const made = parts.gone() ? 'gone' : await patiently(() => parts.store.reindex(type!, job.after, limit, storedResource), parts.gone, 'gone' as const);
    if (made === 'gone') {
      await keep({ ...job, seen: 0 });
      return 'left';
    }
    job = { ...advanced(job, made), owner: parts.owner, seen: Date.now() };
    const ms = performance.now() - begun;
    limit = Math.round(Math.min(PORTION.most, 2 * limit, Math.max(1, (limit * PORTION.ms) / Math.max(1, ms))));
    if (Date.now() - kept > KEEP && (await keep(job))?.ok !== true) return 'left';
    // Others get as much of the time.
    await (parts.alone === true ? turn() : sleep(ms));
  }
  const ended: Job = { ...job, ended: parts.now() };
  // Where something could not be indexed, what goes by it stays unanswered: a search that misses it would be wrong and not say so.
  const indexed: readonly Change[] = [
    { op: 'epoch', of: 'note:indexed', is: job.upon },
    { op: 'document', ...notes.indexed, value: parts.wanted },
  ];
  const done = await keep(ended, ended.failed > 0 ? [] : indexed);
  return done?.ok === true ? ended : done?.at === 1 ? 'outdated' : 'left';
}

/** Asks again while the store does not answer; `left` where the process ends meanwhile. */
async function patiently<T, L = undefined>(ask: () => Promise<T>, gone: () => boolean, left?: L): Promise<T | L> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'unavailable')) throw error;
      if (gone()) return left as L;
      await sleep(AGAIN);
    }
  }
}
