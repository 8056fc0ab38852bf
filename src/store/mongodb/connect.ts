import { MongoClient, type MongoClientOptions, MongoError, MongoServerError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { shownAddress } from '../address.ts';

export interface Connected {
  readonly client: MongoClient;
  readonly database: string;
}
/** What an option of the same name in the address overrides. Half of the patience for each step, so that one may be tried again. */
const defaults = (patience: number): MongoClientOptions => ({
  appName: 'kindred',
  maxPoolSize: 50,
  maxIdleTimeMS: 60_000,
  connectTimeoutMS: patience / 2,
  serverSelectionTimeoutMS: patience / 2,
  waitQueueTimeoutMS: patience / 2,
  socketTimeoutMS: patience,
});
/** What nothing overrides: what is acknowledged is on the disks of a majority, what is read is too. */
const fixed: MongoClientOptions = {
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  retryReads: true,
  ignoreUndefined: true,
  promoteBuffers: true,
};
/** The first release of MongoDB that will do, as hello tells it: 7.0. */
const WIRE_VERSION = 21;

/**
 * Connects, and looks whether the server is one that will do. `instead`: options in place of the usual ones.
 * @throws Problem `exception` with one sentence that says what is wrong.
 */
export async function connect(url: string, patience: number, instead: MongoClientOptions = {}): Promise<Connected> {
  const where = shownAddress(url);
  const given = new Set([...new URLSearchParams(url.split('?')[1]).keys()].map(name => name.toLowerCase()));
  const unset = Object.fromEntries(Object.entries(defaults(patience)).filter(([name]) => !given.has(name.toLowerCase())));
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(url, { ...unset, ...instead, ...fixed });
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.setName === undefined && hello.msg !== 'isdbgrid')
      throw new Problem(
        'exception',
        `the MongoDB at ${where} is a single server; Kindred needs a replica set (one member suffices: start it with --replSet and run rs.initiate())`,
      );
    if (hello.maxWireVersion < WIRE_VERSION) throw new Problem('exception', `the MongoDB at ${where} is older than 7.0, which Kindred needs`);
    return { client, database: /^[^/]+\/\/[^/]+\/([^?]+)/.exec(url)?.[1] ?? 'kindred' };
  } catch (error) {
    await client?.close().catch(() => {});
    throw explained(error, where);
  }
}

/** Why the database cannot be used, in one sentence without names of accounts or passwords. */
export function explained(error: unknown, where: string): unknown {
  if (error instanceof Problem || !(error instanceof MongoError)) return error;
  const told = (text: string): Problem => new Problem('exception', text, { cause: error });
  if (error instanceof MongoServerError && (error.code === 18 || error.code === 8000))
    return told(`the MongoDB at ${where} does not accept the name and password given in KINDRED_STORE`);
  if (error instanceof MongoServerError && error.code === 13)
    return told(`the account in KINDRED_STORE may not read and write at ${where}; it needs the role readWrite on that database`);
  const reason = error.message.replaceAll(/\/\/[^@\s]*@/g, '//');
  if (/Parse|InvalidArgument|MissingCredentials|APIError/.test(error.name)) return told(`KINDRED_STORE is no address of a MongoDB: ${reason}`);
  return told(`no MongoDB was reached at ${where}: ${reason}`);
}
