import { Buffer } from 'node:buffer';
import { headerLineOctets } from './fold.ts';
import type { IdentityEncoding } from './identity-encoding.ts';

const LF = 0x0a;
const CR = 0x0d;

/** What has to be known of octets before they can be part of a message without being encoded. */
export type Lines = {
  /** How many octets they are. */
  readonly size: number;
  readonly encoding: IdentityEncoding;
  readonly hasNul: boolean;
};

/** Reads octets to their end, and tells what `crlfLines` will make of them. */
export async function surveyLines(octets: AsyncIterable<Uint8Array>): Promise<Lines> {
  const survey = lineSurvey();
  for await (const chunk of crlfLines(octets)) survey.add(chunk);
  return survey.lines();
}

/** What octets are as they stand. */
export function linesOf(octets: Uint8Array): Lines {
  const survey = lineSurvey();
  survey.add(octets);
  return survey.lines();
}

/** Tells of octets, chunk by chunk, what they are. */
function lineSurvey(): { readonly add: (chunk: Uint8Array) => void; readonly lines: () => Lines } {
  let size = 0;
  let is8bit = false;
  let isBinary = false;
  let hasNul = false;
  let lineOctets = 0;
  let isAfterCr = false;
  return {
    add: (chunk) => {
      size += chunk.length;
      for (const octet of chunk) {
        isBinary ||= isAfterCr !== (octet === LF);
        isAfterCr = octet === CR;
        lineOctets = isAfterCr || octet === LF ? 0 : lineOctets + 1;
        isBinary ||= lineOctets > headerLineOctets.max;
        is8bit ||= octet > 0x7f;
        hasNul ||= octet === 0;
      }
    },
    lines: () => ({ size, encoding: isBinary || isAfterCr ? 'binary' : is8bit ? '8bit' : '7bit', hasNul }),
  };
}

/** The same octets with CRLF for every bare LF, as mail servers want them (RFC 5322 §2.3). */
export async function* crlfLines(octets: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let last = 0;
  for await (const chunk of octets) {
    if (chunk.length === 0) continue;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    yield withCrlf(bytes, last);
    last = bytes[bytes.length - 1] ?? 0;
  }
}

function withCrlf(bytes: Buffer, octetBefore: number): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const before = at === 0 ? octetBefore : bytes[at - 1];
    if (before === CR) continue;
    pieces.push(bytes.subarray(from, at), Buffer.from('\r'));
    from = at;
  }
  return from === 0 && pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(from)]);
}
