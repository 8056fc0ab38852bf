import { existsSync } from 'node:fs';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import type { SearchParam } from '../search/query.ts';
import type { StoreAddress } from './address.ts';
import { openMongodb } from './mongodb/store.ts';
import { openMongodbTransfer } from './mongodb/transfer.ts';
import { openSqlite } from './sqlite/store.ts';
import { openSqliteTransfer } from './sqlite/transfer.ts';
import type { ChainedEvent, ResourceStore } from './store.ts';
import { migrationNote, type ResourceOf, type Transfer } from './transfer.ts';

/** What every engine is opened with. */
export interface StoreParts {
  readonly paramsOf: (type: ResourceType) => readonly SearchParam[];
  /** audit/chain.ts. */
  readonly linkHash: (previous: string, events: readonly ChainedEvent[]) => string;
  /** Whose chain of the log this process continues. */
  readonly writer: string;
  /** Within how many milliseconds a server must answer; an embedded engine always does. */
  readonly patience: number;
  /** Within how many milliseconds a search must be answered; 5000 where nothing is said. */
  readonly queryTime?: number;
  /** Told in a sentence what is changed in an older store. */
  readonly progress?: (text: string) => void;
}

/**
 * Opens the store, making it where it is not there: the one place that knows the engines.
 * @throws Problem `exception` with one sentence on what is wrong with it.
 */
export async function openStore(address: StoreAddress, parts: StoreParts): Promise<ResourceStore> {
  const store = await (address.engine === 'sqlite' ? openSqlite({ path: address.path, ...parts }) : openMongodb({ url: address.url, ...parts }));
  try {
    if ((await store.document(migrationNote.kind, migrationNote.id)) === undefined) return store;
    throw new Problem('exception', 'a migration into this store is not finished; run `kindred migrate` again, until it says that all was carried');
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Opens the store as something that is carried, or (`target`) that another is carried into: only that is made where it is not there.
 * @throws Problem `exception` as above.
 */
export async function openTransfer(
  address: StoreAddress,
  role: 'source' | 'target',
  parts: Pick<StoreParts, 'paramsOf' | 'patience' | 'progress'> & { readonly resourceOf: ResourceOf },
): Promise<Transfer> {
  const existing = role === 'source';
  if (address.engine === 'mongodb') return openMongodbTransfer({ url: address.url, existing, ...parts });
  if (existing && !existsSync(address.path)) throw new Problem('exception', `there is no store at \`${address.path}\``);
  return openSqliteTransfer({ path: address.path, ...parts });
}
