import { MongoClient } from 'mongodb';
import type { Floor } from './floor.ts';

/** Bodies in a MongoDB collection; inserts acknowledged by a majority. */
export function openMongodbFloor(url: string): Floor {
  const client = new MongoClient(url, {
    promoteBuffers: true,
    maxPoolSize: 50,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
  });
  const stored = client.db().collection<{ _id: string; body: Buffer }>('floor');
  const pages = client.db().collection<{ _id: string; keys: string[] }>('floorpage');
  let made = 0;
  const run = Date.now();
  return {
    one: async key => (await stored.findOne({ _id: key }))!.body,
    async page(url) {
      const { keys } = (await pages.findOne({ _id: url }))!;
      const found = new Map((await stored.find({ _id: { $in: keys } }).toArray()).map(({ _id, body }) => [_id, body]));
      return keys.map(key => ({ key, body: found.get(key)! }));
    },
    insert: async body => void (await stored.insertOne({ _id: `new/${run}-${made++}`, body: Buffer.from(body) })),
    close: () => client.close(),
  };
}
