import { withoutComments } from './comments.ts';
import { decodeEncodedWords } from './encoded-words.ts';
import { decodeParameters, type Parameter, type RawParameter, splitParameters } from './parameters.ts';
import type { EmailHeader } from './parse-headers.ts';
import type { Part } from './part.ts';
import { unfold } from './unfold.ts';

/** What a part says of itself, as a BODYSTRUCTURE lists it: values as in the message, but cut apart. */
export type RawPartFields = {
  /** `type/subtype`; null where the part has no Content-Type. */
  readonly type: string | null;
  readonly parameters: readonly RawParameter[];
  readonly disposition: string | null;
  readonly dispositionParameters: readonly RawParameter[];
  readonly id: string | null;
  readonly encoding: string | null;
  readonly language: readonly string[] | null;
  readonly location: string | null;
};

/** The properties of a Part that its MIME fields decide. */
export type PartFields = Pick<
  Part,
  'type' | 'charset' | 'disposition' | 'name' | 'cid' | 'language' | 'location' | 'encoding'
>;

const mediaTypePattern = /^[\w!#$%&'*+.^`{|}~-]{1,127}\/[\w!#$%&'*+.^`{|}~-]{1,127}(?=$|[\s;,(])/;

/**
 * Makes the properties of an EmailBodyPart (RFC 8621 §4.1.4) from a part's MIME fields, whether a BODYSTRUCTURE or the
 * header of the part told them, so that both ways give the same part.
 *
 * - A type that is missing is `defaultType`; one that is malformed is text/plain (RFC 2045 §5.2).
 * - The name may be written per RFC 2231 or, against the standard but often, as encoded-words; both are decoded.
 */
export function partFields(raw: RawPartFields, defaultType = 'text/plain'): PartFields {
  const type = raw.type === null ? defaultType : mediaType(raw.type);
  const parameters = decodeParameters(raw.parameters);
  const charset = (parameters.get('charset')?.value ?? '').trim();
  return {
    type,
    charset: charset !== '' ? charset : type.startsWith('text/') ? 'us-ascii' : null,
    disposition: token(raw.disposition),
    name: fileName(decodeParameters(raw.dispositionParameters).get('filename')) ?? fileName(parameters.get('name')),
    cid: contentId(raw.id),
    language: raw.language !== null && raw.language.length > 0 ? raw.language.map(languageTag) : null,
    location: location(raw.location),
    encoding: token(raw.encoding) ?? '7bit',
  };
}

/**
 * The same from the header fields of a part. Of a field that stands there twice the first counts, of Content-Disposition the
 * last: so it is with IMAP servers.
 */
export function partFieldsFromHeaders(
  headers: readonly EmailHeader[],
  defaultType = 'text/plain',
): PartFields & Boundary {
  const first = (name: string): string | null =>
    headers.find((field) => field.name.toLowerCase() === name)?.value ?? null;
  const contentType = first('content-type');
  const disposition = headers.findLast((field) => field.name.toLowerCase() === 'content-disposition')?.value ?? null;
  const type = contentType === null ? null : splitParameters(contentType);
  const shown = disposition === null ? null : splitParameters(disposition);
  const fields = partFields(
    {
      type: type?.value ?? null,
      parameters: type?.parameters ?? [],
      disposition: shown?.value ?? null,
      dispositionParameters: shown?.parameters ?? [],
      id: first('content-id'),
      encoding: first('content-transfer-encoding'),
      language: languageTags(first('content-language')),
      location: first('content-location'),
    },
    defaultType,
  );
  return {
    ...fields,
    boundary:
      decodeParameters(type?.parameters ?? [])
        .get('boundary')
        ?.value.trimEnd() || null,
  };
}

/** The boundary parameter of a multipart, if it has one. */
export type Boundary = { readonly boundary: string | null };

/** Blanks may stand around the slash, as between any two tokens of RFC 822. */
function mediaType(text: string): string {
  const together = text.trim().replace(/^([^\s/]+)\s*\/\s*/, '$1/');
  return mediaTypePattern.exec(together)?.[0].toLowerCase() ?? 'text/plain';
}

/** The first word of a value, in lower case, without comments. */
function token(raw: string | null): string | null {
  if (raw === null) return null;
  const word = /[^\s;,]+/.exec(withoutComments(raw))?.[0];
  return word === undefined ? null : word.toLowerCase();
}

function contentId(raw: string | null): string | null {
  if (raw === null) return null;
  const value = withoutComments(unfold(raw)).trim();
  const id = (/<([^<>]*)>/.exec(value)?.[1] ?? value).trim();
  return id === '' ? null : id;
}

function location(raw: string | null): string | null {
  if (raw === null) return null;
  // RFC 2557 §4.4: white space only folds the URI.
  const uri = decodeEncodedWords(unfold(raw).trim()).replace(/\s+/g, '');
  return uri === '' ? null : uri;
}

function languageTags(raw: string | null): string[] | null {
  if (raw === null) return null;
  const tags = withoutComments(unfold(raw))
    .split(',')
    .map((tag) => tag.trim());
  return tags.filter((tag) => tag !== '');
}

/** In the usual capitals (RFC 5646 §2.1.1), `en-GB`, `zh-Hant`: IMAP servers give tags in capitals of their own. */
function languageTag(tag: string): string {
  let isFormatted = false;
  return tag
    .toLowerCase()
    .split('-')
    .map((subtag) => {
      const isCapital = isFormatted && (subtag.length === 2 || subtag.length === 4);
      isFormatted = subtag.length > 1;
      if (!isCapital) return subtag;
      return subtag.length === 2 ? subtag.toUpperCase() : `${subtag[0]?.toUpperCase()}${subtag.slice(1)}`;
    })
    .join('-');
}

/** The name without control characters; null where nothing is left. */
function fileName(parameter: Parameter | undefined): string | null {
  if (!parameter) return null;
  const { value, isExtended } = parameter;
  // Mailers write encoded-words without white space between them here.
  const decoded = isExtended ? value : decodeEncodedWords(value.replaceAll('?==?', '?= =?'));
  const name = decoded
    .replace(/[\u0000-\u001f\u007f]/g, '')
    .trim()
    .normalize('NFC');
  return name === '' ? null : name;
}
