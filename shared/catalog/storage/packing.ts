import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Writes the columns of a block. Numbers are integers of 0 … 2^53 − 1. */
export type ByteWriter = {
  /** Seven bits a byte, least significant first. */
  readonly number: (value: number) => void;
  /** An integer of −2^52 … 2^52 − 1: zigzag. */
  readonly signed: (value: number) => void;
  readonly text: (value: string) => void;
  /** A column of texts: the lengths, then all of them in one piece. */
  readonly texts: (values: readonly string[]) => void;
  /** Those from `start` to before `end`, as they are. */
  readonly octets: (from: Uint8Array, start: number, end: number) => void;
  /** What another writer wrote. */
  readonly written: (bytes: Uint8Array) => void;
  /** What was written so far, until more is written. */
  readonly bytes: () => Uint8Array;
  /** Begins anew, in the memory that it has. */
  readonly clear: () => void;
};

/** Reads what a `ByteWriter` wrote, in the same order. Throws a `RangeError` past the end. */
export type ByteReader = {
  readonly number: () => number;
  readonly signed: () => number;
  readonly text: () => string;
  readonly texts: (count: number) => string[];
};

export function createByteWriter(): ByteWriter {
  let buffer = Buffer.allocUnsafe(4096);
  let length = 0;

  const reserve = (more: number): void => {
    if (length + more <= buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more));
    buffer.copy(grown, 0, 0, length);
    buffer = grown;
  };
  const number = (value: number): void => {
    reserve(8);
    // Variables of this call alone are fast, and so are integers of 31 bits.
    const into = buffer;
    let next = length;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      into[next++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    for (; rest >= 0x80; rest >>>= 7) into[next++] = (rest & 0x7f) | 0x80;
    into[next++] = rest;
    length = next;
  };
  const text = (value: string): void => {
    const size = Buffer.byteLength(value);
    number(size);
    reserve(size);
    length += buffer.write(value, length, size);
  };

  return {
    number,
    signed: (value) => number(value < 0 ? -2 * value - 1 : 2 * value),
    text,
    texts: (values) => {
      for (const value of values) number(value.length);
      text(values.join(''));
    },
    octets: (from, start, end) => {
      reserve(end - start);
      const into = buffer;
      let next = length;
      for (let at = start; at < end; at++) into[next++] = from[at] as number;
      length = next;
    },
    written: (bytes) => {
      reserve(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    bytes: () => buffer.subarray(0, length),
    clear: () => {
      length = 0;
    },
  };
}

export function createByteReader(bytes: Uint8Array): ByteReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = buffer[at++];
      if (byte === undefined) throw new RangeError('packed bytes end too early');
      if (byte < 0x80) return value + byte * scale;
      value += (byte - 0x80) * scale;
    }
  };
  const text = (): string => {
    const size = number();
    if (at + size > buffer.length) throw new RangeError('packed bytes end too early');
    at += size;
    return buffer.toString('utf8', at - size, at);
  };

  return {
    number,
    signed: () => {
      const value = number();
      return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
    },
    text,
    texts: (count) => {
      const lengths = Array.from({ length: count }, number);
      const all = text();
      let start = 0;
      return lengths.map((length) => {
        start += length;
        return all.slice(start - length, start);
      });
    },
  };
}

/**
 * Small blocks of unlike columns: short Huffman blocks fit each column better, and little memory is set up for each. Looking longer for
 * what is repeated gains next to nothing, for most of it are hashes. What comes out fits into one buffer, mostly.
 */
const deflation = { level: 3, windowBits: 13, memLevel: 4, chunkSize: 4096 };

/** Where columns are before they are deflated: memory that was used before is fast. */
const packed = createByteWriter();

/** Columns written by `write`, deflated. It packs nothing else meanwhile. */
export function pack(write: (writer: ByteWriter) => void): Uint8Array {
  packed.clear();
  write(packed);
  return deflateRawSync(packed.bytes(), deflation);
}

/** The reader of what `pack` made. Throws when the bytes are no such thing. */
export function unpack(bytes: Uint8Array): ByteReader {
  return createByteReader(inflateRawSync(bytes));
}
