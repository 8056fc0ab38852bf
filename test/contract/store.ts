import { describe } from '@jest/globals';
import { commitsContract } from './commits.ts';
import { documentsContract } from './documents.ts';
import { grantsContract } from './grants.ts';
import { kindsContract } from './kinds.ts';
import { logContract } from './log.ts';
import { reindexContract } from './reindex.ts';
import { searchContract } from './search.ts';
import { versionsContract } from './versions.ts';
import type { Open } from './world.ts';

/**
 * What src/store/store.ts promises, for any engine. `open` gives a new empty store each time; its parameters are those of `registry` (world.ts), its
 * link hash audit/chain.ts.
 */
export function storeContract(name: string, open: Open): void {
  describe(`store: ${name}`, () => {
    versionsContract(open);
    commitsContract(open);
    documentsContract(open);
    searchContract(open);
    kindsContract(open);
    grantsContract(open);
    logContract(open);
    reindexContract(open);
  });
}
