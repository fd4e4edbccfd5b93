import { describe, expect, test } from '@jest/globals';
import { messageIdHash, threadIdOf } from '../../shared/catalog/ids.ts';
import {
  type Ancestry,
  ancestryOf as ancestryBy,
  ancestryIn,
  assignThreads,
  isProvisional,
  provisionalThreadOf,
  threadOf,
} from '../../shared/catalog/threads.ts';
import { type Id, isId } from '../../shared/jmap/scalars.ts';

const hashOf = (name: string) => messageIdHash(`${name}@x`);
const threadOfRoot = (name: string) => threadIdOf(hashOf(name));
const fields = (own: string, references: readonly string[] = [], inReplyTo: readonly string[] = []) => ({
  messageId: own === '' ? '' : `<${own}@x>`,
  references: references.map((name) => `<${name}@x>`).join(' '),
  inReplyTo: inReplyTo.map((name) => `<${name}@x>`).join(' '),
});
const ancestryOf = (given: ReturnType<typeof fields>): Ancestry => ancestryBy(given, messageIdHash);
const email = 'e1' as Id;

describe('the header fields of a message', () => {
  test.each<[string, Parameters<typeof ancestryOf>[0], ReturnType<typeof ancestryOf>]>([
    [
      'are read past comments and phrases',
      { messageId: ' <a@x> ', references: '<b@x>\t<c@x><d@x>', inReplyTo: 'Bob\'s message of "Monday" <e@x>' },
      { own: hashOf('a'), references: ['b', 'c', 'd'].map(hashOf), inReplyTo: [hashOf('e')] },
    ],
    [
      'are read without brackets',
      { messageId: 'a@x', references: 'b@x c@x', inReplyTo: 'no id at all' },
      { own: hashOf('a'), references: [hashOf('b'), hashOf('c')], inReplyTo: [] },
    ],
    [
      'name each reference once',
      { messageId: 'odd', references: '<b@x> <b@x>', inReplyTo: '' },
      { own: messageIdHash('odd'), references: [hashOf('b')], inReplyTo: [] },
    ],
    ['may be missing', { messageId: '', references: '', inReplyTo: '' }, { own: null, references: [], inReplyTo: [] }],
  ])('%s', (_what, given, ancestry) => {
    expect(ancestryOf(given)).toEqual(ancestry);
  });

  test('of a very long thread are the oldest reference and the newest', () => {
    const names = Array.from({ length: 500 }, (_, index) => `r${index}`);
    const { references } = ancestryOf(fields('a', names));
    expect(references).toEqual(['r0', ...names.slice(-9)].map(hashOf));
  });
});

describe('a message belongs to the thread', () => {
  const known = new Map([
    [hashOf('b'), 'tb' as Id],
    [hashOf('c'), 'tc' as Id],
  ]);
  test.each<[string, ReturnType<typeof fields>, Id]>([
    ['of the newest known reference', fields('a', ['b', 'c', 'z']), 'tc' as Id],
    ['of an older one when the newer are unknown', fields('a', ['b', 'y', 'z']), 'tb' as Id],
    ['of what it replies to when no reference is known', fields('a', ['y'], ['b']), 'tb' as Id],
    ['named by the oldest reference when nothing is known', fields('a', ['y', 'z'], ['w']), threadOfRoot('y')],
    ['named by what it replies to when it has no references', fields('a', [], ['w']), threadOfRoot('w')],
    ['of its own when it names nobody', fields('a'), threadOfRoot('a')],
    ['of its own though another has its Message-ID', fields('b'), threadOfRoot('b')],
  ])('%s', (_which, given, threadId) => {
    expect(threadOf(ancestryOf(given), email, (hash) => known.get(hash))).toBe(threadId);
  });

  test('of nobody else when it has no Message-ID and names none', () => {
    const alone = (id: string) => threadOf(ancestryOf(fields('')), id as Id, () => undefined);
    expect(alone('e1')).not.toBe(alone('e2'));
    expect(alone('e1')).toBe(alone('e1'));
  });
});

describe('a provisional thread', () => {
  test.each([
    ['with references', fields('a', ['b', 'c'])],
    ['with In-Reply-To', fields('a', [], ['b'])],
    ['with both', fields('a', ['b'], ['c', 'd'])],
    ['without an own Message-ID', fields('', ['b'])],
    [
      'with as many as are looked at',
      fields(
        'a',
        Array.from({ length: 10 }, (_, n) => `r${n}`),
        ['s', 't'],
      ),
    ],
  ])('holds the ancestry of a message %s', (_what, given) => {
    const threadId = provisionalThreadOf(ancestryOf(given), email);
    expect(isProvisional(threadId)).toBe(true);
    expect(isId(threadId)).toBe(true);
    expect(ancestryIn(threadId)).toEqual(ancestryOf(given));
  });

  test('is the lasting one of a message that names nobody', () => {
    const threadId = provisionalThreadOf(ancestryOf(fields('a')), email);
    expect(threadId).toBe(threadOfRoot('a'));
    expect(isProvisional(threadId)).toBe(false);
    expect(ancestryIn(threadId)).toEqual(ancestryOf(fields('a')));
  });

  test('is never an id that a server gave', () => {
    expect(ancestryIn('T123' as Id)).toBeNull();
  });
});

describe('all threads of an account', () => {
  const message = (name: string, receivedAt: number, ...names: Parameters<typeof fields>) => ({
    id: name as Id,
    receivedAt,
    threadId: provisionalThreadOf(ancestryOf(fields(...names)), name as Id),
  });
  const account = [
    message('root', 1, 'root'),
    message('reply', 2, 'reply', ['root']),
    message('guess', 3, 'guess', [], ['reply']),
    message('later', 4, 'later', ['lost', 'guess']),
    message('other', 5, 'other'),
    message('early', 0, 'early', [], ['reply']),
  ];

  test('are assigned by date, so that a bare In-Reply-To finds what came before it and nothing that came after', () => {
    const { threads } = assignThreads(account);
    const root = threadOfRoot('root');
    expect(Object.fromEntries(threads)).toEqual({
      reply: root,
      guess: root,
      later: root,
      early: threadOfRoot('reply'),
    });
  });

  test('are the same in whatever order the mailboxes were read', () => {
    const orders = [account.toReversed(), [...account.slice(3), ...account.slice(0, 3)]];
    for (const order of orders) expect(assignThreads(order)).toEqual(assignThreads(account));
  });

  test('are known by the Message-IDs of their messages', () => {
    const { messageIds } = assignThreads(account);
    expect(messageIds.get(hashOf('guess'))).toBe(threadOfRoot('root'));
    expect(messageIds.get(hashOf('lost'))).toBeUndefined();
    expect(messageIds.size).toBe(account.length);
  });
});

test('a thread whose References are complete is one thread in every order of arrival', () => {
  const thread = [fields('a'), fields('b', ['a']), fields('c', ['a', 'b']), fields('d', ['a', 'b', 'c'])];
  const permutations = <T>(items: readonly T[]): T[][] =>
    items.length === 0
      ? [[]]
      : items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
  for (const order of permutations(thread)) {
    const known = new Map<string, Id>();
    for (const message of order) {
      const ancestry = ancestryOf(message);
      const threadId = threadOf(ancestry, email, (hash) => known.get(hash));
      expect(threadId).toBe(threadOfRoot('a'));
      known.set(ancestry.own ?? '', threadId);
    }
  }
});
