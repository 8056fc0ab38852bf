import { MongoError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import type { ResourceStore } from '../store.ts';

/** What the driver throws, as a problem that a client can be told of: its own words may hold names and addresses. */
export function problemOf(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  return new Problem('unavailable', 'the database does not answer at the moment; try again later', { cause: error });
}

/** The store with every failure of the database as a Problem. */
export function guarded(store: ResourceStore): ResourceStore {
  const rethrow = (error: unknown): never => {
    throw problemOf(error);
  };
  return {
    ...store,
    read: (...args) => store.read(...args).catch(rethrow),
    readMany: (...args) => store.readMany(...args).catch(rethrow),
    search: (...args) => store.search(...args).catch(rethrow),
    keys: (...args) => store.keys(...args).catch(rethrow),
    count: (...args) => store.count(...args).catch(rethrow),
    history: (...args) => store.history(...args).catch(rethrow),
    linked: (...args) => store.linked(...args).catch(rethrow),
    grants: (...args) => store.grants(...args).catch(rethrow),
    epochs: (...args) => store.epochs(...args).catch(rethrow),
    document: (...args) => store.document(...args).catch(rethrow),
    documents: (...args) => store.documents(...args).catch(rethrow),
    commit: (...args) => store.commit(...args).catch(rethrow),
    totals: (...args) => store.totals(...args).catch(rethrow),
  };
}
