import { type MethodError, methodError, ok, type Result, refuse } from '../jmap/errors.ts';
import { addresses, type EmailAddress, type EmailAddressGroup, groupedAddresses } from './addresses.ts';
import { headerDate } from './header-date.ts';
import { headerText } from './header-text.ts';
import { messageIds } from './message-ids.ts';
import type { EmailHeader } from './parse-headers.ts';
import { urls } from './urls.ts';

/** The forms of RFC 8621 §4.1.2, as a property name spells them behind `:as`. */
export type HeaderForm = 'Raw' | 'Text' | 'Addresses' | 'GroupedAddresses' | 'MessageIds' | 'Date' | 'URLs';

/** A property that is computed from header fields (RFC 8621 §4.1.3). */
export type HeaderProperty = {
  /** The name of the property, with the capitals of the request: so it is answered (§4.2). */
  readonly property: string;
  /** The header field name, in lower case. */
  readonly field: string;
  readonly form: HeaderForm;
  /** Whether every instance is asked for, not the last one only. */
  readonly isAll: boolean;
};

/** The value of one instance of a header field in some form. */
export type HeaderFormValue = string | string[] | EmailAddress[] | EmailAddressGroup[] | null;

const forms: Readonly<Record<HeaderForm, (raw: string) => HeaderFormValue>> = {
  Raw: (raw) => raw,
  Text: headerText,
  Addresses: addresses,
  GroupedAddresses: groupedAddresses,
  MessageIds: messageIds,
  Date: headerDate,
  URLs: urls,
};

const addressForms: readonly HeaderForm[] = ['Addresses', 'GroupedAddresses'];

/** The forms of the fields that RFC 5322 and RFC 2369 define, besides Raw. Any other field may be had in every form. */
const formsOfDefinedFields: ReadonlyMap<string, readonly HeaderForm[]> = new Map([
  ...eachWith(['subject', 'comments', 'keywords'], ['Text']),
  ...eachWith(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'], addressForms),
  ...eachWith(
    ['resent-from', 'resent-sender', 'resent-reply-to', 'resent-to', 'resent-cc', 'resent-bcc'],
    addressForms,
  ),
  ...eachWith(['message-id', 'in-reply-to', 'references', 'resent-message-id'], ['MessageIds']),
  ...eachWith(['date', 'resent-date'], ['Date']),
  ...eachWith(['list-help', 'list-unsubscribe', 'list-subscribe', 'list-post', 'list-owner', 'list-archive'], ['URLs']),
  ...eachWith(['return-path', 'received'], []),
]);

function eachWith(fields: readonly string[], allowed: readonly HeaderForm[]): [string, readonly HeaderForm[]][] {
  return fields.map((field) => [field, allowed]);
}

/** name, form, `:all`; a name is printable US-ASCII without the colon. */
const propertyPattern = /^header:([\x21-\x39\x3b-\x7e]+)(?::as([A-Za-z]+))?(:all)?$/;

/** Whether a property name asks for a header field; `parseHeaderProperty` then tells whether rightly. */
export function isHeaderProperty(property: string): boolean {
  return property.startsWith('header:');
}

/**
 * Reads a property name `header:{name}[:as{Form}][:all]` (RFC 8621 §4.1.3). Refused with `invalidArguments`: another syntax,
 * an unknown form, and a form that §4.1.2 forbids for the field, such as `header:From:asDate`.
 */
export function parseHeaderProperty(property: string): Result<HeaderProperty, MethodError> {
  const match = propertyPattern.exec(property);
  if (!match) return invalid(property, 'expected header:{name}[:as{Form}][:all]');
  const [, name = '', form = 'Raw', all] = match;
  if (!isHeaderForm(form)) return invalid(property, `there is no form ${form}`);
  const field = name.toLowerCase();
  const allowed = formsOfDefinedFields.get(field);
  if (form !== 'Raw' && allowed && !allowed.includes(form)) return invalid(property, `${name} has no form ${form}`);
  return ok({ property, field, form, isAll: all !== undefined });
}

function isHeaderForm(text: string): text is HeaderForm {
  return Object.hasOwn(forms, text);
}

function invalid(property: string, detail: string): { readonly ok: false; readonly error: MethodError } {
  return refuse(methodError('invalidArguments', `cannot fetch the property "${property}": ${detail}`));
}

/**
 * The value of a header property over the fields of a message or part (RFC 8621 §4.1.3): the last instance, or null; with
 * `:all` every instance in the order of the message.
 */
export function headerPropertyValue(
  headers: readonly EmailHeader[],
  property: HeaderProperty,
): HeaderFormValue | HeaderFormValue[] {
  const toForm = forms[property.form];
  const isNamed = (header: EmailHeader) => header.name.toLowerCase() === property.field;
  if (property.isAll) return headers.filter(isNamed).map((header) => toForm(header.value));
  const last = headers.findLast(isNamed);
  return last === undefined ? null : toForm(last.value);
}

/** The convenience properties of §4.1.3 and the header properties they are identical to. */
const conveniences = {
  messageId: ['Message-ID', 'MessageIds'],
  inReplyTo: ['In-Reply-To', 'MessageIds'],
  references: ['References', 'MessageIds'],
  sender: ['Sender', 'Addresses'],
  from: ['From', 'Addresses'],
  to: ['To', 'Addresses'],
  cc: ['Cc', 'Addresses'],
  bcc: ['Bcc', 'Addresses'],
  replyTo: ['Reply-To', 'Addresses'],
  subject: ['Subject', 'Text'],
  sentAt: ['Date', 'Date'],
} as const satisfies Record<string, readonly [string, HeaderForm]>;

/** Each convenience property of §4.1.3 (`messageId`, `from`, `sentAt` …) as the header property it stands for. */
export const convenienceProperties: ReadonlyMap<string, HeaderProperty> = new Map(
  Object.entries(conveniences).map(([property, [name, form]]) => {
    return [property, { property, field: name.toLowerCase(), form, isAll: false }];
  }),
);
