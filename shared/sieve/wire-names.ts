import { encodeWords } from '../message/compose/encode-words.ts';
import { decodeEncodedWords } from '../message/encoded-words.ts';
import type { SieveCapabilities } from './connect.ts';

/** How the names of scripts are written on one connection. */
export type WireNames = {
  /** What a name is called in commands. */
  readonly written: (name: string) => string;
  /** The name that a listing means. */
  readonly read: (listed: string) => string;
  /** Whether the server itself knows a script by this name, so that another script can include it. */
  readonly isItself: (name: string) => boolean;
  /** Whether only a listing tells what a script is called that has just got this name. */
  readonly isToBeSeen: (name: string) => boolean;
};

/**
 * The names as they are, on most servers. QUIRK(cyrus 3.6): a name is kept in a header field, and known by no other name than the one it is
 * listed as: white space at its ends is lost; what is beyond US-ASCII or too long for a line becomes encoded-words (RFC 2047), and under
 * its own name such a script is created again and again, and never found; backslashes are not taken out of quoted strings. So whatever is
 * not plain is written in encoded-words by ourselves, and read from them; of what is long the listing tells what became of it.
 */
export function wireNames(capabilities: SieveCapabilities): WireNames {
  if (!/^Cyrus timsieved/i.test(capabilities.get('IMPLEMENTATION') ?? '')) {
    return { written: (name) => name, read: (listed) => listed, isItself: () => true, isToBeSeen: () => false };
  }
  const listedAs = new Map<string, string>();
  return {
    written: (name) => listedAs.get(name) ?? (isPlain(name) ? name : encodeWords(name, 0).join(' ')),
    read: (listed) => {
      const name = decodeEncodedWords(listed);
      listedAs.set(name, listed);
      return name;
    },
    isItself: (name) => isPlain(name) && !hasLongWord(name),
    isToBeSeen: (name) => !listedAs.has(name) && hasLongWord(name),
  };
}

/** Printable US-ASCII without what is written specially anywhere. */
function isPlain(name: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(name) && !name.includes('=?');
}

/** Longer than it may be in a header field that has to be folded. */
function hasLongWord(name: string): boolean {
  return /[^ ]{60}/.test(name);
}
