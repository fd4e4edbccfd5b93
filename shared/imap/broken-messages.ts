import type { Buffer } from 'node:buffer';
import { parseMessage } from '../message/parse-message.ts';
import type { Part } from '../message/part.ts';
import { type ParsedMessage, sectionOf } from '../message/section.ts';
import type { Place, SectionRequest } from '../methods/Email/mail.ts';
import { octetsWanted } from './fetch-plan.ts';
import { imapLimits } from './limits.ts';

/** Messages whose BODYSTRUCTURE was of no use, with the tree made from their octets: the server's sections are not theirs. */
export class BrokenMessages {
  readonly #kept = new Map<string, ParsedMessage>();
  #octetsLeft: number = imapLimits.wholeMessagesOctetsMax;

  keep(place: Place, octets: Buffer): Part {
    const root = parseMessage(octets);
    this.#octetsLeft -= octets.length;
    if (this.#octetsLeft >= 0) this.#kept.set(keyOf(place), { octets, root });
    return root;
  }

  /** What the server would answer if it understood the message; null where it has to be asked. */
  section(request: SectionRequest): Uint8Array | null {
    const message = this.#kept.get(keyOf(request.place));
    if (!message) return null;
    const octets = sectionOf(message, request.section);
    return octets?.subarray(0, octetsWanted(request)) ?? null;
  }
}

function keyOf({ mailbox, uidValidity, uid }: Place): string {
  return `${uidValidity} ${uid} ${mailbox}`;
}
