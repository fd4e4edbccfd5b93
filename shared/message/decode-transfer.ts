import { Buffer } from 'node:buffer';
import { Transform } from 'node:stream';

/** Decodes octets piece by piece. `end` gives what was held back; neither throws, whatever the octets. */
export type TransferDecoder = { write(chunk: Uint8Array): Buffer; end(): Buffer };

const identities = new Set(['', '7bit', '8bit', 'binary']);

/** Whether octets in this Content-Transfer-Encoding can be decoded (RFC 2045 §6). */
export function isKnownEncoding(encoding: string): boolean {
  const name = encoding.trim().toLowerCase();
  return identities.has(name) || name === 'base64' || name === 'quoted-printable';
}

/**
 * Decodes the whole body of a part, or with `isPrefix` its beginning, whose last octets may be half of something and are
 * then left out. An unknown encoding decodes nothing (RFC 8621 §4.1.4, `blobId`).
 */
export function decodeTransfer(bytes: Uint8Array, encoding: string, isPrefix = false): Buffer {
  const decoder = transferDecoder(encoding);
  const decoded = decoder.write(bytes);
  return isPrefix ? decoded : Buffer.concat([decoded, decoder.end()]);
}

/** The same for a body of any size: a stream of encoded octets in, of decoded octets out. */
export function transferDecoderStream(encoding: string): Transform {
  const decoder = transferDecoder(encoding);
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      done(null, decoder.write(chunk));
    },
    flush(done) {
      done(null, decoder.end());
    },
  });
}

export function transferDecoder(encoding: string): TransferDecoder {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return base64Decoder();
    case 'quoted-printable':
      return quotedPrintableDecoder();
    default:
      return { write: toBuffer, end: () => Buffer.alloc(0) };
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const skipped = 255;
const padding = 254;
const base64Values = new Uint8Array(256).fill(skipped);
for (const [value, char] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  base64Values[char.charCodeAt(0)] = value;
}
base64Values['='.charCodeAt(0)] = padding;

/**
 * Base64 (RFC 2045 §6.8). Octets outside of the alphabet are passed over. Padding ends a group, not the body: some gateways
 * join bodies that were encoded one by one.
 */
function base64Decoder(): TransferDecoder {
  let bits = 0;
  let held = 0;

  /** Writes the whole octets of an unfinished group. */
  const endGroup = (output: Buffer, length: number): number => {
    let at = length;
    if (held === 3) output[at++] = bits >> 10;
    if (held === 3) output[at++] = (bits >> 2) & 0xff;
    if (held === 2) output[at++] = bits >> 4;
    bits = 0;
    held = 0;
    return at;
  };

  return {
    write(chunk) {
      const output = Buffer.allocUnsafe(Math.ceil(((chunk.length + held) * 3) / 4) + 2);
      let length = 0;
      for (const octet of chunk) {
        const value = base64Values[octet] ?? skipped;
        if (value < 64) {
          bits = (bits << 6) | value;
          if (++held < 4) continue;
          output[length++] = bits >> 16;
          output[length++] = (bits >> 8) & 0xff;
          output[length++] = bits & 0xff;
          bits = 0;
          held = 0;
        } else if (value === padding) {
          length = endGroup(output, length);
        }
      }
      return output.subarray(0, length);
    },
    end() {
      const output = Buffer.allocUnsafe(2);
      return output.subarray(0, endGroup(output, 0));
    },
  };
}

const LF = 0x0a;
const CR = 0x0d;
const EQUALS = 0x3d;
/** Blanks at the end of a line are dropped; a run longer than this is not waited for to end. */
const blankRunMax = 4 * 1024;

/**
 * Quoted-printable (RFC 2045 §6.7). Blanks at the end of a line are dropped, also behind the `=` of a soft line break; a `=`
 * that starts nothing stands for itself.
 */
function quotedPrintableDecoder(): TransferDecoder {
  let held: Buffer = Buffer.alloc(0);
  return {
    write(chunk) {
      const input = held.length === 0 ? toBuffer(chunk) : Buffer.concat([held, chunk]);
      const { output, consumed } = decodeQuotedPrintable(input);
      const rest = input.subarray(consumed);
      if (rest.length <= blankRunMax) {
        held = Buffer.from(rest);
        return output;
      }
      held = Buffer.alloc(0);
      return Buffer.concat([output, rest]);
    },
    end() {
      // Blanks at the end go, as does a `=` that breaks the last line; half an octet and a lone CR stay.
      const rest = /^(?:=[0-9a-f]|[ \t]+\r)$/i.test(held.toString('latin1')) ? held : Buffer.alloc(0);
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

/** Decodes as far as the input tells what is meant; `consumed` is where it stops to. */
function decodeQuotedPrintable(input: Buffer): { output: Buffer; consumed: number } {
  const output = Buffer.allocUnsafe(input.length);
  let length = 0;
  let at = 0;
  while (at < input.length) {
    const octet = input[at] ?? 0;
    if (octet !== EQUALS && !isBlank(octet)) {
      output[length++] = octet;
      at++;
      continue;
    }
    const blanksFrom = octet === EQUALS ? at + 1 : at;
    let blanksEnd = blanksFrom;
    while (isBlank(input[blanksEnd])) blanksEnd++;
    if (blanksEnd === input.length) break;
    const lineEnd = lineBreakEnd(input, blanksEnd);
    if (lineEnd === null) break;
    if (octet === EQUALS) {
      const high = hexValue(input[at + 1]);
      const low = hexValue(input[at + 2]);
      if (lineEnd > 0) at = lineEnd;
      else if (high >= 0 && at + 2 >= input.length) break;
      else if (high >= 0 && low >= 0) {
        output[length++] = high * 16 + low;
        at += 3;
      } else {
        output[length++] = EQUALS;
        at++;
      }
    } else {
      if (lineEnd === 0) length += input.copy(output, length, at, blanksEnd);
      at = blanksEnd;
    }
  }
  return { output: output.subarray(0, length), consumed: at };
}

/** The offset behind a line break at `at`; 0 if there is none, null if the input ends before that is certain. */
function lineBreakEnd(input: Buffer, at: number): number | null {
  if (input[at] === LF) return at + 1;
  if (input[at] !== CR) return 0;
  if (at + 1 === input.length) return null;
  return input[at + 1] === LF ? at + 2 : 0;
}

function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

function hexValue(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
