import { expect, test } from '@jest/globals';
import { createBlockWriter } from '../../../shared/catalog/storage/blocks.ts';
import { blocksPerWrite } from '../../../shared/catalog/storage/limits.ts';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';

test('a writer whose store has failed says so each time it is waited for, and never waits for ever', async () => {
  const store = createMemoryStore({ now: () => 0 });
  const writer = createBlockWriter({
    store: { ...store, writeBlocks: () => Promise.reject(new Unavailable('no')) },
    account: 'a',
    prefix: 'p',
    today: 0,
  });
  const putBatches = (count: number) => {
    for (let n = 0; n < count * blocksPerWrite; n += 1) writer.put(new Uint8Array(1));
  };
  putBatches(20);
  await expect(writer.room()).rejects.toThrow(Unavailable);
  putBatches(20);
  await expect(writer.room()).rejects.toThrow(Unavailable);
  await expect(writer.finish()).rejects.toThrow(Unavailable);
});
