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

test('of a fast server so much is asked as fits into a command, and many of them', () => {
  expect(askedOf([100_000, 100_000, 100_000])).toEqual([100, 2_000, 2_000]);
});

test('of a slow one, by each of two commands what it tells of in a quarter of a second', () => {
  expect(askedOf([400, 400, 400, 400])).toEqual([100, 100, 100, 100]);
  expect(askedOf([300, 300, 300, 300])).toEqual([100, 75, 75, 75]);
});

test('of a very slow one, not less than is worth a command', () => {
  expect(askedOf([10, 10, 10])).toEqual([100, 50, 50]);
});

test('of one that becomes slow or fast, soon what it tells of now', () => {
  const slowed = askedOf([5_000, 5_000, 5_000, 5_000, 5_000, 100, 100, 100, 100, 100, 100, 100]);
  expect(slowed.slice(0, 2)).toEqual([100, 1_250]);
  expect(slowed.at(-1)).toBe(50);
  const sped = askedOf([200, 200, 200, 9_000, 9_000, 9_000, 9_000, 9_000, 9_000]);
  expect(sped.at(-1)).toBe(2_000);
});

test('an answer that came at once counts', () => {
  const pace = new Pace(() => 0);
  pace.told(100);
  expect(pace.next()).toBe(2_000);
});

test('in all, what the server tells of in half a second, and two commands at least', () => {
  let now = 0;
  const pace = new Pace(() => now);
  expect(pace.inAll()).toBe(200);
  now = 100;
  pace.told(100);
  expect(pace.inAll()).toBe(500);
  now = 60_000;
  pace.told(100);
  expect(pace.inAll()).toBe(100);
});
