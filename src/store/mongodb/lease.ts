import { randomUUID } from 'node:crypto';
import { type Db, MongoServerError } from 'mongodb';

/** How long a lease holds when its holder says nothing more. Longer than clocks of machines differ. */
const LASTS = 30_000;

interface Lease {
  readonly _id: string;
  readonly holder: string;
  readonly until: Date;
}

/**
 * Does the work that only one process may do at a time; gives false, and nothing was done, where another is at it. A holder that dies is followed
 * when its lease runs out, so what it began must bear being done again.
 */
export async function withLease(name: string, db: Db, work: () => Promise<void>, lasts: number = LASTS): Promise<boolean> {
  const leases = db.collection<Lease>('lease');
  const holder = randomUUID();
  const until = (): Date => new Date(Date.now() + lasts);
  try {
    await leases.updateOne({ _id: name, until: { $lt: new Date() } }, { $set: { holder, until: until() } }, { upsert: true });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11000) return false;
    throw error;
  }
  const renewal = setInterval(() => void leases.updateOne({ _id: name, holder }, { $set: { until: until() } }).catch(() => {}), lasts / 3).unref();
  try {
    await work();
  } finally {
    clearInterval(renewal);
    await leases.deleteOne({ _id: name, holder }).catch(() => {});
  }
  return true;
}
