import { describe, expect, test } from '@jest/globals';
import { inboxId, mailboxIdOfName, mailboxIdOfValidity, mailboxIdOfValidityAndName } from '../../shared/catalog/ids.ts';
import type { MailboxEntry } from '../../shared/catalog/mailbox.ts';
import { matchMailboxes, namesToIdentify, newEntry, surveyedMailboxes } from '../../shared/catalog/mailbox-match.ts';
import type { SurveyedMailbox } from '../../shared/catalog/source.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

/** `uidValidity` null: a node that cannot be selected. */
function surveyed(name: string, uidValidity: number | null, uidNext = 5): SurveyedMailbox {
  const vector = uidValidity === null ? null : { uidValidity, uidNext, highestModseq: '1', messages: 1 };
  return { name, delimiter: '/', selectable: uidValidity !== null, attributes: [], subscribed: true, vector };
}

function entry(name: string, uidValidity: number | null, more: Partial<MailboxEntry> = {}): MailboxEntry {
  const { vector, ...facts } = surveyed(name, uidValidity);
  return {
    ...facts,
    key: 0,
    id: `m${name}` as Id,
    serverId: null,
    vector,
    progress: null,
    counts: { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 },
    rights: null,
    flagsReadAt: 0,
    kept: null,
    ...more,
  };
}

/** Entries are numbered from 1 in the order given. */
function matched(
  entries: readonly MailboxEntry[],
  survey: readonly SurveyedMailbox[],
  serverIds: Record<string, string> = {},
) {
  const keyed = entries.map((one, index) => ({ ...one, key: index + 1 }));
  const { kept, appeared, vanished } = matchMailboxes(keyed, survey, new Map(Object.entries(serverIds)));
  return {
    kept: Object.fromEntries([...kept].map(([key, { name }]) => [keyed[key - 1]?.name, name])),
    appeared: appeared.map(({ name }) => name),
    vanished: vanished.map((key) => keyed[key - 1]?.name),
  };
}

describe('a known mailbox is found again', () => {
  test.each<[string, MailboxEntry[], SurveyedMailbox[], Partial<ReturnType<typeof matched>>]>([
    ['by name and UIDVALIDITY', [entry('a', 1)], [surveyed('a', 1)], { kept: { a: 'a' } }],
    ['under a new name with its UIDVALIDITY', [entry('a', 1)], [surveyed('b', 1)], { kept: { a: 'b' } }],
    [
      'when two swapped their names',
      [entry('a', 1), entry('b', 2)],
      [surveyed('a', 2), surveyed('b', 1)],
      { kept: { a: 'b', b: 'a' } },
    ],
    [
      'when another took its name',
      [entry('a', 1), entry('b', 2)],
      [surveyed('a', 2)],
      { kept: { b: 'a' }, vanished: ['a'] },
    ],
    ['with new UIDs under its name', [entry('a', 1)], [surveyed('a', 2)], { kept: { a: 'a' } }],
    ['when STATUS says nothing of it', [entry('a', 1)], [{ ...surveyed('a', 1), vector: null }], { kept: { a: 'a' } }],
    ['as a node by its name', [entry('a', null)], [surveyed('a', null)], { kept: { a: 'a' } }],
    [
      'by its progress while it is missing',
      [entry('a', null, { selectable: true, progress: surveyed('', 1).vector })],
      [surveyed('b', 1)],
      { kept: { a: 'b' } },
    ],
  ])('%s', (_how, entries, survey, found) => {
    expect(matched(entries, survey)).toEqual({ kept: {}, appeared: [], vanished: [], ...found });
  });

  test.each<[string, MailboxEntry[], SurveyedMailbox[]]>([
    ['when another shared its UIDVALIDITY', [entry('a', 1), entry('z', 1)], [surveyed('b', 1), surveyed('z', 1)]],
    ['when another shares it now', [entry('a', 1)], [surveyed('b', 1), surveyed('c', 1)]],
    ['when UIDNEXT went back', [entry('a', 1)], [surveyed('b', 1, 4)]],
    ['when it became a node', [entry('a', 1)], [surveyed('a', null)]],
    ['when it was a node', [entry('a', null)], [surveyed('a', 1)]],
    ['as the inbox', [entry('a', 1)], [surveyed('INBOX', 1)]],
    ['when it was the inbox', [entry('INBOX', 1)], [surveyed('b', 1)]],
  ])('but not %s', (_when, entries, survey) => {
    expect(matched(entries, survey).vanished).toContain(entries[0]?.name);
  });

  test('by the word of the server alone, where it has one', () => {
    const known = [entry('a', 1, { serverId: 'A' }), entry('b', 2, { serverId: 'B' })];
    const survey = [surveyed('a', 3), surveyed('c', 4)];
    expect(matched(known, survey, { a: 'X', c: 'B' })).toEqual({ kept: { b: 'c' }, appeared: ['a'], vanished: ['a'] });
    expect(matched(known, survey, { a: 'A', c: 'X' })).toEqual({ kept: { a: 'a' }, appeared: ['c'], vanished: ['b'] });
  });

  test('the server is asked who they are only when they are not plainly known', () => {
    const known = [entry('a', 1), entry('b', 2), entry('n', null)];
    const survey = [surveyed('a', 1), surveyed('b', 3), surveyed('c', 4), surveyed('n', null), surveyed('o', null)];
    expect(namesToIdentify(known, survey)).toEqual(['b', 'c']);
  });

  describe('where several have one UIDVALIDITY', () => {
    const known = [entry('a', 1, { serverId: 'A' }), entry('b', 1, { serverId: 'B' }), entry('c', 1)];
    const at = (uidNext: number) => (name: string) => surveyed(name, 1, uidNext);

    test.each<[string, SurveyedMailbox[], string[]]>([
      ['both are other ones', [at(6)('a'), at(6)('b'), at(5)('c')], ['a', 'b']],
      ['one is gone', [at(5)('a'), at(5)('c')], ['a', 'c']],
      ['only one is another one', [at(6)('a'), at(5)('b'), at(5)('c')], []],
      ['UIDNEXT would have gone back', [at(4)('a'), at(4)('b'), at(5)('c')], []],
    ])('they are asked for when one may go by the name of the other: %s', (_, survey, names) => {
      expect(namesToIdentify(known, survey)).toEqual(names);
    });

    test('the word of the server holds against the name', () => {
      const survey = [at(6)('a'), at(6)('b'), at(5)('c')];
      expect(matched(known, survey, { a: 'B', b: 'A' }).kept).toEqual({ a: 'b', b: 'a', c: 'c' });
      expect(matched(known, survey, { a: 'A', b: 'B' }).kept).toEqual({ a: 'a', b: 'b', c: 'c' });
    });
  });
});

describe('a new mailbox', () => {
  const idOf = (name: string, survey: SurveyedMailbox[], taken: Id[] = [], serverIds: Record<string, string> = {}) => {
    const found = survey.find((one) => one.name === name);
    if (found === undefined) throw new Error(name);
    return newEntry(found, 1, new Map(Object.entries(serverIds)), { survey, taken: new Set(taken) }, 0).id;
  };

  test('of two that are known by one name, as one is gone and was not believed to be, MAILBOXID tells which is there', () => {
    const entries = [entry('a', 1, { key: 1, serverId: 'A' }), entry('a', 1, { key: 2, serverId: 'B' })];
    const survey = [surveyed('a', 1)];
    expect(namesToIdentify(entries, survey)).toEqual(['a']);
    for (const [id, here, gone] of [
      ['A', 1, 2],
      ['B', 2, 1],
    ] as const) {
      const { kept, appeared, vanished } = matchMailboxes(entries, survey, new Map([['a', id]]));
      expect({ kept: [...kept.keys()], appeared, vanished }).toEqual({ kept: [here], appeared: [], vanished: [gone] });
    }
  });

  test.each<[string, Id, Id]>([
    ['INBOX is a constant', idOf('INBOX', [surveyed('INBOX', 7)]), inboxId],
    ['its UIDVALIDITY names it', idOf('a', [surveyed('a', 7), surveyed('b', 8)]), mailboxIdOfValidity(7)],
    [
      'a shared UIDVALIDITY needs the name',
      idOf('a', [surveyed('a', 7), surveyed('b', 7)]),
      mailboxIdOfValidityAndName(7, 'a'),
    ],
    [
      'so does one that another goes by',
      idOf('a', [surveyed('a', 7)], [mailboxIdOfValidity(7)]),
      mailboxIdOfValidityAndName(7, 'a'),
    ],
    ['a node has its name', idOf('a', [surveyed('a', null)]), mailboxIdOfName('a')],
    ['the server may name it', idOf('a', [surveyed('a', 7)], [], { a: '12box' }), 'x12box' as Id],
    ['but not like another', idOf('a', [surveyed('a', 7)], ['x12box' as Id], { a: '12box' }), mailboxIdOfValidity(7)],
  ])('gets its id: %s', (_how, id, expected) => {
    expect(id).toBe(expected);
  });

  test('is never given an id that is in use', () => {
    const taken = [mailboxIdOfValidity(7), mailboxIdOfValidityAndName(7, 'a')];
    expect(taken).not.toContain(idOf('a', [surveyed('a', 7)], taken));
    const ofNode = [mailboxIdOfName('a')];
    expect(ofNode).not.toContain(idOf('a', [surveyed('a', null)], ofNode));
  });

  test('needs no reading when it is empty, and else tells which UIDVALIDITY it was seen with', () => {
    const facts = { survey: [], taken: new Set<Id>() };
    const empty = { uidValidity: 7, uidNext: 5, highestModseq: '1', messages: 0 };
    expect(newEntry({ ...surveyed('a', 7), vector: empty }, 1, new Map(), facts, 99)).toMatchObject({
      vector: empty,
      progress: null,
      flagsReadAt: 99,
    });
    expect(newEntry(surveyed('a', 7), 1, new Map(), facts, 99)).toMatchObject({
      vector: null,
      progress: { uidValidity: 7, uidNext: 1, messages: 0 },
    });
  });
});

describe('of a survey the catalog keeps', () => {
  test('no virtual mailbox, the inbox under one name, and attributes that last', () => {
    const survey = [
      { ...surveyed('Inbox', 1), attributes: ['\\HasChildren', '\\Marked'] },
      { ...surveyed('All', 2), attributes: ['\\All'] },
      { ...surveyed('Sent', 3), attributes: ['\\Sent', '\\HasNoChildren', '\\NoInferiors'] },
    ];
    const kept = surveyedMailboxes(survey, []);
    expect(kept.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['INBOX', []],
      ['Sent', ['\\noinferiors', '\\sent']],
    ]);
  });

  test('a mailbox without STATUS as a node, unless it is known to be more', () => {
    const survey = [{ ...surveyed('a', 1), vector: null }];
    expect(surveyedMailboxes(survey, [])[0]?.selectable).toBe(false);
    expect(surveyedMailboxes(survey, [entry('a', 1)])[0]?.selectable).toBe(true);
  });

  test('a mailbox that the server does not see as it was, and as a node where it was not read yet', () => {
    const unseen = { isUnreadable: () => false, isUnseen: (name: string) => name === 'a' };
    const keptOf = (known: readonly MailboxEntry[]) => surveyedMailboxes([surveyed('a', 1)], known, unseen)[0];
    expect(keptOf([entry('a', 1)])).toMatchObject({ selectable: true, vector: null });
    expect(keptOf([{ ...entry('a', 1), vector: null }])).toMatchObject({ selectable: false, vector: null });
    expect(keptOf([])).toMatchObject({ selectable: false, vector: null });
  });

  test('a mailbox that cannot be opened as a node', () => {
    expect(
      surveyedMailboxes([surveyed('a', 1)], [entry('a', 1)], {
        isUnreadable: (name) => name === 'a',
        isUnseen: () => false,
      })[0],
    ).toMatchObject({
      selectable: false,
      vector: null,
    });
  });
});
