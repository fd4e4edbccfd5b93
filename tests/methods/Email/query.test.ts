import { describe, expect, test } from '@jest/globals';
import { CannotSearch } from '../../../shared/catalog/source.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import { account, call, gone, type Message } from './query-account.ts';

const at = (receivedAt: number, raw = 'Subject: tea\n\nHello') => ({ receivedAt, raw });
const ok = (response: object) => ({ ok: true, value: { response: expect.objectContaining(response) } });
const error = (type: string) => ({ ok: false, error: expect.objectContaining({ type }) });

describe('Email/query', () => {
  test('answers with the newest Emails first when no sort is given', async () => {
    const { ports } = account([at(1), at(3), at(2)]);
    expect(
      await call('Email/query', { filter: { inMailbox: 'inbox' }, limit: 2, calculateTotal: true }, ports),
    ).toEqual(
      ok({
        accountId: 'a1',
        queryState: 'epoch-1',
        canCalculateChanges: true,
        position: 0,
        ids: ['e2', 'e3'],
        total: 3,
      }),
    );
  });

  test('gives all ids when no limit is asked, and does not name one', async () => {
    const { ports } = account(Array.from({ length: 600 }, (_, n) => at(n)));
    const answer = await call('Email/query', {}, ports);
    const response = answer.ok ? answer.value.response : {};
    expect(response.ids).toHaveLength(600);
    expect(response).not.toHaveProperty('limit');
  });

  test.each([
    ['a date with a fraction of zero', { filter: { after: '1970-01-01T00:00:02.000Z' } }, ['e2']],
    ['a leap second', { filter: { before: '1970-01-01T00:00:60Z' } }, ['e2', 'e1']],
    ['collation null', { sort: [{ property: 'receivedAt', collation: null }] }, ['e1', 'e2']],
    ['a position beyond the end', { position: 7 }, []],
    ['a negative position', { position: -1 }, ['e1']],
    ['an anchor without a position', { anchor: 'e1', anchorOffset: -1, limit: 1 }, ['e2']],
    ['limit 0', { limit: 0 }, []],
    ['null for filter and sort', { filter: null, sort: null }, ['e2', 'e1']],
  ])('accepts %s', async (_, args, ids) => {
    expect(await call('Email/query', args, account([at(1), at(2)]).ports)).toEqual(ok({ ids }));
  });

  test.each([
    ['a condition that does not exist', { filter: { isImportant: true } }, 'unsupportedFilter'],
    ['a property that nothing is sorted by', { sort: [{ property: 'preview' }] }, 'unsupportedSort'],
    ['a collation that does not exist', { sort: [{ property: 'subject', collation: 'i;klingon' }] }, 'unsupportedSort'],
    ['a keyword sort without a keyword', { sort: [{ property: 'hasKeyword' }] }, 'invalidArguments'],
    ['a header condition without a name', { filter: { header: [] } }, 'invalidArguments'],
    ['a header condition with three elements', { filter: { header: ['a', 'b', 'c'] } }, 'invalidArguments'],
    ['a header name with a colon', { filter: { header: ['Subject: tea'] } }, 'invalidArguments'],
    ['a date without a time', { filter: { before: '2020-01-01' } }, 'invalidArguments'],
    ['an anchor that is not among the results', { anchor: 'e9' }, 'anchorNotFound'],
  ])('refuses %s', async (_, args, type) => {
    expect(await call('Email/query', args, account([at(1)]).ports)).toEqual(error(type));
  });
});

const attached = 'Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment\n\nx';

test('hasAttachment is read from the structure of Emails that are undecided only, and remembered', async () => {
  const known: Message = { ...at(1), hasAttachment: true };
  const { ports, calls } = account([known, at(2), at(3, attached)]);
  expect(await call('Email/query', { filter: { hasAttachment: true } }, ports)).toEqual(ok({ ids: ['e3', 'e1'] }));
  expect(calls.read).toEqual([{ headers: 'none', structure: true, preview: false }]);
  expect(new Map(calls.remembered)).toEqual(
    new Map([
      ['e2', false],
      ['e3', true],
    ]),
  );
});

test('a message that is gone by now has no attachment, and nothing is remembered of it', async () => {
  const { ports, calls } = account([{ ...at(1), raw: gone }]);
  expect(await call('Email/query', { filter: { hasAttachment: true } }, ports)).toEqual(ok({ ids: [] }));
  expect(calls.views).toEqual(['recent', 'now']);
  expect(calls.remembered).toEqual([]);
});

test('a text condition is one question about the mailbox of the candidates, below the UIDs of the answered state', async () => {
  const { ports, calls } = account([at(1), at(2)], { search: async () => [[2]] });
  const filter = { inMailbox: 'inbox', from: 'zoë  exam*' };
  expect(await call('Email/query', { filter }, ports)).toEqual(ok({ ids: ['e2'] }));
  const terms = [
    { kind: 'from', value: 'zoë' },
    { kind: 'from', value: 'exam' },
  ];
  expect(calls.search).toEqual([
    [{ name: 'mailbox 1', uidValidity: 1, uidNext: 3, messages: 2 }, [{ condition: terms }]],
  ]);
});

describe('a text that the mail server cannot look for', () => {
  const search = async () => {
    throw new CannotSearch('the mail server looks for ASCII text only');
  };
  const about = (subject: string) => ({ ...at(1), raw: `Subject: ${subject}\n` });

  test('is looked for in the messages', async () => {
    const { ports, calls } = account([about('tea'), about('=?utf-8?q?Zo=C3=AB?='), about('zoe')], { search });
    expect(await call('Email/query', { filter: { subject: 'zoë' } }, ports)).toEqual(ok({ ids: ['e2', 'e3'] }));
    expect(calls.read).toEqual([{ headers: ['subject'], structure: false, preview: false }]);
  });

  test('makes a filter that is not supported where those are too many', async () => {
    const { ports, calls } = account(
      Array.from({ length: 1001 }, () => about('tea')),
      { search },
    );
    expect(await call('Email/query', { filter: { text: 'zoë' } }, ports)).toEqual(error('unsupportedFilter'));
    expect([calls.views, calls.read]).toEqual([['recent'], []]);
  });

  test('is refused for the moment where those are too many, and it is the mail server that refuses it for the moment', async () => {
    const cause = new Unavailable('the mail server is not available');
    const refusing = async () => {
      throw new CannotSearch('the mail server refuses the search', { cause });
    };
    const few = account([about('tea'), about('zoe')], { search: refusing });
    expect(await call('Email/query', { filter: { subject: 'zoe' } }, few.ports)).toEqual(ok({ ids: ['e2'] }));
    const many = account(
      Array.from({ length: 1001 }, () => about('tea')),
      { search: refusing },
    );
    await expect(call('Email/query', { filter: { text: 'zoe' } }, many.ports)).rejects.toBe(cause);
  });

  test('is looked for in the newest view, where a message has left its place', async () => {
    const { ports, calls } = account([about('zoë'), { ...at(1), raw: gone }], { search });
    expect(await call('Email/query', { filter: { subject: 'zoë' } }, ports)).toEqual(ok({ ids: ['e1'] }));
    expect(calls.views).toEqual(['recent', 'now']);
  });
});

test('when the mailbox was renewed meanwhile, the newest view is asked, and then the client told to come again', async () => {
  const { ports, calls } = account([at(1)], { search: async () => null });
  expect(await call('Email/query', { filter: { text: 'tea' } }, ports)).toEqual(error('serverUnavailable'));
  expect(calls.views).toEqual(['recent', 'now']);
});

test.each([
  ['from', 'From: Zoe <a@example>', 'From: b@example', 'From: "" <c@example>', ['e2', 'e3', 'e1']],
  ['to', 'To: Zoe <a@example>', 'To: b@example', 'Cc: c@example', ['e3', 'e2', 'e1']],
  ['subject', 'Subject: Re: =?utf-8?q?=C3=84pfel?=', 'Subject: zebra', 'Subject: Fwd: banana', ['e1', 'e3', 'e2']],
  [
    'sentAt',
    'Date: Thu, 1 Jan 1970 02:00:00 +0000',
    'Date: Thu, 1 Jan 1970 02:30:00 +0100',
    'Date: never',
    ['e3', 'e2', 'e1'],
  ],
])('a sort by %s compares the decoded header fields', async (property, one, two, three, ids) => {
  const { ports, calls } = account([at(1, `${one}\n\n`), at(2, `${two}\n\n`), at(3, `${three}\n\n`)]);
  expect(await call('Email/query', { sort: [{ property }] }, ports)).toEqual(ok({ ids, queryState: 'epoch-1-f' }));
  const field = property === 'sentAt' ? 'date' : property;
  expect(calls.read).toEqual([{ headers: [field], structure: false, preview: false }]);
});

test('a message that is gone by now is sorted as if it said nothing, once the newest view was asked', async () => {
  const { ports, calls } = account([at(1), { ...at(2), raw: gone }]);
  const sort = [{ property: 'subject' }];
  expect(await call('Email/query', { sort }, ports)).toEqual(ok({ ids: ['e2', 'e1'] }));
  expect(calls.views).toEqual(['recent', 'now']);
});

test('beyond the Emails whose fields are fetched, a descending sort is the ascending SORT turned round', async () => {
  const count = 5001;
  const uids = Array.from({ length: count }, (_, n) => count - n);
  const { ports, calls } = account(
    uids.map((n) => at(n)),
    { sort: async () => uids },
  );
  const sort = [{ property: 'subject', isAscending: false }, { property: 'size' }];
  const answer = await call('Email/query', { filter: { inMailbox: 'inbox' }, sort, limit: 2 }, ports);
  expect(answer).toEqual(ok({ ids: ['e1', 'e2'], queryState: 'epoch-1-s1' }));
  const thenBy = [
    { key: 'size', isAscending: false },
    { key: 'receivedAt', isAscending: true },
  ];
  expect(calls.sort).toEqual([[{ name: 'mailbox 1', uidValidity: 1, uidNext: count + 1 }, 'subject', thenBy]]);
  expect(calls.read).toEqual([]);
});

test('beyond them, a server without SORT means unsupportedSort', async () => {
  const { ports } = account(Array.from({ length: 5001 }, (_, n) => at(n)));
  const args = { filter: { inMailbox: 'inbox' }, sort: [{ property: 'subject' }] };
  expect(await call('Email/query', args, ports)).toEqual(error('unsupportedSort'));
});

describe('Email/queryChanges', () => {
  test('nothing has changed since the state that the query gave', async () => {
    const { ports } = account([at(1), at(2)]);
    const args = { sinceQueryState: 'epoch-1', calculateTotal: true };
    expect(await call('Email/queryChanges', args, ports)).toEqual(
      ok({ oldQueryState: 'epoch-1', newQueryState: 'epoch-1', removed: [], added: [], total: 2 }),
    );
  });

  test.each([
    ['of another epoch', 'other-1'],
    ['from the future', 'epoch-2'],
    ['of another order', 'epoch-1-f'],
    ['of no kind that was ever given', 'what'],
  ])('a state %s is cannotCalculateChanges', async (_, sinceQueryState) => {
    const { ports } = account([at(1)]);
    expect(await call('Email/queryChanges', { sinceQueryState }, ports)).toEqual(error('cannotCalculateChanges'));
  });
});
