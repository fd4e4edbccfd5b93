import { Buffer } from 'node:buffer';
import { iJsonText } from '../message/i-json-text.ts';
import type { RawParameter } from '../message/parameters.ts';
import type { Part } from '../message/part.ts';
import { partFields } from '../message/part-fields.ts';
import { type ImapValue, listOf, numberOf } from './response.ts';

/** More parts than this are no structure that anybody reads. */
const partsMax = 10_000;
/** Encodings in which what is stored is what is meant. */
const identityEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

/**
 * The part tree of a BODYSTRUCTURE (RFC 9051 §7.5.2, RFC 3501 §7.4.2), the same that `parseMessage` makes of the message.
 * Null where it makes no sense, or where servers are known to have read the message otherwise than it is meant: then the
 * message itself has to be read.
 */
export function partOfBodyStructure(value: ImapValue | undefined): Part | null {
  const left = { parts: partsMax };
  return toPart(listOf(value), '', left);
}

function toPart(values: readonly ImapValue[], section: string, left: { parts: number }): Part | null {
  if (values.length === 0 || left.parts-- <= 0) return null;
  return Array.isArray(values[0]) ? multipart(values, section, left) : leaf(values, section);
}

/** `(part part … "mixed" parameters disposition language location)`. */
function multipart(values: readonly ImapValue[], section: string, left: { parts: number }): Part | null {
  const count = values.findIndex((value) => !Array.isArray(value));
  const subtype = textOf(values[count]);
  if (count < 0 || subtype === null) return null;
  const subParts: Part[] = [];
  for (const [index, child] of values.slice(0, count).entries()) {
    const part = toPart(listOf(child), section === '' ? `${index + 1}` : `${section}.${index + 1}`, left);
    if (part === null) return null;
    subParts.push(part);
  }
  const parameters = parametersOf(values[count + 1]);
  if (isMisread(parameters, subParts)) return null;
  const fields = partFields({
    type: `multipart/${subtype}`,
    parameters,
    ...extension(values.slice(count + 2)),
    id: null,
    encoding: null,
  });
  const encodedSize = subParts.reduce((sum, part) => sum + part.encodedSize, 0);
  return { ...fields, partId: null, section, encodedSize, size: null, subParts };
}

/** RFC 2046 §5.1.1. */
const boundaryCharsMax = 70;

/**
 * Whether a multipart has parts that are not in it, or lacks some that are.
 *
 * QUIRK(dovecot): where it finds no delimiter line it shows one empty text, though there is a body. It cuts boundaries after
 * 80 octets and then takes the closing delimiter for one more part, looks for an empty boundary, and takes blanks at the
 * end of a boundary to be part of it.
 */
function isMisread(parameters: readonly RawParameter[], subParts: readonly Part[]): boolean {
  const [only] = subParts;
  if (subParts.length === 1 && only?.type === 'text/plain' && only.encodedSize === 0) return true;
  const boundary = parameters.find(([name]) => name === 'boundary')?.[1];
  return boundary !== undefined && (boundary.length > boundaryCharsMax || !/[^ ]$/.test(boundary));
}

/** `("text" "plain" parameters id description encoding octets … md5 disposition language location)`. */
function leaf(values: readonly ImapValue[], section: string): Part | null {
  const [type, subtype, parameters, id, , encoding, octets] = values;
  const media = textOf(type);
  const encodedSize = numberOf(octets, Number.MAX_SAFE_INTEGER);
  if (media === null || textOf(subtype) === null || encodedSize === null) return null;
  // QUIRK(courier 5.0): so it shows a multipart in which it finds no delimiter line.
  if (media.toLowerCase() === 'multipart') return null;
  const fields = partFields({
    type: `${media}/${textOf(subtype)}`,
    parameters: parametersOf(parameters),
    ...extension(values.slice(7 + typeFields(media, values) + 1)),
    id: textOf(id),
    encoding: textOf(encoding),
  });
  const size = identityEncodings.has(fields.encoding) ? encodedSize : null;
  return { ...fields, partId: section === '' ? '1' : section, section, encodedSize, size, subParts: [] };
}

/** How many fields stand between the size and the MD5: a number of lines, and before it envelope and body of a message. */
function typeFields(media: string, values: readonly ImapValue[]): number {
  // QUIRK: some servers treat message/* that they cannot read as any other type, and some leave out the lines of a text.
  if (media.toLowerCase() === 'text') return numberOf(values[7]) === null ? 0 : 1;
  const isMessage = media.toLowerCase() === 'message' && Array.isArray(values[7]) && Array.isArray(values[8]);
  return isMessage ? 3 : 0;
}

/** `disposition language location`, each of which may be missing. */
function extension([disposition, language, location]: readonly ImapValue[]) {
  const [name, parameters] = listOf(disposition);
  const languages = Array.isArray(language) ? language : [language];
  const tags = languages.map((tag) => textOf(tag)).filter((tag) => tag !== null);
  return {
    disposition: textOf(name),
    dispositionParameters: parametersOf(parameters),
    language: tags.length > 0 ? tags : null,
    location: textOf(location),
  };
}

/** As `parseHeaders` reads the same octets. */
function textOf(value: ImapValue | undefined): string | null {
  if (typeof value === 'string') return iJsonText(value);
  return Buffer.isBuffer(value) ? iJsonText(value.toString('utf8')) : null;
}

function parametersOf(value: ImapValue | undefined): RawParameter[] {
  const words = listOf(value);
  const parameters: RawParameter[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const name = textOf(words[at]);
    const text = textOf(words[at + 1]);
    if (name !== null && text !== null) parameters.push([name.toLowerCase(), text]);
  }
  return parameters;
}
