import { Buffer } from 'node:buffer';
import {
  type Appearance,
  type AppearanceColumns,
  type Appearances,
  type RowText,
  rowTexts,
} from '../catalog/source.ts';
import { unfold } from '../message/unfold.ts';
import type { IdentityFacts } from './appearance.ts';

const textsPerRow = rowTexts.length;

/** Where the texts of a row are in some octets: from and to, for each of `rowTexts`. One without octets counts as none. */
export type TextSpans = Uint32Array;

export function textSpans(): TextSpans {
  return new Uint32Array(2 * textsPerRow);
}

type RowNumbers = Pick<Appearance, 'uid' | 'flags' | 'internalDate' | 'size'>;

/** Messages as rows of columns; what cannot be held like this is held as it is. Used again and again, it takes no new memory. */
export class AppearanceRows implements Appearances {
  readonly #isDigest: boolean;
  #size = 0;
  readonly #uids: number[] = [];
  readonly #dates: number[] = [];
  readonly #sizes: number[] = [];
  readonly #flags: (readonly string[])[] = [];
  #octets = Buffer.allocUnsafe(4096);
  /** Where each text ends, in their order, behind a zero for the first one to start at. */
  readonly #ends = [0];
  readonly #others = new Map<number, Appearance>();
  /** Rows by UID; of several with one UID the last. Null: as they are. */
  #order: readonly number[] | null = null;

  constructor({ scheme }: Pick<IdentityFacts, 'scheme'>) {
    this.#isDigest = scheme === 'digest';
  }

  get length(): number {
    return this.#order?.length ?? this.#size;
  }

  /** Adds a row whose texts are in these octets. */
  add(row: RowNumbers, octets: Uint8Array, spans: TextSpans): void {
    this.#setNumbers(row);
    for (let text = 0; text < textsPerRow; text++) {
      this.#setText(text, octets, spans[2 * text] as number, spans[2 * text + 1] as number);
    }
    this.#size += 1;
  }

  /** Adds a message that is no row of ASCII. */
  addOther(appearance: Appearance): void {
    this.#others.set(this.#size, appearance);
    this.add(appearance, this.#octets, noTexts);
  }

  #setNumbers({ uid, flags, internalDate, size }: RowNumbers): void {
    const row = this.#size;
    this.#uids[row] = uid;
    this.#dates[row] = internalDate;
    this.#sizes[row] = size;
    this.#flags[row] = flags;
  }

  #setText(text: number, octets: Uint8Array, from: number, to: number): void {
    const number = this.#size * textsPerRow + text;
    let end = this.#ends[number] as number;
    if (end + to - from > this.#octets.length) {
      const larger = Buffer.allocUnsafe(2 * (end + to - from));
      this.#octets.copy(larger, 0, 0, end);
      this.#octets = larger;
    }
    const own = this.#octets;
    for (let at = from; at < to; at++) own[end++] = octets[at] as number;
    this.#ends[number + 1] = end;
  }

  /** Without any, so that others can be added. */
  clear(): void {
    this.#size = 0;
    this.#others.clear();
    this.#order = null;
  }

  /** Has the rows in UID order from now on, each UID once. */
  sort(): void {
    let isSorted = true;
    for (let row = 1; row < this.#size && isSorted; row++) isSorted = this.#uidAt(row - 1) < this.#uidAt(row);
    if (isSorted) return;
    const rowOfUid = new Map<number, number>();
    for (let row = 0; row < this.#size; row++) rowOfUid.set(this.#uidAt(row), row);
    this.#order = [...rowOfUid].sort(([a], [b]) => a - b).map(([, row]) => row);
  }

  /** Puts another one in its place. */
  replace(place: number, appearance: Appearance): void {
    this.#others.set(this.#rowAt(place), appearance);
  }

  uids(): readonly number[] {
    return Array.from({ length: this.length }, (_, place) => this.#uidAt(this.#rowAt(place)));
  }

  at(place: number): Appearance | undefined {
    const counted = place < 0 ? this.length + place : place;
    return counted < 0 || counted >= this.length ? undefined : this.#appearanceAt(this.#rowAt(counted));
  }

  *[Symbol.iterator](): Iterator<Appearance> {
    for (let place = 0; place < this.length; place++) yield this.#appearanceAt(this.#rowAt(place));
  }

  get columns(): AppearanceColumns {
    return {
      rowAt: (place) => this.#rowAt(place),
      isRow: (row) => this.#others.size === 0 || !this.#others.has(row),
      ...{ uids: this.#uids, dates: this.#dates, sizes: this.#sizes, flags: this.#flags },
      ...{ octets: this.#octets, ends: this.#ends },
    };
  }

  #rowAt(place: number): number {
    return this.#order === null ? place : (this.#order[place] as number);
  }

  #uidAt(row: number): number {
    return this.#uids[row] as number;
  }

  #appearanceAt(row: number): Appearance {
    const other = this.#others.get(row);
    if (other !== undefined) return other;
    const textOf = (text: RowText) => {
      const number = row * textsPerRow + rowTexts.indexOf(text);
      return this.#octets.toString('latin1', this.#ends[number], this.#ends[number + 1]);
    };
    const fieldOf = (text: RowText) => unfold(textOf(text)).trim();
    return {
      uid: this.#uidAt(row),
      flags: this.#flags[row] as readonly string[],
      internalDate: this.#dates[row] as number,
      size: this.#sizes[row] as number,
      serverEmailId: textOf('serverEmailId') || null,
      serverThreadId: textOf('serverThreadId') || null,
      messageId: fieldOf('messageId'),
      references: fieldOf('references'),
      inReplyTo: fieldOf('inReplyTo'),
      digestFields: this.#isDigest
        ? { date: fieldOf('date'), from: fieldOf('from'), received: textOf('received') }
        : null,
    };
  }
}

const noTexts = textSpans();
