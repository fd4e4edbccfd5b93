import type { Part } from '../../shared/message/part.ts';

/** The octets of a message that is written with bare line feeds and one character per octet. */
export function crlf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
}

/** A part tree on one line: `multipart/mixed [1 text/plain 5, 2 image/png 100]`; the numbers are ids and encoded sizes. */
export function outline(part: Part): string {
  if (part.partId === null) return `${part.section} ${part.type} [${part.subParts.map(outline).join(', ')}]`.trim();
  return `${part.partId} ${part.type} ${part.encodedSize}`;
}

/** The leaves of a part tree, depth first. */
export function leaves(part: Part): Part[] {
  return part.partId === null ? part.subParts.flatMap(leaves) : [part];
}
