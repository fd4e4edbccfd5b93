import { describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailCapability } from '../../../shared/methods/capabilities.ts';
import { contentOfMessage } from '../../in-memory/mail.ts';
import { hostileKeywords } from './hostile-keywords.ts';
import { type AccountOptions, createdBy, newEmailsAccount, refusedBy } from './new-emails.ts';

const letter = 'Message-ID: <m@x>\r\nSubject: s\r\n\r\nbody\r\n';

/** Two accounts of one user, with a message in the first; and a way to copy it into the second. */
async function twoAccounts(options: AccountOptions = {}, raw = letter) {
  const from = newEmailsAccount({}, 'from' as Id);
  const to = newEmailsAccount(options, 'to' as Id);
  from.mail.append('One', contentOfMessage(raw), { flags: ['\\Seen', '$label'], internalDate: 1_700_000_000 });
  const { list } = await from.call('get', { ids: null, properties: ['id'] });
  const original = String((list as JsonObject[])[0]?.id);
  const account = { name: '', isPersonal: true, isReadOnly: false, accountCapabilities: { [mailCapability]: {} } };
  const copy = async (email: JsonObject, args: JsonObject = {}) => {
    const ports = new Map([
      ['from', from.ports()],
      ['to', to.ports()],
    ]);
    const context = {
      ...to.context(),
      accounts: new Map([
        ['from', account],
        ['to', account],
      ]),
      portsOf: (id: Id) => ports.get(id) ?? to.ports(),
    };
    const answer = await to.call(
      'copy',
      { fromAccountId: 'from', create: { k: { id: original, ...email } }, ...args },
      context,
    );
    return answer;
  };
  return { from, to, original, copy };
}

describe('Email/copy', () => {
  test('puts the same octets into the other account, with the same keywords and date', async () => {
    const { from, to, copy } = await twoAccounts();
    const response = await copy({ mailboxIds: await to.mailboxIds('Two', 'INBOX') });
    const created = createdBy(response);
    expect(Object.keys(created).sort()).toEqual(['blobId', 'id', 'size', 'threadId']);
    const [message] = to.mail.messages('Two');
    expect(message?.content.body).toBe(letter);
    expect([...(message?.flags ?? [])].sort()).toEqual(['$label', '\\Seen']);
    expect(message?.internalDate).toBe(1_700_000_000);
    expect(to.counts()).toEqual({ INBOX: 1, One: 0, Two: 1 });
    expect(from.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
    const changes = await to.call('changes', { sinceState: response.oldState ?? null });
    expect(changes).toMatchObject({ newState: response.newState, created: [created.id], updated: [], destroyed: [] });
  });

  test('gives the copy keywords and a date of its own', async () => {
    const { to, copy } = await twoAccounts();
    createdBy(
      await copy({
        mailboxIds: await to.mailboxIds('One'),
        keywords: { $flagged: true },
        receivedAt: '2020-01-01T00:00:00Z',
      }),
    );
    const [message] = to.mail.messages('One');
    expect([[...(message?.flags ?? [])], message?.internalDate]).toEqual([['\\Flagged'], 1_577_836_800]);
  });

  test('reads a large message while it writes it, and does not believe what it is told of its size', async () => {
    const raw = `Subject: large\r\n\r\n${'x'.repeat(1_500_000)}`;
    const { from, to, copy } = await twoAccounts({}, raw);
    const [message] = from.mail.messages('One');
    // As Exchange does: RFC822.SIZE is that of another form of the message.
    Object.assign(message?.content ?? {}, { size: raw.length + 100 });
    createdBy(await copy({ mailboxIds: await to.mailboxIds('One') }));
    expect(to.mail.messages('One').map(({ content }) => content.body.length)).toEqual([raw.length]);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['an Email that is not there', { id: 'nothing', mailboxIds: {} }, { type: 'notFound' }],
    [
      'another message',
      { subject: 'x', mailboxIds: { x: true } },
      { type: 'invalidProperties', properties: ['subject'] },
    ],
    ['no mailbox', {}, { type: 'invalidProperties', properties: ['mailboxIds'] }],
    ['an unknown mailbox', { mailboxIds: { x: true } }, { type: 'invalidProperties', properties: ['mailboxIds'] }],
  ])('refuses %s', async (_, email, error) => {
    const { to, copy } = await twoAccounts();
    expect(refusedBy(await copy(email))).toMatchObject(error);
    expect(to.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test.each(hostileKeywords)('refuses %j, which is no keyword', async (word) => {
    const { to, copy } = await twoAccounts();
    const response = await copy({ mailboxIds: await to.mailboxIds('One'), keywords: { [word]: true } });
    expect(refusedBy(response)).toMatchObject({ type: 'invalidProperties', properties: ['keywords'] });
    expect(to.counts()).toEqual({ INBOX: 0, One: 0, Two: 0 });
  });

  test('tells of what is there already, where the id is the content’s', async () => {
    const { to, copy } = await twoAccounts({ scheme: 'digest' });
    const { id } = createdBy(await copy({ mailboxIds: await to.mailboxIds('One') }));
    expect(refusedBy(await copy({ mailboxIds: await to.mailboxIds('Two') }))).toEqual({
      type: 'alreadyExists',
      existingId: id,
    });
    expect(to.counts()).toEqual({ INBOX: 0, One: 1, Two: 0 });
  });

  test('leaves nothing behind where there is no room', async () => {
    const { to, copy } = await twoAccounts({ instead: () => ({ failure: 'overQuota' }) });
    expect(refusedBy(await copy({ mailboxIds: await to.mailboxIds('One') }))).toMatchObject({ type: 'overQuota' });
  });

  test('within one account, or from an unknown one, is refused as a whole', async () => {
    const { copy } = await twoAccounts();
    expect(await copy({}, { fromAccountId: 'to' })).toMatchObject({ error: { type: 'invalidArguments' } });
    expect(await copy({}, { fromAccountId: 'other' })).toMatchObject({ error: { type: 'fromAccountNotFound' } });
    expect(await copy({}, { ifFromInState: 'old' })).toMatchObject({ error: { type: 'stateMismatch' } });
    expect(await copy({}, { ifInState: 'old' })).toMatchObject({ error: { type: 'stateMismatch' } });
  });
});
