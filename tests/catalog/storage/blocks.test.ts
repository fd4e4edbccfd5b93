import { expect, test } from '@jest/globals';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createBlockReader, createBlockWriter } from '../../../shared/catalog/storage/blocks.ts';
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

test('a block that many ask for at once is read and decoded once', async () => {
  const store = createMemoryStore({ now: () => 0 });
  const writer = createBlockWriter({ store, account: 'a', prefix: 'p', today: 0 });
  const { block } = writer.put(new Uint8Array([7]));
  await writer.finish();
  const reader = createBlockReader({ store, account: 'a', cache: createBlockCache({ maxBytes: 1e6 }) });
  let decodings = 0;
  const decode = (bytes: Uint8Array) => {
    decodings += 1;
    return { value: bytes[0], bytes: 1 };
  };
  const asked = Array.from({ length: 50 }, () => reader.read(block, decode));
  expect(await Promise.all(asked)).toEqual(asked.map(() => 7));
  expect(decodings).toBe(1);
});

test('a block that was remembered as it was written is decoded when it is asked for, and not read', async () => {
  const store = createMemoryStore({ now: () => 0 });
  const noReading = { ...store, readBlocks: () => Promise.reject(new Unavailable('no')) };
  const cache = createBlockCache({ maxBytes: 1e6 });
  const reader = createBlockReader({ store: noReading, account: 'a', cache });
  const onPut = reader.rememberPacked;
  const writer = createBlockWriter({ store, account: 'a', prefix: 'p', today: 0, onPut });
  const { block } = writer.put(new Uint8Array([7]));
  const decode = (bytes: Uint8Array) => ({ value: bytes[0], bytes: 1 });
  expect([await reader.read(block, decode), await reader.read(block, decode)]).toEqual([7, 7]);
  const stranger = createBlockReader({ store: noReading, account: 'b', cache });
  await expect(stranger.read(block, decode)).rejects.toThrow(Unavailable);
});
