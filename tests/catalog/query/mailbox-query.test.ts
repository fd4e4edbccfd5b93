import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type MailboxFilterCondition,
  type MailboxQuery,
  type MailboxRecord,
  mailboxQueryChanges,
  queryMailboxes,
} from '../../../shared/catalog/query/mailbox-query.ts';
import type { Filter } from '../../../shared/jmap/standard/filter.ts';
import { id } from './account.ts';

const mailbox = (name: string, facts: Partial<MailboxRecord> = {}): MailboxRecord => {
  return { id: id(name), name, parentId: null, role: null, sortOrder: 10, isSubscribed: true, ...facts };
};
const all = [
  mailbox('Work', {}),
  mailbox('Zebra', { parentId: id('Work'), isSubscribed: false }),
  mailbox('apple', { parentId: id('Work') }),
  mailbox('Äpfel', { parentId: id('apple') }),
  mailbox('Inbox', { role: 'inbox', sortOrder: 1 }),
  mailbox('Sent', { role: 'sent', sortOrder: 2, parentId: id('Inbox') }),
];
const flat = { sortAsTree: false, filterAsTree: false };
const query = (changed: Partial<MailboxQuery>): MailboxQuery => ({ filter: null, sort: [], args: flat, ...changed });
const where = (condition: MailboxFilterCondition): Filter<MailboxFilterCondition> => ({ condition });

test.each<[MailboxFilterCondition, string]>([
  [{}, 'Inbox Sent apple Äpfel Work Zebra'],
  [{ parentId: null }, 'Inbox Work'],
  [{ parentId: id('Work') }, 'apple Zebra'],
  [{ parentId: id('nowhere') }, ''],
  [{ name: 'e' }, 'Sent apple Äpfel Zebra'],
  [{ name: 'ÄPF' }, 'Äpfel'],
  [{ name: '' }, 'Inbox Sent apple Äpfel Work Zebra'],
  [{ role: 'sent' }, 'Sent'],
  [{ role: null }, 'apple Äpfel Work Zebra'],
  [{ hasAnyRole: true }, 'Inbox Sent'],
  [{ hasAnyRole: false }, 'apple Äpfel Work Zebra'],
  [{ isSubscribed: false }, 'Zebra'],
  [{ isSubscribed: true, parentId: id('Work') }, 'apple'],
])('the condition %j matches: %s', (condition, ids) => {
  expect(queryMailboxes(all, query({ filter: where(condition) })).join(' ')).toBe(ids);
});

test.each<[MailboxQuery['sort'], string]>([
  [[], 'Inbox Sent apple Äpfel Work Zebra'],
  [[{ property: 'name', isAscending: true, collation: null }], 'apple Äpfel Inbox Sent Work Zebra'],
  [[{ property: 'name', isAscending: false, collation: 'i;ascii-casemap' }], 'Äpfel Zebra Work Sent Inbox apple'],
  [[{ property: 'sortOrder', isAscending: false, collation: null }], 'apple Äpfel Work Zebra Sent Inbox'],
  [[{ property: 'parentId', isAscending: true, collation: 'i;octet' }], 'Inbox Work Sent apple Zebra Äpfel'],
])('the sort %j gives: %s', (sort, ids) => {
  expect(queryMailboxes(all, query({ sort })).join(' ')).toBe(ids);
});

describe('as a tree', () => {
  test('parents come before their children, siblings in order', () => {
    const args = { sortAsTree: true, filterAsTree: false };
    expect(queryMailboxes(all, query({ args })).join(' ')).toBe('Inbox Sent Work apple Äpfel Zebra');
    expect(queryMailboxes(all, query({ args, filter: where({ parentId: id('Work') }) })).join(' ')).toBe('apple Zebra');
  });

  test('what lies below a Mailbox that does not match is left out', () => {
    const args = { sortAsTree: false, filterAsTree: true };
    const filter: MailboxQuery['filter'] = { operator: 'NOT', conditions: [where({ name: 'apple' })] };
    expect(queryMailboxes(all, query({ args, filter })).join(' ')).toBe('Inbox Sent Work Zebra');
    expect(queryMailboxes(all, query({ filter })).join(' ')).toBe('Inbox Sent Äpfel Work Zebra');
  });

  test('a Mailbox whose parent is not there stands at the top', () => {
    const orphan = mailbox('orphan', { parentId: id('gone') });
    const args = { sortAsTree: true, filterAsTree: true };
    expect(queryMailboxes([orphan, mailbox('a')], query({ args })).join(' ')).toBe('a orphan');
  });
});

/** Each Mailbox lies below one before it, so there are no circles. */
const trees = fc
  .array(
    fc.record({
      name: fc.constantFrom('apple', 'pear', 'Äpfel'),
      parent: fc.nat(),
      role: fc.constantFrom(null, 'sent'),
      sortOrder: fc.nat({ max: 2 }),
      isSubscribed: fc.boolean(),
    }),
    { maxLength: 8, size: 'max' },
  )
  .map((seeds) =>
    seeds.map(({ parent, ...facts }, index): MailboxRecord => {
      const above = parent % (index + 1);
      return { ...facts, id: id(`m${index}`), parentId: above === index ? null : id(`m${above}`) };
    }),
  );
const queries: fc.Arbitrary<MailboxQuery> = fc.record({
  filter: fc.constantFrom(null, where({ name: 'ap' }), where({ hasAnyRole: true }), where({ parentId: id('m1') }), {
    operator: 'NOT',
    conditions: [where({ isSubscribed: true })],
  } as const),
  sort: fc.array(
    fc.record({
      property: fc.constantFrom('name', 'sortOrder', 'parentId'),
      isAscending: fc.boolean(),
      collation: fc.constant(null),
    }),
    { maxLength: 2 },
  ),
  args: fc.record({ sortAsTree: fc.boolean(), filterAsTree: fc.boolean() }),
});

test('in a tree order, of two Mailboxes the nearest ancestors with one parent decide', () => {
  fc.assert(
    fc.property(trees, queries, (mailboxes, { sort }) => {
      const args = { sortAsTree: true, filterAsTree: false };
      const inTree = queryMailboxes(mailboxes, { filter: null, sort, args });
      const plain = queryMailboxes(mailboxes, { filter: null, sort, args: flat });
      const pathOf = (each: string | null): string[] => {
        const found = mailboxes.find((mailbox) => mailbox.id === each);
        return found ? [...pathOf(found.parentId), found.id] : [];
      };
      for (const [index, a] of inTree.entries()) {
        for (const b of inTree.slice(index + 1)) {
          const [pathA, pathB] = [pathOf(a), pathOf(b)];
          const fork = pathA.findIndex((each, depth) => each !== pathB[depth]);
          if (fork < 0) continue;
          const [a1, b1] = [pathA[fork], pathB[fork]];
          expect(b1 !== undefined && plain.indexOf(id(a1 ?? '')) < plain.indexOf(id(b1))).toBe(true);
        }
      }
    }),
  );
});

test('the changes between two sets of Mailboxes, applied to the old results, give the new results', () => {
  fc.assert(
    fc.property(trees, trees, queries, (before, after, query) => {
      const touched = [...new Set([...before, ...after].map(({ id }) => id))]
        .map((each) => ({
          id: each,
          was: before.find((mailbox) => mailbox.id === each),
          is: after.find((mailbox) => mailbox.id === each),
        }))
        .filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is))
        .map(({ id, was }) => ({ id, existedBefore: was !== undefined }));
      const { removed, added } = mailboxQueryChanges(after, query, touched);
      const results = queryMailboxes(before, query).filter((each) => !removed.includes(each));
      for (const { id, index } of added) results.splice(index, 0, id);
      expect(results).toEqual(queryMailboxes(after, query));
      if (touched.length === 0) expect([removed, added]).toEqual([[], []]);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a created Mailbox', { id: id('apple'), existedBefore: false }, [], [{ id: 'apple', index: 2 }]],
  ['a changed Mailbox', { id: id('apple'), existedBefore: true }, ['apple'], [{ id: 'apple', index: 2 }]],
  ['a destroyed Mailbox', { id: id('gone'), existedBefore: true }, ['gone'], []],
])('%s is named where it belongs', (_, touched, removed, added) => {
  expect(mailboxQueryChanges(all, query({}), [touched])).toEqual({ removed, added });
});
