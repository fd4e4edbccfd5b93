import type { Email, MailboxKey } from '../../catalog/email.ts';
import { keywordsOf, mailboxesOf } from '../../catalog/keywords.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import { type Id, type JsonObject, type JsonValue, utcDate } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { bodyParts } from '../../message/body-structure.ts';
import { headerPropertyValue } from '../../message/header-form.ts';
import type { Part } from '../../message/part.ts';
import { messageBlobId } from './blob-id.ts';
import { type BodyProperties, emailBodyPart } from './body-part.ts';
import type { Content } from './content.ts';
import type { Plan } from './plan.ts';
import type { EmailRecord } from './record.ts';

/** The Email object with the asked properties (RFC 8621 §4.1): metadata from the catalog, all else from what was read. */
export function emailObject(
  email: Email,
  content: Content,
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  request: { readonly properties: readonly string[]; readonly plan: Plan; readonly bodyProperties: BodyProperties },
): Some<EmailRecord> {
  const object: JsonObject & { id: Id } = { id: email.id };
  for (const name of request.properties) {
    object[name] = metadata(name, email, mailboxes) ?? contentProperty(name, email, content, request);
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

/** The properties of §4.1.2–4.1.4. */
function contentProperty(
  name: string,
  email: Email,
  content: Content,
  { plan, bodyProperties }: { readonly plan: Plan; readonly bodyProperties: BodyProperties },
): JsonValue {
  const { headers, structure } = content;
  const list = (parts: readonly Part[]) => parts.map((part) => emailBodyPart(email.id, part, bodyProperties, false));
  switch (name) {
    case 'headers':
      return headers.map((header) => ({ ...header }));
    case 'bodyStructure':
      return structure === null ? null : emailBodyPart(email.id, structure, bodyProperties, true);
    case 'textBody':
    case 'htmlBody':
    case 'attachments':
      return structure === null ? [] : list(bodyParts(structure)[name]);
    case 'bodyValues':
      return content.bodyValues;
    case 'hasAttachment':
      return content.hasAttachment;
    case 'preview':
      return content.preview;
    default: {
      const property = plan.headerProperties.get(name);
      if (property === undefined) throw new Error(`Could not read the property ${name}: it was never checked`);
      return headerPropertyValue(headers, property) as JsonValue;
    }
  }
}

/** The RFC's way to write a set: `{"a": true, "b": true}`. */
function setOf(members: readonly string[]): JsonObject {
  return Object.fromEntries(members.map((member) => [member, true]));
}
