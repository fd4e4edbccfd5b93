import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown, Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { email } from '../../../shared/methods/Email/index.ts';
import { createdBy, type NewEmailsAccount, newEmailsAccount, now, refusedBy } from './new-emails.ts';

const letter =
  'Received: from a by b;\r\n\tTue, 3 Mar 2015 10:00:00 +0100\r\nReceived: x; Mon, 2 Mar 2015 10:00:00 +0100\r\nMessage-ID: <m@x>\r\nSubject: s\r\n\r\nbody\r\n';

async function importOne(account: NewEmailsAccount, octets: string, more: JsonObject = {}, names = ['One']) {
  const email = {
    blobId: await account.upload(Buffer.from(octets, 'latin1')),
    mailboxIds: await account.mailboxIds(...names),
  };
  return account.call('import', { emails: { k: { ...email, ...more } } });
}

describe('Email/import', () => {
  test('keeps every octet, and answers with what the server made of it', async () => {
    const account = newEmailsAccount();
    const response = await importOne(account, letter, { keywords: { $seen: true } });
    const created = createdBy(response);
    expect(Object.keys(created).sort()).toEqual(['blobId', 'id', 'size', 'threadId']);
    expect(created.size).toBe(letter.length);
    const [message] = account.mail.messages('One');
    expect(message?.content.body).toBe(letter);
    expect([...(message?.flags ?? [])]).toEqual(['\\Seen']);
    const changes = await account.call('changes', { sinceState: response.oldState ?? null });
    expect(changes).toMatchObject({ newState: response.newState, created: [created.id], updated: [], destroyed: [] });
  });

  test.each<[string, string, JsonObject, number]>([
    ['as was said', letter, { receivedAt: '2001-02-03T04:05:06Z' }, Date.parse('2001-02-03T04:05:06Z')],
    ['when the last server got it', letter, {}, Date.parse('2015-03-03T09:00:00Z')],
    ['now, where no server got it', 'Subject: s\r\n\r\nb', {}, now],
    ['now, where no server says when', 'Received: x\r\nSubject: s\r\n\r\nb', {}, now],
  ])('a message is received %s', async (_, octets, more, milliseconds) => {
    const account = newEmailsAccount();
    createdBy(await importOne(account, octets, more));
    expect(account.mail.messages('One').map(({ internalDate }) => internalDate)).toEqual([milliseconds / 1000]);
  });

  test('a bare LF becomes CRLF; 8-bit octets and a lone CR stay', async () => {
    const account = newEmailsAccount();
    createdBy(await importOne(account, 'Subject: \xe4\n\nb\ro\r\ndy\n'));
    expect(account.mail.messages('One')[0]?.content.body).toBe('Subject: \xe4\r\n\r\nb\ro\r\ndy\r\n');
  });

  test('a message that is attached to another one becomes an Email of its own', async () => {
    const account = newEmailsAccount();
    const outer = `Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${letter}\r\n--b--\r\n`;
    const { id } = createdBy(await importOne(account, outer));
    const { list } = await account.call('get', { ids: [id], properties: ['attachments'] });
    const [part] = ((list as JsonObject[])[0]?.attachments ?? []) as JsonObject[];
    const mailboxIds = await account.mailboxIds('Two');
    createdBy(await account.call('import', { emails: { k: { blobId: part?.blobId ?? '', mailboxIds } } }));
    expect(account.mail.messages('Two').map(({ content }) => content.body)).toEqual([letter]);
  });

  test('a blob of the same request is named by its creation id, and so is the Email', async () => {
    const account = newEmailsAccount();
    const context = account.context();
    context.createdIds.set('b', (await account.upload(letter)) as Id);
    const mailboxIds = await account.mailboxIds('One');
    const response = await account.call('import', { emails: { k: { blobId: '#b', mailboxIds } } }, context);
    expect(context.createdIds.get('k')).toBe(createdBy(response).id);
  });

  test('what another client has imported meanwhile is not between its states', async () => {
    let other: Promise<JsonObject> | null = null;
    const account: NewEmailsAccount = newEmailsAccount({
      wrap: ({ appending, ...ports }) => {
        const append: typeof appending.append = async (message) => {
          const isFirst = other === null;
          other ??= importOne(account, letter, {}, ['INBOX']);
          if (isFirst) await other;
          return appending.append(message);
        };
        return { ...ports, appending: { ...appending, append } };
      },
    });
    const response = await importOne(account, letter);
    expect(response).toMatchObject({ oldState: (await (other as Promise<JsonObject> | null))?.newState });
    const changes = await account.call('changes', { sinceState: response.oldState ?? null });
    expect(changes).toMatchObject({ newState: response.newState, created: [createdBy(response).id] });
  });

  test('where it cannot be seen what became of one, the others that are there are not the answer', async () => {
    const account: NewEmailsAccount = newEmailsAccount({
      instead: ({ mailbox }) => (mailbox === 'Two' ? { failure: 'lost' } : null),
      wrap: ({ appending, ...ports }) => {
        const findLike: typeof appending.findLike = async () => {
          throw new Unavailable('the mail server does not answer');
        };
        return { ...ports, appending: { ...appending, findLike } };
      },
    });
    const first = { blobId: await account.upload(letter), mailboxIds: await account.mailboxIds('One') };
    const second = { blobId: '#first', mailboxIds: await account.mailboxIds('Two') };
    const context = account.context();
    const args = { accountId: account.accountId, emails: { first, second } };
    const answer = await email.methods.import.run(args, context.portsOf(account.accountId), context);
    expect(answer).toMatchObject({ ok: true, value: { doubt: expect.any(OutcomeUnknown) } });
    expect(account.counts()).toMatchObject({ One: 1 });
  });

  test('what is there already is told, where the id is the content’s', async () => {
    const account = newEmailsAccount({ scheme: 'digest' });
    const { id } = createdBy(await importOne(account, letter));
    const response = await importOne(account, letter, {}, ['Two']);
    expect(refusedBy(response)).toEqual({ type: 'alreadyExists', existingId: id });
    expect(account.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
    const { list } = await account.call('get', { ids: [id], properties: ['mailboxIds'] });
    expect(list).toEqual([{ id, mailboxIds: await account.mailboxIds('One') }]);
  });

  test('two of the same content in one call are one Email, where the id is the content’s', async () => {
    const account = newEmailsAccount({ scheme: 'digest' });
    const blobId = await account.upload(letter);
    const [one, two] = [await account.mailboxIds('One'), await account.mailboxIds('Two')];
    const response = await account.call('import', {
      emails: { a: { blobId, mailboxIds: one }, b: { blobId, mailboxIds: two } },
    });
    const { id } = createdBy(response);
    expect(refusedBy(response)).toEqual({ type: 'alreadyExists', existingId: id });
    expect(account.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
  });

  test('elsewhere it becomes another Email', async () => {
    const account = newEmailsAccount();
    const first = createdBy(await importOne(account, letter));
    expect(createdBy(await importOne(account, letter, {}, ['Two'])).id).not.toBe(first.id);
  });
});

describe('Email/import refuses', () => {
  test.each<[string, JsonObject, string[]]>([
    ['a blob that is not there', { blobId: 'nothing' }, ['blobId']],
    ['a creation id of nothing', { blobId: '#nothing' }, ['blobId']],
    ['what is no id', { blobId: 5 }, ['blobId']],
    ['no mailbox', { mailboxIds: {} }, ['mailboxIds']],
    ['an unknown mailbox', { mailboxIds: { x: true } }, ['mailboxIds']],
    ['a keyword that is none', { keywords: { '"': true } }, ['keywords']],
    ['a date that is none', { receivedAt: 'yesterday' }, ['receivedAt']],
    ['a property of nothing', { subject: 'x' }, ['subject']],
  ])('%s', async (_, more, properties) => {
    const account = newEmailsAccount();
    expect(refusedBy(await importOne(account, letter, more))).toMatchObject({ type: 'invalidProperties', properties });
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test('an EmailImport without a blob', async () => {
    const account = newEmailsAccount();
    const response = await account.call('import', { emails: { k: { mailboxIds: await account.mailboxIds('One') } } });
    expect(refusedBy(response)).toMatchObject({ type: 'invalidProperties', properties: ['blobId'] });
  });

  test.each([
    ['nothing', ''],
    ['what has no header', 'just text\r\nand more'],
    ['what is no text', '\x89PNG\r\n\x1a\n'],
    ['NUL in the body', 'Subject: s\r\n\r\na\0b'],
  ])('%s as a message', async (_, octets) => {
    const account = newEmailsAccount();
    expect(refusedBy(await importOne(account, octets))).toMatchObject({ type: 'invalidEmail' });
    expect(account.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test('what the mail server has no room for', async () => {
    const account = newEmailsAccount({ instead: () => ({ failure: 'overQuota' }) });
    expect(refusedBy(await importOne(account, letter))).toMatchObject({ type: 'overQuota' });
  });

  test('the call in another state', async () => {
    const account = newEmailsAccount();
    const response = await account.call('import', { ifInState: 'old', emails: {} });
    expect(response).toMatchObject({ error: { type: 'stateMismatch' } });
  });

  test('the call with more Emails than there may be', async () => {
    const account = newEmailsAccount();
    const emails = Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`k${n}`, {}]));
    expect(await account.call('import', { emails })).toMatchObject({ error: { type: 'requestTooLarge' } });
  });
});

test.each<[string, 'overQuota' | 'lost']>([
  ['has no room for a copy of it', 'overQuota'],
  ['does not answer to the copy', 'lost'],
])('what another client has imported meanwhile stays when the server %s', async (_, failure) => {
  let other: Promise<JsonObject> | null = null;
  const account: NewEmailsAccount = newEmailsAccount({
    scheme: 'digest',
    wrap: ({ appending, writing, ...ports }) => ({
      ...ports,
      appending: {
        ...appending,
        append: async (message) => {
          const isFirst = other === null;
          other ??= importOne(account, letter, {}, ['INBOX']);
          if (isFirst) await other;
          return appending.append(message);
        },
      },
      writing: {
        ...writing,
        transfer: async () => ({ done: new Map(), failure, glimpses: [{ before: null, after: null }] }),
      },
    }),
  });
  const type = failure === 'lost' ? 'serverUnavailable' : failure;
  expect(refusedBy(await importOne(account, letter, {}, ['One', 'Two']))).toMatchObject({ type });
  const { id } = createdBy((await other) ?? {});
  expect(account.counts()).toEqual({ INBOX: 1, One: 0, Two: 0 });
  account.advanceClock(60_000);
  expect((await account.call('get', { ids: [id], properties: ['mailboxIds'] })).list).toEqual([
    { id, mailboxIds: await account.mailboxIds('INBOX') },
  ]);
});
