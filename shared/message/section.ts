import { partBody } from './parse-message.ts';
import type { Part } from './part.ts';

/** A message whose octets are at hand, and the tree that `parseMessage` made of them. */
export type ParsedMessage = { readonly octets: Uint8Array; readonly root: Part };

/**
 * The octets of one section as an IMAP server names it (RFC 9051 §6.4.5.1): empty for the whole message, `HEADER`, `1.2`,
 * `1.2.MIME`. Null where there is no such section. Does not look inside of attached messages.
 */
export function sectionOf({ octets, root }: ParsedMessage, section: string): Uint8Array | null {
  if (section === '') return octets;
  const [, path = '', what] = /^([\d.]*?)\.?(HEADER|TEXT|MIME)?$/.exec(section) ?? [];
  const part = path === '' ? root : findPart(root, path);
  if (!part?.range) return null;
  return what === 'MIME' || what === 'HEADER'
    ? octets.subarray(part.range.headerStart, part.range.bodyStart)
    : partBody(octets, part);
}

/** The octets that are wanted of a section: `from` (the first if absent) on, `maxOctets` of them at most. */
export function octetsAsked(
  { from = 0, maxOctets }: { readonly from?: number; readonly maxOctets?: number },
  section: Uint8Array,
): Uint8Array {
  return section.subarray(from, maxOctets === undefined ? undefined : from + maxOctets);
}

/** The part of this section number; the root of a message that is no multipart is also its part `1`. Null where there is none. */
export function findPart(root: Part, section: string): Part | null {
  if (root.section === section || root.partId === section) return root;
  let part: Part | undefined = root;
  for (const number of section.split('.')) part = part?.subParts[Number(number) - 1];
  return part?.section === section ? part : null;
}
