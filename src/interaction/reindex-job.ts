import { Problem } from '../fhir/problem.ts';
import type { Instant, ResourceType } from '../fhir/types.ts';
import type { Fingerprints } from '../search/fingerprint.ts';
import type { Reindexed } from '../store/store.ts';
import type { Transfer } from '../store/transfer.ts';

/** What the rows of the store are made of (search/fingerprint.ts), and the job that makes them anew. */
export const notes = { indexed: { kind: 'note', id: 'indexed' }, job: { kind: 'note', id: 'reindex' } } as const;

/** How far the making of rows has come: kept as a note, so that any process can go on with it. */
export interface Job {
  readonly id: string;
  /** The fingerprint of the parameters it makes rows of. */
  readonly of: string;
  /** The epoch of what the store was indexed by when it began: where that is another at the end, somebody wrote who knows other parameters. */
  readonly upon: number;
  /** The types that are still to be done; of the first those after this row. */
  readonly types: readonly ResourceType[];
  readonly after?: string | number;
  readonly done: number;
  /** As many resources as there were when it began. */
  readonly total: number;
  readonly failed: number;
  readonly begun: Instant;
  readonly ended?: Instant;
  /** The process that is at it, and when that was last heard of, epoch milliseconds. */
  readonly owner: string;
  readonly seen: number;
}

/** For how many milliseconds a process that says nothing is taken to be alive. */
const LASTS = 10_000;
export const isOver = (job: Job): boolean => job.ended !== undefined;
export const isUnderWay = (job: Job | undefined, now: number): job is Job => job !== undefined && !isOver(job) && Math.abs(now - job.seen) < LASTS;

/** `totals`: how many resources there are of each type. */
export function newJob(given: Pick<Job, 'id' | 'of' | 'upon' | 'types' | 'begun'>, totals: Readonly<Record<ResourceType, number>>): Job {
  const types = given.types.filter(type => (totals[type] ?? 0) > 0);
  return { ...given, types, done: 0, total: types.reduce((sum, type) => sum + totals[type]!, 0), failed: 0, owner: '', seen: 0 };
}

/** The job after some of its resources are done; `made` undefined: there are no more of the type. */
export function advanced(job: Job, made: Reindexed | undefined): Job {
  if (made !== undefined) return { ...job, after: made.after, done: job.done + made.made + made.failed.length, failed: job.failed + made.failed.length };
  const { after: _, ...rest } = job;
  return { ...rest, types: job.types.slice(1) };
}

/** In hundredths. It says nothing of how many there are, so anybody may hear it. */
export const percentOf = ({ done, total, ended }: Job): number => (ended !== undefined || total === 0 ? 100 : Math.min(99, Math.floor((100 * done) / total)));

/**
 * What is carried to another store says of itself what it is indexed by, and the other is indexed by what this process knows: throws where that is less, or
 * where a job is at a row of this one.
 */
export async function refuseUnindexed({ dumps }: Pick<Transfer, 'dumps'>, wanted: Fingerprints): Promise<void> {
  for await (const { item } of dumps.document([])) {
    if (item.kind === notes.job.kind && item.id === notes.job.id && !isOver(JSON.parse(item.value) as Job))
      throw new Problem('exception', 'the store to migrate from is being indexed anew; run `kindred reindex` on it, until it says that all is done');
    const unknown =
      item.kind === notes.indexed.kind && item.id === notes.indexed.id ? Object.keys(JSON.parse(item.value)).filter(name => !(name in wanted)) : [];
    if (unknown.length > 0)
      throw new Problem('exception', `the store to migrate from is indexed by ${unknown.slice(0, 3).join(', ')}; set KINDRED_PACKAGES as its servers have it`);
  }
}
