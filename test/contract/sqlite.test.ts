import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { linkHash } from '../../src/audit/chain.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { storeContract } from './store.ts';
import { registry } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

const openAt = (path: string, paramsOf = registry.paramsOf, writer = 'one'): Promise<ResourceStore> => openSqlite({ path, paramsOf, linkHash, writer });
let files = 0;

storeContract('SQLite in memory', async paramsOf => ({ store: await openAt(':memory:', paramsOf) }));
storeContract('SQLite in a file', async paramsOf => {
  files += 1;
  const path = join(folder, 'not-there-yet', `${files}.db`);
  const store = await openAt(path, paramsOf);
  return {
    store,
    async reopen() {
      await store.close();
      return openAt(path);
    },
    beside: () => openAt(path, paramsOf, 'two'),
  };
});
