import { type AddressLexeme, addressLexemes } from './address-lexemes.ts';
import { decodeEncodedWords, decodeTokens, type HeaderToken } from './encoded-words.ts';
import { unfold } from './unfold.ts';

/** RFC 8621 §4.1.2.3. `email` is what was written, valid or not. */
export type EmailAddress = { readonly name: string | null; readonly email: string };

/** RFC 8621 §4.1.2.4. `name` is null for addresses that stand outside of a group. */
export type EmailAddressGroup = { readonly name: string | null; readonly addresses: EmailAddress[] };

/** Addresses and groups read from one header field; what follows is ignored. */
const addressesMax = 10_000;

/** The Addresses form of a Raw header value (RFC 8621 §4.1.2.3): every mailbox, in order, without its group. */
export function addresses(raw: string): EmailAddress[] {
  return groupedAddresses(raw).flatMap((group) => group.addresses);
}

/**
 * The GroupedAddresses form of a Raw header value (RFC 8621 §4.1.2.4): an `address-list` (RFC 5322 §3.4, §4.4), read as
 * well as it can be. Never throws; linear in the length of the value.
 *
 * - A name is the display-name, else the comment behind the address. Encoded-words in it are decoded where RFC 2047 §5 lets
 *   them stand: in atoms and comments, not in quoted-strings.
 * - Mailers put encoded-words with commas, semicolons or parentheses inside into a display-name; each is still taken as one
 *   word. One that holds `<`, `>`, `@` or `"` is not, so that no address hides in a name.
 * - Without angle brackets, the word with the `@` is the address and the other words are the name; without any `@`, the
 *   whole text is the `email`.
 */
export function groupedAddresses(raw: string): EmailAddressGroup[] {
  const groups: EmailAddressGroup[] = [];
  let group: EmailAddressGroup | null = null;
  let count = 0;
  let item = newItem([]);

  const open = (name: string | null): EmailAddressGroup => {
    const opened: EmailAddressGroup = { name, addresses: [] };
    groups.push(opened);
    count++;
    return opened;
  };
  const endItem = () => {
    const address = toAddress(item);
    item = newItem([]);
    if (!address) return;
    group ??= open(null);
    group.addresses.push(address);
    count++;
  };

  for (const lexeme of addressLexemes(unfold(raw))) {
    if (count >= addressesMax) return groups;
    switch (lexeme.kind) {
      case 'comment':
        item.comment ??= lexeme.text;
        break;
      case 'angle':
        if (item.angle !== null) {
          // A comma is missing: the words behind the first address name the second.
          const words = item.words.splice(item.wordsBeforeAngle);
          endItem();
          item = newItem(words);
        }
        item.angle = lexeme.text;
        item.wordsBeforeAngle = item.words.length;
        break;
      case 'comma':
        endItem();
        break;
      case 'semicolon':
        endItem();
        if (group?.name != null) group = null;
        break;
      case 'colon': {
        const name = item.angle === null ? displayName(item.words) : null;
        if (name === null) break;
        group = open(name);
        item = newItem([]);
        break;
      }
      default:
        item.words.push(lexeme);
    }
  }
  endItem();
  return groups;
}

/** What stands between two separators of an address-list. */
type Item = { readonly words: HeaderToken[]; wordsBeforeAngle: number; angle: string | null; comment: string | null };

function newItem(words: HeaderToken[]): Item {
  return { words, wordsBeforeAngle: 0, angle: null, comment: null };
}

function toAddress(item: Item): EmailAddress | null {
  const { words, email } =
    item.angle === null ? splitBareAddress(item.words) : { words: item.words, email: addrSpec(item.angle) };
  const comment = item.comment === null ? null : tidyName(decodeEncodedWords(item.comment));
  const name = displayName(words);
  if (email !== '' || item.angle !== null) {
    return email === '' && name === null ? null : { name: name ?? comment, email };
  }
  return name === null ? null : { name: comment, email: name };
}

/** Takes the addr-spec out of words without angle brackets: the first word with an `@` and what belongs to it. */
function splitBareAddress(words: readonly HeaderToken[]): { words: readonly HeaderToken[]; email: string } {
  const at = words.findIndex((token) => token.kind === 'word' && token.text.includes('@'));
  if (at < 0) return { words, email: '' };
  let first = at;
  let last = at;
  if (words[at]?.text.startsWith('@')) {
    // The local part stands before it: quoted, or with white space between (RFC 5322 §4.4).
    while (first > 0 && (first === at || words[first]?.kind === 'space')) first--;
  }
  while (last < words.length - 1 && continuesDomain(words, last)) last++;
  return {
    words: [...words.slice(0, first), ...words.slice(last + 1)],
    email: words
      .slice(first, last + 1)
      .map(written)
      .join(''),
  };
}

/** Whether the token behind `last` belongs to the domain: RFC 5322 §4.4 allows white space behind the `@` and around dots. */
function continuesDomain(words: readonly HeaderToken[], last: number): boolean {
  const behind = words[last + 1];
  if (behind?.kind !== 'space') return behind?.kind === 'word';
  return /[@.]$/.test(words[last]?.text ?? '') || startsDomainLabel(words, last + 2);
}

/** Whether a dot stands at `index` and something follows it, so that no domain gets a dot at its end. */
function startsDomainLabel(words: readonly HeaderToken[], index: number): boolean {
  const text = words[index]?.text ?? '';
  return text.startsWith('.') && (text.length > 1 || words[index + 2] !== undefined);
}

/** The token as it stood in the header; white space within an addr-spec carries no meaning. */
function written(token: HeaderToken): string {
  switch (token.kind) {
    case 'quoted':
      return `"${token.text.replace(/["\\]/g, '\\$&')}"`;
    case 'space':
      return '';
    case 'word':
      return token.text;
  }
}

/** The addr-spec of an angle-addr: without a source route (RFC 5322 §4.4), comments and white space outside of quotes. */
function addrSpec(inside: string): string {
  let text = '';
  for (const lexeme of addressLexemes(inside)) {
    if (lexeme.kind === 'colon' && text.startsWith('@')) text = '';
    else text += writtenLexeme(lexeme);
  }
  return text;
}

function writtenLexeme(lexeme: AddressLexeme): string {
  switch (lexeme.kind) {
    case 'comma':
      return ',';
    case 'semicolon':
      return ';';
    case 'colon':
      return ':';
    case 'comment':
    case 'angle':
      return '';
    default:
      return written(lexeme);
  }
}

function displayName(words: readonly HeaderToken[]): string | null {
  return tidyName(decodeTokens(words));
}

/** RFC 8621 §4.1.2.3: white space at the ends goes; a name of nothing else is no name. */
function tidyName(name: string): string | null {
  const tidy = name.trim().normalize('NFC');
  return tidy === '' ? null : tidy;
}
