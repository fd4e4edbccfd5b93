import { Buffer } from 'node:buffer';

const LF = 0x0a;
const CR = 0x0d;

/** What has to be known of octets before they can be part of a message without being encoded. */
export type Lines = {
  /** How many there are when every line ends in CRLF. */
  readonly size: number;
  readonly is8bit: boolean;
  readonly hasNul: boolean;
};

/** Reads octets to their end, and tells what `crlfLines` will make of them. */
export async function surveyLines(octets: AsyncIterable<Uint8Array>): Promise<Lines> {
  let size = 0;
  let is8bit = false;
  let hasNul = false;
  for await (const chunk of crlfLines(octets)) {
    size += chunk.length;
    hasNul ||= chunk.includes(0);
    is8bit ||= chunk.some((octet) => octet > 0x7f);
  }
  return { size, is8bit, hasNul };
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
