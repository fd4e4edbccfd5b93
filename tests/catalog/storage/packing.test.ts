import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Row } from '../../../shared/catalog/email.ts';
import { type Head, packHead, unpackHead } from '../../../shared/catalog/storage/head.ts';
import { type Logged, logShapes } from '../../../shared/catalog/storage/log.ts';
import {
  emailShape,
  inKey,
  messageIdKey,
  threadKey,
  threadRange,
  threadShape,
} from '../../../shared/catalog/storage/lookups.ts';
import { mailboxShape } from '../../../shared/catalog/storage/mailboxes.ts';
import { createByteReader, createByteWriter, pack, unpack } from '../../../shared/catalog/storage/packing.ts';
import { type BlockRef, readRefs, writeRefs } from '../../../shared/catalog/storage/references.ts';
import { mailboxOf, rowKey, uidOf } from '../../../shared/catalog/storage/row-key.ts';
import { rowShape } from '../../../shared/catalog/storage/rows.ts';
import {
  type Key,
  lastNotAbove,
  numberKeys,
  type Shape,
  textKeys,
  writeIds,
  writeNumbers,
} from '../../../shared/catalog/storage/shape.ts';
import { emptyTables } from '../../../shared/catalog/storage/tables.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { createRandom } from './random.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/) as fc.Arbitrary<Id>;
const uid = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const mailbox = fc.integer({ min: 1, max: 2 ** 20 });
const row = fc.tuple(mailbox, uid).map(([box, number]) => rowKey(box, number));
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const keywords = fc.uniqueArray(fc.constantFrom('$seen', '$flagged', 'ünïcode', 'a "quoted" one'), { maxLength: 3 });

/** 16 characters that depend on the number. */
function hashOf(n: number): string {
  return createRandom(n + 1).hash(16);
}

/** Entries with distinct keys in ascending order. */
function entries<K extends Key, V>(key: fc.Arbitrary<K>, value: (key: K) => fc.Arbitrary<V>): fc.Arbitrary<[K, V][]> {
  const keys = fc.uniqueArray(key, { maxLength: 60 }).map((all) => all.sort((a, b) => (a < b ? -1 : 1)));
  return keys.chain((all) => fc.tuple(...all.map((one) => value(one).map((made): [K, V] => [one, made]))));
}

function expectSameAfterPacking<K extends Key, V>(shape: Shape<K, V>, all: [K, V][]): void {
  const reader = unpack(
    pack((writer) => {
      shape.writeKeys(
        writer,
        all.map(([key]) => key),
      );
      shape.writeValues(
        writer,
        all.map(([, value]) => value),
      );
    }),
  );
  const keys = shape.readKeys(reader, all.length);
  expect(keys).toEqual(all.map(([key]) => key));
  expect(shape.readValues(reader, keys)).toEqual(all.map(([, value]) => value));
}

describe('what is packed is unpacked the same', () => {
  test('numbers, signed numbers, texts and columns of texts', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(
        whole,
        fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
        text,
        fc.array(text),
        (number, signed, one, column) => {
          const writer = createByteWriter();
          writer.number(number);
          writer.signed(signed);
          writer.text(one);
          writer.texts(column);
          const reader = createByteReader(writer.bytes());
          expect([reader.number(), reader.signed(), reader.text(), reader.texts(column.length)]).toEqual([
            number,
            signed,
            one,
            column,
          ]);
          expect(() => reader.number()).toThrow(RangeError);
        },
      ),
    );
  });

  /** As servers and we make them; of other alphabets; with nothing in common; with none. */
  const someId = fc.oneof(
    fc.stringMatching(/^x?[0-9a-f]{0,24}$/),
    fc.stringMatching(/^t[a-z2-7]{0,16}$/),
    fc.stringMatching(/^[ -~]{0,12}$/),
    fc.stringMatching(/^[0-9a-f]{4,8}$/).map((some) => `${some}b1d5e57e0000c0de`),
  );
  test.each([
    { kind: 'of all kinds', ids: fc.array(someId, { maxLength: 300 }) },
    { kind: 'of one kind', ids: fc.array(fc.stringMatching(/^M[0-9a-f]{8}00ff$/)) },
  ])('ids $kind, dense and plain', ({ ids }) => {
    fc.assert(
      fc.property(ids, ids, (some, others) => {
        for (const columns of ['dense', 'plain'] as const) {
          const packed = pack((writer) => {
            writeIds(writer, some);
            writer.number(7);
            writeIds(writer, others);
          }, columns);
          const reader = unpack(packed, columns);
          expect(reader.ids(some.length)).toEqual(some);
          expect(reader.number()).toBe(7);
          expect(reader.ids(others.length)).toEqual(others);
        }
      }),
    );
  });

  test('columns of numbers, dense and plain', () => {
    const near = fc.tuple(whole, fc.array(fc.nat({ max: 300 }))).map(([least, more]) => {
      return more.map((one) => Math.min(least + one, Number.MAX_SAFE_INTEGER));
    });
    const apart = fc.tuple(fc.nat({ max: 52 }), fc.integer({ min: -2, max: 2 }), fc.nat()).map(([bits, by, least]) => {
      return [least, Math.min(least + Math.max(0, 2 ** bits + by), Number.MAX_SAFE_INTEGER), least + 1];
    });
    const columnsOf = fc.array(fc.oneof(near, apart, fc.array(whole), fc.array(uid)), { maxLength: 4 });
    fc.assert(
      fc.property(columnsOf, (all) => {
        for (const columns of ['dense', 'plain'] as const) {
          const reader = unpack(
            pack((writer) => {
              for (const one of all) writeNumbers(writer, one);
            }, columns),
            columns,
          );
          expect(all.map((one) => reader.numbers(one.length))).toEqual(all);
        }
      }),
    );
  });

  test('hashes take as many bits as they have', () => {
    const random = createRandom(1);
    const sizeOf = (ids: readonly string[]) => pack((writer) => writeIds(writer, ids)).length;
    const some = Array.from({ length: 100 }, () => random.hash(16));
    const hexadecimal = some.map((one) => Buffer.from(one, 'latin1').toString('hex').slice(0, 20));
    const header = 20;
    expect(sizeOf(some)).toBeLessThan(100 * 10 + header);
    expect(sizeOf(some.map((one) => `t${one}`))).toBeLessThan(100 * 10 + header);
    expect(sizeOf(hexadecimal)).toBeLessThan(100 * 10 + header);
    expect(sizeOf(hexadecimal.map((one) => `${one}c0de0000c0de`))).toBeLessThan(100 * 10 + header + 12);
  });

  test.each([
    ['are longer than hashes and name others', (n: number, hash: string) => `_${hash}-${hashOf(n >> 3).repeat(4)}-`],
    ['begin alike', (n: number) => `message-of-the-day-${n}`],
    ['are decimal', (n: number) => String(1_700_000_000_000 + 997 * n)],
    ['have dashes', (_n: number, hash: string) => Buffer.from(hash).toString('hex').replace(/.{8}/g, '$&-')],
    ['end as others do', (n: number, hash: string) => `${hash.slice(0, 6)}b1d5e57e0000c0d${n % 50 === 0 ? 1 : 2}`],
  ])('what deflate finds is left to it: ids that %s', (_, idOf) => {
    const ids = Array.from({ length: 120 }, (_, n) => idOf(n, hashOf(1000 + n)));
    const sizeOf = (columns: 'dense' | 'plain') => pack((writer) => writeIds(writer, ids), columns).length;
    expect(sizeOf('dense')).toBeLessThanOrEqual(1.05 * sizeOf('plain'));
  });

  test('rows', () => {
    const value = (key: number): fc.Arbitrary<Row> =>
      fc.record({
        uid: fc.constant(uidOf(key)),
        emailId: id,
        threadId: fc.oneof(id, fc.constantFrom('t1' as Id, 't2' as Id, 't3' as Id)),
        receivedAt: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        size: whole,
        hasAttachment: fc.constantFrom(true, false, null),
        keywords,
        deleted: fc.boolean(),
        shared: fc.boolean(),
      });
    fc.assert(fc.property(entries(row, value), (all) => expectSameAfterPacking(rowShape, all)));
  });

  test('mailboxes', () => {
    const vector = fc.option(
      fc.record({
        uidValidity: whole,
        uidNext: whole,
        highestModseq: fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String)),
        messages: fc.nat(),
      }),
    );
    const count = fc.nat();
    const value = (key: number) =>
      fc.record({
        key: fc.constant(key),
        id,
        name: fc.string({ unit: 'grapheme' }),
        delimiter: fc.constantFrom('/', '.', null),
        selectable: fc.boolean(),
        attributes: fc.constantFrom([], ['\\sent'], ['\\hasnochildren', '\\junk']),
        subscribed: fc.boolean(),
        serverId: fc.option(id),
        vector,
        progress: vector,
        counts: fc.record({ totalEmails: count, unreadEmails: count, totalThreads: count, unreadThreads: count }),
        rights: fc.option(fc.record({ letters: fc.constantFrom('lr', 'lrswipkxtea'), readAt: count })),
        flagsReadAt: count,
        kept: fc.option(fc.record({ sortOrder: fc.option(count), role: fc.constantFrom(null, 'none', 'sent') })),
      });
    fc.assert(fc.property(entries(mailbox, value), (all) => expectSameAfterPacking(mailboxShape, all)));
  });

  test('look-up runs', () => {
    const keys = fc.uniqueArray(row, { minLength: 1, maxLength: 5 }).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(
        entries(id, () => keys),
        (all) => expectSameAfterPacking(emailShape, all),
      ),
    );
    const threadId = fc.constantFrom('t', 'ta', 'tb', 't-long-one') as fc.Arbitrary<Id>;
    const ofThreads = fc.oneof(
      fc.tuple(threadId, id).map(([thread, email]) => threadKey(thread, email)),
      threadId.map((thread) => messageIdKey(thread.slice(1))),
      // What parts two leaves may be without an Email id.
      threadId,
    );
    fc.assert(
      fc.property(
        entries(ofThreads, () => fc.oneof(id, fc.constant(inKey))),
        (all) => expectSameAfterPacking(threadShape, all),
      ),
    );
  });

  test.each(['Email', 'Thread', 'Mailbox'] as const)('the log of %s', (type) => {
    const boxes = fc.uniqueArray(mailbox, { maxLength: 3 });
    const fields = {
      Email: { threadId: id, before: boxes, after: boxes },
      Thread: { existedBefore: fc.boolean(), existsAfter: fc.boolean() },
      Mailbox: { existedBefore: fc.boolean(), existsAfter: fc.boolean(), countsOnly: fc.boolean() },
    }[type];
    const value = (version: number) => {
      const entry = { type: fc.constant(type), id, version: fc.constant(version), ...fields };
      return fc.record({ at: fc.nat(), entry: fc.record<object>(entry) }) as fc.Arbitrary<Logged>;
    };
    fc.assert(fc.property(entries(whole, value), (all) => expectSameAfterPacking(logShapes[type], all)));
  });

  test.each([
    { kind: 'numbers', keys: numberKeys, key: row },
    { kind: 'texts', keys: textKeys, key: id },
  ])('references with keys that are $kind', ({ keys, key }) => {
    const ref = (first: Key): fc.Arbitrary<BlockRef<Key>> =>
      fc.record({
        block: id,
        first: fc.constant(first),
        span: whole,
        count: whole,
        oldest: fc.nat(),
        newest: fc.nat(),
        expires: fc.nat(),
      });
    const packing = keys as unknown as Parameters<typeof readRefs<Key>>[1];
    fc.assert(
      fc.property(entries<Key, BlockRef<Key>>(key, ref), (all) => {
        const refs = all.map(([, made]) => made);
        expect(readRefs(unpack(pack((writer) => writeRefs(writer, packing, refs))), packing)).toEqual(refs);
      }),
    );
  });

  test('a head with its buffers', () => {
    const buffer = entries(id, () =>
      fc.oneof(fc.record({ value: id, inTree: fc.boolean() }), fc.constant({ value: null, inTree: true })),
    );
    fc.assert(
      fc.property(buffer, fc.nat({ max: 2 ** 48 - 1 }), (buffered, version) => {
        const head: Head = {
          epoch: 'epoch',
          version,
          commitId: 'commit',
          scheme: 'objectid',
          threads: 'server',
          committedAt: 1_700_000_000,
          versions: { Email: 9, Thread: 8, Mailbox: 7 },
          oldestVersions: { Email: 3, Thread: 2, Mailbox: 1 },
          unindexed: 4,
          tables: { ...emptyTables, threads: { root: emptyTables.threads.root, buffer: new Map(buffered) } },
        };
        const read = unpackHead(packHead(head));
        expect(read).toEqual({ kind: 'head', head });
      }),
    );
  });
});

describe('keys', () => {
  test('of rows order by mailbox, then UID', () => {
    fc.assert(
      fc.property(mailbox, uid, mailbox, uid, (boxA, uidA, boxB, uidB) => {
        const [a, b] = [rowKey(boxA, uidA), rowKey(boxB, uidB)];
        expect([mailboxOf(a), uidOf(a)]).toEqual([boxA, uidA]);
        expect(Math.sign(a - b)).toBe(Math.sign(boxA - boxB || uidA - uidB));
      }),
    );
  });

  test('of a thread are within its range, and those of no other', () => {
    fc.assert(
      fc.property(id, id, id, (thread, other, email) => {
        const [from, to] = threadRange(thread);
        const isWithin = (key: string) => key >= from && key <= to;
        expect(isWithin(threadKey(thread, email))).toBe(true);
        expect(isWithin(threadKey(other, email))).toBe(other === thread);
      }),
    );
  });

  test('are parted by the shortest text that does', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        fc.pre(a < b);
        const boundary = textKeys.boundary(a, b);
        expect(a < boundary && boundary <= b && b.startsWith(boundary)).toBe(true);
        expect(boundary.slice(0, -1) <= a).toBe(true);
      }),
    );
  });

  test('are found by halving', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 50 })), fc.nat({ max: 50 }), (some, key) => {
        const keys = some.sort((a, b) => a - b);
        expect(lastNotAbove(keys, key)).toBe(keys.filter((one) => one <= key).length - 1);
      }),
    );
  });
});

describe('packed bytes that were cut short', () => {
  test('are refused', () => {
    const writer = createByteWriter();
    writer.text('twelve bytes');
    expect(() => createByteReader(writer.bytes().subarray(0, 5)).text()).toThrow(RangeError);
    expect(() => unpack(new Uint8Array([1, 2, 3]))).toThrow();
    const some = ['abcdefgh', 'bcdefghi'];
    const packed = pack((out) => writeIds(out, some));
    for (let length = 0; length < packed.length; length += 1) {
      expect(() => unpack(packed.subarray(0, length)).ids(some.length)).toThrow();
    }
  });
});
