/**
 * Takes the folding out of a Raw header value (RFC 5322 §2.2.3): a line break before white space goes, the white space
 * stays. A bare LF counts as a line break.
 */
export function unfold(raw: string): string {
  return raw.replace(/\r?\n(?=[ \t])/g, '');
}
