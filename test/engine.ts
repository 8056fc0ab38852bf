import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { linkHash } from '../src/audit/chain.ts';
import { buildRegistry } from '../src/search/registry.ts';
import { parseAddress } from '../src/store/address.ts';
import { openStore } from '../src/store/open.ts';
import type { ResourceStore } from '../src/store/store.ts';
import { withDatabase } from './mongodb/url.ts';

/** The engine that the suite runs on: jest.config.mjs runs some of them on each. */
export const engine: 'sqlite' | 'mongodb' = (globalThis as { kindredEngine?: 'mongodb' }).kindredEngine ?? 'sqlite';

const made: string[] = [];
/** Where a new empty store of the engine may be: in memory, or a database that is dropped when the tests of the file are through. */
export function scratchStore(): string {
  if (engine === 'sqlite') return 'sqlite::memory:';
  const name = `kindred_test_${randomBytes(6).toString('hex')}`;
  made.push(name);
  // Without a server the tests are skipped, and nobody goes there.
  return withDatabase(process.env.KINDRED_TEST_MONGODB_URL ?? 'mongodb://nowhere', name);
}

export const registry = buildRegistry();
/** A store of the engine: a new one where no address is given. */
export const openScratch = (address: string = scratchStore(), writer = 'test', paramsOf = registry.paramsOf): Promise<ResourceStore> =>
  openStore(parseAddress(address)!, { paramsOf, linkHash, writer, patience: 10_000 });

let emptied: string | undefined;
/** The same, for suites that need very many: one at a time, since on a server they take turns in one database. */
export async function openEmpty(): Promise<ResourceStore> {
  if (engine === 'sqlite') return openScratch();
  if (emptied !== undefined) {
    const client = new MongoClient(emptied);
    const collections = await client.db().collections();
    await Promise.all(collections.filter(one => one.collectionName !== 'schema').map(one => one.deleteMany({})));
    await client.close();
  }
  emptied ??= scratchStore();
  return openScratch(emptied);
}

/** Ends what `scratchStore` has begun, for suites that make many. */
export async function dropScratch(): Promise<void> {
  if (made.length === 0) return;
  const client = new MongoClient(process.env.KINDRED_TEST_MONGODB_URL!);
  for (const name of made.splice(0)) await client.db(name).dropDatabase();
  await client.close();
}
afterAll(dropScratch, 60_000);
