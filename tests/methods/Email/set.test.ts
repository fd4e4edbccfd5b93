import { expect, test } from '@jest/globals';
import type { CanWriteMessages } from '../../../shared/methods/Email/mail.ts';
import { contentOfMessage } from '../../in-memory/mail.ts';
import { signal } from '../../signal.ts';
import { newEmailsAccount } from './new-emails.ts';

/** What a server that has no mod-sequences shows of a mailbox: nothing that would tell that others were there. */
const glimpses = [{ before: null, after: null }];

/** An account whose mail server does some of what it is told otherwise. */
function accountWriting(otherwise: (writing: CanWriteMessages) => Partial<CanWriteMessages>) {
  return newEmailsAccount({
    wrap: ({ writing, ...ports }) => ({ ...ports, writing: { ...writing, ...otherwise(writing) } }),
  });
}

/** Puts a message into the inbox. */
async function onlyEmail({ mail, call }: ReturnType<typeof newEmailsAccount>): Promise<string> {
  mail.append('INBOX', contentOfMessage('Subject: s\r\n\r\n'), { internalDate: 1_700_000_000 });
  const { list } = await call('get', { ids: null, properties: ['id'] });
  const [{ id = '' } = {}] = list as { id: string }[];
  return id;
}

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
  const id = await onlyEmail(account);
  const mailboxIds = await account.mailboxIds('INBOX', 'One', 'Two');
  const { notUpdated } = await account.call('set', { update: { [id]: { mailboxIds } } });
  expect(notUpdated).toEqual({ [id]: { type: 'forbidden', description: 'the mail server does not allow it' } });
  expect(operations).toEqual(['copy 1 in INBOX to One', 'copy 1 in INBOX to Two', 'remove 1 in One']);
  expect(account.counts()).toEqual({ INBOX: 1, One: 0, Two: 0 });
});

test.each([
  ['both are committed', false],
  ['one of them could not be committed', true],
])(
  'of two who move an Email at the same moment, which the server does for both, one takes it back out of where the other has put it: %s',
  async (_, fails) => {
    const both = signal();
    let copied = 0;
    const account = accountWriting((writing) => ({
      transfer: async (_, messages, target) => {
        const written = await writing.transfer('copy', messages, target);
        copied += 1;
        if (copied === 2) both.give();
        await both.given;
        if (fails && copied === 2) account.store.failCall(1);
        await writing.remove(messages);
        return { ...written, glimpses };
      },
    }));
    const id = await onlyEmail(account);
    const places = [await account.mailboxIds('One'), await account.mailboxIds('Two')];
    const said = await Promise.all(
      places.map((mailboxIds) => account.call('set', { update: { [id]: { mailboxIds } } })),
    );
    expect(said.map(({ updated }) => updated)).toEqual([{ [id]: null }, { [id]: null }]);
    const { INBOX, One = 0, Two = 0 } = account.counts();
    expect([INBOX, One + Two]).toEqual([0, 1]);
    const now = await account.call('get', { ids: [id], properties: ['mailboxIds'] });
    expect(now.list).toEqual([{ id, mailboxIds: places[One === 1 ? 0 : 1] }]);
  },
);

test('an Email that one destroys at the moment when another one moves it, which the server does for both, is destroyed where it is then, too', async () => {
  const [copied, removed, moved] = [signal(), signal(), signal()];
  let removals = 0;
  const account = accountWriting((writing) => ({
    transfer: async (_, messages, target) => {
      const written = await writing.transfer('copy', messages, target);
      copied.give();
      await removed.given;
      return { ...written, glimpses };
    },
    remove: async (messages, ...copies) => {
      removals += 1;
      if (removals > 1) return writing.remove(messages, ...copies);
      await copied.given;
      const written = await writing.remove(messages, ...copies);
      removed.give();
      await moved.given;
      return { ...written, glimpses };
    },
  }));
  const id = await onlyEmail(account);
  const mailboxIds = await account.mailboxIds('One');
  const moving = account.call('set', { update: { [id]: { mailboxIds } } }).finally(moved.give);
  const destroying = account.call('set', { destroy: [id] });
  expect((await moving).updated).toEqual({ [id]: null });
  expect((await destroying).destroyed).toEqual([id]);
  expect(account.counts()).toMatchObject({ INBOX: 0, One: 0 });
  expect((await account.call('get', { ids: [id] })).notFound).toEqual([id]);
});
