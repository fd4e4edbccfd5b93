/**
 * Whether a name is Net-Unicode (RFC 5198 §2) that stands on one line, as RFC 5804 §1.6 and RFC 9661 §2.1 want those of
 * scripts: at least one character, no control characters, no line or paragraph separators, nothing that is no character.
 */
export function isNetUnicodeName(text: string): boolean {
  return text !== '' && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text);
}
