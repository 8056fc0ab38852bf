import { setTimeout as sleep } from 'node:timers/promises';
import { MongoError, MongoServerError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import type { ResourceStore } from '../store.ts';

const silent = 'the database does not answer at the moment; try again later';
export const uncertain = 'the database does not answer; it is not known whether this was stored';
/** How long a look whether the database is there may take. */
const READY = 1500;
/** How long what is asked meanwhile waits for it to be there again. */
const GRACE = 250;

/** Conflicts: write conflict, no such transaction, lock timeout, snapshot too old, duplicate key (someone was faster) … */
const conflicts = [112, 251, 24, 246, 11000, 263, 40001, 50, 16777220];
/** A primary that goes or is not one any more, a server that stops, or cannot reach another. */
const moving = [6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];
const passing: ReadonlySet<unknown> = new Set([...conflicts, ...moving]);
const labels = ['TransientTransactionError', 'RetryableWriteError', 'RetryableError', 'SystemOverloadedError'];
/** The server was not reached, or has not answered. */
const unreached = /Network|ServerSelection|Timeout|PoolClear|PoolClosed|ServerClosed|TopologyClosed/;

/** What becomes of a socket while something is written to it, the driver throws as it is. */
const isBroken = (error: unknown): boolean => /^(E[A-Z]+|ERR_(STREAM|SOCKET)_\w+)$/.test(String((error as { code?: unknown } | null)?.code));

/** Whether nothing is wrong with what was asked: the same may be tried again. */
export const isPassing = (error: unknown): boolean =>
  isBroken(error) ||
  (error instanceof MongoError &&
    (unreached.test(error.name) || labels.some(label => error.hasErrorLabel(label)) || (error instanceof MongoServerError && passing.has(error.code))));

/** What the driver throws, as a problem that a client can be told of: its own words may hold names and addresses. */
function problemOf(error: unknown): unknown {
  if (isPassing(error)) return new Problem('unavailable', silent, { cause: error });
  if (isTooLarge(error)) return new Problem('too-costly', 'this is more than the database can take at once', { cause: error });
  return error;
}
/** A command over its limits: of its size, its stages and how deep they nest, or its regular expressions. The driver refuses the first by itself. */
const isTooLarge = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_OUT_OF_RANGE' ||
  (error instanceof MongoServerError && [10334, 17419, 51091, 7749501, 16436, 232].includes(Number(error.code))) ||
  (error instanceof MongoError && error.name === 'MongoInvalidArgumentError');

/** What the driver throws where the server has ended a search because it took so long, as a problem that names the limit. */
export const tooSlow = (error: unknown, limit: string): unknown =>
  error instanceof MongoServerError && error.code === 50
    ? new Problem('too-costly', `this search takes longer than ${limit}: ask for less, or for something that fewer resources have`, { cause: error })
    : error;

export async function within<T>(patience: number, text: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Problem('unavailable', text)), patience);
  });
  try {
    return await Promise.race([work, end]);
  } catch (error) {
    throw problemOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The store with every failure of the database as a Problem, and every question answered in time, one way or the other. After one that was not answered, the
 * next ones are refused soon, until the database is seen to be there: a request that asks several must not wait for each. `revive`: connect.ts.
 */
export function guarded(store: ResourceStore, patience: number, revive: () => Promise<void>): ResourceStore {
  let closed = false;
  let away: Promise<void> | undefined;
  const ready = (): Promise<void> => within(READY, silent, store.ready());
  async function back(): Promise<void> {
    while (!closed) {
      try {
        await revive();
        await ready();
        break;
      } catch {
        await sleep(200, undefined, { ref: false });
      }
    }
    away = undefined;
  }
  async function asked<T>(work: () => Promise<T>, text: string = silent): Promise<T> {
    if (away !== undefined) await within(GRACE, silent, away);
    try {
      return await within(patience, text, work());
    } catch (error) {
      if (error instanceof Problem && error.code === 'unavailable') away ??= back();
      throw error;
    }
  }
  return {
    read: (...args) => asked(() => store.read(...args)),
    readMany: (...args) => asked(() => store.readMany(...args)),
    search: (...args) => asked(() => store.search(...args)),
    keys: (...args) => asked(() => store.keys(...args)),
    count: (...args) => asked(() => store.count(...args)),
    history: (...args) => asked(() => store.history(...args)),
    linked: (...args) => asked(() => store.linked(...args)),
    grants: (...args) => asked(() => store.grants(...args)),
    epochs: (...args) => asked(() => store.epochs(...args)),
    document: (...args) => asked(() => store.document(...args)),
    documents: (...args) => asked(() => store.documents(...args)),
    commit: (...args) => asked(() => store.commit(...args), uncertain),
    reindex: (...args) => asked(() => store.reindex(...args)),
    sweep: (...args) => asked(() => store.sweep(...args)),
    totals: () => asked(() => store.totals()),
    ready,
    async *chain() {
      try {
        yield* store.chain();
      } catch (error) {
        throw problemOf(error);
      }
    },
    async close() {
      closed = true;
      await away;
      await store.close();
    },
  };
}
