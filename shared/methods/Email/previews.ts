import type { Id } from '../../jmap/scalars.ts';
import type { Part } from '../../message/part.ts';
import { preview, previewLimits, previewParts } from '../../message/preview.ts';
import type { Reading } from './content.ts';
import type { CanReadContents, MessageFacts, SectionRequest } from './mail.ts';

/**
 * The `preview` of each Email: what the server's PREVIEW says, else made from the beginning of its best text part. Only
 * messages whose first such part turns out blank are read a second time.
 */
export async function readPreviews<P>(
  readings: readonly Reading<P>[],
  messages: CanReadContents<P>,
): Promise<ReadonlyMap<Id, string>> {
  const previews = new Map<Id, string>();
  for (const { subject, facts } of readings) previews.set(subject.blobId, facts.preview ?? '');

  let blank = await withParts(
    readings.filter(({ facts }) => facts.preview === undefined),
    messages,
  );
  while (blank.length > 0) {
    const attempts = blank.flatMap(({ blobId, place, parts: [part, ...rest] }) =>
      part ? [{ blobId, place, part, rest, request: requestFor(part, place) }] : [],
    );
    const sections = await messages.readSections(attempts.map(({ request }) => request));
    blank = [];
    for (const { blobId, place, part, rest, request } of attempts) {
      const octets = sections.get(request);
      const text = octets ? preview(part, octets, request.maxOctets !== undefined) : '';
      previews.set(blobId, text);
      if (text === '') blank.push({ blobId, place, parts: rest });
    }
  }
  return previews;
}

/** A message whose preview is to be made, and the parts that are left to try. */
type Blank<P> = { readonly blobId: Id; readonly place: P; readonly parts: readonly Part[] };

async function withParts<P>(readings: readonly Reading<P>[], messages: CanReadContents<P>): Promise<Blank<P>[]> {
  const unknown = readings.filter(({ facts }) => facts.structure === undefined).map(({ place }) => place);
  const more =
    unknown.length === 0
      ? new Map<P, MessageFacts>()
      : await messages.read(unknown, { headers: 'none', structure: true, preview: false });
  return readings.flatMap(({ subject, place, facts }) => {
    const structure = facts.structure ?? more.get(place)?.structure;
    return structure ? [{ blobId: subject.blobId, place, parts: previewParts(structure) }] : [];
  });
}

function requestFor<P>(part: Part, place: P): SectionRequest<P> {
  const section = part.partId ?? '';
  const maxOctets = previewLimits.encodedBytesMax;
  return part.encodedSize > maxOctets ? { place, section, maxOctets } : { place, section };
}
