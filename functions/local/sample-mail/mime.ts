import { createHash } from 'node:crypto';
import { encodeText } from './charsets.ts';

/** A header field: its name and its body, which is already ASCII and may contain folds. */
export type Field = readonly [name: string, body: string];

/** A MIME entity: what follows the fields that only a message has. Lines end with CRLF. */
export interface Entity {
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

export type TransferEncoding = '7bit' | '8bit' | 'quoted-printable' | 'base64';

export interface TextOptions {
  /** Default plain. */
  readonly subtype?: string;
  /** Default utf-8. */
  readonly charset?: string;
  /** Default quoted-printable. */
  readonly encoding?: TransferEncoding;
  /** Parameters of the content type besides charset. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly fields?: readonly Field[];
}

/** A text part; line ends of the text are LF. */
export function textPart(text: string, options: TextOptions = {}): Entity {
  const { subtype = 'plain', charset = 'utf-8', encoding = 'quoted-printable', parameters = {}, fields = [] } = options;
  const bytes = encodeText(text.replaceAll('\n', '\r\n'), charset);
  return {
    fields: [
      ['Content-Type', contentType(`text/${subtype}`, { charset, ...parameters })],
      ['Content-Transfer-Encoding', encoding],
      ...fields,
    ],
    body: transferEncoded(bytes, encoding),
  };
}

export interface FilePart {
  readonly type: string;
  readonly name: string;
  readonly bytes: Buffer;
  /** Default attachment. */
  readonly disposition?: 'attachment' | 'inline';
  /** Without angle brackets; for parts that an HTML body shows. */
  readonly contentId?: string;
  readonly description?: string;
}

/** A file in base64. A name that is not ASCII is written as RFC 2231 wants it. */
export function filePart({ type, name, bytes, disposition = 'attachment', contentId, description }: FilePart): Entity {
  const fields: Field[] = [
    ['Content-Type', contentType(type, { name })],
    ['Content-Disposition', contentType(disposition, { filename: name })],
    ['Content-Transfer-Encoding', 'base64'],
  ];
  if (contentId !== undefined) fields.push(['Content-ID', `<${contentId}>`]);
  if (description !== undefined) fields.push(['Content-Description', encodedWords(description)]);
  return { fields, body: transferEncoded(bytes, 'base64') };
}

/** Parts in a multipart; the boundary follows from the parts, so that the same parts give the same bytes. */
export function multipart(subtype: string, parts: readonly Entity[], parameters: Record<string, string> = {}): Entity {
  const bytes = parts.map(entityBytes);
  const hash = createHash('sha256');
  for (const part of bytes) hash.update(part);
  const boundary = `=_${hash.digest('hex').slice(0, 24)}`;
  const chunks = bytes.flatMap((part) => [Buffer.from(`--${boundary}\r\n`), part, Buffer.from('\r\n')]);
  return {
    fields: [['Content-Type', contentType(`multipart/${subtype}`, { boundary, ...parameters })]],
    body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** A part whose body is as given: structured reports, whole messages. */
export function rawPart(type: string, body: Buffer | string, fields: readonly Field[] = []): Entity {
  return { fields: [['Content-Type', type], ...fields], body: typeof body === 'string' ? crlf(body) : body };
}

export function entityBytes({ fields, body }: Entity): Buffer {
  const header = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${header}\r\n`, 'latin1'), body]);
}

/** `type; name=value; …`: tokens as they are, other ASCII quoted, the rest as RFC 2231 in UTF-8. */
export function contentType(type: string, parameters: Readonly<Record<string, string>>): string {
  const written = Object.entries(parameters).map(([name, value]) => {
    if (/^[\w.+-]+$/.test(value)) return `${name}=${value}`;
    if (/^[\x20-\x7e]*$/.test(value)) return `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
    return `${name}*=utf-8''${percentEncoded(value)}`;
  });
  return [type, ...written].join(';\r\n ');
}

function percentEncoded(value: string): string {
  return encodeURIComponent(value).replace(/['()*!~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * The text as it may stand in a header: unchanged when it is ASCII, otherwise in encoded words (RFC 2047) of at most
 * 75 characters, each of which is whole characters of the charset.
 */
export function encodedWords(text: string, charset = 'utf-8', encoding: 'B' | 'Q' = 'B'): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const room = 75 - `=?${charset}?${encoding}??=`.length;
  const words: string[] = [];
  let taken = '';
  for (const char of text) {
    if (taken !== '' && wordText(taken + char, charset, encoding).length > room) {
      words.push(taken);
      taken = '';
    }
    taken += char;
  }
  words.push(taken);
  return words.map((word) => `=?${charset}?${encoding}?${wordText(word, charset, encoding)}?=`).join('\r\n ');
}

function wordText(text: string, charset: string, encoding: 'B' | 'Q'): string {
  const bytes = encodeText(text, charset);
  if (encoding === 'B') return bytes.toString('base64');
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    if (char === ' ') return '_';
    return /[A-Za-z0-9!*+/-]/.test(char) ? char : `=${hexByte(byte)}`;
  }).join('');
}

function transferEncoded(bytes: Buffer, encoding: TransferEncoding): Buffer {
  switch (encoding) {
    case '7bit':
    case '8bit':
      return bytes;
    case 'base64':
      return Buffer.from(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'));
    case 'quoted-printable':
      return Buffer.from(quotedPrintable(bytes), 'latin1');
  }
}

/** RFC 2045 §6.7 for text: CRLF stays, lines have at most 76 characters, no space ends a line. */
function quotedPrintable(bytes: Buffer): string {
  const lines = bytes.toString('latin1').split('\r\n');
  return lines.map(quotedPrintableLine).join('\r\n');
}

function quotedPrintableLine(line: string): string {
  const tokens = Array.from(line, (char, index) => {
    const endsWithSpace = index === line.length - 1 && (char === ' ' || char === '\t');
    return /[\t\x20-\x3c\x3e-\x7e]/.test(char) && !endsWithSpace ? char : `=${hexByte(char.charCodeAt(0))}`;
  });
  let written = '';
  let column = 0;
  for (const token of tokens) {
    if (column + token.length > 75) {
      written += '=\r\n';
      column = 0;
    }
    written += token;
    column += token.length;
  }
  return written;
}

const hexByte = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
