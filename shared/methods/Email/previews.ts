import type { Id } from '../../jmap/scalars.ts';
import type { Part } from '../../message/part.ts';
import { preview, previewLimits, previewParts } from '../../message/preview.ts';
import type { Reading } from './content.ts';
import type { CanReadMessages, Place, SectionRequest } from './mail.ts';

/**
 * The `preview` of each Email: what the server's PREVIEW says, else made from the beginning of its best text part. Only
 * messages whose first such part turns out blank are read a second time.
 */
export async function readPreviews(
  readings: readonly Reading[],
  messages: CanReadMessages,
): Promise<ReadonlyMap<Id, string>> {
  const previews = new Map<Id, string>();
  for (const { email, facts } of readings) previews.set(email.id, facts.preview ?? '');

  let blank = await withParts(
    readings.filter(({ facts }) => facts.preview === undefined),
    messages,
  );
  while (blank.length > 0) {
    const attempts = blank.flatMap(({ id, place, parts: [part, ...rest] }) =>
      part ? [{ id, place, part, rest, request: requestFor(part, place) }] : [],
    );
    const sections = await messages.readSections(attempts.map(({ request }) => request));
    blank = [];
    for (const { id, place, part, rest, request } of attempts) {
      const octets = sections.get(request);
      const text = octets ? preview(part, octets, request.maxOctets !== undefined) : '';
      previews.set(id, text);
      if (text === '') blank.push({ id, place, parts: rest });
    }
  }
  return previews;
}

/** An Email whose preview is to be made, and the parts that are left to try. */
type Blank = { readonly id: Id; readonly place: Place; readonly parts: readonly Part[] };

async function withParts(readings: readonly Reading[], messages: CanReadMessages): Promise<Blank[]> {
  const unknown = readings.filter(({ facts }) => facts.structure === undefined).map(({ place }) => place);
  const more =
    unknown.length === 0
      ? new Map()
      : await messages.read(unknown, { headers: 'none', structure: true, preview: false });
  return readings.flatMap(({ email, place, facts }) => {
    const structure: Part | undefined = facts.structure ?? more.get(place)?.structure;
    return structure ? [{ id: email.id, place, parts: previewParts(structure) }] : [];
  });
}

function requestFor(part: Part, place: Place): SectionRequest {
  const section = part.partId ?? '';
  const maxOctets = previewLimits.encodedBytesMax;
  return part.encodedSize > maxOctets ? { place, section, maxOctets } : { place, section };
}
