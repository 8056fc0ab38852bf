import { MongoError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import type { ResourceStore } from '../store.ts';

const silent = 'the database does not answer at the moment; try again later';
const uncertain = 'the database does not answer; it is not known whether this was stored';
/** How long a look whether the database is there may take. */
const READY = 1500;

/** What the driver throws, as a problem that a client can be told of: its own words may hold names and addresses. */
const problemOf = (error: unknown): unknown => (error instanceof MongoError ? new Problem('unavailable', silent, { cause: error }) : error);

async function within<T>(patience: number, text: string, work: Promise<T>): Promise<T> {
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

/** The store with every failure of the database as a Problem, and every question answered in time, one way or the other. */
export function guarded(store: ResourceStore, patience: number): ResourceStore {
  const read = <T>(work: Promise<T>): Promise<T> => within(patience, silent, work);
  return {
    ...store,
    read: (...args) => read(store.read(...args)),
    readMany: (...args) => read(store.readMany(...args)),
    search: (...args) => read(store.search(...args)),
    keys: (...args) => read(store.keys(...args)),
    count: (...args) => read(store.count(...args)),
    history: (...args) => read(store.history(...args)),
    linked: (...args) => read(store.linked(...args)),
    grants: (...args) => read(store.grants(...args)),
    epochs: (...args) => read(store.epochs(...args)),
    document: (...args) => read(store.document(...args)),
    documents: (...args) => read(store.documents(...args)),
    commit: (...args) => within(patience, uncertain, store.commit(...args)),
    ready: () => within(READY, silent, store.ready()),
    totals: () => read(store.totals()),
  };
}
