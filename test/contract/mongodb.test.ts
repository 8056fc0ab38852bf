import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { linkHash } from '../../src/audit/chain.ts';
import { openMongodb } from '../../src/store/mongodb/store.ts';
import { storeContract } from './store.ts';
import { registry } from './world.ts';

const base = process.env.KINDRED_TEST_MONGODB!;
const made: string[] = [];
const scratch = (): string => {
  const name = `kindred_test_${randomBytes(6).toString('hex')}`;
  made.push(name);
  return base.replace(/\/(\?|$)/, `/${name}$1`);
};
afterAll(async () => {
  const client = new MongoClient(base);
  for (const name of made) await client.db(name).dropDatabase();
  await client.close();
});
storeContract('MongoDB', async () => {
  const url = scratch();
  const open = () => openMongodb({ url, paramsOf: registry.paramsOf, linkHash, writer: 'one' });
  const store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      return open();
    },
  };
});
