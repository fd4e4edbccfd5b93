import { ok, type Result, refuse } from '../../jmap/errors.ts';
import { arrayOf, type Grammar, nullable, object, quote, sentence, string } from '../../jmap/grammar.ts';
import { jsonEqual } from '../../jmap/json-equal.ts';
import type { JsonValue } from '../../jmap/scalars.ts';
import { addresses, type EmailAddress, type EmailAddressGroup, groupedAddresses } from '../addresses.ts';
import { headerDate } from '../header-date.ts';
import type { HeaderForm } from '../header-form.ts';
import { headerText } from '../header-text.ts';
import { messageIds } from '../message-ids.ts';
import { urls } from '../urls.ts';
import { addressPieces, isWritableAddress } from './address-value.ts';
import { dateValue } from './date-value.ts';
import { fitsInLines, fold, piecesOf } from './fold.ts';
import { textPieces } from './text-value.ts';

const emailAddress: Grammar<EmailAddress> = object({ name: nullable(string), email: string });
const emailAddressGroup: Grammar<EmailAddressGroup> = object({
  name: nullable(string),
  addresses: arrayOf(emailAddress),
});

/**
 * The Raw value of a header field that has this value in this form (RFC 8621 §4.1.2), with its folding; null for an empty list, which
 * is no field. Refused, with the reason: what is of another type, and what would not be read again as it is, be it because
 * it cannot be written in that form or because it tries to be more than one field or one address.
 */
export function headerValue(name: string, form: HeaderForm, value: JsonValue): Result<string | null, string> {
  switch (form) {
    case 'Raw':
      return parsed(string, value, (raw) => rawValue(name, raw));
    case 'Text':
      return parsed(string, value, (text) => {
        if (hasControls(text)) return refuse('holds a control character');
        return readable(name, textPieces(text, name), (raw) => sameText(headerText(raw), text));
      });
    case 'Addresses':
      return parsed(arrayOf(emailAddress), value, (list) => {
        if (list.some(hasControlsInName)) return refuse('holds a control character');
        const wanted = list.map(tidied);
        const groups = wanted.length === 0 ? [] : [{ name: null, addresses: wanted }];
        return addressValue(name, groups, (raw) => isSame(addresses(raw), wanted));
      });
    case 'GroupedAddresses':
      return parsed(arrayOf(emailAddressGroup), value, (groups) => {
        const named = [...groups, ...groups.flatMap((group) => group.addresses)];
        if (named.some(hasControlsInName)) return refuse('holds a control character');
        const wanted = groups.map((group) => ({
          name: group.name === null ? null : tidyName(group.name),
          addresses: group.addresses.map(tidied),
        }));
        return addressValue(name, wanted, (raw) => isSame(groupedAddresses(raw), wanted));
      });
    case 'MessageIds':
      return parsed(arrayOf(string), value, (ids) => {
        const pieces = ids.map((id) => ` <${id}>`);
        return ids.length === 0 ? ok(null) : readable(name, pieces, (raw) => isSame(messageIds(raw), ids));
      });
    case 'Date':
      return parsed(string, value, (date) => {
        const written = dateValue(date);
        if (written === null) return refuse('is no Date');
        return readable(name, [` ${written}`], (raw) => headerDate(raw) !== null);
      });
    case 'URLs':
      return parsed(arrayOf(string), value, (list) => {
        const pieces = list.map((url, index) => ` <${url}>${index < list.length - 1 ? ',' : ''}`);
        if (list.some((url) => !/^[\x21-\x7e]*$/.test(url))) return refuse('holds what is no URL');
        return list.length === 0 ? ok(null) : readable(name, pieces, (raw) => isSame(urls(raw), list));
      });
  }
}

function addressValue(
  name: string,
  groups: readonly EmailAddressGroup[],
  isRead: (raw: string) => boolean,
): Result<string | null, string> {
  if (groups.length === 0) return ok(null);
  const wrong = groups.flatMap((group) => group.addresses).find(({ email }) => !isWritableAddress(email));
  if (wrong !== undefined) return refuse(`${quote(wrong.email)} is no address`);
  return readable(name, addressPieces(groups), isRead);
}

/** As it was given, for it says how it is folded; a line that is too long is folded anew. */
function rawValue(name: string, raw: string): Result<string, string> {
  if (hasControls(raw.replaceAll('\r\n', ''))) return refuse('holds a control character');
  if (/\r\n(?![ \t])|\r\n[ \t]*(?=\r\n|$)/.test(raw)) return refuse('holds a line break that folds nothing');
  if (fitsInLines(name, raw)) return ok(raw);
  const folded = raw
    .split('\r\n')
    .map((line) => fold('', piecesOf(line)))
    .join('\r\n');
  return fitsInLines(name, folded) ? ok(folded) : refuse('holds a line that is too long');
}

/** The pieces folded, if they are read again as what they were made of. */
function readable(name: string, pieces: readonly string[], isRead: (raw: string) => boolean): Result<string, string> {
  const raw = fold(name, pieces);
  if (pieces.some(hasControls) || !isRead(raw)) return refuse('cannot be written in this form');
  return fitsInLines(name, raw) ? ok(raw) : refuse('holds a word that is too long for a line');
}

function parsed<T>(
  grammar: Grammar<T>,
  value: JsonValue,
  write: (value: T) => Result<string | null, string>,
): Result<string | null, string> {
  const result = grammar.parse(value);
  return result.ok ? write(result.value) : refuse(sentence(result.error));
}

function isSame(read: unknown, wanted: unknown): boolean {
  return jsonEqual(read as JsonValue, wanted as JsonValue);
}

/** Whether two texts are the same but for normalization, and for tabs that became spaces. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string) => text.replaceAll('\t', ' ').normalize('NFC');
  return plain(one) === plain(other);
}

/** Control characters but the tab, those beyond US-ASCII too. */
function hasControls(text: string): boolean {
  return /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(text);
}

function hasControlsInName({ name }: { readonly name: string | null }): boolean {
  return name !== null && hasControls(name);
}

/** An address as it is read: the name without white space at its ends, or null. */
function tidied({ name, email }: EmailAddress): EmailAddress {
  return { name: name === null ? null : tidyName(name), email };
}

function tidyName(name: string): string | null {
  const tidy = name.trim().normalize('NFC');
  return tidy === '' ? null : tidy;
}
