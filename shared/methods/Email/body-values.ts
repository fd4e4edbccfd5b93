import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import { bodyParts } from '../../message/body-structure.ts';
import { bodyValue } from '../../message/body-value.ts';
import { isMultipart, type Part } from '../../message/part.ts';
import type { Reading } from './content.ts';
import type { SectionRequest } from './mail.ts';
import type { BodyValueWishes } from './plan.ts';

/**
 * Octets to read for one octet of a value: three in quoted-printable, and as many again for markup of a charset such as
 * iso-2022-jp whose escapes vanish.
 */
const octetsPerValueOctet = 6;
/** Octets beyond that, for soft line breaks and a tag or character that is cut off. */
const surplusOctets = 1024;
/** Octets of text parts that one call reads, as stored: so much is in memory at once. Of a larger one the value is cut off. */
export const bodyOctetsMax = 32 * 1024 * 1024;

/** A text part whose value is asked for, and what is read of it. */
export type WantedValue<P> = { readonly blobId: Id; readonly part: Part; readonly request: SectionRequest<P> };

/**
 * What the `bodyValues` of each message (RFC 8621 §4.2) are made of: the text parts that were asked for, and no more of them than may be
 * shown. `requestTooLarge` when they are more than `bodyOctetsMax`: fewer ids or a limit get through.
 */
export function wantedValues<P>(
  readings: readonly Reading<P>[],
  wishes: BodyValueWishes,
): Result<readonly WantedValue<P>[], MethodError> {
  const wanted = readings.flatMap(({ subject, place, facts }) => {
    const parts = facts.structure ? wantedParts(facts.structure, wishes) : [];
    return parts.map((part) => ({ blobId: subject.blobId, part, request: requestFor(part, place, wishes.maxBytes) }));
  });
  const octetsWanted = wanted.reduce((sum, { part, request }) => sum + (request.maxOctets ?? part.encodedSize), 0);
  if (octetsWanted > bodyOctetsMax && readings.length > 1) {
    return refuse(methodError('requestTooLarge', `the body values of one call are more than ${bodyOctetsMax} octets`));
  }
  return ok(wanted);
}

/** The `bodyValues` of each message, by blob id. */
export function bodyValuesOf<P>(
  wanted: readonly WantedValue<P>[],
  sections: ReadonlyMap<SectionRequest<P>, Uint8Array>,
  maxBytes: number,
): ReadonlyMap<Id, JsonObject> {
  const values = new Map<Id, JsonObject>();
  for (const { blobId, part, request } of wanted) {
    const octets = sections.get(request);
    if (octets === undefined || part.partId === null) continue;
    const isPrefix = request.maxOctets !== undefined && octets.byteLength >= request.maxOctets;
    const ofMessage = values.get(blobId) ?? {};
    ofMessage[part.partId] = bodyValue(part, octets, { maxBodyValueBytes: maxBytes, isPrefix });
    values.set(blobId, ofMessage);
  }
  return values;
}

function requestFor<P>(part: Part, place: P, maxBytes: number): SectionRequest<P> {
  const section = part.partId ?? '';
  const wanted = maxBytes === 0 ? bodyOctetsMax : maxBytes * octetsPerValueOctet + surplusOctets;
  const maxOctets = Math.min(wanted, bodyOctetsMax);
  return part.encodedSize <= maxOctets ? { place, section } : { place, section, maxOctets };
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
