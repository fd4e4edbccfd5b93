import type { Person } from './letter.ts';
import type { Random } from './random.ts';

/** What all letters of one sample mailbox have in common. */
export interface World {
  readonly random: Random;
  readonly now: Date;
  readonly owner: Person;
  /** A new Message-ID, with angle brackets, as the mail program of this person would make it. */
  messageId(from: Person): string;
  /** So many days before now, at an hour of the working day that chance picks; never in the future. */
  daysAgo(days: number): Date;
}

const dayMs = 86_400_000;

export function makeWorld(random: Random, now: Date, owner: Person): World {
  return {
    random,
    now,
    owner,
    messageId: (from) => `<${random.hex(8)}.${random.hex(12)}@${from.email.split('@')[1] ?? 'example.org'}>`,
    daysAgo: (days) => {
      const midnight = Math.floor(now.getTime() / dayMs - days) * dayMs;
      const minute = random.between(7 * 60, 18 * 60);
      const latest = now.getTime() - random.between(60, 3_600) * 1_000;
      return new Date(Math.min(midnight + minute * 60_000 + random.below(60) * 1_000, latest));
    },
  };
}

/** Read when it is older than some days; of the newer ones, some are still unread. */
export function seenFlags({ random, now }: World, date: Date): string[] {
  const ageDays = (now.getTime() - date.getTime()) / dayMs;
  return ageDays > 20 || random.chance(0.35) ? ['\\Seen'] : [];
}
