import { iJsonText } from '../message/i-json-text.ts';
import type { Part } from '../message/part.ts';
import type { CanReadMessages, MessageFacts, MessageNeeds, Place, SectionRequest } from '../methods/Email/mail.ts';
import { atom } from './arguments.ts';
import { isAt, mailboxOf } from './at-place.ts';
import { partOfBodyStructure } from './body-structure.ts';
import { BrokenMessages } from './broken-messages.ts';
import { fetchItems, isWholeHeader, octetsWanted, planSections, sectionItem, sectionName } from './fetch-plan.ts';
import { fetchItem, fetchPartial, fetchSection } from './fetch-row.ts';
import { fetchRows } from './fetch-rows.ts';
import { imapLimits } from './limits.ts';
import { openSection } from './open-section.ts';
import { type ImapValue, octetsOf, textOf } from './response.ts';
import type { ImapSession } from './session.ts';
import type { HoldSession, UseSession } from './use.ts';

/**
 * Reading messages over sessions that `use` provides; made for one request. One EXAMINE per mailbox, unless it is open
 * already, and one FETCH per kind of need. Nothing here sets \Seen.
 */
export function imapMessages(use: UseSession, hold: HoldSession): CanReadMessages {
  const broken = new BrokenMessages();
  return {
    read: async (places, needs) => {
      const facts = new Map<Place, MessageFacts>();
      for (const group of groupsOf(places, (place) => place)) {
        await use((session) => readGroup(session, group, needs, broken, facts));
      }
      return facts;
    },
    readSections: async (requests) => {
      const sections = new Map<SectionRequest, Uint8Array>();
      const rest = requests.filter((request) => {
        const octets = broken.section(request);
        if (octets) sections.set(request, octets);
        return octets === null;
      });
      for (const group of groupsOf(rest, (request) => request.place)) {
        await use((session) => readSectionsOf(session, group, sections));
      }
      return sections;
    },
    open: (place, section) => openSection(use, hold, place, sectionName(section)),
  };
}

/** What is asked of the same mailbox, as it was at the same time. */
function groupsOf<T>(items: readonly T[], placeOf: (item: T) => Place): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const { mailbox, uidValidity } = placeOf(item);
    const key = `${uidValidity} ${mailbox}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

async function readGroup(
  session: ImapSession,
  places: readonly Place[],
  needs: MessageNeeds,
  broken: BrokenMessages,
  facts: Map<Place, MessageFacts>,
): Promise<void> {
  const mailbox = mailboxOf(places);
  if (!mailbox || !(await isAt(session, mailbox))) return;
  const uids = [...new Set(places.map(({ uid }) => uid))].sort((a, b) => a - b);
  const rows = await fetchRows(session, uids, fetchItems(needs, { preview: session.has('PREVIEW') }));
  for (const place of places) {
    const items = rows.get(place.uid);
    if (!items) continue;
    const structure = needs.structure ? await structureOf(session, place, items, broken) : null;
    facts.set(place, factsOf(items, structure, needs));
  }
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
  const whole = sectionItem('', 0, imapLimits.wholeMessageOctetsMax);
  const rows = await fetchRows(session, [place.uid], [atom('UID'), whole]);
  const octets = octetsOf(fetchPartial(rows.get(place.uid) ?? [], '', 0));
  return octets === null ? null : broken.keep(place, octets);
}

async function readSectionsOf(
  session: ImapSession,
  requests: readonly SectionRequest[],
  found: Map<SectionRequest, Uint8Array>,
): Promise<void> {
  const mailbox = mailboxOf(requests.map(({ place }) => place));
  if (!mailbox || !(await isAt(session, mailbox))) return;
  const fetches = planSections(requests).map(async ({ uids, sections }) => {
    const items = sections.map((request) => sectionItem(request.section, 0, octetsWanted(request)));
    const rows = await fetchRows(session, uids, [atom('UID'), ...items]);
    for (const request of requests) {
      const octets = octetsOf(fetchPartial(rows.get(request.place.uid) ?? [], request.section, 0));
      if (octets !== null) found.set(request, octets.subarray(0, octetsWanted(request)));
    }
  });
  await Promise.all(fetches);
}
