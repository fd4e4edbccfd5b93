/**
 * The offset just behind the comment that opens at `start` (RFC 5322 §3.2.2: comments nest, a backslash escapes), or -1 if
 * it never closes.
 */
export function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at + 1;
  }
  return -1;
}

/** The offset just behind the quoted-string that opens at `start` (RFC 5322 §3.2.4), or -1 if it never closes. */
export function quotedStringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '"') return at + 1;
  }
  return -1;
}

/** Takes the backslashes of quoted-pairs out of the inside of a quoted-string or a comment (RFC 5322 §3.2.1). */
export function unescapeQuotedPairs(inside: string): string {
  return inside.includes('\\') ? inside.replace(/\\([\s\S])/g, '$1') : inside;
}

/**
 * The value with each comment replaced by one space. Parentheses within quoted-strings and within angle brackets, where
 * URLs hold them, are no comments; neither is one that never closes.
 */
export function withoutComments(value: string): string {
  if (!value.includes('(')) return value;
  const kept: string[] = [];
  let keptFrom = 0;
  let at = 0;
  // What was once found not to close is not searched for again: that keeps hostile values linear.
  let opensComment = true;
  let opensQuote = true;
  let opensAngle = true;
  while (at < value.length) {
    const char = value[at];
    let end = -1;
    if (char === '(' && opensComment) {
      end = commentEnd(value, at);
      if (end < 0) opensComment = false;
      else {
        kept.push(value.slice(keptFrom, at), ' ');
        keptFrom = end;
      }
    } else if (char === '"' && opensQuote) {
      end = quotedStringEnd(value, at);
      if (end < 0) opensQuote = false;
    } else if (char === '<' && opensAngle) {
      end = value.indexOf('>', at) + 1;
      if (end === 0) opensAngle = false;
    }
    at = end > 0 ? end : at + 1;
  }
  kept.push(value.slice(keptFrom));
  return kept.join('');
}
