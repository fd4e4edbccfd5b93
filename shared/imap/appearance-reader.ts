import { Buffer } from 'node:buffer';
import { rowTexts } from '../catalog/source.ts';
import { type IdentityFacts, serverIdItems } from './appearance.ts';
import { type AppearanceRows, textSpans } from './appearance-columns.ts';
import { monthOf, secondsAt } from './fetch-row.ts';

const octet = {
  tab: 0x09,
  lf: 0x0a,
  cr: 0x0d,
  space: 0x20,
  quote: 0x22,
  open: 0x28,
  close: 0x29,
  plus: 0x2b,
  minus: 0x2d,
  zero: 0x30,
  colon: 0x3a,
  underscore: 0x5f,
} as const;

const octetsOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const mark = {
  untagged: octetsOf('* '),
  fetch: octetsOf(' FETCH ('),
  open: octetsOf('('),
  close: octetsOf(')'),
  partOfSection: octetsOf(')]<0> {'),
  wholeSection: octetsOf(')] {'),
  literal: octetsOf('}\r\n'),
} as const;

/** A number of so many digits is exact. */
const digitsMax = 15;
/** Header sections beyond it are for those who know what else is limited. */
const sectionOctetsMax = 16 * 1024;
const flagListsMax = 1_000;
const flagOctetsMax = 63;
/** An underscore stands for what may differ. */
const dateForm = octetsOf('__-___-____ __:__:__ _____"');
const dayOctets = 11;
const sectionItem = 6;
/** Bits of what was seen: those of the items, by their place, then one for each kind of section. */
const everyRow = 0b1111;
const fieldsBit = 1 << sectionItem;
const partBit = 1 << (sectionItem + 1);
const [serverEmailId, serverThreadId, messageId, received] = (
  ['serverEmailId', 'serverThreadId', 'messageId', 'received'] as const
).map((text) => rowTexts.indexOf(text)) as [number, number, number, number];
/** In the order of `rowTexts`, from the Message-ID on. */
const fieldNames = ['message-id', 'references', 'in-reply-to', 'date', 'from'] as const;

/**
 * Reads one row after the other that answers `appearanceItems` from its octets, as `parseResponse`, `fetchRow` and `appearanceOf` would,
 * without all that they make on the way: the first index of an account reads a row for each of its messages. Only what servers usually
 * write is understood. Every step tells whether it understood what it found.
 */
export class AppearanceReader {
  /** In the order in which they are asked for. */
  readonly #items: readonly Uint8Array[];
  readonly #flagLists = new Map<string, readonly string[] | null>();
  #bytes!: Buffer;
  #at = 0;
  #end = 0;
  #number = 0;
  readonly #lastDay = new Uint8Array(dayOctets);
  #lastDayBegan = Number.NaN;
  /** Of the last list of flags, unless it has more octets than are remembered. */
  readonly #lastFlags = new Uint8Array(flagOctetsMax + 1);
  #lastFlagOctets = -1;
  readonly #row = { uid: 0, flags: [] as readonly string[], internalDate: 0, size: 0 };
  readonly #texts = textSpans();
  #told = 0;
  /** A bit for each of `fieldNames` that was there. */
  #fields = 0;

  constructor({ scheme }: IdentityFacts) {
    const { email, thread } = serverIdItems(scheme);
    this.#items = [
      ...['UID ', 'FLAGS (', 'INTERNALDATE "', 'RFC822.SIZE ', `${email} `, `${thread} `],
      'BODY[HEADER.FIELDS (',
    ].map(octetsOf);
  }

  /** The UID of the last row. */
  get uid(): number {
    return this.#row.uid;
  }

  /** How many items the last row had. */
  get items(): number {
    return this.#told;
  }

  /** Adds what the last row told; its octets have to be there still. */
  addTo(rows: AppearanceRows): void {
    rows.add(this.#row, this.#bytes, this.#texts);
  }

  /** `* 12 FETCH (…)` with each item once, and at least those that every row has. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#texts.fill(0);
    this.#fields = 0;
    if (!this.#skip(mark.untagged) || !this.#digits() || !this.#skip(mark.fetch)) return false;
    let seen = 0;
    this.#told = 0;
    for (let next = 0; ; next++) {
      const item = this.#item(next);
      if (item < 0) return false;
      const found = item === sectionItem ? this.#section() : 1 << item;
      if (found === 0 || (seen & found) !== 0 || (item !== sectionItem && !this.#value(item))) return false;
      seen |= found;
      this.#told += 1;
      if (bytes[this.#at] === octet.close) return this.#at === end - 1 && (seen & everyRow) === everyRow;
      if (bytes[this.#at++] !== octet.space) return false;
      next = item;
    }
  }

  /** Which item comes now, most likely that one or one behind it; −1: another. */
  #item(likely: number): number {
    const count = this.#items.length;
    for (let offset = 0; offset < count; offset++) {
      const item = (likely + offset) % count;
      if (this.#skip(this.#items[item] as Uint8Array)) return item;
    }
    return -1;
  }

  #value(item: number): boolean {
    switch (item) {
      case 0:
        if (!this.#digits() || this.#number === 0 || this.#number > 0xffff_ffff) return false;
        this.#row.uid = this.#number;
        return true;
      case 1:
        return this.#flagList();
      case 2:
        return this.#internalDate();
      case 3:
        if (!this.#digits()) return false;
        this.#row.size = this.#number;
        return true;
      default: {
        const isList = this.#skip(mark.open);
        const start = this.#at;
        const end = this.#atomEnd();
        if (end === start) return false;
        this.#at = end;
        if (isList && !this.#skip(mark.close)) return false;
        const isNil = end - start === 3 && this.#bytes.toString('latin1', start, end).toUpperCase() === 'NIL';
        if (!isNil) this.#setText(item === 4 ? serverEmailId : serverThreadId, start, end);
        return true;
      }
    }
  }

  #skip(octets: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + octets.length > this.#end) return false;
    for (let i = 0; i < octets.length; i++) if (bytes[at + i] !== octets[i]) return false;
    this.#at = at + octets.length;
    return true;
  }

  #digits(): boolean {
    const start = this.#at;
    let [at, number] = [start, 0];
    for (let digit = this.#digit(at); digit >= 0; digit = this.#digit(++at)) number = number * 10 + digit;
    this.#at = at;
    this.#number = number;
    return at > start && at - start <= digitsMax;
  }

  /** −1: none. */
  #digit(at: number): number {
    const digit = at < this.#end ? (this.#bytes[at] as number) - octet.zero : -1;
    return digit <= 9 ? digit : -1;
  }

  #twoDigits(at: number): number {
    const tens = this.#digit(at);
    const ones = this.#digit(at + 1);
    return tens < 0 || ones < 0 ? Number.NaN : tens * 10 + ones;
  }

  #setText(text: number, start: number, end: number): void {
    this.#texts[2 * text] = start;
    this.#texts[2 * text + 1] = end;
  }

  /** A space or a parenthesis; the beginning, where anything is before it that could mean more than itself. */
  #atomEnd(): number {
    const bytes = this.#bytes;
    for (let at = this.#at; at < this.#end; at++) {
      const current = bytes[at] as number;
      if (current === octet.space || current === octet.open || current === octet.close) return at;
      if (plain[current] === 0) return this.#at;
    }
    return this.#end;
  }

  /** Many messages have few different lists of flags. */
  #flagList(): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    while (at < this.#end && (bytes[at] === octet.space || plain[bytes[at] as number] === 1)) at++;
    if (at >= this.#end || bytes[at] !== octet.close) return false;
    if (this.#isLastFlagList(start, at)) {
      this.#at = at + 1;
      return true;
    }
    const text = bytes.toString('latin1', start, at);
    let flags = this.#flagLists.get(text);
    if (flags === undefined) {
      flags = text === '' ? [] : text.split(' ');
      if (flags.some((flag) => flag === '' || flag.toUpperCase() === 'NIL')) flags = null;
      if (this.#flagLists.size >= flagListsMax) this.#flagLists.clear();
      this.#flagLists.set(text, flags);
    }
    if (flags === null) return false;
    this.#row.flags = flags;
    this.#lastFlagOctets = Math.min(at - start, flagOctetsMax + 1);
    for (let i = 0; i < this.#lastFlagOctets; i++) this.#lastFlags[i] = bytes[start + i] as number;
    this.#at = at + 1;
    return true;
  }

  /** Most rows have the flags of the one before, which are those of the row still. */
  #isLastFlagList(start: number, end: number): boolean {
    if (end - start !== this.#lastFlagOctets || end - start > flagOctetsMax) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < end - start; i++) if (bytes[start + i] !== this.#lastFlags[i]) return false;
    return true;
  }

  /** `29-Nov-2026 09:52:20 +0000"`. */
  #internalDate(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + 27 > this.#end) return false;
    for (let i = 0; i < 27; i++) {
      const own = dateForm[i] as number;
      if (own !== octet.underscore && bytes[at + i] !== own) return false;
    }
    const day = this.#day(at);
    const time = (this.#twoDigits(at + 12) * 60 + this.#twoDigits(at + 15)) * 60 + this.#twoDigits(at + 18);
    const zone = (this.#twoDigits(at + 22) * 60 + this.#twoDigits(at + 24)) * 60;
    const sign = bytes[at + 21];
    if (sign !== octet.plus && sign !== octet.minus) return false;
    const date = day + time + (sign === octet.minus ? zone : -zone);
    if (Number.isNaN(date)) return false;
    this.#row.internalDate = date;
    this.#at = at + 27;
    return true;
  }

  /** The beginning of the day of `29-Nov-2026`, or NaN. Messages that came one after the other often came on the same one. */
  #day(at: number): number {
    const bytes = this.#bytes;
    let same = 0;
    while (same < dayOctets && bytes[at + same] === this.#lastDay[same]) same++;
    if (same === dayOctets) return this.#lastDayBegan;
    const year = this.#twoDigits(at + 7) * 100 + this.#twoDigits(at + 9);
    const month = monthOf(bytes.toString('latin1', at + 3, at + 6));
    const day = bytes[at] === octet.space ? this.#digit(at + 1) : this.#twoDigits(at);
    for (let i = 0; i < dayOctets; i++) this.#lastDay[i] = bytes[at + i] as number;
    this.#lastDayBegan = month < 0 || day < 0 ? Number.NaN : secondsAt(year, month, day);
    return this.#lastDayBegan;
  }

  /** `MESSAGE-ID REFERENCES)] {64}` and the literal, with an origin or without. Gives its bit, 0: not understood. */
  #section(): number {
    const bytes = this.#bytes;
    while (this.#at < this.#end && ofFieldList[bytes[this.#at] as number] === 1) this.#at++;
    const isPart = this.#skip(mark.partOfSection);
    if (!isPart && !this.#skip(mark.wholeSection)) return 0;
    if (!this.#digits() || !this.#skip(mark.literal) || this.#number > sectionOctetsMax) return 0;
    const start = this.#at;
    this.#at = start + this.#number;
    if (this.#at > this.#end) return 0;
    if (isPart) {
      this.#setText(received, start, this.#at);
      return partBit;
    }
    return this.#headerFields(start, this.#at) ? fieldsBit : 0;
  }

  /** As `parseHeaders` has them. */
  #headerFields(start: number, end: number): boolean {
    const bytes = this.#bytes;
    for (let at = start; at < end; ) {
      let next = asciiLineEnd(bytes, at, end);
      if (next < 0) return false;
      if (bytes[at] === octet.lf || (bytes[at] === octet.cr && bytes[at + 1] === octet.lf)) return true;
      while (next < end && (bytes[next] === octet.space || bytes[next] === octet.tab)) {
        next = asciiLineEnd(bytes, next, end);
        if (next < 0) return false;
      }
      this.#headerField(at, next);
      at = next;
    }
    return true;
  }

  #headerField(start: number, end: number): void {
    const bytes = this.#bytes;
    let nameEnd = start;
    while (nameEnd < end && ofFieldName[bytes[nameEnd] as number] === 1) nameEnd++;
    let colon = nameEnd;
    while (colon < end && (bytes[colon] === octet.space || bytes[colon] === octet.tab)) colon++;
    if (colon === end || bytes[colon] !== octet.colon) return;
    const field = fieldCalled(bytes, start, nameEnd);
    if (field < 0 || (this.#fields & (1 << field)) !== 0) return;
    this.#fields |= 1 << field;
    this.#setText(messageId + field, colon + 1, end);
  }
}

/** Octets of an atom or a flag that mean nothing but themselves. */
const plain = octetSet(0x21, 0x7a, '"()[');
/** RFC 5322 §2.2. */
const ofFieldName = octetSet(0x21, 0x7e, ':');
/** What a list of plain field names has. */
const ofFieldList = octetSet(0x20, 0x7a, '"()[]\\');

function octetSet(from: number, to: number, without: string): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, at) =>
    Number(at >= from && at <= to && !without.includes(String.fromCharCode(at))),
  );
}

/** Behind the line feed, or the end; −1 where an octet is not of ASCII, or NUL. */
function asciiLineEnd(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const current = bytes[at] as number;
    if (current === octet.lf) return at + 1;
    if (current === 0 || current >= 0x80) return -1;
  }
  return end;
}

/** Which of `fieldNames` it is, or −1. */
function fieldCalled(bytes: Buffer, start: number, end: number): number {
  for (let field = 0; field < fieldNames.length; field++) {
    const name = fieldNames[field] as string;
    let length = end - start === name.length ? 0 : Number.NaN;
    // Among octets of field names the bit tells upper case from lower, and no others apart.
    while (length < name.length && ((bytes[start + length] as number) | 0x20) === name.charCodeAt(length)) length++;
    if (length === name.length) return field;
  }
  return -1;
}
