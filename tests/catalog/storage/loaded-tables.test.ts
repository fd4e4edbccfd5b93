import { deepStrictEqual } from 'node:assert';
import { expect, test } from '@jest/globals';
import type { Row, RowMarks } from '../../../shared/catalog/email.ts';
import { fillingOf } from '../../../shared/catalog/filling.ts';
import { Gathering } from '../../../shared/catalog/gathered.ts';
import { rootOf } from '../../../shared/catalog/ids.ts';
import type { Appearance } from '../../../shared/catalog/source.ts';
import { type LoadedTable, loadOf } from '../../../shared/catalog/storage/loaded-tables.ts';
import { inKey, messageIdKey, threadKey } from '../../../shared/catalog/storage/lookups.ts';
import { pack } from '../../../shared/catalog/storage/packing.ts';
import { type Entry, packLeaf } from '../../../shared/catalog/storage/repack.ts';
import { rowKey } from '../../../shared/catalog/storage/row-key.ts';
import type { Key, Shape } from '../../../shared/catalog/storage/shape.ts';
import { shapes } from '../../../shared/catalog/storage/tables.ts';
import type { Filling } from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { createRandom, type Random } from './random.ts';

function someAppearance(random: Random, uid: number): Appearance {
  const messageId = (n: number) => `<${n}@example.org>`;
  return {
    uid,
    flags: random.pick([[], ['\\Seen'], ['\\Seen', '$a'], ['\\Deleted']]),
    internalDate: 1_700_000_000 + random.below(1e6) - random.below(1e6),
    size: random.below(1e7),
    serverEmailId: random.pick([random.hash(8), `x${random.below(50)}`, `9${random.below(20)}`]),
    serverThreadId: null,
    messageId: random.chance(0.1) ? '' : messageId(random.below(300)),
    references: random.chance(0.5) ? messageId(random.below(300)) : '',
    inReplyTo: '',
    digestFields: null,
  };
}

function someFilling(random: Random, isWhole: boolean): Filling {
  const gathering = new Gathering({ scheme: 'objectid', threads: 'derived' }, 10);
  for (const mailbox of [3, 1, 200]) {
    let uid = 0;
    const appearances = Array.from({ length: random.below(150) }, () => {
      uid += 1 + random.below(random.chance(0.02) ? 1e7 : 3);
      return someAppearance(random, uid);
    });
    gathering.add(mailbox, 7, appearances);
  }
  return fillingOf(gathering.columns(), new Map(), new Map(), isWhole);
}

/** What any stretch of a loaded table is packed into is what its shape makes of the same entries. */
function expectEntries<K extends Key, V>(
  random: Random,
  shape: Shape<K, V>,
  table: LoadedTable<K>,
  entries: readonly Entry<K, V>[],
): void {
  expect(table.count).toBe(entries.length);
  for (const [place, [key, value]] of entries.entries()) {
    deepStrictEqual([table.keyAt(place), table.dates?.[place] ?? 0], [key, shape.dateOf(value)]);
  }
  for (let stretch = 0; stretch < 5; stretch += 1) {
    const start = random.below(entries.length + 1);
    const end = start + random.below(entries.length - start + 1);
    const bytes = pack((writer) => {
      writer.number(end - start);
      table.write(writer, start, end);
    });
    deepStrictEqual(Buffer.from(bytes), Buffer.from(packLeaf(shape, entries.slice(start, end))));
  }
}

test.each([
  ['derived', true],
  ['provisional', false],
] as const)('a filling is packed as its entries are (threads: %s)', (_, isWhole) => {
  let shared = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = createRandom(seed);
    const filling = someFilling(random, isWhole);
    const load = loadOf(filling);
    const { rows, emails, threads } = filling;
    const textAt = (texts: ArrayLike<number>, place: number) => filling.texts.at(texts[place] as number) as Id;
    const keyAt = (row: number) => rowKey(rows.mailboxes[row] as number, rows.uids[row] as number);
    const to = (count: number) => Array.from({ length: count }, (_, place) => place);

    const rowAt = (row: number): Row => ({
      uid: rows.uids[row] as number,
      emailId: textAt(rows.emailIds, row),
      threadId: textAt(rows.threadIds, row),
      receivedAt: rows.receivedAt[row] as number,
      size: rows.sizes[row] as number,
      ...(rows.kinds[rows.marks[row] as number] as RowMarks),
    });
    expectEntries(
      random,
      shapes.rows,
      load.rows,
      to(rows.count).map((row) => [keyAt(row), rowAt(row)]),
    );
    const rowsOf = (email: number) => Array.from(emails.rowsOf).slice(emails.starts[email], emails.starts[email + 1]);
    const emailEntries = to(emails.count).map(
      (email) => [textAt(emails.ids, email), rowsOf(email).map(keyAt)] as const,
    );
    expectEntries(random, shapes.emails, load.emails, emailEntries);
    shared += emailEntries.filter(([, keys]) => keys.length > 1).length;
    const threadEntries = to(threads.count).map((place) => {
      const threadId = textAt(threads.ids, place);
      if ((threads.emailIds[place] as number) >= 0) {
        return [threadKey(threadId, textAt(threads.emailIds, place)), inKey] as const;
      }
      const known = textAt(threads.knownBy, place);
      return [messageIdKey(rootOf(threadId) ?? ''), known === threadId ? inKey : known] as const;
    });
    expectEntries(random, shapes.threads, load.threads, threadEntries);
    const isKnown = (one: (thread: Id | typeof inKey) => boolean) =>
      threadEntries.some(([key, value]) => key.endsWith(' ') && one(value));
    expect([isKnown((thread) => thread === inKey), isKnown((thread) => thread !== inKey)]).toEqual([isWhole, isWhole]);
  }
  expect(shared).toBeGreaterThan(50);
});
