import type { MailboxVector } from '../catalog/mailbox.ts';
import type { SurveyedMailbox } from '../catalog/source.ts';
import { atom, type ImapArgument, list, mailbox, string } from './arguments.ts';
import { modseqOf } from './examine-answer.ts';
import { imapLimits } from './limits.ts';
import { decodeName } from './mailbox-name.ts';
import { type ImapValue, listOf, numberOf, octetsOf, textOf } from './response.ts';
import type { ImapSession } from './session.ts';

/** A mailbox that only shows again what is elsewhere (RFC 6154 §2, RFC 8457 §3). */
const virtualAttributes: ReadonlySet<string> = new Set(['\\all', '\\flagged', '\\important']);
/** Attributes that say nothing lasting about a mailbox, or what is told otherwise. */
const fleetingAttributes: ReadonlySet<string> = new Set([
  '\\marked',
  '\\unmarked',
  '\\subscribed',
  '\\haschildren',
  '\\hasnochildren',
]);

type Listed = { readonly wire: string; readonly delimiter: string | null; readonly attributes: readonly string[] };

/**
 * Every mailbox of the personal namespace with its STATUS: by one command with LIST-STATUS (RFC 5819), else by LIST, without LIST-EXTENDED
 * (RFC 5258) also LSUB, and a STATUS for each, sent without waiting. The mailbox that is open is left, where the server can do that. `start`:
 * only those whose names, on the wire, begin so. `openNext` opens a mailbox behind it, if that is known before the answer; not where a STATUS
 * is still to come, which is for mailboxes that are not open.
 */
export async function survey(
  session: ImapSession,
  { start = '', openNext }: { readonly start?: string; readonly openNext?: OpenNext } = {},
): Promise<readonly SurveyedMailbox[]> {
  const canLeave = session.has('UNSELECT');
  if (!canLeave) await session.refresh({ always: true });
  // In the same flight. NOOP has to be waited for: Dovecot does it after what is sent behind it.
  const left = canLeave ? session.unselectOrEnd() : null;
  const isExtended = session.has('LIST-EXTENDED');
  const hasListStatus = isExtended && session.has('LIST-STATUS');
  const pattern = mailbox(`${start}*`);
  const listing = isExtended ? listExtended(session, pattern, hasListStatus) : listAndLsub(session, pattern);
  if (hasListStatus && openNext) openBehind(session, listing, openNext);
  const [answer] = await Promise.all([listing, left]);
  const { others } = await session.namespaces();
  const found = [...answer.listed.values()].filter(
    ({ wire, attributes }) =>
      !others.some((prefix) => isBelow(wire, prefix)) &&
      !attributes.some((attribute) => virtualAttributes.has(attribute)),
  );
  return Promise.all(
    found.map(async ({ wire, delimiter, attributes }) => {
      const name = decodeName(wire, session.nameEncoding);
      const selectable = !attributes.includes('\\noselect') && !attributes.includes('\\nonexistent');
      const vector = selectable
        ? await vectorOf(session, wire, hasListStatus ? (answer.status.get(wire) ?? null) : 'ask')
        : null;
      const lasting = attributes.filter((attribute) => !fleetingAttributes.has(attribute)).sort();
      return { name, delimiter, selectable, attributes: lasting, subscribed: answer.subscribed.has(wire), vector };
    }),
  );
}

/** Opens a mailbox, by `ImapSession.openAhead`, or none; null: it is not known yet which one. */
type OpenNext = Promise<((session: ImapSession) => Promise<void>) | null>;

function openBehind(session: ImapSession, listing: Promise<unknown>, openNext: OpenNext): void {
  let isListed = false;
  const listed = () => {
    isListed = true;
  };
  listing.then(listed, listed);
  void Promise.all([openNext, session.syncTier()]).then(([open]) => (isListed ? undefined : open?.(session)));
}

type ListAnswer = {
  readonly listed: Map<string, Listed>;
  readonly subscribed: Set<string>;
  /** STATUS items by wire name. */
  readonly status: Map<string, readonly ImapValue[]>;
};

async function listExtended(session: ImapSession, pattern: ImapArgument, withStatus: boolean): Promise<ListAnswer> {
  const answer: ListAnswer = { listed: new Map(), subscribed: new Set(), status: new Map() };
  const options = session.has('SPECIAL-USE') ? [atom('SPECIAL-USE'), atom('SUBSCRIBED')] : [atom('SUBSCRIBED')];
  const status = withStatus ? [atom('STATUS'), list(...statusItems(session).map(atom))] : [];
  let isOneUnseen = false;
  await session.exec('LIST', [string(''), pattern, atom('RETURN'), list(...options, ...status)], {
    responses: 2 * imapLimits.mailboxesMax,
    onData: ({ name, values }) => {
      if (name === 'LIST') takeListed(answer, values);
      if (name === 'STATUS') {
        const wire = wireName(values[0]);
        if (wire !== null) answer.status.set(wire, listOf(values[1]));
      }
    },
    onUnseen: () => {
      isOneUnseen = true;
    },
  });
  if (isOneUnseen) session.expectUnseen([...answer.listed.keys()].filter((wire) => !answer.status.has(wire)));
  return answer;
}

async function listAndLsub(session: ImapSession, pattern: ImapArgument): Promise<ListAnswer> {
  const answer: ListAnswer = { listed: new Map(), subscribed: new Set(), status: new Map() };
  const wanted = [string(''), pattern];
  await Promise.all([
    session.exec('LIST', wanted, {
      responses: imapLimits.mailboxesMax,
      onData: ({ name, values }) => {
        if (name === 'LIST') takeListed(answer, values);
      },
    }),
    session.exec('LSUB', wanted, {
      responses: imapLimits.mailboxesMax,
      onData: ({ name, values }) => {
        const wire = name === 'LSUB' ? wireName(values[2]) : null;
        // LSUB marks a parent that is not subscribed itself (RFC 3501 §6.3.9).
        if (wire !== null && !attributesOf(values[0]).includes('\\noselect')) answer.subscribed.add(wire);
      },
    }),
  ]);
  return answer;
}

function takeListed(answer: ListAnswer, values: readonly ImapValue[]): void {
  const wire = wireName(values[2]);
  if (wire === null || answer.listed.size >= imapLimits.mailboxesMax) return;
  const attributes = attributesOf(values[0]);
  answer.listed.set(wire, { wire, delimiter: textOf(values[1]), attributes });
  if (attributes.includes('\\subscribed')) answer.subscribed.add(wire);
}

function attributesOf(value: ImapValue | undefined): string[] {
  return listOf(value).flatMap((attribute) => (typeof attribute === 'string' ? [attribute.toLowerCase()] : []));
}

/** A mailbox name as it was on the wire (octets as latin1); null where it cannot be sent back. */
function wireName(value: ImapValue | undefined): string | null {
  const isAscii = typeof value === 'string' && /^[\x20-\x7e]*$/.test(value);
  const wire = isAscii ? value : (octetsOf(value)?.toString('latin1') ?? '');
  if (wire === '' || /[\0\r\n]/.test(wire) || wire.length > imapLimits.mailboxNameOctetsMax) return null;
  return /^inbox$/i.test(wire) ? 'INBOX' : wire;
}

function statusItems(session: ImapSession): string[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
  return session.has('CONDSTORE') || session.has('QRESYNC') ? [...items, 'HIGHESTMODSEQ'] : items;
}

async function vectorOf(
  session: ImapSession,
  wire: string,
  known: readonly ImapValue[] | null | 'ask',
): Promise<MailboxVector | null> {
  if (known === 'ask') return statusVector(session, wire);
  return known === null ? null : vectorIn(known);
}

/** What STATUS tells of one mailbox; null where it is refused, or tells too little. */
async function statusVector(session: ImapSession, wire: string): Promise<MailboxVector | null> {
  const items = await session.status(wire, statusItems(session));
  return items === null ? null : vectorIn(items);
}

function vectorIn(items: readonly ImapValue[]): MailboxVector | null {
  const values = new Map<string, ImapValue>();
  for (let at = 0; at + 1 < items.length; at += 2)
    values.set((textOf(items[at]) ?? '').toUpperCase(), items[at + 1] ?? null);
  const uidValidity = numberOf(values.get('UIDVALIDITY'));
  const uidNext = numberOf(values.get('UIDNEXT'));
  const messages = numberOf(values.get('MESSAGES'));
  if (uidValidity === null || uidNext === null || messages === null) return null;
  return { uidValidity, uidNext, messages, highestModseq: modseqOf(values.get('HIGHESTMODSEQ')) };
}

/** Whether the name is the root of the namespace with this prefix, or in it. */
function isBelow(wire: string, prefix: string): boolean {
  return prefix !== '' && (wire.startsWith(prefix) || wire === prefix.slice(0, -1));
}
