import { Parser } from 'htmlparser2';
import { iJsonText } from './i-json-text.ts';

/** Elements whose content is never shown. */
const hiddenElements = new Set(['script', 'style', 'title', 'template', 'object', 'iframe', 'select', 'textarea']);
/** Elements that stand on lines of their own. */
const blockElements = new Set(
  (
    'address article aside blockquote body center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main ' +
    'nav ol p pre section table tr ul br'
  ).split(' '),
);
const cellElements = new Set(['td', 'th']);
/** HTML is given to the parser in pieces of this size, so that it can be left when there is enough text. */
const pieceChars = 4 * 1024;

/**
 * The text of the beginning of an HTML document, as lines; those that quote another message begin with `> `. Reads no
 * further than `charsMax` characters of text ask for. White space is as in the source.
 */
export function htmlText(html: string, charsMax: number): string {
  const lines: string[] = [];
  let line = '';
  let chars = 0;
  let depth = 0;
  let hiddenAt = 0;
  let quotedAt = 0;

  const endLine = () => {
    if (line.trim() !== '') lines.push(quotedAt > 0 ? `> ${line.trim()}` : line);
    line = '';
  };

  const parser = new Parser({
    onopentag(name, attributes) {
      depth++;
      if (blockElements.has(name)) endLine();
      else if (cellElements.has(name)) line += ' ';
      if (hiddenAt === 0 && hiddenElements.has(name)) hiddenAt = depth;
      if (quotedAt === 0 && isQuote(name, attributes)) {
        endLine();
        quotedAt = depth;
      }
    },
    onclosetag(name) {
      if (blockElements.has(name) || quotedAt === depth) endLine();
      if (hiddenAt === depth) hiddenAt = 0;
      if (quotedAt === depth) quotedAt = 0;
      depth--;
    },
    ontext(text) {
      if (hiddenAt > 0) return;
      line += text.replace(/\s+/g, ' ');
      if (quotedAt === 0) chars += text.trim().length;
    },
  });
  for (let at = 0; at < html.length && chars < charsMax; at += pieceChars)
    parser.write(html.slice(at, at + pieceChars));
  if (chars < charsMax) parser.end();
  endLine();
  // Entities can spell what I-JSON forbids.
  return iJsonText(lines.join('\n'));
}

/** Elements in which mail programs put the message that is answered. */
function isQuote(name: string, attributes: Readonly<Record<string, string>>): boolean {
  const classes = attributes.class ?? '';
  return name === 'blockquote' || /\b(?:gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote)\b/.test(classes);
}
