import { parseMessage } from '../../shared/message/parse-message.ts';
import type { Part } from '../../shared/message/part.ts';
import { octetsAsked, sectionOf } from '../../shared/message/section.ts';
import type { CanReadMessages, MessageNeeds, Place, SectionRequest } from '../../shared/methods/Email/mail.ts';

/** What was asked of the server. */
export type Asked = { readonly reads: { places: Place[]; needs: MessageNeeds }[]; readonly sections: SectionRequest[] };

/** Lists of raw messages by mailbox, of UIDVALIDITY 1: UID n is the n-th, and `null` is one that is gone. */
export type RawMailboxes = Readonly<Record<string, readonly (string | null)[]>>;

/** A mail server of raw messages, or of those that `mailboxes` finds, each octet a character. */
export function inMemoryMail(
  mailboxes: RawMailboxes | ((place: Place) => string | null),
  options: { readonly previews?: Readonly<Record<number, string>> } = {},
): CanReadMessages & { readonly asked: Asked } {
  const asked: Asked = { reads: [], sections: [] };
  const rawOf = (place: Place): Buffer | null => {
    const raw = typeof mailboxes === 'function' ? mailboxes(place) : listed(mailboxes, place);
    return raw == null ? null : Buffer.from(raw.replace(/\r?\n/g, '\r\n'), 'latin1');
  };
  return {
    asked,
    read: async (places, needs) => {
      asked.reads.push({ places: [...places], needs });
      const facts = new Map();
      for (const place of places) {
        const raw = rawOf(place);
        if (raw === null) continue;
        const preview = options.previews?.[place.uid];
        facts.set(place, {
          ...(needs.headers === 'none' ? {} : { headers: onlyFields(headerOf(raw), needs.headers) }),
          ...(needs.structure ? { structure: asFromServer(parseMessage(raw)) } : {}),
          ...(needs.preview && preview !== undefined ? { preview } : {}),
        });
      }
      return facts;
    },
    readSections: async (requests) => {
      asked.sections.push(...requests);
      const octets = new Map<SectionRequest, Uint8Array>();
      for (const request of requests) {
        const raw = rawOf(request.place);
        const section = raw && sectionOf({ octets: raw, root: parseMessage(raw) }, request.section);
        if (section) octets.set(request, octetsAsked(request, section));
      }
      return octets;
    },
    open: async (place, section) => {
      const raw = rawOf(place);
      const octets = raw && sectionOf({ octets: raw, root: parseMessage(raw) }, section);
      return octets ? { octets: new Blob([new Uint8Array(octets)]).stream(), size: octets.byteLength } : null;
    },
  };
}

function listed(mailboxes: RawMailboxes, { mailbox, uidValidity, uid }: Place): string | null {
  return uidValidity === 1 ? (mailboxes[mailbox]?.[uid - 1] ?? null) : null;
}

function headerOf(raw: Buffer): Buffer {
  const end = raw.indexOf('\r\n\r\n');
  return end === -1 ? raw : raw.subarray(0, end + 4);
}

function onlyFields(header: Buffer, fields: 'all' | readonly string[]): Buffer {
  if (fields === 'all') return header;
  const kept = header
    .toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter((line) => fields.includes(line.slice(0, line.indexOf(':')).toLowerCase()));
  return Buffer.from(`${kept.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A BODYSTRUCTURE tells neither header fields nor offsets nor decoded sizes. */
function asFromServer({ headers: _, range: __, size: ___, subParts, ...part }: Part): Part {
  return { ...part, size: null, subParts: subParts.map(asFromServer) };
}
