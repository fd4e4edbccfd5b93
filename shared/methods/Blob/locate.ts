import type { Email, MailboxKey } from '../../catalog/email.ts';
import { existsInJmap, mailboxesOf } from '../../catalog/keywords.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Id } from '../../jmap/scalars.ts';
import { findPart } from '../../message/section.ts';
import { readingsOf } from '../Email/blob-id.ts';
import type { CanReadMessages, Place } from '../Email/mail.ts';
import { placesOf } from '../Email/places.ts';
import type { References } from './find.ts';

/** Where on the mail server a blob is to be had. */
export type MessageBlob = {
  readonly references: References;
  readonly place: Place;
  /** The section to read; '' for the whole message. */
  readonly section: string;
  /** The transfer encoding of the section; '' for none. */
  readonly encoding: string;
  /** Octets of the section as it is stored, as far as the server says. */
  readonly encodedSize: number;
  /** Octets of the section when decoded, where that is known without reading them. */
  readonly size: number | null;
  /** The section is a message, and the blob a part of it, or of a message that is such a part; empty: the section itself. */
  readonly within: readonly string[];
};

/** Finds a message, or one of its parts, in a version of the catalog; null where there is none of this id. */
export async function locateBlob(
  blobId: Id,
  view: CatalogView,
  messages: CanReadMessages,
): Promise<MessageBlob | null> {
  const readings = readingsOf(blobId);
  const emails = await view.emails(readings.map(({ root }) => root));
  const reading = readings.find(({ root }) => existsInJmap(emails.get(root) ?? null));
  const email = reading && emails.get(reading.root);
  if (reading === undefined || email === undefined) return null;
  const mailboxes = await view.mailboxes();
  const place = placesOf([email], mailboxes).get(email.id);
  if (place === undefined) return null;
  const references = referencesOf(email, mailboxes);

  const [partId, ...within] = reading.path;
  if (partId === undefined) {
    return { references, place, section: '', encoding: '', encodedSize: email.size, size: email.size, within };
  }
  const facts = await messages.read([place], { headers: 'none', structure: true, preview: false });
  const structure = facts.get(place)?.structure;
  const part = structure && findPart(structure, partId);
  if (part?.partId !== partId) return null;
  const isAsStored = identities.has(part.encoding);
  return {
    references,
    place,
    // A message that is another message has no section 1 of its own (RFC 3501 §6.4.5): for Courier that is in the other one.
    section: part.section || 'TEXT',
    encoding: part.encoding,
    encodedSize: part.encodedSize,
    size: part.size ?? (isAsStored ? part.encodedSize : null),
    within,
  };
}

/** Whatever is in a message, is in its Email, its Thread and its Mailboxes. */
function referencesOf(email: Email, mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): References {
  const mailboxIds = mailboxesOf(email).flatMap((key) => mailboxes.get(key)?.id ?? []);
  return { Mailbox: mailboxIds, Thread: [email.threadId], Email: [email.id] };
}

/** The encodings that change nothing (RFC 2045 §6.2). */
const identities: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);
