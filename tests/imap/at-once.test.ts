import { expect, test } from '@jest/globals';
import { atOnce } from '../../shared/imap/at-once.ts';

test('what several come to is told in their order', async () => {
  const later = new Promise<number>((resolve) => setImmediate(() => resolve(1)));
  expect(await atOnce([later, Promise.resolve(2)])).toEqual([1, 2]);
});

test('a failure is told when all have ended', async () => {
  let hasEnded = false;
  const later = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    hasEnded = true;
  });
  await expect(atOnce([Promise.reject(new Error('failed')), later])).rejects.toThrow('failed');
  expect(hasEnded).toBe(true);
});
