import { openScratch, scratchStore } from '../engine.ts';
import { storeContract } from './store.ts';

storeContract('MongoDB', async paramsOf => {
  const address = scratchStore();
  const store = await openScratch(address, 'one', paramsOf);
  return {
    store,
    async reopen() {
      await store.close();
      return openScratch(address, 'one');
    },
    beside: () => openScratch(address, 'two', paramsOf),
  };
});
