import type { MessageNeeds, SectionRequest } from '../methods/Email/mail.ts';
import { atom, bodyPeek, type ImapArgument, list } from './arguments.ts';
import { imapLimits } from './limits.ts';

/** The FETCH items for what is needed of a message, and nothing more. */
export function fetchItems(
  { headers, structure, preview }: MessageNeeds,
  offers: { preview: boolean },
): ImapArgument[] {
  const items: ImapArgument[] = [atom('UID')];
  if (isWholeHeader(headers)) items.push(bodyPeek([atom('HEADER')]));
  else if (headers !== 'none' && headers !== 'all' && headers.length > 0)
    items.push(bodyPeek([atom('HEADER.FIELDS'), list(...[...new Set(headers)].map(fieldName))]));
  if (structure) items.push(atom('BODYSTRUCTURE'));
  if (preview && offers.preview) items.push(atom('PREVIEW'));
  return items;
}

/**
 * Whether the whole header is fetched: all of it is asked for, or a field with a name (RFC 5322 §3.6.8: any printable
 * character but the colon) that servers are known to stumble over, or more names than fit into a line.
 */
export function isWholeHeader(headers: MessageNeeds['headers']): boolean {
  if (headers === 'all' || headers === 'none') return headers === 'all';
  const octets = headers.reduce((sum, name) => sum + name.length + 1, 0);
  return octets > imapLimits.fetchNamesOctetsMax || !headers.every((name) => /^[A-Za-z0-9_.-]+$/.test(name));
}

function fieldName(name: string): ImapArgument {
  return atom(name.toUpperCase());
}

/** `BODY.PEEK[1.2.MIME]<0.1000>`. */
export function sectionItem(section: string, from: number, count: number): ImapArgument {
  return bodyPeek(section === '' ? [] : [atom(sectionName(section))], { from, count });
}

/** The section as a FETCH response names it. Throws where it is none (RFC 9051 §6.4.5.1). */
export function sectionName(section: string): string {
  if (!/^(?:|HEADER|TEXT|[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?:HEADER|TEXT|MIME))?)$/.test(section)) {
    throw new Error(`Not a section ${JSON.stringify(section)}`);
  }
  return section;
}

/** Octets that a request may bring at most. */
export function octetsWanted({ maxOctets }: SectionRequest): number {
  return Math.min(maxOctets ?? imapLimits.sectionOctetsMax, imapLimits.sectionOctetsMax);
}

/** One FETCH: the UIDs of a mailbox of which the same sections are wanted. */
export type SectionFetch = { readonly uids: readonly number[]; readonly sections: readonly SectionRequest[] };

/**
 * The FETCHes for section requests of one mailbox: as few as there are different wishes, cut so that no answer grows beyond
 * what may be held in memory at once, and no command beyond what servers take in a line.
 */
export function planSections(requests: readonly SectionRequest[]): SectionFetch[] {
  // Of one section of a message the largest wish from the same octet on: two of these could not be told apart in the answer.
  const byUid = new Map<number, Map<string, SectionRequest>>();
  for (const request of requests) {
    const ofUid = byUid.get(request.place.uid) ?? new Map<string, SectionRequest>();
    const beginning = `${request.section}<${request.from ?? 0}`;
    const other = ofUid.get(beginning);
    if (!other || octetsWanted(other) < octetsWanted(request)) ofUid.set(beginning, request);
    byUid.set(request.place.uid, ofUid);
  }
  const fetches: { uids: number[]; sections: SectionRequest[]; octets: number }[] = [];
  const openByWishes = new Map<string, (typeof fetches)[number]>();
  for (const [uid, wanted] of [...byUid].sort(([a], [b]) => a - b)) {
    const sections = [...wanted.values()];
    const wishes = [...wanted].map(([beginning, request]) => `${beginning}.${octetsWanted(request)}>`).join(' ');
    const octets = sections.reduce((sum, { maxOctets }) => sum + (maxOctets ?? imapLimits.sectionOctetsGuess), 0);
    let fetch = openByWishes.get(wishes);
    const isFull =
      fetch !== undefined &&
      (fetch.uids.length >= imapLimits.messagesPerCommand ||
        fetch.octets + octets > imapLimits.sectionsPerCommandOctets);
    if (fetch === undefined || isFull) {
      fetch = { uids: [], sections, octets: 0 };
      fetches.push(fetch);
      openByWishes.set(wishes, fetch);
    }
    fetch.uids.push(uid);
    fetch.octets += octets;
  }
  return fetches.flatMap(({ uids, sections }) => namedInALine(sections).map((some) => ({ uids, sections: some })));
}

/** About what a section takes in a command beyond its name: `BODY.PEEK[]<0.33554432> `. */
const sectionItemOctets = 24;

function namedInALine(sections: readonly SectionRequest[]): SectionRequest[][] {
  const lines: SectionRequest[][] = [];
  let octetsLeft = 0;
  for (const request of sections) {
    const octets = request.section.length + sectionItemOctets;
    if (octets > octetsLeft) {
      lines.push([]);
      octetsLeft = imapLimits.fetchNamesOctetsMax;
    }
    lines.at(-1)?.push(request);
    octetsLeft -= octets;
  }
  return lines;
}
