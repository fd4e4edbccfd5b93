import { Buffer, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { iJsonText } from './i-json-text.ts';

/** Text decoded from octets. `isEncodingProblem`: octets were malformed, or the charset had to be guessed. */
export type DecodedText = { readonly text: string; readonly isEncodingProblem: boolean };

/**
 * How a charset is decoded: as UTF-8; by a guess, because the label promises 7-bit octets; by the platform's TextDecoder; by
 * iconv-lite; or `unknown`.
 */
type Decoder =
  | { readonly by: 'utf-8' }
  | { readonly by: 'guess' }
  | { readonly by: 'platform'; readonly label: string }
  | { readonly by: 'iconv'; readonly label: string }
  | { readonly by: 'unknown' };

const windows1252 = 'windows-1252';
/**
 * What iconv-lite decodes though TextDecoder knows it, by the name the Encoding Standard gives it.
 *
 * QUIRK(node 20): TextDecoder maps 0x80–0x9f of windows-1252 to control characters instead of €, “ and so on, knows of
 * euc-kr only the 2,350 syllables of KS X 1001, of big5 no character of Hong Kong, and of koi8-u not the letters of Belarusian; it
 * exchanges control characters in ibm866, lacks U+05BA in windows-1255, and reads unassigned octets of windows-874 and windows-1253.
 * As on the web, iso-8859-1 is read as windows-1252: mailers mislabel the one as the other.
 */
const iconvInstead = new Map([
  [windows1252, windows1252],
  ['windows-874', 'windows-874'],
  ['windows-1253', 'windows-1253'],
  ['windows-1255', 'windows-1255'],
  ['ibm866', 'cp866'],
  ['koi8-u', 'koi8-ru'],
  ['euc-kr', 'cp949'],
  ['big5', 'big5hkscs'],
]);
/** QUIRK(node 20): of gbk TextDecoder has no €, no U+3000 and no ǹ. By the Encoding Standard it is decoded as gb18030. */
const platformInstead = new Map([['gbk', 'gb18030']]);
/** Names that mail has besides the labels of the Encoding Standard. */
const otherNames = new Map([
  ['cp819', windows1252],
  ['iso646-us', 'us-ascii'],
  ['cp949', 'euc-kr'],
  ['ms949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['cp950', 'big5'],
  ['cp932', 'shift_jis'],
  ['cp936', 'gbk'],
]);
const asciiLabels = new Set(['', 'us-ascii', 'ascii', 'ansi_x3.4-1968', '7bit', '8bit']);

/**
 * Charsets of mail that TextDecoder lacks and iconv-lite has. A list of what is taken, because iconv-lite would also read
 * UTF-7, a known way to smuggle markup past filters, and things that are no charsets, such as base64.
 */
const iconvLabels =
  /^(?:cp(?:437|720|737|775|85[025-8]|86[0-57-9]|922|104[46]|112[459]|113[33]|116[123])|ibm(?:437|737|775|85[025-8]|86[0-57-9])|iso-8859-16|utf-?(?:16|32|32le|32be)|koi8-(?:t|ru)|armscii-?8|viscii|tcvn|rk1048|mik|mac-?(?:centeuro|croatian|greek|iceland|romania|turkish|ukraine)|hp-?roman8|iso646-(?:jp|cn))$/;

/**
 * Decodes octets in the charset a part or an encoded-word names (RFC 8621 §4.1.4; §9.1 asks to document the heuristics):
 *
 * - UTF-8 as it is, with U+FFFD for what is malformed;
 * - us-ascii or no charset: if there are 8-bit octets, UTF-8 when they are valid UTF-8, else windows-1252 and a problem;
 * - iso-8859-1: windows-1252;
 * - a charset that TextDecoder or iconv-lite knows: strictly, and if that fails once more with U+FFFD and a problem;
 * - any other, UTF-7 among them: like us-ascii, and always a problem.
 *
 * A byte order mark at the start is dropped. With `isPrefix` the octets may end within a character, which is then left out.
 * What I-JSON forbids becomes U+FFFD, and is a problem. Never throws.
 */
export function decodeCharset(bytes: Uint8Array, charset: string | null, isPrefix = false): DecodedText {
  const decoded = decode(bytes, charset, isPrefix);
  const text = iJsonText(decoded.text);
  return { text, isEncodingProblem: decoded.isEncodingProblem || text !== decoded.text };
}

function decode(bytes: Uint8Array, charset: string | null, isPrefix: boolean): DecodedText {
  const decoder = decoderOf(charset);
  switch (decoder.by) {
    case 'utf-8':
      return decodeUtf8(bytes, isPrefix);
    case 'guess':
      return guess(bytes, isPrefix);
    case 'platform':
      return decodeByPlatform(bytes, decoder.label, isPrefix);
    case 'iconv':
      return decodeByIconv(bytes, decoder.label, isPrefix);
    case 'unknown':
      return { text: guess(bytes, isPrefix).text, isEncodingProblem: true };
  }
}

/** Whether octets in this charset can be decoded; false for UTF-7, which is refused. */
export function isKnownCharset(charset: string): boolean {
  return decoderOf(charset).by !== 'unknown';
}

function decoderOf(charset: string | null): Decoder {
  const written = (charset ?? '').replace(/["']/g, '').trim().toLowerCase();
  const label = otherNames.get(written) ?? written;
  if (asciiLabels.has(label)) return { by: 'guess' };
  if (iconvLabels.test(label)) return { by: 'iconv', label };
  const plain = label.replace(/^(?:win|windows|cp)-?(?=125\d$)/, 'windows-').replace(/^latin-?(?=\d+$)/, 'l');
  const encoding = platformEncoding(plain);
  if (encoding === null) return { by: 'unknown' };
  if (encoding === 'utf-8') return { by: 'utf-8' };
  const instead = iconvInstead.get(encoding);
  if (instead !== undefined) return { by: 'iconv', label: instead };
  return { by: 'platform', label: platformInstead.get(encoding) ?? encoding };
}

const platformEncodings = new Map<string, string | null>();
const platformEncodingsMax = 256;

/** The name TextDecoder has for what a label means, or null; remembered, because asking builds a decoder. */
function platformEncoding(label: string): string | null {
  const known = platformEncodings.get(label);
  if (known !== undefined) return known;
  let encoding: string | null = null;
  try {
    encoding = new TextDecoder(label).encoding;
  } catch {
    // It knows no such label.
  }
  if (platformEncodings.size < platformEncodingsMax) platformEncodings.set(label, encoding);
  return encoding;
}

function decodeUtf8(bytes: Uint8Array, isPrefix: boolean): DecodedText {
  const text = new TextDecoder('utf-8').decode(bytes, { stream: isPrefix });
  const isEncodingProblem = isPrefix ? !isUtf8Prefix(bytes) : !isUtf8(bytes);
  return { text, isEncodingProblem };
}

/** Whether the octets are UTF-8 that may end within a character. */
function isUtf8Prefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function guess(bytes: Uint8Array, isPrefix: boolean): DecodedText {
  const asUtf8 = decodeUtf8(bytes, isPrefix);
  if (!asUtf8.isEncodingProblem) return asUtf8;
  return { text: decodeByIconv(bytes, windows1252, isPrefix).text, isEncodingProblem: true };
}

function decodeByPlatform(bytes: Uint8Array, label: string, isPrefix: boolean): DecodedText {
  const input = label === 'iso-2022-jp' ? withoutEmptyShifts(bytes) : bytes;
  try {
    const text = new TextDecoder(label, { fatal: true }).decode(input, { stream: isPrefix });
    return { text, isEncodingProblem: false };
  } catch {
    return { text: new TextDecoder(label).decode(input, { stream: isPrefix }), isEncodingProblem: true };
  }
}

/**
 * Drops each escape sequence that another one follows at once. TextDecoder takes them for an error, but they are what comes
 * of joining pieces of ISO-2022-JP, which each begin and end in ASCII.
 */
function withoutEmptyShifts(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return Buffer.from(text.replace(/\x1b[($][@-Z](?=\x1b)/g, ''), 'latin1');
}

/** iconv-lite has no strict mode: what it cannot map it shows as U+FFFD, a character no text holds on purpose. */
function decodeByIconv(bytes: Uint8Array, label: string, isPrefix: boolean): DecodedText {
  const decoder = iconv.getDecoder(label);
  const isWide = label.startsWith('utf');
  const length = isPrefix && isWide ? bytes.byteLength - (bytes.byteLength % 4) : bytes.byteLength;
  let text = decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, length));
  // The wide decoders hold the first octets back until `end`, to find the byte order; the others hold back half a character.
  if (isWide || !isPrefix) text += decoder.end() ?? '';
  if (isWide && isPrefix) text = text.replace(/[\ud800-\udbff]$/, '');
  return { text, isEncodingProblem: text.includes('\ufffd') };
}
