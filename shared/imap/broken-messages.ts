import type { Buffer } from 'node:buffer';
import { parseMessage, partBody } from '../message/parse-message.ts';
import type { Part } from '../message/part.ts';
import type { Place, SectionRequest } from '../methods/Email/mail.ts';
import { octetsWanted } from './fetch-plan.ts';
import { imapLimits } from './limits.ts';

/** Messages whose BODYSTRUCTURE was of no use, with the tree made from their octets: the server's sections are not theirs. */
export class BrokenMessages {
  readonly #kept = new Map<string, { readonly octets: Buffer; readonly root: Part }>();
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

function sectionOf({ octets, root }: { octets: Buffer; root: Part }, section: string): Uint8Array | null {
  if (section === '') return octets;
  const [, path = '', what] = /^([\d.]*?)\.?(HEADER|TEXT|MIME)?$/.exec(section) ?? [];
  const part = path === '' ? root : findPart(root, path);
  if (!part?.range) return null;
  return what === 'MIME' || what === 'HEADER'
    ? octets.subarray(part.range.headerStart, part.range.bodyStart)
    : partBody(octets, part);
}

function findPart(part: Part, path: string): Part | null {
  if (part.section === path || part.partId === path) return part;
  for (const child of part.subParts) {
    const found = findPart(child, path);
    if (found) return found;
  }
  return null;
}
