import { setTimeout as sleep } from 'node:timers/promises';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { carriersOf, type Fingerprints, facetsName, fingerprintName, fingerprintOf, pendingOf } from '../search/fingerprint.ts';
import type { SearchParam } from '../search/query.ts';
import type { Registry } from '../search/registry.ts';
import type { Guard } from '../store/pending.ts';
import type { Change, EpochName, ResourceStore } from '../store/store.ts';
import { isOver, isUnderWay, type Job, newJob, notes, percentOf } from './reindex-job.ts';
import { type Held, work } from './reindex-work.ts';

/** What parameters the rows of a store are made of, and the making of those that are missing. */
export interface Reindexer {
  readonly guard: Guard;
  /** The last job there was. */
  job(): Promise<Job | undefined>;
  /** Begins a job over what is pending, or over all where nothing is, unless one is under way: that one then. `also` is written in the same commit. */
  begin(also?: readonly Change[]): Promise<Job>;
  /** Looks now and then whether something is to be done that nobody does, until it is closed. */
  watch(): void;
  close(): Promise<void>;
}
export interface ReindexParts {
  /** Itself, not the one that is guarded. */
  readonly store: ResourceStore;
  readonly registry: Registry;
  /** What is to be indexed now. */
  readonly wanted: Fingerprints;
  /** Who this process is. */
  readonly owner: string;
  /** Works without a pause: nobody else is served by this process. */
  readonly alone?: boolean;
  now(): string;
  newId(): string;
  tell(level: 'info' | 'warn', text: string, more?: Readonly<Record<string, unknown>>): void;
}

const epochNames = ['note:indexed', 'note:reindex'] as const satisfies readonly EpochName[];
/** How often it is looked what other processes did, and how often at most while searches wait for it; milliseconds. */
const WATCH = 2000;
const LOOK = 250;
const ATTEMPTS = 10;

interface Known {
  readonly epochs: readonly number[];
  readonly stored: Fingerprints;
  readonly job: Job | undefined;
}

/** Looks what the store is indexed by. In a new one that is all there is to be. */
export async function openReindexer(parts: ReindexParts): Promise<Reindexer> {
  const { store, registry, wanted, owner, tell } = parts;
  const of = fingerprintOf(wanted);
  let known = await look();
  let looked = Date.now();
  /** What this process does not find resources by, and what it does not index them by, though others do. */
  let pending = pendingOf(wanted, known.stored);
  let strange = pendingOf(known.stored, wanted);
  let working: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let begun = false;

  async function look(): Promise<Known> {
    // Epochs come first: whoever writes upon what is read after them is refused where it has changed in between.
    const epochs = await store.epochs(epochNames);
    const stored = (await store.document(notes.indexed.kind, notes.indexed.id)) as Fingerprints | undefined;
    const job = (await store.document(notes.job.kind, notes.job.id)) as Job | undefined;
    return { epochs, stored: stored ?? (await settle()), job };
  }
  /** Before fingerprints were kept, facets were made as they are now. */
  async function settle(): Promise<Fingerprints> {
    const empty = Object.keys(await store.totals()).length === 0;
    const value = empty ? wanted : { [facetsName]: wanted[facetsName]! };
    const settled = await store.commit([{ op: 'document', ...notes.indexed, value, expect: 'absent' }], parts.now());
    return settled.ok ? value : ((await store.document(notes.indexed.kind, notes.indexed.id)) as Fingerprints);
  }
  async function refresh(): Promise<void> {
    looked = Date.now();
    const epochs = await store.epochs(epochNames);
    if (epochs.some((epoch, at) => epoch !== known.epochs[at])) known = await look();
    pending = pendingOf(wanted, known.stored);
    strange = pendingOf(known.stored, wanted);
  }

  /** What this process writes is not indexed by what only others know. */
  async function strike(): Promise<void> {
    for (let attempt = 0; strange.size > 0 && attempt < ATTEMPTS; attempt++) {
      const value = Object.fromEntries(Object.entries(known.stored).filter(([name]) => !strange.has(name)));
      await store.commit(
        [
          { op: 'epoch', of: 'note:indexed', is: known.epochs[0]! },
          { op: 'document', ...notes.indexed, value },
        ],
        parts.now(),
      );
      await refresh();
    }
  }

  const typesOf = (names: ReadonlySet<string>): readonly ResourceType[] =>
    names.size === 0 ? [...resourceTypes].sort() : carriersOf(names, resourceTypes, registry).toSorted();

  /** A job that was left by whoever was at it, and is good for this process. */
  const leftJob = (): Job | undefined => (known.job !== undefined && !isOver(known.job) && known.job.of === of ? known.job : undefined);
  /** Takes a job on: one that was left, or a new one. Undefined where another process was quicker. */
  async function claim(left: Job | undefined, also: readonly Change[], id: string = parts.newId()): Promise<Held | undefined> {
    const [upon, is] = known.epochs as [number, number];
    const fresh = { id, of, upon, types: typesOf(pending), begun: parts.now() };
    const job = { ...(left ?? newJob(fresh, await store.totals())), owner, seen: Date.now() };
    const claimed = await store.commit([{ op: 'epoch', of: 'note:reindex', is }, { op: 'document', ...notes.job, value: job }, ...also], parts.now());
    await refresh();
    return claimed.ok ? { job, epoch: is + 1 } : undefined;
  }
  function start(held: Held): void {
    working = work(held, { ...parts, gone: () => closed })
      .then(async ended => {
        await refresh();
        if (ended === 'outdated') return claim(undefined, [], held.job.id);
        if (ended !== 'left') tell('info', 'indexed anew', { resources: ended.done, failed: ended.failed });
        return undefined;
      })
      .catch(error => {
        tell('warn', 'the making of the index ended early', { error: String(error) });
        return undefined;
      })
      .then(again => {
        working = undefined;
        if (again !== undefined) start(again);
      });
  }

  /** What a server does by itself: goes on with what was left, and begins once with what it found pending. */
  async function attend(): Promise<void> {
    await refresh();
    if (working !== undefined || closed || isUnderWay(known.job, Date.now())) return;
    const left = leftJob();
    if (left === undefined && pending.size === 0) return;
    // Two processes that want different things would go on for ever.
    if (left === undefined && begun) return;
    begun = true;
    const held = await claim(left, []);
    if (held === undefined) return;
    tell('info', 'indexing', { resources: held.job.total, done: held.job.done, parameters: pending.size });
    start(held);
  }

  return {
    guard: {
      idle: () => pending.size === 0 && strange.size === 0,
      async check(type: ResourceType, param: SearchParam) {
        const name = fingerprintName(type, param, registry);
        if (name === undefined || !pending.has(name)) return;
        if (Date.now() - looked > LOOK) await refresh();
        if (pending.has(name)) throw notYet(type, param, known.job);
      },
      writes: strike,
    },
    async job() {
      await refresh();
      return known.job;
    },
    async begin(also = []) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        await refresh();
        if (isUnderWay(known.job, Date.now())) {
          if (also.length > 0) await store.commit(also, parts.now());
          return known.job;
        }
        const held = await claim(leftJob(), also);
        if (held === undefined) continue;
        start(held);
        return held.job;
      }
      throw new Problem('unavailable', 'others keep beginning the same; try again later');
    },
    watch() {
      const attended = (): Promise<void> => attend().catch(error => tell('warn', 'it cannot be told what is indexed', { error: String(error) }));
      void attended();
      timer = setInterval(() => void attended(), WATCH).unref();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await working;
    },
  };
}

function notYet(type: ResourceType, { code }: SearchParam, job: Job | undefined): Problem {
  const what = code.startsWith('.') ? `what ${type} is found by` : `the search parameter \`${code}\` of ${type}`;
  const progress = job === undefined || isOver(job) ? '' : `: ${percentOf(job)} % is done`;
  return new Problem('unavailable', `${what} is not indexed yet${progress}; try again later`, { headers: { 'Retry-After': '5' } });
}

/** Waits until the job is over, whoever is at it; `told` hears of it now and then. */
export async function followed(reindexer: Reindexer, begun: Job, told: (job: Job) => void): Promise<Job> {
  let job = begun;
  while (!isOver(job)) {
    await sleep(200);
    const found = await reindexer.job();
    if (found === undefined) return job;
    job = found.id === begun.id || isUnderWay(found, Date.now()) ? found : await reindexer.begin();
    if (!isOver(job) && !isUnderWay(job, Date.now())) job = await reindexer.begin();
    told(job);
  }
  return job;
}
