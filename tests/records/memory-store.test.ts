import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { describeRecordStore } from './store-contract.ts';

describeRecordStore('in memory', async () => {
  let now = 1_700_000_000;
  return {
    store: createMemoryRecordStore({ now: () => now * 1000 }),
    nowSeconds: () => now,
    passSeconds: (seconds) => {
      now += seconds;
    },
    stop: async () => {},
  };
});
