import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { createdBy, type NewEmailsAccount, newEmailsAccount, refusedBy } from './new-emails.ts';

const simple = {
  subject: 'hello',
  textBody: [{ partId: 't', type: 'text/plain' }],
  bodyValues: { t: { value: 'Hi' } },
};

async function create(account: NewEmailsAccount, email: JsonObject, names: string[] = ['One']): Promise<JsonObject> {
  const mailboxIds = await account.mailboxIds(...names);
  return account.call('set', { create: { k: { mailboxIds, ...email } } });
}

describe('an Email that is created', () => {
  test('answers with what the server made of it, and nothing else', async () => {
    const account = newEmailsAccount();
    const response = await create(account, simple);
    expect(Object.keys(createdBy(response)).sort()).toEqual(['blobId', 'id', 'keywords', 'size', 'threadId']);
    expect(response.newState).not.toBe(response.oldState);
    expect(account.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
  });

  test('is received when it was said, or else now', async () => {
    const account = newEmailsAccount();
    await create(account, { ...simple, receivedAt: '2020-02-29T12:00:60.5Z' });
    await create(account, simple);
    expect(account.mail.messages('One').map(({ internalDate }) => internalDate)).toEqual([
      1_582_977_659, 1_767_225_600,
    ]);
  });

  test('has its keywords as flags', async () => {
    const account = newEmailsAccount();
    await create(account, { ...simple, keywords: { $draft: true, $SEEN: true, $forwarded: true, other: false } });
    expect(account.mail.messages('One').map(({ flags }) => [...flags].sort())).toEqual([
      ['$forwarded', '\\Draft', '\\Seen'],
    ]);
  });

  test('in several mailboxes is sent once, and copied', async () => {
    const sent: string[] = [];
    const account = newEmailsAccount({ onAppend: (mailbox) => sent.push(mailbox) });
    const response = await create(account, { ...simple, keywords: { $flagged: true } }, ['One', 'Two', 'INBOX']);
    const { id } = createdBy(response);
    expect(sent).toEqual(['One']);
    expect(account.counts()).toEqual({ INBOX: 1, One: 1, Two: 1 });
    const { list } = await account.call('get', { ids: [id], properties: ['mailboxIds', 'keywords'] });
    expect(list).toEqual([
      { id, mailboxIds: await account.mailboxIds('One', 'Two', 'INBOX'), keywords: { $flagged: true } },
    ]);
    const changes = await account.call('changes', { sinceState: response.oldState ?? null });
    expect(changes).toMatchObject({ newState: response.newState, created: [id], updated: [], destroyed: [] });
  });

  test('beside others that are refused, is created', async () => {
    const account = newEmailsAccount();
    const mailboxIds = await account.mailboxIds('One');
    const response = await account.call('set', {
      create: { good: { mailboxIds, ...simple }, bad: { mailboxIds, headers: [] }, ugly: { mailboxIds: {} } },
    });
    expect(Object.keys(response.created ?? {})).toEqual(['good']);
    expect(Object.keys(response.notCreated ?? {}).sort()).toEqual(['bad', 'ugly']);
    expect(account.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
  });

  test('refers to a mailbox by the id that it got in the same request', async () => {
    const account = newEmailsAccount();
    const [one] = Object.keys(await account.mailboxIds('One'));
    const context = account.context();
    context.createdIds.set('box', one as Id);
    const response = await account.call('set', { create: { k: { ...simple, mailboxIds: { '#box': true } } } }, context);
    expect(createdBy(response).id).toBeDefined();
    expect(context.createdIds.get('k')).toBe(createdBy(response).id);
  });

  test('is found by its content where the server does not tell its UID', async () => {
    const account = newEmailsAccount({ uidPlus: false });
    await create(account, { ...simple, messageId: ['same@x'] });
    const mailboxIds = await account.mailboxIds('One');
    const email = { mailboxIds, ...simple, messageId: ['same@x'] };
    const response = await account.call('set', { create: { a: email, b: email } });
    const ids = Object.values(response.created ?? {}).map((record) => (record as JsonObject).id);
    expect(new Set(ids).size).toBe(2);
    expect(account.counts()).toEqual({ INBOX: 0, One: 3, Two: 0 });
  });
});

describe('an Email is refused', () => {
  const limits: [string, JsonObject, JsonObject][] = [
    ['without mailboxes', { mailboxIds: {} }, { type: 'invalidProperties', properties: ['mailboxIds'] }],
    [
      'with mailboxes that are taken back',
      { mailboxIds: { x: false } },
      { type: 'invalidProperties', properties: ['mailboxIds'] },
    ],
    ['in an unknown mailbox', { mailboxIds: { x: true } }, { type: 'invalidProperties', properties: ['mailboxIds'] }],
    [
      'in a mailbox that was not created',
      { mailboxIds: { '#x': true } },
      { type: 'invalidProperties', properties: ['mailboxIds'] },
    ],
    [
      'with a keyword that is none',
      { keywords: { 'a b': true } },
      { type: 'invalidProperties', properties: ['keywords'] },
    ],
    [
      'with a keyword that would end a list',
      { keywords: { 'a)': true } },
      { type: 'invalidProperties', properties: ['keywords'] },
    ],
    ['with an id', { id: 'x' }, { type: 'invalidProperties', properties: ['id'] }],
    [
      'with what the server sets',
      { size: 5, preview: 'x' },
      { type: 'invalidProperties', properties: ['size', 'preview'] },
    ],
    ['with a property of nothing', { colour: 'red' }, { type: 'invalidProperties', properties: ['colour'] }],
    ['with a date that is none', { receivedAt: 'now' }, { type: 'invalidProperties', properties: ['receivedAt'] }],
    ['with headers', { headers: [] }, { type: 'invalidProperties', properties: ['headers'] }],
    [
      'with a form that a field does not have',
      { 'header:From:asDate': null },
      { type: 'invalidProperties', properties: ['header:From:asDate'] },
    ],
    [
      'with more keywords than there may be',
      { keywords: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`k${n}`, true])) },
      { type: 'tooManyKeywords' },
    ],
    [
      'with blobs that are not there',
      { attachments: [{ blobId: 'nothing' }, { blobId: 'e9-1' }, { blobId: 'nothing', type: 'image/png' }] },
      { type: 'blobNotFound', notFound: ['nothing', 'e9-1'] },
    ],
  ];
  test.each(limits)('%s', async (_, email, error) => {
    const account = newEmailsAccount();
    expect(refusedBy(await create(account, email))).toMatchObject(error);
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test('without the property mailboxIds', async () => {
    const account = newEmailsAccount();
    const response = await account.call('set', { create: { k: { subject: 'x' } } });
    expect(refusedBy(response)).toMatchObject({ type: 'invalidProperties', properties: ['mailboxIds'] });
  });

  test('with attachments that are too large together, before anything is sent', async () => {
    const account = newEmailsAccount();
    const blobId = await account.upload(Buffer.alloc(20_000_000));
    const attachments = ['a', 'b', 'c'].map((name) => ({ blobId, name }));
    expect(refusedBy(await create(account, { attachments }))).toMatchObject({ type: 'tooLarge' });
    const sent: string[] = [];
    const small = newEmailsAccount({ onAppend: (mailbox) => sent.push(mailbox) });
    const zero = await small.upload(Buffer.from('Subject: x\r\n\r\n\0'));
    const error = refusedBy(await create(small, { attachments: [{ blobId: zero, type: 'message/rfc822' }] }));
    expect(error).toMatchObject({ type: 'invalidProperties', properties: ['attachments'] });
    expect(sent).toEqual([]);
  });

  test.each([
    ['overQuota', 'overQuota'],
    ['forbidden', 'forbidden'],
    ['tooLarge', 'tooLarge'],
    ['refused', 'forbidden'],
    ['noTarget', 'invalidProperties'],
  ] as const)('when the mail server refuses it: %s', async (failure, type) => {
    const account = newEmailsAccount({ instead: () => ({ failure }) });
    const response = await create(account, simple);
    expect(refusedBy(response)).toMatchObject({ type });
    expect(response.newState).toBe(response.oldState);
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test.each(['overQuota', 'forbidden', 'noTarget', 'refused'] as const)(
    'and leaves nothing behind when a copy of it is: %s',
    async (failure) => {
      const account = newEmailsAccount({
        refuses: (operation, _, target) => (operation === 'copy' && target === 'INBOX' ? failure : null),
      });
      const response = await create(account, simple, ['One', 'Two', 'INBOX']);
      expect(refusedBy(response).type).toBeDefined();
      expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
      const changes = await account.call('changes', { sinceState: response.oldState ?? null });
      expect(changes).toMatchObject({ created: [], updated: [], destroyed: [] });
    },
  );

  test('and leaves nothing behind in a mailbox that has taken the place of its own', async () => {
    const account = newEmailsAccount({
      instead: ({ mailbox }) => {
        account.mail.remove(mailbox);
        account.mail.create(mailbox);
        return null;
      },
    });
    expect(refusedBy(await create(account, simple))).toMatchObject({
      type: 'invalidProperties',
      properties: ['mailboxIds'],
    });
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });
});

test('when the time of the request is up, no other one is begun, and those that are there are told', async () => {
  let left = 2;
  const account = newEmailsAccount({ hasTime: () => left-- > 0 });
  const mailboxIds = await account.mailboxIds('One', 'Two');
  const emails = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { mailboxIds, subject: name }]));
  const response = await account.call('set', { create: emails });
  expect(Object.keys(response.created ?? {})).toEqual(['a', 'b']);
  const unavailable = expect.objectContaining({ type: 'serverUnavailable' });
  expect(response.notCreated).toEqual({ c: unavailable, d: unavailable });
  expect(account.counts()).toEqual({ INBOX: 0, One: 2, Two: 2 });
  const changes = await account.call('changes', { sinceState: response.oldState ?? null });
  expect(changes.created).toHaveLength(2);
});

describe('when the mail server does not answer', () => {
  test.each([
    ['what was put in is found', true, true],
    ['what was put in is found without UIDPLUS', true, false],
    ['what was not put in is refused', false, true],
  ])('%s', async (_, put, uidPlus) => {
    const account = newEmailsAccount({ uidPlus, instead: () => ({ failure: 'lost', put }) });
    const response = await create(account, simple);
    if (put) expect(createdBy(response).id).toBeDefined();
    else expect(refusedBy(response)).toMatchObject({ type: 'serverUnavailable' });
    expect(account.counts()).toEqual({ INBOX: 0, One: put ? 1 : 0, Two: 0 });
  });

  test('a message that somebody else put in meanwhile is not taken for ours', async () => {
    const account = newEmailsAccount({
      instead: ({ mailbox, receivedAt }) => {
        const [content] = account.mail.messages('Two').map((message) => message.content);
        if (content && mailbox === 'One') account.mail.append('One', content, { internalDate: receivedAt });
        return mailbox === 'One' ? { failure: 'lost' } : null;
      },
    });
    await create(account, { ...simple, messageId: ['other@x'] }, ['Two']);
    expect(refusedBy(await create(account, { ...simple, messageId: ['ours@x'] }))).toMatchObject({
      type: 'serverUnavailable',
    });
  });

  test('nothing is ever sent twice', async () => {
    const sent: string[] = [];
    const account = newEmailsAccount({
      onAppend: (mailbox) => sent.push(mailbox),
      instead: () => ({ failure: 'lost' }),
    });
    await create(account, simple, ['One', 'Two']);
    expect(sent).toEqual(['One']);
  });
});

describe('attachments', () => {
  test('are taken from where they are, where the server can do that', async () => {
    const pieces: string[][] = [];
    const account = newEmailsAccount({ catenate: true, onAppend: (_, kinds) => pieces.push([...kinds]) });
    const blobId = await account.upload(Buffer.alloc(2_000, 'z'));
    const original = createdBy(await create(account, { attachments: [{ blobId, type: 'application/zip' }] }));
    const { list } = await account.call('get', { ids: [original.id], properties: ['attachments'] });
    const [part] = ((list as JsonObject[])[0]?.attachments ?? []) as JsonObject[];
    const attachments = [
      { blobId: part?.blobId ?? '', type: 'application/zip' },
      { blobId: original.blobId ?? '', type: 'message/rfc822' },
    ];
    const forwarded = createdBy(await create(account, { attachments }));
    expect(pieces).toEqual([
      ['octets', 'stream', 'octets'],
      ['octets', 'stored', 'octets', 'stored', 'octets'],
    ]);
    const got = await account.call('get', { ids: [forwarded.id], properties: ['attachments'] });
    const parts = ((got.list as JsonObject[])[0]?.attachments ?? []) as JsonObject[];
    expect(parts.map(({ type }) => type)).toEqual(['application/zip', 'message/rfc822']);
    expect(parts[1]?.size).toBe(original.size);
  });

  test.each(['\r\n', '\n'])(
    'that are messages with bare CRs and long lines stay as they are, and are called binary (%j)',
    async (end) => {
      const lines = ['Subject: inner', 'X: a\rb', '', 'bare CR\rand LF', `long ${'x'.repeat(2_000)}`, 'end'];
      const account = newEmailsAccount();
      const attachments = [{ blobId: await account.upload(lines.join(end)), type: 'message/rfc822' }];
      const { id } = createdBy(await create(account, { ...simple, attachments }));
      const [stored = ''] = account.mail.messages('One').map(({ content }) => content.body);
      expect(stored.split('\r\n\r\n')[0]).toContain('Content-Transfer-Encoding: binary');
      const header = 'Content-Transfer-Encoding: binary\r\nContent-Disposition: attachment\r\n\r\n';
      expect(stored).toContain(`${header}${lines.join('\r\n')}\r\n--`);
      const { list } = await account.call('get', { ids: [id], properties: ['attachments'] });
      const [part] = ((list as JsonObject[])[0]?.attachments ?? []) as JsonObject[];
      expect(part).toMatchObject({ type: 'message/rfc822', size: lines.join('\r\n').length });
    },
  );

  test.each([false, true])('that are gone when they are sent for are not found (catenate: %s)', async (catenate) => {
    const account = newEmailsAccount({
      catenate,
      onAppend: () => {
        for (const { uid } of account.mail.messages('Two')) account.mail.expunge('Two', uid);
      },
    });
    const raw = `Subject: s\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n${'eno='.repeat(500_000)}`;
    account.mail.append('Two', (await import('../../in-memory/mail.ts')).contentOfMessage(raw), {
      internalDate: 1_700_000_000,
    });
    const { list } = await account.call('get', { ids: null, properties: ['attachments'] });
    const [part] = ((list as JsonObject[])[0]?.attachments ?? []) as JsonObject[];
    const response = await create(account, { attachments: [{ blobId: part?.blobId ?? '', type: 'application/zip' }] });
    expect(refusedBy(response)).toMatchObject({ type: 'blobNotFound', notFound: [part?.blobId] });
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });
});

describe('what was created is read again as it was', () => {
  const word = fc.constantFrom('Hello', 'Grüße', '日本語', 'a,b', '"q"', '(c)', '<x>', '=?utf-8?q?x?=', '🎉');
  const phrase = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));
  const address = fc.record({
    name: fc.option(phrase),
    email: fc.constantFrom('a@b.example', 'grün@exämple.de', '"a b"@c.d'),
  });
  const addresses = fc.array(address, { minLength: 1, maxLength: 3 });
  const body = fc
    .array(fc.constantFrom('Text ', 'Größe', '\n', 'From me\n', '.\n', '日本語', 'x'.repeat(90)))
    .map((pieces) => pieces.join(''));
  const emails = fc.record(
    {
      subject: phrase,
      from: addresses,
      to: addresses,
      replyTo: addresses,
      messageId: fc.constantFrom(['a@b'], ['long'.repeat(30).concat('@x')]),
      references: fc.constantFrom(['a@b'], ['a@b', 'c@d']),
      sentAt: fc.constantFrom('2014-10-30T14:12:00+08:00', '2024-02-29T23:59:59Z'),
      keywords: fc.constantFrom({}, { $seen: true, $flagged: true }),
    },
    { requiredKeys: [] },
  );

  test('by Email/get and by Email/parse', async () => {
    const account = newEmailsAccount();
    await fc.assert(
      fc.asyncProperty(emails, body, body, async (given, text, html) => {
        const properties = Object.keys(given);
        const lists = {
          textBody: [{ partId: 't', type: 'text/plain' }],
          htmlBody: [{ partId: 'h', type: 'text/html' }],
        };
        const bodyValues = { t: { value: text }, h: { value: html } };
        const { id, blobId } = createdBy(await create(account, { ...(given as JsonObject), ...lists, bodyValues }));
        const wanted = [...properties, 'bodyValues', 'textBody', 'htmlBody'];
        const args = { properties: wanted, fetchAllBodyValues: true, bodyProperties: ['partId', 'type'] };
        const { list } = await account.call('get', { ids: [id], ...args });
        const { parsed } = await account.call('parse', { blobIds: [blobId ?? ''], ...args });
        const got = (list as JsonObject[])[0] ?? {};
        const expected = {
          ...given,
          textBody: [{ partId: '1', type: 'text/plain' }],
          htmlBody: [{ partId: '2', type: 'text/html' }],
          bodyValues: {
            '1': { value: text, isEncodingProblem: false, isTruncated: false },
            '2': { value: html, isEncodingProblem: false, isTruncated: false },
          },
        };
        expect(got).toEqual({ id, ...expected });
        const { keywords: _, ...content } = expected;
        expect((parsed as JsonObject)[String(blobId)]).toMatchObject(content);
      }),
      { numRuns: 60 },
    );
  });
});
