import type { Id, JsonObject } from '../../jmap/scalars.ts';
import { bodyParts } from '../../message/body-structure.ts';
import { bodyValue } from '../../message/body-value.ts';
import { isMultipart, type Part } from '../../message/part.ts';
import type { Reading } from './content.ts';
import type { CanReadContents, SectionRequest } from './mail.ts';
import type { BodyValueWishes } from './plan.ts';

/**
 * Octets to read for one octet of a value: three in quoted-printable, and as many again for markup of a charset such as
 * iso-2022-jp whose escapes vanish.
 */
const octetsPerValueOctet = 6;
/** Octets beyond that, for soft line breaks and a tag or character that is cut off. */
const surplusOctets = 1024;

/** The `bodyValues` of each message (RFC 8621 §4.2): the text parts that were asked for, and no more of them than may be shown. */
export async function readBodyValues<P>(
  readings: readonly Reading<P>[],
  wishes: BodyValueWishes,
  messages: CanReadContents<P>,
): Promise<ReadonlyMap<Id, JsonObject>> {
  const wanted = readings.flatMap(({ subject, place, facts }) => {
    const parts = facts.structure ? wantedParts(facts.structure, wishes) : [];
    return parts.map((part) => ({ ...subject, part, request: requestFor(part, place, wishes.maxBytes) }));
  });
  const sections = await messages.readSections(wanted.map(({ request }) => request));

  const values = new Map<Id, JsonObject>();
  for (const { blobId, part, request } of wanted) {
    const octets = sections.get(request);
    if (octets === undefined || part.partId === null) continue;
    const isPrefix = request.maxOctets !== undefined && octets.byteLength >= request.maxOctets;
    const ofMessage = values.get(blobId) ?? {};
    ofMessage[part.partId] = bodyValue(part, octets, { maxBodyValueBytes: wishes.maxBytes, isPrefix });
    values.set(blobId, ofMessage);
  }
  return values;
}

function requestFor<P>(part: Part, place: P, maxBytes: number): SectionRequest<P> {
  const section = part.partId ?? '';
  const maxOctets = maxBytes * octetsPerValueOctet + surplusOctets;
  return maxBytes === 0 || part.encodedSize <= maxOctets ? { place, section } : { place, section, maxOctets };
}

function wantedParts(structure: Part, wishes: BodyValueWishes): Part[] {
  const { textBody, htmlBody } = bodyParts(structure);
  const wanted = new Set<Part>([
    ...(wishes.text ? textBody : []),
    ...(wishes.html ? htmlBody : []),
    ...(wishes.all ? leavesOf(structure) : []),
  ]);
  return [...wanted].filter((part) => part.type.startsWith('text/'));
}

function leavesOf(part: Part): Part[] {
  return isMultipart(part) ? part.subParts.flatMap(leavesOf) : [part];
}
