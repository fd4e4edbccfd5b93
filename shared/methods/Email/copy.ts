// Email/copy (RFC 8621 §4.7)
import { stateOf } from '../../catalog/changes.ts';
import type { Email } from '../../catalog/email.ts';
import { existsInJmap, keywordsOf } from '../../catalog/keywords.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError, Unavailable } from '../../jmap/errors.ts';
import type { AccountContext } from '../../jmap/method.ts';
import type { CanCopy, Original, Some } from '../../jmap/verbs.ts';
import { parseHeaders } from '../../message/parse-headers.ts';
import { unfold } from '../../message/unfold.ts';
import { streamOf } from '../Blob/octets.ts';
import { type BlobReading, measured, readAtOnceOctetsMax } from './blob-contents.ts';
import type { CreatePorts } from './create.ts';
import type { AppendPiece, CanReadMessages, Place } from './mail.ts';
import { placesOf } from './places.ts';
import { type NewEmail, putIn, type ReadContent, secondsOf } from './put-in.ts';
import type { EmailPorts, EmailRecord } from './record.ts';

export type CopyPorts = CreatePorts & EmailPorts;

/** What may be another in the copy; the message cannot. */
const changeable: ReadonlySet<string> = new Set(['mailboxIds', 'keywords', 'receivedAt']);

/** Emails of another account of the user, put into mailboxes of this one octet by octet. */
export function canCopyEmails(ports: CopyPorts, { portsOf }: AccountContext<CopyPorts>): CanCopy<EmailRecord> {
  let known: CatalogView | null = null;
  return {
    latestState: async () => {
      known = await ports.catalog.view('now');
      return stateOf(known, 'Email');
    },
    copy: async (fromAccountId, records) => {
      known ??= await ports.catalog.view('now');
      const from = portsOf(fromAccountId);
      const there = await from.catalog.view('recent');
      const originals = await there.emails([...records.values()].map(({ id }) => id));
      const places = placesOf(originals.values(), await there.mailboxes());
      const refused = new Map<string, Result<Some<EmailRecord>, SetError>>();
      const emails = new Map<string, NewEmail>();
      for (const [creationId, record] of records) {
        const email = originals.get(record.id) ?? null;
        const place = places.get(record.id);
        const copy =
          existsInJmap(email) && place ? copyOf(email, place, record, from.messages) : refuse({ type: 'notFound' });
        if (copy.ok) emails.set(creationId, copy.value);
        else refused.set(creationId, copy);
      }
      const { before, after, latest, results } = await putIn(emails, known, ports);
      known = latest;
      const [oldState, newState] = [stateOf(before, 'Email'), stateOf(after, 'Email')];
      return { oldState, newState, results: new Map([...refused, ...results]) };
    },
  };
}

function copyOf(
  email: Email,
  place: Place,
  { changed }: Original<EmailRecord>,
  messages: CanReadMessages,
): Result<NewEmail, SetError> {
  const fixed = Object.keys(changed).filter((name) => !changeable.has(name));
  const { mailboxIds, keywords, receivedAt } = changed;
  if (fixed.length > 0 || mailboxIds === undefined) {
    const properties = [...fixed, ...(mailboxIds === undefined ? ['mailboxIds'] : [])];
    const description = fixed.length > 0 ? 'the message cannot be changed' : 'the copy has to be in a mailbox';
    return refuse({ type: 'invalidProperties', properties, description });
  }
  const at = receivedAt === undefined ? email.receivedAt : secondsOf(receivedAt);
  return ok({
    mailboxIds: Object.keys(mailboxIds),
    keywords: keywords === undefined ? keywordsOf(email) : Object.keys(keywords),
    content: { read: (reading) => copiedContent(email, place, at, messages, reading) },
  });
}

/** The octets come over the connection of the other account, which is free meanwhile. */
async function copiedContent(
  { size: told }: Email,
  place: Place,
  receivedAt: number,
  messages: CanReadMessages,
  { isMeasured }: BlobReading,
): Promise<Result<ReadContent, SetError>> {
  const facts = (await messages.read([place], { headers: ['message-id'], structure: false, preview: false })).get(
    place,
  );
  if (facts?.headers === undefined) return refuse({ type: 'notFound' });
  const messageId = unfold(parseHeaders(facts.headers)[0]?.value ?? '').trim();
  const request = { place, section: '' };
  const atOnce = told <= readAtOnceOctetsMax ? (await messages.readSections([request])).get(request) : undefined;
  const size = atOnce?.byteLength ?? (isMeasured ? await measured(messages, place, '') : told);
  if (size === null) return refuse({ type: 'notFound' });
  const open = async () => {
    if (atOnce !== undefined) return streamOf(atOnce);
    const opened = await messages.open(place, '');
    if (opened === null) throw new Unavailable('The message was removed while it was copied');
    return opened.octets;
  };
  const pieces: AppendPiece[] = [{ kind: 'stream', size, open }];
  return ok({ pieces, messageId, size, receivedAt });
}
