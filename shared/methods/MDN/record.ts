import {
  arrayOf,
  boolean,
  type Grammar,
  mapOf,
  narrowed,
  nullable,
  object,
  oneOf,
  reference,
  string,
  withDefault,
} from '../../jmap/grammar.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { Id } from '../../jmap/scalars.ts';
import { headerValue } from '../../message/compose/header-value.ts';
import {
  actionModes,
  dispositionTypes,
  isExtensionName,
  isFieldText,
  sendingModes,
} from '../../message/disposition-notification.ts';

/** Characters of a subject, and of the text that people read. */
const mdnLimits = { subjectCharactersMax: 500, textCharactersMax: 100_000 } as const;

const fieldText = narrowed(string, (text) => (isFieldText(text) ? undefined : 'expected one line of US-ASCII'));
const subject = narrowed(string, (text) => {
  if (/[\p{Cc}\p{Cs}]/u.test(text) || !headerValue('Subject', 'Text', text).ok) return 'expected one line of text';
  return text.length > mdnLimits.subjectCharactersMax ? 'is too long' : undefined;
});
const textBody = narrowed(string, (text) => {
  if (/[\0\p{Cs}]/u.test(text)) return 'holds NUL or what is no character';
  return text.length > mdnLimits.textCharactersMax ? 'is too long' : undefined;
});
const extensionName = narrowed(string, (name) =>
  isExtensionName(name) ? undefined : 'expected the name of a field that has no meaning of its own',
);

/** An MDN (RFC 9007 §2), as it is sent. */
export const mdnType = recordType('MDN', {
  forEmailId: reference,
  subject: nullable(subject),
  textBody: nullable(textBody),
  includeOriginalMessage: withDefault(boolean, false),
  reportingUA: nullable(fieldText),
  disposition: object({
    actionMode: oneOf(...actionModes),
    sendingMode: oneOf(...sendingModes),
    type: oneOf(...dispositionTypes),
  }),
  mdnGateway: serverSet(nullable(string)),
  originalRecipient: serverSet(nullable(string)),
  finalRecipient: nullable(fieldText),
  originalMessageId: serverSet(nullable(string)),
  error: serverSet(nullable(arrayOf(string))),
  extensionFields: nullable(mapOf(extensionName, fieldText)) as Grammar<{ [name: string]: string } | null>,
});

export type Mdn = RecordOf<typeof mdnType>;

/** What MDN/parse shows: of a receipt that came in it may not be known what message it is about. */
export type ParsedMdn = Omit<Mdn, 'forEmailId'> & { readonly forEmailId: Id | null };
