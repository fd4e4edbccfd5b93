/** Octets that a line of a header should have at most (RFC 2047 §2, RFC 5322 §2.1.1), and those it must not exceed. */
export const headerLineOctets = { wanted: 76, max: 998 } as const;

/**
 * Folds the value of a header field (RFC 5322 §2.2.3). Each piece but the first begins with the white space before which a line may be
 * broken; no piece is white space alone. Joined without the line breaks they are the value again. A piece is never cut apart.
 */
export function fold(name: string, pieces: readonly string[]): string {
  let folded = '';
  let column = name.length + 1;
  for (const piece of pieces) {
    const length = Buffer.byteLength(piece);
    if (folded !== '' && column + length > headerLineOctets.wanted) {
      folded += '\r\n';
      column = 0;
    }
    folded += piece;
    column += length;
  }
  return folded;
}

/** The text cut before each run of white space, so that `fold` may break it there. */
export function piecesOf(text: string): string[] {
  return text.match(/[ \t]*[^ \t]+(?:[ \t]+$)?/g) ?? [];
}

/** Whether every line of a value keeps the limit, behind its field name. */
export function fitsInLines(name: string, value: string): boolean {
  return `${name}:${value}`.split('\r\n').every((line) => Buffer.byteLength(line) <= headerLineOctets.max);
}
