import { MongoClient, type MongoClientOptions, MongoError, MongoServerError } from 'mongodb';
import { Problem } from '../../fhir/problem.ts';
import { shownAddress, withoutCredentials } from '../address.ts';

export interface Connected {
  readonly client: MongoClient;
  readonly database: string;
  /** To be called now and then while nothing is answered. */
  revive(): Promise<void>;
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
  // How soon a server is missed that says nothing any more, not even that the connection has gone.
  heartbeatFrequencyMS: Math.max(500, patience / 4),
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
/** Options of an address that would change those, or how values are read: they are passed over. */
const ruled =
  /^(w|j|journal|fsync|wtimeout(ms)?|readConcernLevel|readPreference(Tags)?|maxStalenessSeconds|raw|promote(Longs|Values)|useBigInt64|bsonRegExp)$/i;
/** The first release of MongoDB that will do, as hello tells it: 7.0. */
const WIRE_VERSION = 21;

/**
 * Connects, and looks whether the server is one that will do. `instead`: options in place of the usual ones.
 * @throws Problem `exception` with one sentence that says what is wrong.
 */
export async function connect(url: string, patience: number, instead: MongoClientOptions = {}): Promise<Connected> {
  const where = shownAddress(url);
  const [place = '', ...more] = url.split('?');
  const asked = more
    .join('?')
    .split('&')
    .filter(option => option !== '' && !ruled.test(option.split('=')[0]!));
  const given = new Set(asked.map(option => option.split('=')[0]!.toLowerCase()));
  const unset = Object.fromEntries(Object.entries(defaults(patience)).filter(([name]) => !given.has(name.toLowerCase())));
  let client: MongoClient;
  try {
    client = new MongoClient([place, ...(asked.length === 0 ? [] : [asked.join('&')])].join('?'), { ...unset, ...instead, ...fixed });
  } catch (error) {
    throw new Problem('exception', `KINDRED_STORE is no address of a MongoDB: ${reasonOf(error)}`, { cause: error });
  }
  const revive = reviver(client);
  try {
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.setName === undefined && hello.msg !== 'isdbgrid')
      throw new Problem(
        'exception',
        `the MongoDB at ${where} is a single server; Kindred needs a replica set (one member suffices: start it with --replSet and run rs.initiate())`,
      );
    if (hello.maxWireVersion < WIRE_VERSION) throw new Problem('exception', tooOld(where));
    return { client, revive, database: /^[^/]+\/\/[^/]+\/([^?]+)/.exec(url)?.[1] ?? 'kindred' };
  } catch (error) {
    await client.close().catch(() => {});
    throw explained(error, where);
  }
}

/**
 * The driver (7.9) can wait for ever for a socket that goes while it writes to it. Where that becomes of its look for a server, it never finds it again.
 * Gives what to call while the database does not answer: it connects anew where nothing was heard of such a look for longer than one can take.
 */
function reviver(client: MongoClient): () => Promise<void> {
  const longest = 1.5 * (client.options.connectTimeoutMS + client.options.heartbeatFrequencyMS);
  const heard = new Map<string, number>();
  for (const name of ['serverHeartbeatStarted', 'serverHeartbeatSucceeded', 'serverHeartbeatFailed'] as const)
    client.on(name, ({ connectionId }: { readonly connectionId: string }) => heard.set(connectionId, Date.now()));
  client.on('serverClosed', ({ address }) => heard.delete(address));
  let lost = false;
  return async () => {
    lost ||= Math.min(...heard.values()) < Date.now() - longest;
    if (!lost) return;
    heard.clear();
    await client.close();
    await client.connect();
    lost = false;
  };
}

/** Why the database cannot be used, in one sentence without names of accounts or passwords. */
export function explained(error: unknown, where: string): unknown {
  if (error instanceof Problem || !(error instanceof MongoError)) return error;
  const told = (text: string): Problem => new Problem('exception', text, { cause: error });
  if (error instanceof MongoServerError && (error.code === 18 || error.code === 8000))
    return told(`the MongoDB at ${where} does not accept the name and password given in KINDRED_STORE`);
  if (error instanceof MongoServerError && error.code === 13)
    return told(`the account in KINDRED_STORE may not read and write at ${where}; name one that has the role readWrite on that database`);
  if (/reports maximum wire version/.test(error.message)) return told(tooOld(where));
  return told(`no MongoDB was reached at ${where}: ${reasonOf(error)}`);
}
const tooOld = (where: string): string => `the MongoDB at ${where} is older than 7.0, which Kindred needs`;
const reasonOf = (error: unknown): string => withoutCredentials(String((error as Error).message));
