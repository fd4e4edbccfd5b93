import { renewalsDoubleDays, renewalsPerCommit, renewBelowDays } from './limits.ts';
import type { Renewal } from './merge.ts';
import { type Tables, tableNames } from './tables.ts';

/** The day since the epoch on which the first block that the tables name expires; null while they name none. */
export function firstExpiry(tables: Tables): number | null {
  const days = tableNames.flatMap((name) => tables[name].root.refs.map((ref) => ref.expires));
  return days.length === 0 ? null : days.reduce((a, b) => Math.min(a, b));
}

/**
 * The renewals of one commit on the day `today`, `pauseDays` after the one before: few at a time, more after a longer
 * pause, and more when it becomes urgent.
 */
export function renewalFor(tables: Tables, today: number, pauseDays: number): Renewal {
  const first = firstExpiry(tables) ?? today + renewBelowDays;
  const daysLate = Math.min(today + renewBelowDays - first, renewBelowDays);
  if (daysLate <= 0) return { isDue: () => false, spend: () => {} };
  const pause = Math.max(1, pauseDays);
  const dueBefore = Math.min(first + renewalsDoubleDays + 2 * pause, today + renewBelowDays);
  let left = renewalsPerCommit * pause * 2 ** Math.floor(daysLate / renewalsDoubleDays);
  return {
    isDue: (expires) => left > 0 && expires < dueBefore,
    spend: () => {
      left -= 1;
    },
  };
}
