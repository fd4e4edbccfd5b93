import { Buffer } from 'node:buffer';

const [cr, lf, dot] = [0x0d, 0x0a, 0x2e];

/**
 * The message as DATA takes it (RFC 5321 §4.5.2), without the final dot: every line ends with CRLF, the last one too, and one
 * that begins with a dot has another before it. A CR or LF that stands alone would end a line for some servers and not for others
 * (SMTP smuggling), so each becomes a CRLF.
 */
export function onTheWire(message: Uint8Array): Buffer {
  // Each octet becomes at most two, a dot after a lone CR three; the end takes two.
  const wire = Buffer.allocUnsafe(message.length * 2 + 2);
  let size = 0;
  let atStart = true;
  for (let at = 0; at < message.length; at += 1) {
    const octet = message[at] as number;
    if (octet === cr || octet === lf) {
      if (octet === cr && message[at + 1] === lf) at += 1;
      wire[size++] = cr;
      wire[size++] = lf;
      atStart = true;
      continue;
    }
    if (atStart && octet === dot) wire[size++] = dot;
    wire[size++] = octet;
    atStart = false;
  }
  if (!atStart || message.length === 0) {
    wire[size++] = cr;
    wire[size++] = lf;
  }
  return wire.subarray(0, size);
}
