import { bodyParts } from '../../message/body-structure.ts';
import { matchesIn } from '../../message/matches.ts';
import type { Part } from '../../message/part.ts';
import type { CanReadContents } from '../Email/mail.ts';
import { readTexts } from '../Email/read-texts.ts';
import { excerpt } from './highlight.ts';

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
    const parts = bodies
      .filter(({ place }) => !excerpts.has(place))
      .flatMap(({ place, structure }) => textParts(structure, isHtml).map((part) => ({ place, part })));
    for await (const { place, text } of readTexts(parts, messages)) {
      if (excerpts.has(place)) continue;
      const [first, ...others] = matchesIn(text, terms);
      if (first) excerpts.set(place, excerpt(text, [first, ...others]));
    }
  }
  return excerpts;
}

function textParts(structure: Part, isHtml: boolean): Part[] {
  const { textBody, htmlBody } = bodyParts(structure);
  const texts = [...new Set([...textBody, ...htmlBody])].filter((part) => part.type.startsWith('text/'));
  return texts.filter((part) => (part.type === 'text/html') === isHtml);
}
