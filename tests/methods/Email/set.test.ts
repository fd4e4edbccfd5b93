import { expect, test } from '@jest/globals';
import { contentOfMessage } from '../../in-memory/mail.ts';
import { newEmailsAccount } from './new-emails.ts';

test.each([
  ['told', true],
  ['not told', false],
])('a copy that the server made, and has %s, is taken back where another one is refused', async (_, uidPlus) => {
  const operations: string[] = [];
  const account = newEmailsAccount({
    ...{ uidPlus, move: false },
    refuses: (operation, __, target) => (operation === 'copy' && target === 'Two' ? 'forbidden' : null),
    onOperation: (operation) => operations.push(operation),
  });
  account.mail.append('INBOX', contentOfMessage('Subject: s\r\n\r\n'), { internalDate: 1_700_000_000 });
  const { list } = await account.call('get', { ids: null, properties: ['id'] });
  const [{ id = '' } = {}] = list as { id: string }[];
  const mailboxIds = await account.mailboxIds('INBOX', 'One', 'Two');
  const { notUpdated } = await account.call('set', { update: { [id]: { mailboxIds } } });
  expect(notUpdated).toEqual({ [id]: { type: 'forbidden', description: 'the mail server does not allow it' } });
  expect(operations).toEqual(['copy 1 in INBOX to One', 'copy 1 in INBOX to Two', 'remove 1 in One']);
  expect(account.counts()).toEqual({ INBOX: 1, One: 0, Two: 0 });
});
