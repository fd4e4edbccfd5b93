import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type IdColumn, readPut } from './id-column.ts';
import { type NumberColumn, octetsOfNumbers, readNumbers } from './number-column.ts';

/** Writes the columns of a block. Numbers are integers of 0 … 2^53 − 1. */
export type ByteWriter = {
  /** Seven bits a byte, least significant first. */
  readonly number: (value: number) => void;
  /** An integer of −2^52 … 2^52 − 1: zigzag. */
  readonly signed: (value: number) => void;
  readonly text: (value: string) => void;
  /** A column of texts: the lengths, then all of them in one piece. */
  readonly texts: (values: readonly string[]) => void;
  /** A column of ids, which is cleared. */
  readonly ids: (column: IdColumn) => void;
  /** A column of numbers that are about equally large, which is cleared. */
  readonly numbers: (column: NumberColumn) => void;
  /** Bytes as they are, such as what another writer wrote. */
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
  readonly ids: (count: number) => string[];
  readonly numbers: (count: number) => number[];
};

/**
 * How columns of ids and of numbers are written: each element in as few bits as all of them need, or in octets among the others, where deflate
 * finds what comes again. The head is plain; in a block, ids are dense unless their column says that there is something to be found.
 */
type Columns = 'dense' | 'plain';

/** `beside`: writes the columns of ids and of numbers instead. */
export function createByteWriter(columns: Columns = 'plain', beside?: ByteWriter): ByteWriter {
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
  const written = (bytes: Uint8Array): void => {
    reserve(bytes.length);
    buffer.set(bytes, length);
    length += bytes.length;
  };
  const numbers = (column: NumberColumn): void => {
    if (columns === 'plain') {
      for (let place = 0; place < column.count; place++) number(column.at(place));
    } else {
      number(column.least);
      number(column.bits);
      const size = octetsOfNumbers(column.count, column.bits);
      reserve(size);
      column.put(buffer, length);
      length += size;
    }
    column.clear();
  };
  const ids = (column: IdColumn): void => {
    number(column.lead);
    number(column.tail.length);
    written(column.tail);
    numbers(column.lengths());
    reserve(1 + column.size);
    const { bits, end } = column.put(buffer, length + 1, columns === 'dense');
    buffer[length] = bits;
    length = end;
    column.clear();
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
    ids: (column) => {
      if (beside === undefined) {
        ids(column);
        return;
      }
      const { isDense } = column;
      beside.number(Number(isDense));
      if (isDense) beside.ids(column);
      else ids(column);
    },
    numbers: beside?.numbers ?? numbers,
    written,
    bytes: () => buffer.subarray(0, length),
    clear: () => {
      length = 0;
    },
  };
}

/** As `createByteWriter` has it. */
export function createByteReader(bytes: Uint8Array, columns: Columns = 'plain', beside?: ByteReader): ByteReader {
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
    return taken(size).toString('utf8');
  };
  /** So many bytes as they are. */
  const taken = (size: number): Buffer => {
    if (at + size > buffer.length) throw new RangeError('packed bytes end too early');
    at += size;
    return buffer.subarray(at - size, at);
  };
  const numbers = (count: number): number[] => {
    if (columns === 'plain') return Array.from({ length: count }, number);
    const form = { least: number(), bits: number() };
    return readNumbers(taken(octetsOfNumbers(count, form.bits)), count, form);
  };
  const ids = (count: number): string[] => {
    const lead = number();
    const tail = taken(number()).toString('latin1');
    const lengths = numbers(count);
    const bits = taken(1).readUInt8();
    const size = lengths.reduce((sum, length) => sum + (length >>> 1), 0);
    const all = readPut(taken(Math.ceil((size * bits) / 8)), size, bits).toString('latin1');
    let start = 0;
    return lengths.map((length) => {
      const own = all.slice(start, start + (length >>> 1));
      start += own.length;
      return (length % 2 === 1 ? String.fromCharCode(lead - 1) : '') + own + tail;
    });
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
    ids: (count) => (beside?.number() === 1 ? beside.ids(count) : ids(count)),
    numbers: beside?.numbers ?? numbers,
  };
}

/**
 * Small blocks of unlike columns: short Huffman blocks fit each column better, and little memory is set up for each. Looking longer for
 * what is repeated gains next to nothing, for most of it are hashes. What comes out fits into one buffer, mostly.
 */
const deflation = { level: 3, windowBits: 13, memLevel: 4, chunkSize: 4096 };

/** Less is not worth being deflated: what is saved of so little seldom changes the kilobytes that are billed. */
const deflatedMin = 256;

/** What is to be deflated, and what is put behind it: memory that was used before is fast. */
const dense = createByteWriter('dense');
const writers = { dense: createByteWriter('plain', dense), plain: createByteWriter() };
/** Of the length of the first, twice, and one more where it is deflated. */
const lengthBytes = 3;

/** What `write` writes, deflated but for dense columns. It packs nothing else meanwhile. */
export function pack(write: (writer: ByteWriter) => void, columns: Columns = 'dense'): Uint8Array {
  const packed = writers[columns];
  packed.clear();
  dense.clear();
  write(packed);
  const isDeflated = packed.bytes().length >= deflatedMin;
  const first = isDeflated ? deflateRawSync(packed.bytes(), deflation) : packed.bytes();
  const second = dense.bytes();
  const whole = Buffer.allocUnsafeSlow(lengthBytes + first.length + second.length);
  whole.writeUIntBE(2 * first.length + Number(isDeflated), 0, lengthBytes);
  whole.set(first, lengthBytes);
  whole.set(second, lengthBytes + first.length);
  return whole;
}

/** The reader of what `pack` made with such columns. Throws when the bytes are no such thing. */
export function unpack(bytes: Uint8Array, columns: Columns = 'dense'): ByteReader {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = whole.readUIntBE(0, lengthBytes);
  const end = lengthBytes + (length >>> 1);
  if (end > whole.length) throw new RangeError('packed bytes end too early');
  const first = whole.subarray(lengthBytes, end);
  const unpacked = length % 2 === 1 ? inflateRawSync(first) : first;
  return columns === 'plain'
    ? createByteReader(unpacked)
    : createByteReader(unpacked, 'plain', createByteReader(whole.subarray(end), 'dense'));
}
