import { Buffer } from 'node:buffer';
import { base64Lines, base64Size } from './base64.ts';
import { headerLineOctets } from './fold.ts';

/** A text as the body of a part: its octets in a transfer encoding that every mail server passes on unchanged. */
export type TextBody = {
  readonly charset: 'us-ascii' | 'utf-8';
  readonly encoding: '7bit' | 'quoted-printable' | 'base64';
  readonly octets: Uint8Array;
};

/**
 * Encodes the value of an EmailBodyValue (RFC 8621 §4.1.4). Every line break becomes CRLF. US-ASCII in lines of a length that RFC 5322
 * §2.1.1 allows stays as it is, unless something on the way might change it: control characters, white space at the end of a line,
 * and lines that begin with `From `. The rest becomes quoted-printable, or base64 if that is much shorter.
 */
export function textBody(value: string): TextBody {
  const text = value.replace(/\r\n?|\n/g, '\r\n');
  const charset = /^[\x00-\x7f]*$/.test(text) ? 'us-ascii' : 'utf-8';
  if (charset === 'us-ascii' && isSafe(text)) return { charset, encoding: '7bit', octets: Buffer.from(text) };
  const octets = Buffer.from(text);
  const quoted = quotedPrintable(octets);
  if (quoted.length <= base64Size(octets.length) * readabilityFactor)
    return { charset, encoding: 'quoted-printable', octets: quoted };
  return { charset, encoding: 'base64', octets: base64Lines(octets) };
}

/** How much longer than base64 a text may be that people can read as it is stored. */
const readabilityFactor = 1.5;

function isSafe(text: string): boolean {
  if (/[^\t\r\n\x20-\x7e]|[ \t](?:\r|$)|(?:^|\n)From /.test(text)) return false;
  return text.split('\r\n').every((line) => line.length <= headerLineOctets.max);
}

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
const lineCharsMax = 76;

/** Quoted-printable (RFC 2045 §6.7) of text in canonical form: its CRLFs are the line breaks. */
function quotedPrintable(octets: Buffer): Buffer {
  const lines: string[] = [];
  let line = '';
  const put = (octet: number, isPlain: boolean, isLast: boolean) => {
    const length = isPlain ? 1 : 3;
    if (line.length + length > lineCharsMax - (isLast ? 0 : 1)) {
      lines.push(`${line}=`);
      line = '';
    }
    // No line is to begin with `From `, or to be the dot that ends a message.
    const isAtRisk = line === '' && (octet === 0x2e || octet === 0x46);
    line += isPlain && !isAtRisk ? String.fromCharCode(octet) : escaped(octet);
  };
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    if (octet === CR && octets[at + 1] === LF) {
      lines.push(line);
      line = '';
      at++;
      continue;
    }
    const isLast = at + 1 === octets.length || (octets[at + 1] === CR && octets[at + 2] === LF);
    const isBlank = octet === 0x20 || octet === 0x09;
    const isPlain = isBlank ? !isLast : octet > 0x20 && octet < 0x7f && octet !== EQUALS;
    put(octet, isPlain, isLast);
  }
  lines.push(line);
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

function escaped(octet: number): string {
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}
