import { parseMessage } from '../../message/parse-message.ts';
import { octetsAsked, type ParsedMessage, sectionOf } from '../../message/section.ts';
import type { CanReadContents } from './mail.ts';

/** The start of a header: a field (RFC 5322 §2.2), perhaps behind the `From ` line of an mbox file. */
const headerStart = /^(?:From [^\n]*\n)?[\x21-\x39\x3b-\x7e]+[ \t]*:/;
/** How far it is looked for. */
export const headerStartOctets = 2_000;

const byteOrderMark = Buffer.from('\ufeff');

/** Parses octets as a message; null where they do not begin as one does. A byte order mark spoils the first field only. */
export function parsedMessage(octets: Uint8Array): ParsedMessage | null {
  const isMarked = byteOrderMark.equals(octets.subarray(0, byteOrderMark.length));
  const start = isMarked ? octets.subarray(byteOrderMark.length) : octets;
  return beginsLikeMessage(start) ? { octets, root: parseMessage(octets) } : null;
}

/** Whether octets begin as those of a message do. */
export function beginsLikeMessage(octets: Uint8Array): boolean {
  return headerStart.test(Buffer.from(octets.subarray(0, headerStartOctets)).toString('latin1'));
}

/** Reads messages that are at hand in the way in which those of the mail server are read. */
export const parsedMessages: CanReadContents<ParsedMessage> = {
  read: async (places) =>
    new Map(
      places.map((place) => [
        place,
        { headers: sectionOf(place, 'HEADER') ?? new Uint8Array(), structure: place.root },
      ]),
    ),
  readSections: async (requests) =>
    new Map(
      requests.flatMap((request) => {
        const octets = sectionOf(request.place, request.section);
        return octets === null ? [] : [[request, octetsAsked(request, octets)] as const];
      }),
    ),
};
