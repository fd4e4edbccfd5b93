import { expect, test } from '@jest/globals';
import { Pace } from '../../shared/imap/pace.ts';

/** What is asked for, command after command, of a server that tells of so many messages in a second: `rates`, one for each command. */
function askedOf(rates: readonly number[]): number[] {
  let now = 1_000;
  const pace = new Pace(() => now);
  return rates.map((perSecond) => {
    const messages = pace.next();
    now += (1000 * messages) / perSecond;
    pace.told(messages);
    return messages;
  });
}

test('of a fast server so much is asked as fits into a command', () => {
  expect(askedOf([100_000, 100_000, 100_000])).toEqual([200, 2_000, 2_000]);
});

test('of a slow one, what it tells of in half a second', () => {
  expect(askedOf([300, 300, 300, 300])).toEqual([200, 150, 150, 150]);
});

test('of a very slow one, not less than is worth a command', () => {
  expect(askedOf([10, 10, 10])).toEqual([200, 50, 50]);
});

test('of one that becomes slow or fast, soon what it tells of now', () => {
  const slowed = askedOf([5_000, 5_000, 5_000, 5_000, 5_000, 100, 100, 100, 100, 100, 100, 100]);
  expect(slowed.slice(0, 2)).toEqual([200, 2_000]);
  expect(slowed.at(-1)).toBe(50);
  const sped = askedOf([200, 200, 200, 9_000, 9_000, 9_000, 9_000, 9_000, 9_000]);
  expect(sped.at(-1)).toBe(2_000);
});

test('an answer that came at once counts', () => {
  const pace = new Pace(() => 0);
  pace.told(200);
  expect(pace.next()).toBe(2_000);
});
