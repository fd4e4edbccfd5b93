import type { Email, MailboxKey } from '../../catalog/email.ts';
import { keywordsOf, mailboxesOf } from '../../catalog/keywords.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import { type Id, type JsonObject, type JsonValue, utcDate } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { messageBlobId } from './blob-id.ts';
import type { Content } from './content.ts';
import { contentProperty, type PropertyRequest } from './content-property.ts';
import type { EmailRecord } from './record.ts';

/** The Email object with the asked properties (RFC 8621 §4.1): metadata from the catalog, all else from what was read. */
export function emailObject(
  email: Email,
  content: Content,
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  request: PropertyRequest,
): Some<EmailRecord> {
  const object: JsonObject & { id: Id } = { id: email.id };
  for (const name of request.properties) {
    object[name] = metadata(name, email, mailboxes) ?? contentProperty(name, messageBlobId(email.id), content, request);
  }
  return object;
}

/** The properties of §4.1.1; undefined for any other. */
function metadata(name: string, email: Email, mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): JsonValue | undefined {
  switch (name) {
    case 'id':
      return email.id;
    case 'blobId':
      return messageBlobId(email.id);
    case 'threadId':
      return email.threadId;
    case 'mailboxIds':
      return setOf(mailboxesOf(email).flatMap((key) => mailboxes.get(key)?.id ?? []));
    case 'keywords':
      return setOf(keywordsOf(email));
    case 'size':
      return email.size;
    case 'receivedAt':
      return utcDate(email.receivedAt * 1000);
    default:
      return undefined;
  }
}

/** The RFC's way to write a set: `{"a": true, "b": true}`. */
function setOf(members: readonly string[]): JsonObject {
  return Object.fromEntries(members.map((member) => [member, true]));
}
