import { Buffer } from 'node:buffer';
import { decodeTransfer } from './decode-transfer.ts';
import { type Delimiters, openDelimiters } from './delimiters.ts';
import { lineContentEnd, lineEnd } from './lines.ts';
import { type EmailHeader, headerLimits, parseHeaders } from './parse-headers.ts';
import type { Part } from './part.ts';
import { type PartFields, partFieldsFromHeaders } from './part-fields.ts';

/**
 * How much structure is read of one message. `depthMax` and `partsMax` count what lies inside of attached messages too; they
 * are those of Dovecot, so that section numbers agree even there.
 */
export const messageLimits = {
  /** Entities within entities, counted from the message itself. A multipart at this depth is an opaque leaf. */
  depthMax: 100,
  /** Entities in all. The last one holds the rest of the message. */
  partsMax: 10_000,
  /** Header fields in all. Parts behind them have none. */
  fieldsMax: 100_000,
} as const;

/**
 * Parses a whole message (RFC 5322, RFC 2045, RFC 2046) into its part tree. Every part has its headers, its range and its
 * exact size. A leaf's `partId` is the section number an IMAP server gives it (RFC 9051 §6.4.5.1).
 *
 * - A delimiter line ends every part inside of its multipart, even one in the middle of its header.
 * - The inside of a message/rfc822 part is read to know its boundaries; in the tree the part is a leaf.
 * - A multipart without a boundary parameter, or without a delimiter line, has one text/plain part: its whole body. (Dovecot
 *   numbers it alike, and shows it empty.)
 * - A multipart at the depth limit becomes application/octet-stream.
 *
 * Never throws; linear in the length of the message.
 */
export function parseMessage(message: Uint8Array): Part {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  return toPart(readEntities(bytes), '', bytes);
}

/** The octets of a parsed part's body as they lie in the message, still transfer-encoded; none if its range is not known. */
export function partBody(message: Uint8Array, part: Pick<Part, 'range'>): Uint8Array {
  return part.range ? message.subarray(part.range.bodyStart, part.range.bodyEnd) : message.subarray(0, 0);
}

/** A message or a part of it while it is read. */
type Entity = {
  readonly depth: number;
  readonly headers: readonly EmailHeader[];
  readonly fields: PartFields;
  readonly headerStart: number;
  readonly bodyStart: number;
  bodyEnd: number;
  readonly children: Entity[];
};

function readEntities(bytes: Buffer): Entity {
  /** The entities whose end was not seen yet, each within the one before it. */
  const unfinished: Entity[] = [];
  /** Those of them that wait for a delimiter line, in the order of their delimiters. */
  const openMultiparts: Entity[] = [];
  const delimiters = openDelimiters();
  let partsLeft: number = messageLimits.partsMax;
  let fieldsLeft: number = messageLimits.fieldsMax;

  const begin = (start: number, defaultType: string): Entity => {
    const header = headerRange(bytes, start, delimiters);
    const headers = parseHeaders(bytes.subarray(start, header.end), Math.min(fieldsLeft, headerLimits.fieldsMax));
    fieldsLeft -= headers.length;
    partsLeft--;
    const depth = unfinished.length + 1;
    const { boundary, ...fields } = partFieldsFromHeaders(headers, defaultType);
    const isTooDeep = depth >= messageLimits.depthMax && fields.type.startsWith('multipart/');
    const entity: Entity = {
      depth,
      headers,
      fields: isTooDeep ? { ...fields, type: 'application/octet-stream' } : fields,
      headerStart: start,
      bodyStart: header.bodyStart,
      bodyEnd: bytes.length,
      children: [],
    };
    unfinished.push(entity);
    if (boundary !== null && !header.isCutShort && entity.fields.type.startsWith('multipart/')) {
      if (delimiters.open(boundary)) openMultiparts.push(entity);
    }
    return entity;
  };

  /** Begins an entity and, while it is an attached message, the entity inside of it. */
  const beginAll = (start: number, defaultType: string): { outermost: Entity; bodyStart: number } => {
    const outermost = begin(start, defaultType);
    let inmost = outermost;
    while (inmost.fields.type === 'message/rfc822' && inmost.depth < messageLimits.depthMax && partsLeft > 0) {
      inmost = begin(inmost.bodyStart, 'text/plain');
    }
    return { outermost, bodyStart: inmost.bodyStart };
  };

  const { outermost: root, bodyStart } = beginAll(0, 'text/plain');
  let at = bodyStart;
  while (partsLeft > 0) {
    const line = delimiters.nextLine(bytes, at);
    const multipart = line && openMultiparts[line.index];
    if (!multipart) break;
    // A line break that already ended another delimiter, or a header, stays where it is: so it is with Dovecot too.
    const end = lineContentEnd(bytes, at, line.start);
    for (const inner of unfinished.splice(multipart.depth)) inner.bodyEnd = Math.max(inner.bodyStart, end);
    const stillOpen = line.isClosing ? line.index : line.index + 1;
    openMultiparts.length = stillOpen;
    delimiters.keep(stillOpen);
    at = line.end;
    if (line.isClosing) continue;
    const child = beginAll(line.end, multipart.fields.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain');
    multipart.children.push(child.outermost);
    at = child.bodyStart;
  }
  return root;
}

/**
 * Where a header that starts at `start` ends and its body starts: around an empty line. `isCutShort`: a delimiter line came
 * first, and there is no body.
 */
function headerRange(
  bytes: Buffer,
  start: number,
  delimiters: Delimiters,
): { end: number; bodyStart: number; isCutShort: boolean } {
  let at = start;
  while (at < bytes.length) {
    const next = lineEnd(bytes, at);
    if (lineContentEnd(bytes, at, next) === at && next > at) return { end: at, bodyStart: next, isCutShort: false };
    if (delimiters.lineAt(bytes, at)) return { end: at, bodyStart: at, isCutShort: true };
    at = next;
  }
  return { end: bytes.length, bodyStart: bytes.length, isCutShort: false };
}

/** `section` is the entity's own section number, empty for the message itself. */
function toPart(entity: Entity, section: string, bytes: Buffer): Part {
  const { headerStart, bodyStart, bodyEnd, headers, fields } = entity;
  const range = { headerStart, bodyStart, bodyEnd };
  const encodedSize = bodyEnd - bodyStart;
  if (!fields.type.startsWith('multipart/')) {
    const size = decodeTransfer(bytes.subarray(bodyStart, bodyEnd), fields.encoding).length;
    return { ...fields, partId: section || '1', section, encodedSize, size, subParts: [], headers, range };
  }
  const children = entity.children.length > 0 ? entity.children : [wholeBody(entity)];
  const subParts = children.map((child, index) =>
    toPart(child, section ? `${section}.${index + 1}` : `${index + 1}`, bytes),
  );
  return { ...fields, partId: null, section, encodedSize, size: encodedSize, subParts, headers, range };
}

/** The body of a multipart without parts, as its only part. */
function wholeBody(multipart: Entity): Entity {
  const { boundary: _, ...fields } = partFieldsFromHeaders([]);
  return {
    ...multipart,
    headers: [],
    fields: { ...fields, encoding: multipart.fields.encoding },
    headerStart: multipart.bodyStart,
    children: [],
  };
}
