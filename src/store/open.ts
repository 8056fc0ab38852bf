import type { ResourceType } from '../fhir/types.ts';
import type { SearchParam } from '../search/query.ts';
import type { StoreAddress } from './address.ts';
import { openMongodb } from './mongodb/store.ts';
import { openSqlite } from './sqlite/store.ts';
import type { ChainedEvent, ResourceStore } from './store.ts';

/** What every engine is opened with. */
export interface StoreParts {
  readonly paramsOf: (type: ResourceType) => readonly SearchParam[];
  /** audit/chain.ts. */
  readonly linkHash: (previous: string, events: readonly ChainedEvent[]) => string;
  /** Whose chain of the log this process continues. */
  readonly writer: string;
  /** Within how many milliseconds a server must answer; an embedded engine always does. */
  readonly patience: number;
  /** Told in a sentence what is changed in an older store. */
  readonly progress?: (text: string) => void;
}

/**
 * Opens the store, making it where it is not there: the one place that knows the engines.
 * @throws Problem `exception` with one sentence on what is wrong with it.
 */
export function openStore(address: StoreAddress, parts: StoreParts): Promise<ResourceStore> {
  return address.engine === 'sqlite' ? openSqlite({ path: address.path, ...parts }) : openMongodb({ url: address.url, ...parts });
}
