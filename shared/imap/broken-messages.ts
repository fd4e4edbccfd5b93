import { parseMessage } from '../message/parse-message.ts';
import type { Part } from '../message/part.ts';
import type { ParsedMessage } from '../message/section.ts';
import type { Place } from '../methods/Email/mail.ts';
import type { ImapLimits } from './limits.ts';

/** Messages whose BODYSTRUCTURE was of no use, with the tree made from their octets: the server's sections are not theirs. */
export class BrokenMessages {
  /** Null: too large to be kept beside the others; it is read once more where its octets are wanted. */
  readonly #messages = new Map<string, ParsedMessage | null>();
  #octetsLeft: number;

  constructor({ wholeMessagesOctetsMax }: Pick<ImapLimits, 'wholeMessagesOctetsMax'>) {
    this.#octetsLeft = wholeMessagesOctetsMax;
  }

  keep(place: Place, octets: Uint8Array): Part {
    const root = parseMessage(octets);
    const isKept = octets.byteLength <= this.#octetsLeft;
    if (isKept) this.#octetsLeft -= octets.byteLength;
    this.#messages.set(keyOf(place), isKept ? { octets, root } : null);
    return root;
  }

  has(place: Place): boolean {
    return this.#messages.has(keyOf(place));
  }

  /** The message with its octets; null where they were not kept. */
  get(place: Place): ParsedMessage | null {
    return this.#messages.get(keyOf(place)) ?? null;
  }
}

function keyOf({ mailbox, uidValidity, uid }: Place): string {
  return `${uidValidity} ${uid} ${mailbox}`;
}
