import { Buffer } from 'node:buffer';

/** A longer value is cut into pieces, and so is encoded text. */
const plainCharsMax = 120;
const sectionCharsMax = 60;

/**
 * A parameter of a MIME field (RFC 2045 §5.1) as pieces of its value, each behind a semicolon. Text that is not plain US-ASCII, or might be
 * taken for more than it is, is written per RFC 2231.
 */
export function parameterPieces(name: string, value: string): string[] {
  if (/^[\w!#$&+.^`{}~-]+$/.test(value) && value.length <= plainCharsMax) return [` ${name}=${value}`];
  const isPlain = /^[\x20-\x7e]*$/.test(value) && !/["\\]|=\?/.test(value) && value.length <= plainCharsMax;
  if (isPlain) return [` ${name}="${value}"`];
  const sections = sectionsOf(value);
  if (sections.length === 1) return [` ${name}*=utf-8''${sections[0]}`];
  return sections.map((section, index) => ` ${name}*${index}*=${index === 0 ? "utf-8''" : ''}${section}`);
}

/** The text percent-encoded, cut between characters. */
function sectionsOf(value: string): string[] {
  const sections: string[] = [''];
  for (const character of value) {
    const encoded = percentEncoded(character);
    const last = sections.at(-1) ?? '';
    if (last.length + encoded.length <= sectionCharsMax) sections[sections.length - 1] = last + encoded;
    else sections.push(encoded);
  }
  return sections;
}

function percentEncoded(character: string): string {
  if (/^[A-Za-z0-9!#$&+.^_`{}~-]$/.test(character)) return character;
  return [...Buffer.from(character)].map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
