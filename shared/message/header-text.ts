import { decodeEncodedWords } from './encoded-words.ts';
import { unfold } from './unfold.ts';

/**
 * The Text form of a Raw header value (RFC 8621 §4.1.2.2): unfolded, leading SP characters removed, encoded-words decoded,
 * in Normalization Form C. White space at the end stays, as the RFC has it.
 */
export function headerText(raw: string): string {
  return decodeEncodedWords(unfold(raw).replace(/^ +/, '')).normalize('NFC');
}
