import { Buffer } from 'node:buffer';

/** Characters of one encoded-word, and of a line that holds one (RFC 2047 §2). */
const wordCharsMax = 75;
const lineCharsMax = 76;
/** `=?utf-8?q?` and `?=`. */
const frame = 12;
/** What an encoded-word has room for at least, however far to the right it begins. */
const roomMin = 30;

/**
 * A text as encoded-words in UTF-8 (RFC 2047), safe in unstructured text and in phrases. Each of them holds whole characters.
 * `column`: how many characters stand before the first one on its line.
 */
export function encodeWords(text: string, column: number): string[] {
  const isQ = prefersQ(text);
  const words: string[] = [];
  let room = Math.max(roomMin, Math.min(wordCharsMax, lineCharsMax - column) - frame);
  let inWord = '';
  const endWord = () => {
    words.push(isQ ? `=?utf-8?q?${encodeQ(inWord)}?=` : `=?utf-8?b?${Buffer.from(inWord).toString('base64')}?=`);
    inWord = '';
    room = wordCharsMax - frame;
  };
  let used = 0;
  for (const character of text) {
    const length = isQ ? encodeQ(character).length : Buffer.byteLength(character);
    const total = used + length;
    if (inWord !== '' && (isQ ? total : Math.ceil(total / 3) * 4) > room) {
      endWord();
      used = 0;
    }
    inWord += character;
    used += length;
  }
  if (inWord !== '') endWord();
  return words;
}

/** "Q" can be read by people, who may see it; so it may be somewhat longer. */
function prefersQ(text: string): boolean {
  return encodeQ(text).length <= Math.ceil(Buffer.byteLength(text) / 3) * 6;
}

/** The "Q" encoding as phrases allow it (RFC 2047 §5 (3)). */
function encodeQ(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^A-Za-z0-9!*+/ -]/g, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    .replaceAll(' ', '_');
}
