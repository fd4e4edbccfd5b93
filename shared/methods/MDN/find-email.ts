import { messageIdHash } from '../../catalog/ids.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Id } from '../../jmap/scalars.ts';
import { messageIds } from '../../message/message-ids.ts';
import { parseHeaders } from '../../message/parse-headers.ts';
import type { CanReadMessages } from '../Email/mail.ts';
import { placesOf } from '../Email/places.ts';

/** Emails of one Thread that are looked at. */
const emailsMax = 200;

/** The Email of this Message-ID; null where there is none, or several, or too much would have to be read to find it. */
export async function emailWithMessageId(
  field: string,
  view: CatalogView,
  messages: CanReadMessages,
): Promise<Id | null> {
  const [messageId, another] = messageIds(field) ?? [];
  if (messageId === undefined || another !== undefined) return null;
  const hash = messageIdHash(messageId);
  const threadId = (await view.threadsByMessageId([hash])).get(hash);
  if (threadId === undefined) return null;
  const members = (await view.threadEmails([threadId])).get(threadId) ?? [];
  if (members.length > emailsMax) return null;
  const emails = [...(await view.emails(members)).values()].filter(existsInJmap);
  const places = placesOf(emails, await view.mailboxes());
  const facts = await messages.read([...places.values()], {
    headers: ['message-id'],
    structure: false,
    preview: false,
  });
  const found = [...places].flatMap(([id, place]) => {
    const [header] = parseHeaders(facts.get(place)?.headers ?? new Uint8Array());
    return header && messageIds(header.value)?.[0] === messageId ? [id] : [];
  });
  const [only, ...others] = found;
  return only === undefined || others.length > 0 ? null : only;
}
