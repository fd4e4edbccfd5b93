import { Buffer } from 'node:buffer';

/** Octets of a line of base64 before they are encoded, and the line with its CRLF. */
const line = { decoded: 57, encoded: 78 } as const;

/** How many octets so many become in base64, in lines of 76 characters; the last line has no CRLF. */
export function base64Size(octets: number): number {
  const fullLines = Math.floor(octets / line.decoded);
  const rest = octets % line.decoded;
  if (rest > 0) return fullLines * line.encoded + Math.ceil(rest / 3) * 4;
  return Math.max(0, fullLines * line.encoded - 2);
}

/** Octets in base64 (RFC 2045 §6.8), 57 of them in a line. */
export function base64Lines(octets: Buffer): Buffer {
  return Buffer.from(octets.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n'), 'latin1');
}

/** Encodes octets piece by piece as they come: lines of 76 characters, with CRLF between them. */
export async function* base64Encoded(octets: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Buffer = Buffer.alloc(0);
  let isFirst = true;
  const encode = (chunk: Buffer): Buffer => {
    const lines = base64Lines(chunk);
    const separated = isFirst ? lines : Buffer.concat([Buffer.from('\r\n'), lines]);
    isFirst = false;
    return separated;
  };
  for await (const chunk of octets) {
    const all = Buffer.concat([held, chunk]);
    const whole = all.length - (all.length % line.decoded);
    held = Buffer.from(all.subarray(whole));
    if (whole > 0) yield encode(all.subarray(0, whole));
  }
  if (held.length > 0) yield encode(held);
}
