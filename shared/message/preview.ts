import { bodyParts } from './body-structure.ts';
import { bodyValue } from './body-value.ts';
import { htmlText } from './html-text.ts';
import type { Part } from './part.ts';

/** How much is read and shown. */
export const previewLimits = {
  /** Octets of the encoded part that are looked at; more need not be fetched. */
  encodedBytesMax: 64 * 1024,
  /** RFC 8621 §4.1.4: "MUST NOT be more than 256 characters". Counted in UTF-16 code units, which are never fewer. */
  charsMax: 256,
} as const;

/** Text beyond this is not tidied: quotes, links and white space may go, but hardly all of it. */
const textCharsMax = 8 * 1024;

/**
 * The parts a preview can be made from, best first: the first text/plain of `textBody`, then the first text/html of
 * `htmlBody`. The second is there for messages whose plain text is blank.
 */
export function previewParts(bodyStructure: Part): Part[] {
  const { textBody, htmlBody } = bodyParts(bodyStructure);
  const plain = textBody.find((part) => part.type === 'text/plain');
  const html = htmlBody.find((part) => part.type === 'text/html');
  return [plain, html].filter((part) => part !== undefined);
}

/**
 * The `preview` property (RFC 8621 §4.1.4) from the octets of one text part as they are stored, or from their beginning:
 * one line of at most 256 characters. Left out: quoted text and the line that introduces it, the signature, the armour of
 * PGP, links in brackets, rows of ornament, and the invisible characters that newsletters pad with. Where nothing else is
 * left, quoted text is shown. Empty if there is no text. Never throws.
 */
export function preview(
  part: Pick<Part, 'type' | 'charset' | 'encoding'>,
  encoded: Uint8Array,
  isPrefix = false,
): string {
  const { encodedBytesMax, charsMax } = previewLimits;
  const isCut = isPrefix || encoded.length > encodedBytesMax;
  const { value } = bodyValue(part, encoded.subarray(0, encodedBytesMax), { maxBodyValueBytes: 0, isPrefix: isCut });
  const text = part.type === 'text/html' ? htmlText(value, textCharsMax) : value;
  const lines = text.split('\n');
  const own = oneLine(ownLines(lines));
  const shown = own !== '' ? own : oneLine(lines.map((line) => line.replace(quoteMark, '')));
  return firstChars(shown, charsMax);
}

const quoteMark = /^[\s>]*>/;
const signatureMark = /^--\s*$/;
const originalMessageMark =
  /^\s{0,9}(?:_{20,99}|-{2,20} ?(?:original message|forwarded message|ursprüngliche nachricht|message d'origine) ?-{0,20})\s*$/i;
const pgpSignedMark = /^-----BEGIN PGP SIGNED MESSAGE-----\s*$/;
const pgpBlockMark = /^-----BEGIN PGP (?:SIGNATURE|MESSAGE|PUBLIC KEY BLOCK)-----\s*$/;

/** The lines the sender wrote, up to the signature. */
function ownLines(lines: readonly string[]): string[] {
  const own: string[] = [];
  let chars = 0;
  let isInPgpHeader = false;
  for (const line of lines) {
    if (chars > textCharsMax || signatureMark.test(line) || pgpBlockMark.test(line)) break;
    if (isInPgpHeader) {
      isInPgpHeader = line.trim() !== '';
    } else if (pgpSignedMark.test(line)) {
      isInPgpHeader = true;
    } else if (quoteMark.test(line)) {
      dropAttribution(own);
    } else if (originalMessageMark.test(line)) {
      if (own.some((it) => it.trim() !== '')) break;
    } else {
      own.push(line);
      chars += line.length;
    }
  }
  return own;
}

/** Takes away the paragraph before a quote if it is "On … wrote:", which ends in a colon and takes a few lines at most. */
function dropAttribution(own: string[]): void {
  while (own.length > 0 && own.at(-1)?.trim() === '') own.pop();
  if (!own.at(-1)?.trimEnd().endsWith(':')) return;
  const start = own
    .slice(-3)
    .findLastIndex((line) => /^\s*(?:on|am|le|el|il|op|em|den|w dniu|>?\s*dnia)\b/i.test(line));
  own.length = start < 0 ? own.length - 1 : own.length - Math.min(3, own.length) + start;
}

/** Joins lines and collapses white space; all patterns are linear. */
function oneLine(lines: readonly string[]): string {
  return firstChars(lines.join(' '), textCharsMax)
    .replace(/[<[(]https?:\/\/[^\s<>[\]()]*[>\])]/gi, ' ')
    .replace(/\[(?:image|cid):[^[\]]{0,200}\]/gi, ' ')
    .replace(/([-=_*~#+.•·])\1{3,}/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .replace(/(?:[\s\u00ad\u061c\u115f\u180e\u200b-\u200f\u2060-\u2064\u2800\u3164]|\u034f)+/g, collapse)
    .trim();
}

/** Invisible characters shape words of some scripts and emoji; around white space, or many of them, they are padding. */
function collapse(run: string): string {
  if (/\s/.test(run)) return ' ';
  return run.length > 4 ? '' : run;
}

/** At most so many code units; no surrogate pair is cut apart. */
function firstChars(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  return text
    .slice(0, charsMax)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
}
