import type { Result, SetError } from '../../jmap/errors.ts';
import { isObject } from '../../jmap/grammar.ts';
import type { JsonObject, JsonValue } from '../../jmap/scalars.ts';
import { addresses } from '../addresses.ts';
import type { Draft, DraftPart } from './draft.ts';
import { composeLimits, draftPart, type PartContext, type ReadPart } from './draft-part.ts';
import { type GivenFields, givenFields } from './header-fields.ts';
import { Objections } from './objections.ts';

/**
 * Reads what an Email object for creation says of the message (RFC 8621 §4.6): header properties, and either `bodyStructure` or
 * `textBody`, `htmlBody` and `attachments`. Other properties are passed over. Refused with `invalidProperties`, which names all of the
 * properties of the Email that break a rule, with the reasons.
 *
 * Without a `bodyStructure` the message becomes, where there is more than one part of a kind:
 *
 * - multipart/alternative of the text and the HTML;
 * - multipart/related of the HTML and those attachments that have a `cid` or a `location` and are not to be shown as attachments;
 * - multipart/mixed of the body and the other attachments, even if there is only one of them and nothing else.
 *
 * An attachment without a disposition becomes `inline` within the multipart/related, `attachment` elsewhere. Without anything, the body is
 * an empty text.
 */
export function emailDraft(email: JsonObject): Result<Draft, SetError> {
  const objections = new Objections();
  const object = (property: string, reason: string) => objections.add(property, reason);
  if (email.headers !== undefined) object('headers', 'each header field is to be a property of its own');
  const given = givenFields(email, object);
  for (const [field, { property }] of given) {
    if (field.startsWith('content-')) object(property, 'belongs to a body part');
  }
  const context = { values: bodyValues(email.bodyValues, object), partsLeft: composeLimits.partsMax };
  const root =
    email.bodyStructure === undefined ? flatBody(email, context, object) : structured(email, context, object);
  if (root !== null) noteDuplicates(given, root.given, object);

  const all = new Map([...given, ...(root?.given ?? [])]);
  const fields = [...given.values()].flatMap((each) => each.fields);
  return objections.unless({
    fields,
    has: {
      date: hasField(all, 'date'),
      messageId: hasField(all, 'message-id'),
      mimeVersion: hasField(all, 'mime-version'),
    },
    domain: senderDomain(all),
    root: root?.part ?? emptyText,
  });
}

type ObjectTo = (property: string, reason: string) => void;

const emptyText: DraftPart = { kind: 'text', type: 'text/plain', contentType: ' text/plain', fields: [], value: '' };
const noFields: GivenFields = new Map();

function bodyValues(values: JsonValue | undefined, object: ObjectTo): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [partId, value] of Object.entries(isObject(values) ? values : {})) {
    if (!isObject(value) || typeof value.value !== 'string')
      object('bodyValues', `${partId}: expected an EmailBodyValue`);
    else if (value.isEncodingProblem === true) object('bodyValues', `${partId}: isEncodingProblem must not be true`);
    else if (value.isTruncated === true) object('bodyValues', `${partId}: isTruncated must not be true`);
    else texts.set(partId, value.value);
  }
  return texts;
}

function structured(email: JsonObject, context: PartContext, object: ObjectTo): ReadPart | null {
  for (const name of ['textBody', 'htmlBody', 'attachments']) {
    if (email[name] !== undefined) object(name, 'must not be given together with bodyStructure');
  }
  const read = draftPart(email.bodyStructure ?? null, context);
  if (read.ok) return read.value;
  object('bodyStructure', read.error);
  return null;
}

/** Where the header of the message is that of the root part too, no field may be given twice (§4.6). */
function noteDuplicates(ofEmail: GivenFields, ofRoot: GivenFields, object: ObjectTo): void {
  for (const [field, { property }] of ofRoot) {
    const other = ofEmail.get(field);
    if (other !== undefined) object(other.property, `the body has the same header field: ${property}`);
  }
}

function flatBody(email: JsonObject, context: PartContext, object: ObjectTo): ReadPart | null {
  const text = onlyPart(email, 'textBody', 'text/plain', context, object);
  const html = onlyPart(email, 'htmlBody', 'text/html', context, object);
  const attachments = attachedParts(email, html !== null, context, object);
  const embedded = attachments.filter(({ isEmbedded }) => isEmbedded).map(({ part }) => part);
  const attached = attachments.filter(({ isEmbedded }) => !isEmbedded).map(({ part }) => part);

  const related = html && (embedded.length === 0 ? html : wrap('multipart/related', [html.part, ...embedded]));
  const body = text && related ? wrap('multipart/alternative', [text.part, related.part]) : (text ?? related);
  return attached.length === 0 ? body : wrap('multipart/mixed', [...(body ? [body.part] : []), ...attached]);
}

function wrap(type: string, subParts: readonly DraftPart[]): ReadPart {
  return { part: { kind: 'multipart', type, contentType: ` ${type}`, fields: [], subParts }, given: noFields };
}

function onlyPart(
  email: JsonObject,
  name: 'textBody' | 'htmlBody',
  type: string,
  context: PartContext,
  object: ObjectTo,
): ReadPart | null {
  const parts = email[name];
  if (parts === undefined) return null;
  const [first, ...others] = Array.isArray(parts) ? parts : [];
  if (first === undefined || others.length > 0) {
    object(name, 'expected exactly one part');
    return null;
  }
  const read = draftPart(first, context, type);
  if (read.ok && read.value.part.type === type) return read.value;
  object(name, read.ok ? `expected a part of type ${type}` : `0/${read.error}`);
  return null;
}

/** `isEmbedded`: the HTML refers to it, so that it belongs to it. */
type Attached = { readonly part: DraftPart; readonly isEmbedded: boolean };

function attachedParts(email: JsonObject, hasHtml: boolean, context: PartContext, object: ObjectTo): Attached[] {
  const attachments = Array.isArray(email.attachments) ? email.attachments : [];
  return attachments.flatMap((attachment, index) => {
    const canEmbed = hasHtml && isObject(attachment) && ['cid', 'location'].some((name) => attachment[name] != null);
    const read = draftPart(withDisposition(attachment, canEmbed ? 'inline' : 'attachment'), context);
    if (!read.ok) {
      object('attachments', `${index}/${read.error}`);
      return [];
    }
    const { part } = read.value;
    const disposition = part.fields.find(({ name }) => name === 'Content-Disposition')?.value ?? '';
    return [{ part, isEmbedded: canEmbed && !/^\s*attachment\b/i.test(disposition) }];
  });
}

/** The part with this disposition, if it says nothing of it. */
function withDisposition(part: JsonValue, disposition: string): JsonValue {
  const says = (name: string) => /^(?:disposition|header:content-disposition(?::.*)?)$/i.test(name);
  if (!isObject(part) || Object.keys(part).some((name) => says(name) && part[name] !== null)) return part;
  return { ...part, disposition };
}

function hasField(given: GivenFields, field: string): boolean {
  return (given.get(field)?.fields.length ?? 0) > 0;
}

/** The domain of the first address in From that has one which can stand in a Message-ID. */
function senderDomain(given: GivenFields): string | null {
  const from = given.get('from')?.fields[0];
  const domains = addresses(from?.value ?? '').map(({ email }) => email.slice(email.lastIndexOf('@') + 1));
  return domains.find((domain) => /^(?=.{1,250}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(domain)) ?? null;
}
