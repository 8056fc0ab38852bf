import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MongoClient, MongoServerError } from 'mongodb';
import { exits } from '../../src/cli/command.ts';
import type { Problem } from '../../src/fhir/problem.ts';
import { parseAddress } from '../../src/store/address.ts';
import { connect, explained } from '../../src/store/mongodb/connect.ts';
import { withLease } from '../../src/store/mongodb/lease.ts';
import { prepare, steps } from '../../src/store/mongodb/schema.ts';
import { collectionsOf } from '../../src/store/mongodb/stored.ts';
import { kindred } from '../cli/process.ts';
import { write } from '../contract/world.ts';
import { openScratch, scratchStore } from '../engine.ts';
import { startFake } from '../mongodb/fake.ts';

const PATIENCE = 2000;
/** The sentence that a store cannot be opened with. */
const refusal = (url: string): Promise<string> =>
  connect(url, PATIENCE).then(
    async ({ client }) => {
      await client.close();
      return 'opened';
    },
    (error: Problem) => {
      expect(error).toMatchObject({ name: 'Problem', code: 'exception' });
      return error.message;
    },
  );
const own = (): string => process.env.KINDRED_TEST_MONGODB_URL!;
const hosts = (): string => /@?([^@/]+)\/?(\?|$)/.exec(own().replace(/^mongodb:\/\//, ''))![1]!;
const plain = (sentence: string): void => {
  expect(sentence).not.toMatch(/secret|bob|\n| at .*\.[jt]s|Mongo[A-Z]\w+Error|undefined|\[object/);
};

describe('what is wrong at the start is told in a sentence', () => {
  test('nobody is there', async () => {
    const sentence = await refusal('mongodb://bob:secret@127.0.0.1:9,127.0.0.1:10/db?replicaSet=kindred');
    expect(sentence).toMatch(/^no MongoDB was reached at mongodb:\/\/127\.0\.0\.1:9,127\.0\.0\.1:10\/db: /);
    plain(sentence);
  });
  test('a wrong password', async () => {
    const sentence = await refusal(`mongodb://tester:wrong-secret@${hosts()}/?directConnection=true&authMechanism=SCRAM-SHA-256`);
    expect(sentence).toMatch(/does not accept the name and password|may not read and write/);
    plain(sentence);
  });
  test.each([
    [18, 'Authentication failed.', 'the MongoDB at h/db does not accept the name and password given in KINDRED_STORE'],
    [
      13,
      'not authorized on db to execute command { find: "schema" }',
      /^the account in KINDRED_STORE may not read and write at h\/db; name one that has the role/,
    ],
    [10107, 'not primary', 'no MongoDB was reached at h/db: not primary'],
  ])('code %d', (code, message, sentence) => {
    const told = (explained(new MongoServerError({ message, code }), 'h/db') as Problem).message;
    expect(told).toMatch(sentence);
    plain(told);
  });
  const primary = { helloOk: true, isWritablePrimary: true, ismaster: true, minWireVersion: 0, maxBsonObjectSize: 16_777_216, readOnly: false };
  test.each([
    ['no replica set', { maxWireVersion: 25 }, 'is a single server; Kindred needs a replica set'],
    ['too old', { maxWireVersion: 17, setName: 'kindred', hosts: [] }, 'is older than 7.0, which Kindred needs'],
    ['much too old', { maxWireVersion: 4, setName: 'kindred', hosts: [] }, 'is older than 7.0, which Kindred needs'],
  ])('%s', async (_, more, sentence) => {
    const fake = await startFake({ ...primary, ...more });
    const told = await refusal(fake.url);
    await fake.close();
    expect(told).toContain(sentence);
    plain(told);
  });
  test.each([
    'mongodb://bob:secret@h:99999/db',
    'mongodb://bob:se/cret-secret@h/db',
    'mongodb://bob:se@cret-secret@h/db',
    'mongodb://bob:secret@h/db?nonsense=1',
    'mongodb://bob:secret@h/db?replicaSet=',
    'mongodb://bob:secret@h/db?maxPoolSize=many',
    'mongodb://bob:secret@h/db?maxPoolSize=1&maxPoolSize=2',
    'mongodb://bob:secret@h/db?authMechanism=none',
    'mongodb+srv://bob:secret@h:1/db',
  ])('no address: %s', async url => {
    const told = await refusal(url);
    expect(told).toMatch(/^KINDRED_STORE is no address of a MongoDB: /);
    plain(told);
  });
  test('kindred serve prints it, and ends as for any other store', async () => {
    for (const url of ['mongodb://bob:secret@127.0.0.1:9/db', 'mongodb://bob:secret@h/db?nonsense=1']) {
      const { code, out, err } = await kindred(['serve'], { KINDRED_STORE: url, KINDRED_STORE_TIMEOUT: '1', PORT: '0' });
      expect([code, out]).toEqual([exits.failed, '']);
      expect(err).toMatch(/^(no MongoDB was reached at|KINDRED_STORE is no address of a MongoDB:) .*\n$/);
      plain(err.trimEnd());
    }
  }, 60_000);
});

describe('options in the address', () => {
  const optionsOf = async (query: string): Promise<MongoClient['options']> => {
    const url = scratchStore();
    const { client } = await connect(`${url}${url.includes('?') ? '&' : '?'}${query}`, PATIENCE);
    await client.close();
    return client.options;
  };
  test('override what is usual', async () => {
    expect(await optionsOf('maxPoolSize=7&SOCKETTIMEOUTMS=1234')).toMatchObject({ maxPoolSize: 7, socketTimeoutMS: 1234, connectTimeoutMS: PATIENCE / 2 });
  });
  test.each([
    'w=0',
    'w=1&journal=false',
    'j=false',
    'fsync=false',
    'wtimeoutMS=1',
    'readPreference=secondary',
    'readPreference=secondary&readPreferenceTags=dc:ny&readPreferenceTags=&maxStalenessSeconds=100',
    'readConcernLevel=local',
    'READCONCERNLEVEL=available&W=0',
    'promoteLongs=false&promoteValues=false&promoteBuffers=false&useBigInt64=true&raw=true&retryReads=false&ignoreUndefined=false',
  ])('change nothing of what is fixed: %s', async query => {
    const options = await optionsOf(query);
    expect({ ...options.writeConcern }).toEqual({ w: 'majority', journal: true, j: true });
    expect(options.readConcern).toMatchObject({ level: 'majority' });
    expect(options.readPreference).toMatchObject({ mode: 'primary' });
    expect(options.readPreference.tags).toBeUndefined();
    expect(options).toMatchObject({ retryReads: true, ignoreUndefined: true, promoteBuffers: true, raw: false });
    for (const name of ['promoteLongs', 'promoteValues', 'useBigInt64']) expect(options).not.toHaveProperty(name);
  });
});

describe('the schema', () => {
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(own());
  });
  afterAll(() => client.close());
  /** A new database. */
  const fresh = () => {
    const { database, url } = { database: /\/([^/?]+)(\?|$)/.exec(scratchStore())![1]!, url: own() };
    return { at: collectionsOf(client.db(database)), database, url };
  };
  const versionIn = async ({ db }: ReturnType<typeof collectionsOf>): Promise<unknown> => (await db.collection('schema').findOne({}))?.version;
  const openTo = (database: string) => openScratch(own().replace(/\/(\?|$)/, `/${database}$1`));

  test('of a newer Kindred is refused', async () => {
    const { at, database } = fresh();
    await at.db.collection<{ _id: string; version: number }>('schema').insertOne({ _id: 'schema', version: 99 });
    await expect(openTo(database)).rejects.toThrow(`this database was written by a newer Kindred (schema 99; this one knows ${steps.length})`);
  });
  test('of another program is refused, and left as it is', async () => {
    const { at, database } = fresh();
    await at.db.collection<{ _id: number }>('orders').insertOne({ _id: 1 });
    await expect(openTo(database)).rejects.toThrow(`the database \`${database}\` holds collections of another program (orders); choose an empty one`);
    expect((await at.db.listCollections().toArray()).map(one => one.name)).toEqual(['orders']);
    expect(await at.db.collection('orders').find().toArray()).toEqual([{ _id: 1 }]);
  });
  test('is made once, whoever opens at the same time', async () => {
    const { at } = fresh();
    const done: number[] = [];
    const step = (n: number) => ({
      text: `step ${n}`,
      async run() {
        done.push(n);
        await sleep(50);
      },
    });
    await Promise.all(Array.from({ length: 5 }, () => prepare(at, () => {}, [step(1), step(2)])));
    expect(done).toEqual([1, 2]);
    const told: string[] = [];
    await Promise.all(Array.from({ length: 5 }, () => prepare(at, text => void told.push(text), [step(1), step(2), step(3)])));
    expect(done).toEqual([1, 2, 3]);
    expect(told).toEqual(['changing the database from schema 2 to 3: step 3']);
    expect(await versionIn(at)).toBe(3);
  }, 30_000);
  test('stays where a step throws, and goes on there', async () => {
    const { at } = fresh();
    let [first, broken] = [0, true];
    const known = [
      { text: 'one', run: async () => void first++ },
      { text: 'two', run: async () => (broken ? Promise.reject(new Error('no room')) : undefined) },
    ];
    await expect(prepare(at, () => {}, known)).rejects.toThrow('no room');
    expect(await versionIn(at)).toBe(1);
    broken = false;
    await prepare(at, () => {}, known);
    expect([first, await versionIn(at)]).toEqual([1, 2]);
  });
  test('of an earlier Kindred gets the index of words', async () => {
    const { at } = fresh();
    await prepare(at, () => {}, steps.slice(0, 1));
    await at.resources.dropIndex('w_1_rid_1');
    const told: string[] = [];
    await prepare(at, text => void told.push(text));
    expect(told[0]).toBe('changing the database from schema 1 to 2: making the index of words');
    expect((await at.resources.indexes()).map(({ key }) => key)).toContainEqual({ w: 1, rid: 1 });
    expect(await versionIn(at)).toBe(steps.length);
  }, 60_000);
  test('of a Kindred whose documents could not expire gets their index, and what is there stays', async () => {
    const { at, database } = fresh();
    await prepare(at, () => {}, steps.slice(0, 2));
    await at.documents.dropIndex('expires_1');
    await at.documents.insertOne({ _id: 'client:app', kind: 'client', id: 'app', value: '1' });
    await at.epochs.insertOne({ _id: 'client:app', epoch: 7, s: 7 });
    const told: string[] = [];
    await prepare(at, text => void told.push(text));
    expect(told).toEqual(['changing the database from schema 2 to 3: making the index of documents that expire']);
    // The server takes none away by itself: it would leave their epochs.
    const index = (await at.documents.indexes()).find(({ key }) => key.expires === 1);
    expect([index?.key, index?.expireAfterSeconds]).toEqual([{ expires: 1 }, undefined]);
    const store = await openTo(database);
    await write(store, { op: 'document', kind: 'session', id: 's', value: 1, expires: 10 });
    expect(await store.sweep(Number.MAX_SAFE_INTEGER, 100)).toBe(1);
    expect([await store.document('client', 'app'), await store.epochs(['client:app', 'session:s'])]).toEqual([1, [7, 0]]);
    expect(await at.epochs.countDocuments()).toBe(1);
    await store.close();
  }, 60_000);
  test('never goes back, though a slow process ends its step after another has gone on', async () => {
    const { at } = fresh();
    const schema = at.db.collection<{ _id: string; version: number }>('schema');
    await prepare(at, () => {}, [{ text: 'one', run: async () => void (await schema.insertOne({ _id: 'schema', version: 5 })) }, ...Array(4).fill(steps[0])]);
    expect(await versionIn(at)).toBe(5);
  });

  test('a lease of a dead process is taken over when it has run out, not before', async () => {
    const { at } = fresh();
    const leases = at.db.collection<{ _id: string; holder: string; until: Date }>('lease');
    await leases.insertOne({ _id: 'schema', holder: 'dead', until: new Date(Date.now() + 1000) });
    const begun = Date.now();
    let ran = 0;
    expect(await withLease('schema', at.db, async () => void ran++)).toBe(false);
    expect(ran).toBe(0);
    await prepare(at, () => {}, [{ text: 'one', run: async () => void ran++ }]);
    expect(ran).toBe(1);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(900);
    expect(await leases.countDocuments()).toBe(0);
  }, 30_000);
  test('a lease is kept while its holder works, however long', async () => {
    const { at } = fresh();
    let working = true;
    const holding = withLease('x', at.db, async () => void (await sleep(3000)), 600).finally(() => {
      working = false;
    });
    await sleep(100);
    let [asked, got] = [0, 0];
    while (working) {
      asked++;
      if (await withLease('x', at.db, async () => {}, 600)) got++;
      if (working) expect(got).toBe(0);
      await sleep(50);
    }
    expect(await holding).toBe(true);
    expect(asked).toBeGreaterThan(10);
    expect(await withLease('x', at.db, async () => {})).toBe(true);
  }, 30_000);
});

test('a closed store holds nothing open', async () => {
  const before = process.getActiveResourcesInfo().filter(one => one === 'TCPSocketWrap').length;
  const store = await openScratch(scratchStore());
  expect(parseAddress(own())?.engine).toBe('mongodb');
  await Promise.all([store.ready(), store.totals(), store.commit([{ op: 'document', kind: 'note', id: 'x', value: 1 }], new Date().toISOString())]);
  await store.close();
  await sleep(200);
  expect(process.getActiveResourcesInfo().filter(one => one === 'TCPSocketWrap').length).toBeLessThanOrEqual(before);
  await expect(store.commit([], new Date().toISOString())).rejects.toThrow('the store is closed');
});
