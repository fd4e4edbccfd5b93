import { ok, type Result, refuse } from '../../jmap/errors.ts';
import { arrayOf, type Grammar, isObject, nullable, quote, sentence, string, unsignedInt } from '../../jmap/grammar.ts';
import { type Id, isId, type JsonObject, type JsonValue } from '../../jmap/scalars.ts';
import { isHeaderProperty } from '../header-form.ts';
import { partFieldsFromHeaders } from '../part-fields.ts';
import { type DraftPart, isMessageType } from './draft.ts';
import { fold } from './fold.ts';
import { type Field, type GivenFields, givenFields } from './header-fields.ts';
import { parameterPieces } from './parameter-pieces.ts';

/** How much structure one message may be given; readers of mail stop somewhere too. */
export const composeLimits = { partsMax: 1_000, depthMax: 50 } as const;

/** A part that was read, and the names of the header fields that it gives, in lower case. */
export type ReadPart = { readonly part: DraftPart; readonly given: GivenFields };

/** What the reading of the parts of one message has to go by. */
export type PartContext = {
  /** `bodyValues` by `partId`. */
  readonly values: ReadonlyMap<string, string>;
  /** Counts down as parts are read. */
  partsLeft: number;
};

/** The members of an EmailBodyPart for creation (RFC 8621 §4.1.4, §4.6) besides header properties. */
const members: { readonly [name: string]: Grammar<unknown> } = {
  partId: nullable(string),
  blobId: nullable(string),
  size: nullable(unsignedInt),
  name: nullable(string),
  type: nullable(string),
  charset: nullable(string),
  disposition: nullable(string),
  cid: nullable(string),
  language: nullable(arrayOf(string)),
  location: nullable(string),
  subParts: nullable(arrayOf({ parse: ok } satisfies Grammar<JsonValue>)),
};

type Given = {
  partId: string | null;
  blobId: string | null;
  size: number | null;
  name: string | null;
  type: string | null;
  charset: string | null;
  disposition: string | null;
  cid: string | null;
  language: string[] | null;
  location: string | null;
  subParts: JsonValue[] | null;
};

/**
 * Reads an EmailBodyPart for creation, with all its `subParts`. `defaultType`: what it is when it does not say. The reason of a refusal
 * begins with where in the part it is.
 */
export function draftPart(
  value: JsonValue,
  context: PartContext,
  defaultType: string | null = null,
  depth = 1,
): Result<ReadPart, string> {
  if (!isObject(value)) return refuse('expected an EmailBodyPart');
  if (depth > composeLimits.depthMax) return refuse(`has more than ${composeLimits.depthMax} parts within one another`);
  if (--context.partsLeft < 0) return refuse(`has more than ${composeLimits.partsMax} parts`);
  const read = readMembers(value);
  if (!read.ok) return read;
  const reasons: string[] = [];
  const given = givenFields(value, (property, reason) => reasons.push(`${property}: ${reason}`), new Map());
  reasons.push(...conflicts(read.value, given));
  const [reason] = reasons;
  if (reason !== undefined) return refuse(reason);
  return withContent(read.value, given, context, defaultType, depth);
}

function readMembers(value: JsonObject): Result<Given, string> {
  const given: { [name: string]: unknown } = {};
  for (const name of Object.keys(value)) {
    if (name === 'headers') return refuse('headers: each header field is to be a property of its own');
    if (!Object.hasOwn(members, name) && !isHeaderProperty(name))
      return refuse(`${name}: EmailBodyPart has no such property`);
  }
  for (const [name, grammar] of Object.entries(members)) {
    const parsed = grammar.parse((Object.hasOwn(value, name) ? value[name] : null) ?? null);
    if (!parsed.ok) return refuse(`${name}: ${sentence(parsed.error)}`);
    given[name] = parsed.value;
  }
  return ok(given as Given);
}

/** Properties that say the same as a header field that is given too (§4.6), and fields that may not be given. */
function conflicts(part: Given, given: GivenFields): string[] {
  const reasons: string[] = [];
  if (given.has('content-transfer-encoding')) reasons.push('Content-Transfer-Encoding is chosen by the server');
  const properties: [keyof Given, string][] = [
    ['type', 'content-type'],
    ['charset', 'content-type'],
    ['disposition', 'content-disposition'],
    ['name', part.disposition === null && !given.has('content-disposition') ? 'content-type' : 'content-disposition'],
    ['cid', 'content-id'],
    ['language', 'content-language'],
    ['location', 'content-location'],
  ];
  for (const [name, field] of properties) {
    const other = given.get(field);
    if (part[name] !== null && other !== undefined)
      reasons.push(`${name} and ${other.property} are the same header field`);
  }
  for (const { property, fields } of given.values()) {
    const isMime = /^content-/i.test(fields[0]?.name ?? '');
    if (isMime && fields.length > 1) reasons.push(`${property}: a part has this field once`);
  }
  return reasons;
}

function withContent(
  part: Given,
  given: GivenFields,
  context: PartContext,
  defaultType: string | null,
  depth: number,
): Result<ReadPart, string> {
  const { partId, blobId, subParts } = part;
  const sources = [partId, blobId, subParts].filter((source) => source !== null);
  if (sources.length !== 1) return refuse('expected one of partId, blobId and subParts');
  const assumed =
    subParts !== null
      ? 'multipart/mixed'
      : (defaultType ?? (blobId === null ? 'text/plain' : 'application/octet-stream'));
  const mime = mimeFields(part, given, assumed);
  if (!mime.ok) return mime;
  const { type, contentType, fields } = mime.value;
  const isMultipart = type.startsWith('multipart/');
  if (isMultipart !== (subParts !== null))
    return refuse(`type: ${quote(type)} ${isMultipart ? 'needs' : 'has no'} subParts`);

  if (subParts !== null) {
    if (subParts.length === 0) return refuse('subParts: expected at least one');
    if (part.charset !== null) return refuse('charset: a multipart has none');
    const parts: DraftPart[] = [];
    for (const [index, subPart] of subParts.entries()) {
      const read = draftPart(subPart, context, null, depth + 1);
      if (!read.ok) return refuse(`subParts/${index}/${read.error}`);
      parts.push(read.value.part);
    }
    return ok({ part: { kind: 'multipart', type, contentType, fields, subParts: parts }, given });
  }
  if (blobId !== null) {
    if (!isId(blobId)) return refuse('blobId: expected an Id');
    return ok({ part: { kind: 'blob', type, contentType, fields, blobId: blobId as Id }, given });
  }
  if (part.charset !== null) return refuse('charset: is chosen by the server where there is a partId');
  if (part.size !== null) return refuse('size: is not to be given where there is a partId');
  const text = context.values.get(partId ?? '');
  if (text === undefined) return refuse(`partId: ${quote(partId)} is not in bodyValues`);
  if (isMessageType(type) && text.includes('\0')) return refuse('partId: a message must not hold NUL');
  return ok({ part: { kind: 'text', type, contentType, fields, value: text }, given });
}

type MimeFields = { readonly type: string; readonly contentType: string; readonly fields: readonly Field[] };

/** The header fields of a part, Content-Type apart from the others, if they are read again as what was given. */
function mimeFields(part: Given, given: GivenFields, assumed: string): Result<MimeFields, string> {
  const { name, charset, disposition, cid, language, location } = part;
  const type = (part.type ?? assumed).toLowerCase();
  const fields: Field[] = [...given].flatMap(([field, { fields: instances }]) =>
    field === 'content-type' ? [] : instances,
  );
  const nameInType = disposition === null && !given.has('content-disposition');
  const givenType = given.get('content-type')?.fields[0]?.value;
  const typeParameters = [
    ...(charset === null ? [] : parameterPieces('charset', charset)),
    ...(name === null || !nameInType ? [] : parameterPieces('name', name)),
  ];
  const contentType = givenType ?? fold('Content-Type', separated([` ${type}`, ...typeParameters]));
  if (disposition !== null) {
    const pieces = [` ${disposition}`, ...(name === null ? [] : parameterPieces('filename', name))];
    fields.push({ name: 'Content-Disposition', value: fold('Content-Disposition', separated(pieces)) });
  }
  if (cid !== null) fields.push({ name: 'Content-ID', value: ` <${cid}>` });
  if (language !== null && language.length > 0) {
    fields.push({
      name: 'Content-Language',
      value: fold(
        'Content-Language',
        language.map((tag, index) => ` ${tag}${index < language.length - 1 ? ',' : ''}`),
      ),
    });
  }
  if (location !== null) fields.push({ name: 'Content-Location', value: ` ${location}` });

  const read = partFieldsFromHeaders([{ name: 'Content-Type', value: contentType }, ...fields]);
  const wrong = unreadable(part, read, { type: givenType === undefined ? type : read.type });
  if (wrong !== null) return refuse(`${wrong}: cannot be written`);
  if (givenType !== undefined && !isExtensible(givenType)) return refuse('header:Content-Type: cannot be completed');
  const isText = part.partId !== null;
  if (read.type.startsWith('multipart/') && read.boundary !== null)
    return refuse('header:Content-Type: the boundary is chosen by the server');
  if (isText && /;\s*charset\b/i.test(contentType))
    return refuse('header:Content-Type: the charset is chosen by the server');
  return ok({ type: read.type, contentType, fields });
}

/** The first of the properties that would not be read as it was given; null: none. */
function unreadable(
  part: Given,
  read: ReturnType<typeof partFieldsFromHeaders>,
  expected: { readonly type: string },
): keyof Given | null {
  const { charset, disposition, name, cid, language, location } = part;
  const isRead: readonly (readonly [keyof Given, boolean])[] = [
    ['type', read.type === expected.type],
    ['charset', charset === null || (token.test(charset) && read.charset === charset)],
    [
      'disposition',
      disposition === null || (token.test(disposition) && read.disposition === disposition.toLowerCase()),
    ],
    ['name', name === null || (fileName.test(name) && read.name === (name.trim().normalize('NFC') || null))],
    ['cid', cid === null || (visible.test(cid) && read.cid === cid)],
    ['language', language === null || language.every((tag) => languageTag.test(tag))],
    ['location', location === null || (visible.test(location) && read.location === location)],
  ];
  return isRead.find(([, isSame]) => !isSame)?.[0] ?? null;
}

const token = /^[\w!#$%&'+.^`{|}~-]{1,127}$/;
const fileName = /^[^\u0000-\u001f\u007f-\u009f]{0,1000}$/;
/** What fits into a line without being folded. */
const visible = /^[\x21-\x7e]{1,900}$/;
const languageTag = /^[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8}){0,9}$/;

/** Whether a Content-Type is one, and what is written behind it becomes another parameter: no comment and no quote is open. */
function isExtensible(contentType: string): boolean {
  const outsideOfQuotes = contentType.replace(/"(?:[^"\\]|\\.)*"/gs, 'quoted');
  return /^\s*[\w!#$%&'*+.^`{|}~-]+\/[\w!#$%&'*+.^`{|}~-]+\s*(?:;[^"()\\]*)?$/.test(outsideOfQuotes);
}

function separated(pieces: readonly string[]): string[] {
  return pieces.map((piece, index) => (index < pieces.length - 1 ? `${piece};` : piece));
}
