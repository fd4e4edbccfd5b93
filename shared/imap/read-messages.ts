import { iJsonText } from '../message/i-json-text.ts';
import { parseMessage } from '../message/parse-message.ts';
import type { Part } from '../message/part.ts';
import { octetsAsked, type ParsedMessage, sectionOf } from '../message/section.ts';
import type {
  CanReadMessages,
  MessageFacts,
  MessageNeeds,
  OpenedSection,
  Place,
  SectionRequest,
} from '../methods/Email/mail.ts';
import { atom } from './arguments.ts';
import { isAt, type MailboxAt, mailboxOf } from './at-place.ts';
import { partOfBodyStructure } from './body-structure.ts';
import { BrokenMessages } from './broken-messages.ts';
import {
  fetchItems,
  isWholeHeader,
  octetsWanted,
  planSections,
  type SectionFetch,
  sectionItem,
  sectionName,
} from './fetch-plan.ts';
import { fetchItem, fetchPartial, fetchSection } from './fetch-row.ts';
import { type Fetch, type Fetches, fetchAtOnce, fetchRows, octetBudget } from './fetch-rows.ts';
import { type ImapLimits, imapLimits } from './limits.ts';
import { openSection } from './open-section.ts';
import { type ImapValue, octetsOf, textOf } from './response.ts';
import type { ImapSession } from './session.ts';
import type { HoldSession, UseSession } from './use.ts';

/**
 * Reading messages over sessions that `use` provides; made for one request. One EXAMINE per mailbox, unless it is open
 * already, and one FETCH per kind of need. Nothing here sets \Seen.
 */
export function imapMessages(
  use: UseSession,
  hold: HoldSession,
  limits: Pick<ImapLimits, 'wholeMessagesOctetsMax' | 'factsOctetsMax'> = imapLimits,
): CanReadMessages {
  const broken = new BrokenMessages(limits);
  const brokenMessage = async (place: Place): Promise<ParsedMessage | null> => {
    const octets = broken.get(place) ?? (await use((session) => readWhole(session, place)));
    return octets instanceof Uint8Array ? { octets, root: parseMessage(octets) } : octets;
  };
  return {
    read: async (places, needs) =>
      places.length === 0 ? new Map() : use((session) => readFacts(session, places, needs, { broken, limits })),
    readSections: async (requests) => {
      const sections = new Map<SectionRequest, Uint8Array>();
      for (const request of requests.filter(({ place }) => broken.has(place))) {
        const message = await brokenMessage(request.place);
        const octets = message && sectionOf(message, request.section);
        if (octets) sections.set(request, octetsAsked({ ...request, maxOctets: octetsWanted(request) }, octets));
      }
      const rest = requests.filter(({ place }) => !broken.has(place));
      if (rest.length > 0) await use((session) => readSections(session, rest, sections));
      return sections;
    },
    open: async (place, section) => {
      if (section === '' || !broken.has(place)) return openSection(use, hold, place, sectionName(section));
      const message = await brokenMessage(place);
      return message && opened(sectionOf(message, section));
    },
  };
}

function opened(octets: Uint8Array | null): OpenedSection | null {
  return octets && { octets: new Blob([octets]).stream(), size: octets.byteLength };
}

/** What is asked of the same mailbox, as it was at the same time. */
function groupsOf<T>(
  items: readonly T[],
  placeOf: (item: T) => Place,
): { readonly mailbox: MailboxAt; readonly items: readonly T[] }[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const { mailbox, uidValidity } = placeOf(item);
    const key = `${uidValidity} ${mailbox}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()].flatMap((group) => {
    const mailbox = mailboxOf(group.map(placeOf));
    return mailbox === null ? [] : [{ mailbox, items: group }];
  });
}

async function readFacts(
  session: ImapSession,
  places: readonly Place[],
  needs: MessageNeeds,
  { broken, limits }: { broken: BrokenMessages; limits: Pick<ImapLimits, 'factsOctetsMax'> },
): Promise<Map<Place, MessageFacts>> {
  const items = fetchItems(needs, { preview: session.has('PREVIEW') });
  const groups = groupsOf(places, (place) => place);
  const wanted = groups.map(({ mailbox, items: own }): Fetches => {
    const uids = [...new Set(own.map(({ uid }) => uid))].sort((a, b) => a - b);
    return { mailbox, fetches: [{ uids, items }] };
  });
  const answers = await fetchAtOnce(session, wanted, octetBudget(limits.factsOctetsMax));
  const facts = new Map<Place, MessageFacts>();
  for (const [index, { items: own }] of groups.entries()) {
    const [rows] = answers[index] ?? [];
    for (const place of own) {
      const found = rows?.get(place.uid);
      if (!found) continue;
      const structure = needs.structure ? await structureOf(session, place, found, broken) : null;
      facts.set(place, factsOf(found, structure, needs));
    }
  }
  return facts;
}

function factsOf(items: readonly ImapValue[], structure: Part | null, needs: MessageNeeds): MessageFacts {
  const section = isWholeHeader(needs.headers) ? 'HEADER' : 'HEADER.FIELDS';
  const headers = needs.headers === 'none' ? null : octetsOf(fetchSection(items, section));
  const preview = needs.preview ? textOf(fetchItem(items, 'PREVIEW')) : null;
  return {
    ...(headers === null ? {} : { headers }),
    ...(structure === null ? {} : { structure }),
    // RFC 8970 §3.3: at most 256 characters; RFC 8621 §4.1.4 repeats it to clients.
    ...(preview === null ? {} : { preview: [...iJsonText(preview.slice(0, 512))].slice(0, 256).join('') }),
  };
}

/** From BODYSTRUCTURE, else from the message itself; null where that cannot be had either. */
async function structureOf(
  session: ImapSession,
  place: Place,
  items: readonly ImapValue[],
  broken: BrokenMessages,
): Promise<Part | null> {
  const structure = partOfBodyStructure(fetchItem(items, 'BODYSTRUCTURE'));
  if (structure) return structure;
  const octets = await readWhole(session, place);
  return octets === null ? null : broken.keep(place, octets);
}

/** The octets of a message, or their beginning where it is very large; null where it is not there. */
async function readWhole(session: ImapSession, place: Place): Promise<Uint8Array | null> {
  if (!(await isAt(session, { ...place, uidNext: place.uid + 1 }))) return null;
  const whole = sectionItem('', 0, imapLimits.wholeMessageOctetsMax);
  const rows = await fetchRows(session, [place.uid], [atom('UID'), whole]);
  return octetsOf(fetchPartial(rows.get(place.uid) ?? [], '', 0));
}

async function readSections(
  session: ImapSession,
  requests: readonly SectionRequest[],
  found: Map<SectionRequest, Uint8Array>,
): Promise<void> {
  const groups = groupsOf(requests, ({ place }) => place).map(({ mailbox, items }) => {
    return { mailbox, requests: items, planned: planSections(items) };
  });
  const answers = await fetchAtOnce(
    session,
    groups.map(({ mailbox, planned }) => ({ mailbox, fetches: planned.map(sectionFetch) })),
  );
  for (const [index, group] of groups.entries()) {
    const wanting = new Map<string, SectionRequest[]>();
    for (const request of group.requests) {
      const same = wanting.get(beginningOf(request.place.uid, request));
      if (same) same.push(request);
      else wanting.set(beginningOf(request.place.uid, request), [request]);
    }
    for (const [place, { sections }] of group.planned.entries()) {
      for (const [uid, row] of answers[index]?.[place] ?? []) {
        for (const { section, from = 0 } of sections) {
          const octets = octetsOf(fetchPartial(row, section, from));
          for (const request of wanting.get(beginningOf(uid, { section, from })) ?? []) {
            if (octets !== null) found.set(request, octets.subarray(0, octetsWanted(request)));
          }
        }
      }
    }
  }
}

function sectionFetch({ uids, sections }: SectionFetch): Fetch {
  const items = sections.map((request) => sectionItem(request.section, request.from ?? 0, octetsWanted(request)));
  return { uids, items: [atom('UID'), ...items] };
}

/** Where in which section of a message a request begins. */
function beginningOf(uid: number, { section, from = 0 }: Pick<SectionRequest, 'section' | 'from'>): string {
  return `${uid} ${section}<${from}`;
}
