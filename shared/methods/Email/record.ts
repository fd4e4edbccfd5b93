import type { AccountCatalog } from '../../catalog/account.ts';
import { keywordOf } from '../../catalog/keywords.ts';
import { ok, refuse } from '../../jmap/errors.ts';
import {
  anyObject,
  anything,
  arrayOf,
  boolean,
  date,
  type Grammar,
  id,
  mapOf,
  nullable,
  object,
  optional,
  quote,
  reference,
  setOf,
  string,
  unsignedInt,
  utcDate,
  withDefault,
} from '../../jmap/grammar.ts';
import { immutable, type Property, type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { JsonObject, JsonValue } from '../../jmap/scalars.ts';
import { isHeaderProperty, parseHeaderProperty } from '../../message/header-form.ts';
import type { CanReadMessages, CanSearchMessages } from './mail.ts';

/** What an Email needs of the world. */
export type EmailPorts = {
  readonly catalog: AccountCatalog;
  readonly messages: CanReadMessages;
  readonly search: CanSearchMessages;
};

/** EmailAddress (RFC 8621 §4.1.2.3). */
export const emailAddress = object({ name: nullable(string), email: string });
/** EmailHeader (§4.1.3). */
export const emailHeader = object({ name: string, value: string });
/** EmailBodyValue (§4.1.4). */
export const emailBodyValue = object({
  value: string,
  isEncodingProblem: withDefault(boolean, false),
  isTruncated: withDefault(boolean, false),
});

/** An EmailBodyPart as /get returns it: the members that `bodyProperties` names. */
export type EmailBodyPart = JsonObject;
const emailBodyPart: Grammar<EmailBodyPart> = anyObject;

const addresses = nullable(arrayOf(emailAddress));
const messageIds = nullable(arrayOf(string));
const bodyParts = arrayOf(emailBodyPart);

/** A keyword in the grammar of RFC 8621 §4.1.1, in lower case. */
export const keyword: Grammar<string> = {
  parse: (value, resolve) => {
    const text = string.parse(value, resolve);
    if (!text.ok) return text;
    const found = keywordOf(text.value);
    return found === null ? refuse({ path: '', detail: `expected a keyword, not ${quote(value)}` }) : ok(found);
  },
};

/** An Email (RFC 8621 §4.1). */
export const emailType = recordType(
  'Email',
  {
    id: serverSet(id),
    blobId: serverSet(id),
    threadId: serverSet(id),
    mailboxIds: setOf(reference),
    keywords: withDefault(setOf(keyword), {}),
    size: serverSet(unsignedInt),
    receivedAt: immutable(optional(utcDate)),
    headers: immutable(optional(arrayOf(emailHeader))),
    messageId: immutable(optional(messageIds)),
    inReplyTo: immutable(optional(messageIds)),
    references: immutable(optional(messageIds)),
    sender: immutable(optional(addresses)),
    from: immutable(optional(addresses)),
    to: immutable(optional(addresses)),
    cc: immutable(optional(addresses)),
    bcc: immutable(optional(addresses)),
    replyTo: immutable(optional(addresses)),
    subject: immutable(optional(nullable(string))),
    sentAt: immutable(optional(nullable(date))),
    bodyStructure: immutable(optional(emailBodyPart)),
    bodyValues: immutable(optional(mapOf(string, emailBodyValue))),
    textBody: immutable(optional(bodyParts)),
    htmlBody: immutable(optional(bodyParts)),
    attachments: immutable(optional(bodyParts)),
    hasAttachment: serverSet(boolean),
    preview: serverSet(string),
  },
  headerProperty,
);

export type EmailRecord = RecordOf<typeof emailType>;

/** `header:{field-name}` in any valid form (§4.1.3) is a property; its value depends on the form. */
function headerProperty(name: string): Property<JsonValue> | undefined {
  return isHeaderProperty(name) && parseHeaderProperty(name).ok ? immutable(anything) : undefined;
}
