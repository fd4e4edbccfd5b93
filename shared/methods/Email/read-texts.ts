import { bodyValue } from '../../message/body-value.ts';
import { htmlText } from '../../message/html-text.ts';
import type { Part } from '../../message/part.ts';
import type { CanReadContents, SectionRequest } from './mail.ts';

/** How much is looked through. */
export const textLimits = {
  /** Octets of one text part, as it is stored. */
  octetsOfPartMax: 1_000_000,
  /** Text parts that are in memory at the same time, and their octets. */
  partsAtOnce: 100,
  octetsAtOnce: 16_000_000,
} as const;

/** A part of a message that is text. */
export type TextPart<P> = { readonly place: P; readonly part: Part };

/** The text of each part on one line, read a few at a time. Those of messages that are not there any more are left out. */
export async function* readTexts<P>(
  parts: readonly TextPart<P>[],
  messages: CanReadContents<P>,
): AsyncGenerator<{ readonly place: P; readonly text: string }> {
  for (const batch of batchesOf(parts.map(requestFor))) {
    const sections = await messages.readSections(batch.map(({ request }) => request));
    for (const { place, part, request } of batch) {
      const octets = sections.get(request);
      if (octets !== undefined) yield { place, text: textOf(part, octets, request.maxOctets !== undefined) };
    }
  }
}

type Requested<P> = TextPart<P> & { readonly request: SectionRequest<P> };

function requestFor<P>({ place, part }: TextPart<P>): Requested<P> {
  const section = part.partId ?? '';
  const maxOctets = textLimits.octetsOfPartMax;
  const isLong = part.encodedSize > maxOctets;
  return { place, part, request: isLong ? { place, section, maxOctets } : { place, section } };
}

function* batchesOf<P>(requested: readonly Requested<P>[]): Generator<readonly Requested<P>[]> {
  let batch: Requested<P>[] = [];
  let octets = 0;
  for (const each of requested) {
    const more = each.request.maxOctets ?? each.part.encodedSize;
    if (batch.length === textLimits.partsAtOnce || octets + more > textLimits.octetsAtOnce) {
      yield batch;
      batch = [];
      octets = 0;
    }
    batch.push(each);
    octets += more;
  }
  if (batch.length > 0) yield batch;
}

function textOf(part: Part, encoded: Uint8Array, isPrefix: boolean): string {
  const { value } = bodyValue(part, encoded, { maxBodyValueBytes: 0, isPrefix });
  const text = part.type === 'text/html' ? htmlText(value, Number.POSITIVE_INFINITY) : value;
  return text.replace(/\s+/g, ' ').trim();
}
