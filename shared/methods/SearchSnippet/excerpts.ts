import { bodyParts } from '../../message/body-structure.ts';
import { bodyValue } from '../../message/body-value.ts';
import { htmlText } from '../../message/html-text.ts';
import type { Part } from '../../message/part.ts';
import type { CanReadContents, SectionRequest } from '../Email/mail.ts';
import { excerpt } from './highlight.ts';
import { matchesIn } from './matches.ts';

/** How much is looked through. */
export const searchLimits = {
  /** Octets of one text part, as it is stored. */
  octetsOfPartMax: 1_000_000,
  /** Text parts that are in memory at the same time. */
  partsAtOnce: 16,
} as const;

/**
 * For each message whose body has one of the terms, the text around it (RFC 8621 §5). HTML is looked at only where the plain
 * text has none of them.
 */
export async function readExcerpts<P>(
  bodies: readonly { readonly place: P; readonly structure: Part }[],
  terms: readonly string[],
  messages: CanReadContents<P>,
): Promise<ReadonlyMap<P, string>> {
  const excerpts = new Map<P, string>();
  for (const isHtml of [false, true]) {
    const requests = bodies
      .filter(({ place }) => !excerpts.has(place))
      .flatMap(({ place, structure }) => textParts(structure, isHtml).map((part) => requestFor(part, place)));
    for (let at = 0; at < requests.length; at += searchLimits.partsAtOnce) {
      const batch = requests.slice(at, at + searchLimits.partsAtOnce);
      const sections = await messages.readSections(batch.map(({ request }) => request));
      for (const { part, request } of batch) {
        const octets = sections.get(request);
        if (octets === undefined || excerpts.has(request.place)) continue;
        const text = textOf(part, octets, request.maxOctets !== undefined);
        const [first, ...others] = matchesIn(text, terms);
        if (first) excerpts.set(request.place, excerpt(text, [first, ...others]));
      }
    }
  }
  return excerpts;
}

function textParts(structure: Part, isHtml: boolean): Part[] {
  const { textBody, htmlBody } = bodyParts(structure);
  const texts = [...new Set([...textBody, ...htmlBody])].filter((part) => part.type.startsWith('text/'));
  return texts.filter((part) => (part.type === 'text/html') === isHtml);
}

function requestFor<P>(part: Part, place: P): { part: Part; request: SectionRequest<P> } {
  const section = part.partId ?? '';
  const maxOctets = searchLimits.octetsOfPartMax;
  return { part, request: part.encodedSize > maxOctets ? { place, section, maxOctets } : { place, section } };
}

/** The text of a part on one line. */
function textOf(part: Part, encoded: Uint8Array, isPrefix: boolean): string {
  const { value } = bodyValue(part, encoded, { maxBodyValueBytes: 0, isPrefix });
  const text = part.type === 'text/html' ? htmlText(value, Number.POSITIVE_INFINITY) : value;
  return text.replace(/\s+/g, ' ').trim();
}
