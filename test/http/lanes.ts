import { nameOf } from '../../src/fhir/types.ts';
import { type Deed, saying, type Trace } from './ledger.ts';
import type { Client } from './world.ts';

/** Clients that write until the server is killed, and note what they send and what they are told. */
export interface Load {
  readonly client: Client;
  readonly round: number;
  readonly deeds: Deed[];
  /** Whether the server is being killed: until then it answers everybody. */
  killed(): boolean;
}
type Answer = Awaited<ReturnType<Client['get']>>;
/** Writes on under a number until it is told to stop. */
type Lane = (load: Load, name: string, number: number) => Promise<boolean>;

/** Sends a write and notes what becomes of it; gives its answer, or undefined where none came. */
async function send({ deeds, killed }: Load, lane: string, traces: readonly Trace[], sending: PromiseLike<Answer>, may: readonly number[]) {
  const deed: Deed = { lane, traces, told: 'nothing' };
  deeds.push(deed);
  const answer = await sending.then(
    given => given,
    (error: unknown) => {
      if (killed()) return undefined;
      throw error;
    },
  );
  if (answer === undefined) return undefined;
  if (!may.includes(answer.status)) throw new Error(`${lane}: ${answer.status} ${JSON.stringify(answer.body)}`);
  if (answer.status !== 503) deed.told = answer.status < 300 ? 'done' : 'refused';
  return answer;
}

/** The version that is stored now, a deletion too. */
async function versionOf({ client, killed }: Load, path: string): Promise<{ readonly version: number; readonly live: boolean } | undefined> {
  const answer = await client.get(`${path}/_history?_count=1`).then(
    given => given,
    (error: unknown) => {
      if (killed()) return undefined;
      throw error;
    },
  );
  if (answer === undefined) return undefined;
  if (answer.status === 404) return { version: 0, live: false };
  const { resource, response } = answer.body.entry[0];
  return { version: Number(/\d+/.exec(response.etag)![0]), live: resource !== undefined };
}
const match = (version: number): Record<string, string> => (version === 0 ? {} : { 'If-Match': `W/"${version}"` });

/** Updates a resource from the version that it has now. */
async function update(load: Load, lane: string, number: number, key: { readonly type: string; readonly id: string }, may: readonly number[]): Promise<boolean> {
  const path = nameOf(key);
  const now = await versionOf(load, path);
  if (now === undefined) return false;
  const trace = { ...key, version: now.version + 1, says: `${load.round}-${lane}-${number}` };
  const body = saying(key.type, trace.says, { id: key.id });
  return (await send(load, lane, [trace], load.client.put(path, body, match(now.version)), may)) !== undefined;
}
const updateOwn: Lane = (load, lane, number) => update(load, lane, number, { type: 'Observation', id: lane }, [200, 201]);
/** Without a date of its own its facets change with every version, so each update asks under a lock who cites it. */
const shared = { type: 'Basic', id: 'shared' };
const updateShared: Lane = (load, lane, number) => update(load, lane, number, shared, [200, 412]);

const create: Lane = async (load, lane, number) => {
  const trace: Trace = { type: 'Observation', version: 1, says: `${load.round}-${lane}-${number}` };
  const answer = await send(load, lane, [trace], load.client.post('Observation', saying('Observation', trace.says!)), [201]);
  if (answer !== undefined) trace.id = answer.body.id;
  return answer !== undefined;
};

/** Puts and deletes by turns. */
const remove: Lane = async (load, lane, number) => {
  const path = `Observation/${lane}`;
  const now = await versionOf(load, path);
  if (now === undefined) return false;
  const trace = { type: 'Observation', id: lane, version: now.version + 1 };
  if (now.live) return (await send(load, lane, [trace], load.client.delete(path, match(now.version)), [204])) !== undefined;
  const says = `${load.round}-${lane}-${number}`;
  return (await send(load, lane, [{ ...trace, says }], load.client.put(path, saying('Observation', says, { id: lane })), [201])) !== undefined;
};

/** An update, two creates of which one cites the other, and the delete of what the last one of the lane created. */
const transact: Lane = async (load, lane, number) => {
  const now = await versionOf(load, `Observation/${lane}`);
  if (now === undefined) return false;
  const name = `${load.round}-${lane}-${number}`;
  const cited: Trace = { type: 'Observation', version: 1, says: `${name}-cited` };
  const citing: Trace = { type: 'Observation', version: 1, says: `${name}-citing` };
  const put: Trace = { type: 'Observation', id: lane, version: now.version + 1, says: name };
  const last = load.deeds.findLast(deed => deed.lane === lane && (deed.stored ?? deed.told === 'done'))?.traces.find(trace => trace.says?.endsWith('-citing'));
  const gone: readonly Trace[] = last === undefined ? [] : [{ type: 'Observation', id: last.id!, version: 2 }];
  const entry = [
    { fullUrl: 'urn:uuid:c', resource: saying('Observation', citing.says!, { hasMember: [{ reference: 'urn:uuid:d' }] }), request: postTo('Observation') },
    { fullUrl: 'urn:uuid:d', resource: saying('Observation', cited.says!), request: postTo('Observation') },
    {
      resource: saying('Observation', name, { id: lane }),
      request: { method: 'PUT', url: `Observation/${lane}`, ...(now.version === 0 ? {} : { ifMatch: `W/"${now.version}"` }) },
    },
    ...gone.map(({ id }) => ({ request: { method: 'DELETE', url: `Observation/${id}` } })),
  ];
  const sending = load.client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  const answer = await send(load, lane, [citing, cited, put, ...gone], sending, [200]);
  if (answer === undefined) return false;
  for (const [index, trace] of [citing, cited].entries()) trace.id = /Observation\/([^/]+)/.exec(answer.body.entry[index].response.location)![1]!;
  return true;
};
const postTo = (url: string): object => ({ method: 'POST', url });

const lanes: Readonly<Record<string, Lane>> = {
  'own-1': updateOwn,
  'own-2': updateOwn,
  'own-3': updateOwn,
  'rival-1': updateShared,
  'rival-2': updateShared,
  'new-1': create,
  'new-2': create,
  'new-3': create,
  'all-1': transact,
  'all-2': transact,
  'gone-1': remove,
  'gone-2': remove,
};

/** All lanes at once, until none is answered any more. */
export async function write(load: Load): Promise<void> {
  await Promise.all(
    Object.entries(lanes).map(async ([name, lane]) => {
      for (let number = 0; await lane(load, name, number); number++);
    }),
  );
}

/** Writes until it is taken. What a killed server was writing may be in the way until another one ends it, after a third of what it waits at most. */
export async function waitUntilWritable(load: Load): Promise<void> {
  const end = Date.now() + 20_000;
  for (let number = 0; Date.now() < end; number++) {
    await update(load, 'first', number, shared, [200, 201, 503]);
    if (load.deeds.at(-1)!.told === 'done') return;
  }
  throw new Error('nothing can be stored');
}
