import { renewalsPerCommit, renewBelowDays } from './limits.ts';
import type { Renewal } from './merge.ts';
import { type Tables, tableNames } from './tables.ts';

/** The day since the epoch on which the first block that the tables name expires; null while they name none. */
export function firstExpiry(tables: Tables): number | null {
  const days = tableNames.flatMap((name) => tables[name].root.refs.map((ref) => ref.expires));
  return days.length === 0 ? null : days.reduce((a, b) => Math.min(a, b));
}

/** The renewals of one commit on the day `today`: few at a time, more when it becomes urgent. */
export function renewalFor(tables: Tables, today: number): Renewal {
  const remaining = (firstExpiry(tables) ?? today + renewBelowDays) - today;
  let left =
    remaining >= renewBelowDays
      ? 0
      : renewalsPerCommit * 2 ** Math.floor((renewBelowDays - Math.max(0, remaining)) / 5);
  return {
    isDue: (expires) => left > 0 && expires - today < renewBelowDays,
    spend: () => {
      left -= 1;
    },
  };
}
