import { expect, test } from '@jest/globals';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { createRoleMailboxes } from '../../../shared/methods/Mailbox/role-mailboxes.ts';
import { accountRecords } from '../../../shared/records/account-records.ts';
import { createMemoryRecordStore } from '../../../shared/records/memory-store.ts';
import { fakeMailServer } from '../../catalog/fake-mail-server.ts';
import { type MailboxAbilities, mailboxesOf } from '../../in-memory/mailboxes.ts';

type Scene = MailboxAbilities & {
  readonly attributes?: readonly string[];
  readonly kept?: JsonObject;
  readonly isAway?: boolean;
};

/** The names and whether they are subscribed to, after mailboxes were made for `sent` and `trash`. */
async function namesAfter(names: readonly string[], { attributes, kept, isAway, ...abilities }: Scene = {}) {
  const server = fakeMailServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived' });
  for (const name of names) server.create(name);
  if (attributes !== undefined) server.mark(names.at(-1) ?? '', attributes);
  const store = createMemoryRecordStore({ now: () => 1 });
  const records = accountRecords({ store, account: 'a', randomKey: () => 'k'.repeat(12) });
  if (kept !== undefined) {
    const edits = [{ id: 'm1' as Id, value: kept }];
    await records.change({ name: 'Mailbox' }, () => ({ edits, answer: null }));
  }
  const plain = server.connect();
  const survey = () => (isAway ? Promise.reject(new Unavailable('away')) : plain.survey());
  await createRoleMailboxes(['sent', 'trash'], {
    source: { survey },
    mailboxes: mailboxesOf(server, abilities),
    records,
  });
  return (await plain.survey()).map(({ name, subscribed }) => (subscribed ? name : `${name}, unsubscribed`));
}

test('a mailbox is made for each role that none has', async () => {
  expect(await namesAfter(['INBOX'])).toEqual(['INBOX', 'Sent', 'Trash']);
  expect(await namesAfter(['INBOX', 'Gesendet'])).toEqual(['Gesendet', 'INBOX', 'Trash']);
  expect(await namesAfter(['INBOX', 'Bin', 'Out'], { attributes: ['\\Sent'] })).toEqual(['Bin', 'INBOX', 'Out']);
});

test('what a client gave a role to counts', async () => {
  const kept = { role: 'sent', sortOrder: null };
  expect(await namesAfter(['INBOX', 'Mine'], { kept })).toEqual(['INBOX', 'Mine', 'Trash']);
});

test('they are below the prefix that all other mailboxes have', async () => {
  const naming = { prefix: 'INBOX/', delimiter: '/' };
  expect(await namesAfter(['INBOX'], { naming })).toEqual(['INBOX', 'INBOX/Sent', 'INBOX/Trash']);
  expect(await namesAfter(['INBOX', 'INBOX/A'], { naming })).toEqual(['INBOX', 'INBOX/A', 'INBOX/Sent', 'INBOX/Trash']);
});

test('what is refused, or cannot be asked, is left', async () => {
  expect(await namesAfter(['INBOX'], { refuses: (_, name) => (name === 'Sent' ? 'forbidden' : null) })).toEqual([
    'INBOX',
    'Trash',
  ]);
  expect(await namesAfter(['INBOX'], { isAway: true })).toEqual(['INBOX']);
});
