import { htmlText } from '../../message/html-text.ts';

/** What is said to the sender: one of the two may be missing, or both. Lines end in LF. */
export type AnswerBody = { readonly textBody: string | null; readonly htmlBody: string | null };

/** The reason string of a vacation action (RFC 5230 §4.4), and whether it is a MIME entity. Lines end in CRLF. */
export type Reason = { readonly text: string; readonly isMime: boolean };

/** Where nothing is to be said: RFC 8621 §8 wants something appropriate. */
const defaultText = 'I am away and will read your message when I am back.';
/** It cannot be in what stands between: that is base64, which has no underscore. */
const boundary = '=_postern_vacation';
/** Octets in a line of mail (RFC 5322 §2.1.1), with room for what the server adds. */
const lineOctetsMax = 900;

/**
 * How the body says which of its parts were given: `default` for none, `html` where the text was made from it. It is in the
 * script beside the reason, which does not tell.
 */
export type BodyKind = 'default' | 'text' | 'html' | 'text and html';

export function bodyKindOf({ textBody, htmlBody }: AnswerBody): BodyKind {
  if (htmlBody === null) return textBody === null ? 'default' : 'text';
  return textBody === null ? 'html' : 'text and html';
}

export function reasonOf({ textBody, htmlBody }: AnswerBody): Reason {
  if (htmlBody !== null) {
    const text = textBody ?? htmlText(htmlBody, Number.POSITIVE_INFINITY);
    const entities = [entity('plain', text), entity('html', htmlBody)].map((part) => `--${boundary}\r\n${part}\r\n`);
    const header = `Content-Type: multipart/alternative; boundary="${boundary}"\r\n`;
    return { text: `${header}\r\n${entities.join('')}--${boundary}--\r\n`, isMime: true };
  }
  const lines = withCrLf(textBody ?? defaultText);
  const fits = lines.split('\r\n').every((line) => Buffer.byteLength(line) <= lineOctetsMax);
  return fits ? { text: lines, isMime: false } : { text: `${entity('plain', textBody ?? '')}\r\n`, isMime: true };
}

/** What such a reason says; null for one that was not made here. */
export function bodyOf({ text, isMime }: Reason, kind: BodyKind): AnswerBody | null {
  if (kind === 'default') return { textBody: null, htmlBody: null };
  if (!isMime) return kind === 'text' ? { textBody: withLf(text), htmlBody: null } : null;
  const texts = [...text.matchAll(/Content-Transfer-Encoding: base64\r\n\r\n([A-Za-z0-9+/=\r\n]*)/g)].map(
    ([, encoded = '']) => withLf(Buffer.from(encoded, 'base64').toString('utf8')),
  );
  const [plain, html] = texts;
  if (plain === undefined || (kind !== 'text' && html === undefined)) return null;
  return { textBody: kind === 'html' ? null : plain, htmlBody: kind === 'text' ? null : (html ?? null) };
}

/** Text as it comes back: with LF, whatever ends its lines. */
export function withLf(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

function withCrLf(text: string): string {
  return withLf(text).replaceAll('\n', '\r\n');
}

function entity(subtype: 'plain' | 'html', text: string): string {
  const encoded =
    Buffer.from(withCrLf(text), 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const header = `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n`;
  return `${header}\r\n${encoded.join('\r\n')}`;
}
