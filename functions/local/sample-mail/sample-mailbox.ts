import type { MessageToAppend } from '../append-messages.ts';
import { conversationLetters } from './conversation.ts';
import { draftLetters, junkAndTrashLetters } from './drafts-and-junk.ts';
import { invitationLetters } from './invitations.ts';
import { foreignLetters } from './languages.ts';
import { launchChecklist } from './launch-checklist.ts';
import { type Letter, type Person, toMessage } from './letter.ts';
import { newsletterLetters } from './newsletters.ts';
import { deliveryStatusLetters, orderLetters } from './notifications.ts';
import { protectedLetters } from './protected-mail.ts';
import { seededRandom } from './random.ts';
import { shortThreads } from './short-threads.ts';
import { stories } from './stories.ts';
import { makeWorld } from './world.ts';

export interface SampleOptions {
  /** The same seed, time and owner give the same octets. */
  readonly seed: number;
  /** The newest message is a little older. */
  readonly now: Date;
  /** Whose mailbox it is. */
  readonly owner?: Person;
}

/**
 * The mailbox of somebody who builds reading rooms: several hundred messages over more than a year, with long threads,
 * files, inline pictures, newsletters, invitations, signed and encrypted mail, many charsets, drafts and junk.
 * Everything in it is invented. Mailbox by mailbox, each in the order in which the messages arrived.
 */
export function sampleMailbox({ seed, now, owner = defaultOwner }: SampleOptions): MessageToAppend[] {
  const world = makeWorld(seededRandom(seed), now, owner);
  const letters = [
    ...stories.flatMap((story) => conversationLetters(world, story)),
    ...conversationLetters(world, launchChecklist(world)),
    ...shortThreads(world),
    ...orderLetters(world),
    ...newsletterLetters(world),
    ...foreignLetters(world),
    ...invitationLetters(world),
    ...protectedLetters(world),
    ...deliveryStatusLetters(world),
    ...draftLetters(world),
    ...junkAndTrashLetters(world),
  ];
  return letters.map((letter) => toMessage(withHabits(letter))).sort(byMailboxThenArrival);

  /** Now and then something is starred or passed on. */
  function withHabits(letter: Letter): Letter {
    if (letter.mailbox[0] !== 'INBOX') return letter;
    const flags = new Set(letter.flags);
    if (world.random.chance(0.05)) flags.add('\\Flagged');
    if (flags.has('\\Seen') && world.random.chance(0.05)) flags.add('$Forwarded');
    return { ...letter, flags: [...flags] };
  }
}

const defaultOwner: Person = { name: 'Robin Calder', email: 'robin@example.org' };

function byMailboxThenArrival(one: MessageToAppend, other: MessageToAppend): number {
  const [first, second] = [one.mailbox.join('\0'), other.mailbox.join('\0')];
  if (first !== second) return first < second ? -1 : 1;
  return one.receivedAt.getTime() - other.receivedAt.getTime();
}
