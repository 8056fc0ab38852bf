import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientSession, MongoClient } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import type { Instant } from '../../fhir/types.ts';
import type { Committed } from '../store.ts';
import { type LinkHash, linkOf } from './chain.ts';
import { endSessions, holdsWanted, makeEnder, want } from './contention.ts';
import { emptySheet, merge, type ParamsOf, type Planned, plan, type Sheet } from './plan.ts';
import { look } from './seen.ts';
import type { Collections, StoredWriter } from './stored.ts';
import { finds, readMark, transact, type When } from './transaction.ts';
import { isPassing, uncertain, within } from './unavailable.ts';

interface Request {
  readonly changes: readonly Planned[];
  readonly at: Instant;
  /** When it must be answered, epoch milliseconds. */
  readonly deadline: number;
  readonly answer: PromiseWithResolvers<Committed>;
}
/** Commits that wait while another is on its way share the next transaction. */
export interface Committer {
  commit(changes: readonly Planned[], at: Instant): Promise<Committed>;
  /** Commits what waits; later commits are refused. */
  close(): Promise<void>;
}
export interface CommitterParts {
  readonly client: MongoClient;
  readonly at: Collections;
  readonly paramsOf: ParamsOf;
  readonly linkHash: LinkHash;
  readonly writer: string;
  /** Within how many milliseconds a commit is answered. */
  readonly patience: number;
}

interface Attempt {
  readonly attempt: number;
  /** Until when it lets those go first who want to raise an epoch that it only holds: long enough for a slow server, and no longer, since they may have died. */
  readonly standsBackUntil: number;
  readonly deadline: number;
}

/** Requests in one transaction at most, and changes. */
const GROUP = { requests: 64, changes: 1000 };

export function openCommitter(parts: CommitterParts): Committer {
  const { client, at, paramsOf, linkHash, writer, patience } = parts;
  const queue: Request[] = [];
  let running: Promise<void> | undefined;
  let closed = false;
  /** Where this writer is; undefined where it must be asked. */
  let head: StoredWriter | undefined;
  let session = client.startSession({ causalConsistency: false });
  /** Goes on with another session. What the one before has left open would be in the way for a minute, so it is ended as far as that can be. */
  function leaveSession(): void {
    const old = session;
    session = client.startSession({ causalConsistency: false });
    head = undefined;
    void (old.hasEnded ? endSessions(client, [old.id!]) : old.endSession()).catch(() => {});
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const { late = [], group = [] } = Object.groupBy(nextGroup(queue), one => (one.deadline <= Date.now() ? 'late' : 'group'));
      refuse(late, full());
      if (group.length > 0) await inTime(group).catch(error => refuse(group, error));
    }
    running = undefined;
  }

  /** Where the driver never answers, what it was at is left behind with its session: past its deadline nothing of it is begun or committed any more. */
  async function inTime(group: readonly Request[]): Promise<void> {
    // As all sessions have when the driver had to connect anew (connect.ts).
    if (session.hasEnded) leaveSession();
    let settled = false;
    const making = makeGroup(group, session).finally(() => {
      settled = true;
    });
    await within(2 * patience, uncertain, making).finally(() => {
      if (!settled) leaveSession();
    });
  }

  /** Makes what a group asks for, as often anew as others come in between. */
  async function makeGroup(group: readonly Request[], on: ClientSession): Promise<void> {
    const deadline = Math.min(...group.map(request => request.deadline));
    const standsBackUntil = Date.now() + patience / 4;
    const endStill = makeEnder(client, at, writer, patience / 3);
    let cause: unknown;
    for (let attempt = 0; Date.now() < deadline; attempt++) {
      if (attempt > 0) await sleep(Math.random() * Math.min(200, 2 ** attempt));
      try {
        if (attempt > 3) await endStill();
        const lost = await attemptGroup(group, on, { attempt, standsBackUntil, deadline });
        if (lost === undefined) return;
        cause = lost.cause;
      } catch (error) {
        if (isPassing(error)) cause = error;
        else if (error instanceof Problem || group.length === 1) throw error;
        // One of them cannot be stored: each by itself, and only that one fails.
        else return void (await eachAlone(group, on));
      }
    }
    throw full(cause);
  }
  async function eachAlone(group: readonly Request[], on: ClientSession): Promise<void> {
    for (const request of group) await makeGroup([request], on).catch(error => refuse([request], error));
  }

  async function attemptGroup(
    group: readonly Request[],
    on: ClientSession,
    { attempt, standsBackUntil, deadline }: Attempt,
  ): Promise<{ readonly cause: unknown } | undefined> {
    const whens = group.flatMap(request => request.changes.filter((change): change is When => change.op === 'when'));
    for (const when of whens) if (!(await finds(when, at))) return void unmatched(group, when);
    head ??= await readMark(writer, on, at);
    const from = head;
    const seen = await look(
      group.flatMap(request => request.changes),
      at,
      attempt > 0,
    );
    const sheet = emptySheet();
    const answers = group.map(request => answerOf(request, seen, sheet));
    const settle = (): void => {
      for (const answer of answers) answer();
    };
    if (isEmpty(sheet)) return void settle();
    if (Date.now() < standsBackUntil && holdsWanted(sheet, seen)) return { cause: 'another goes first' };
    const { link, to } = await linkOf(sheet.events, from, linkHash, at);
    head = undefined;
    const outcome = await transact({ sheet, seen, whens, from, to, ...(link === undefined ? {} : { link }) }, on, at, deadline);
    if (outcome.done !== 'lost') head = outcome.done === 'made' ? to : from;
    if (outcome.done === 'lost') {
      await want(sheet, seen, at);
      return { cause: outcome.cause };
    }
    if (outcome.done === 'unmatched') unmatched(group, outcome.when);
    else settle();
    return undefined;
  }

  /** Plans one request on the sheet, and gives what is to be told once that is stored. */
  function answerOf({ changes, at: moment, answer }: Request, seen: Parameters<typeof plan>[2], sheet: Sheet): () => void {
    try {
      const planned = plan(changes, moment, seen, sheet, paramsOf);
      if ('refused' in planned) return () => answer.resolve(planned.refused);
      merge(sheet, planned.sheet);
      return () => answer.resolve({ ok: true, made: planned.sheet.made });
    } catch (error) {
      return () => answer.reject(error);
    }
  }
  /** Only the first of a group has criteria: it is refused, and the others come next. */
  function unmatched([first, ...others]: readonly Request[], when: When): void {
    first!.answer.resolve({ ok: false, at: first!.changes.indexOf(when), why: 'matches' });
    queue.unshift(...others);
  }

  return {
    commit(changes, moment) {
      if (closed) return Promise.reject(new Problem('unavailable', 'the store is closed'));
      const answer = Promise.withResolvers<Committed>();
      queue.push({ changes, at: moment, deadline: Date.now() + patience, answer });
      running ??= new Promise<void>(resolve => setImmediate(resolve)).then(run);
      return answer.promise;
    },
    async close() {
      closed = true;
      await running;
      await at.writers.updateOne({ _id: writer }, { $unset: { session: '' } }).catch(() => {});
      await session.endSession();
    },
  };
}

/** The requests of the next transaction, in their order. Criteria are asked before anything is written, so whatever has some comes first. */
function nextGroup(queue: Request[]): readonly Request[] {
  let changes = 0;
  const end = queue.findIndex((request, index) => {
    changes += request.changes.length;
    return index > 0 && (index >= GROUP.requests || changes > GROUP.changes || request.changes.some(change => change.op === 'when'));
  });
  return queue.splice(0, end < 0 ? queue.length : end);
}
const isEmpty = ({ resources, epochs, documents, grants }: Sheet): boolean => resources.size + epochs.size + documents.size + grants.size === 0;

/** Nothing was stored. */
const full = (cause?: unknown): Problem => new Problem('unavailable', 'nothing can be stored at the moment; try again later', { cause });
function refuse(group: readonly Request[], error: unknown): void {
  const problem = error instanceof Problem ? error : full(error);
  for (const { answer } of group) answer.reject(problem);
}
