/** A tag opens with `<` and a letter, `/`, `!` or `?`; any other `<` is text (WHATWG HTML §13.2.5.6). */
const tagStart = /<[a-z/!?]/gi;
/** Elements whose content holds no tags but their own end. */
const rawTextTag = /^<(script|style|textarea|title|xmp)(?=[\s/>])/i;

/**
 * How much of the beginning of an HTML text can be kept so that it does not end inside of a tag, a comment, a script or a
 * style sheet (RFC 8621 §4.2). Linear.
 */
export function safeHtmlLength(html: string): number {
  let at = 0;
  for (;;) {
    tagStart.lastIndex = at;
    const start = tagStart.exec(html)?.index;
    // The last character may be a `<` of which it is not known what it opens.
    if (start === undefined) return html.endsWith('<') && at < html.length ? html.length - 1 : html.length;
    const end = constructEnd(html, start);
    if (end === null) return start;
    at = end;
  }
}

/** The offset behind the tag, comment or raw text element that opens at `start`; null if the text ends before. */
function constructEnd(html: string, start: number): number | null {
  if (html.startsWith('<!--', start)) {
    const end = html.indexOf('-->', start + 2);
    return end < 0 ? null : end + 3;
  }
  const end = tagEnd(html, start);
  const rawText = end === null ? null : rawTextTag.exec(html.slice(start, start + 10))?.[1];
  return end === null || !rawText ? end : rawTextEnd(html, end, rawText);
}

/** The offset behind the `>` of the tag that opens at `start`; a quoted attribute value may hold others. */
function tagEnd(html: string, start: number): number | null {
  let quote = '';
  let previous = '';
  for (let at = start + 1; at < html.length; at++) {
    const char = html[at] ?? '';
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '>') {
      return at + 1;
    } else if ((char === '"' || char === "'") && previous === '=') {
      quote = char;
    }
    if (char.trim() !== '') previous = char;
  }
  return null;
}

function rawTextEnd(html: string, from: number, element: string): number | null {
  const endTag = new RegExp(`</${element}(?=[\\s/>])`, 'gi');
  endTag.lastIndex = from;
  const start = endTag.exec(html)?.index;
  return start === undefined ? null : tagEnd(html, start);
}
