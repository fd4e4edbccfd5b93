import { expect, test } from '@jest/globals';
import { nameSetAside } from '../../../shared/catalog/set-aside.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import { putBack, setAsideMsMax } from '../../../shared/methods/Mailbox/put-back.ts';
import { fakeMailServer } from '../../catalog/fake-mail-server.ts';
import { type MailboxAbilities, mailboxesOf } from '../../in-memory/mailboxes.ts';

const now = 1_800_000_000_000;
const long = now - setAsideMsMax - 1;

/** The names after mailboxes of these were put back. */
async function namesAfter(names: readonly string[], abilities: MailboxAbilities = {}): Promise<string[]> {
  const server = fakeMailServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived' });
  for (const name of names) server.create(name);
  await putBack(names, { mailboxes: mailboxesOf(server, abilities), surroundings: { now: () => now } });
  return server.names().sort();
}

test('a mailbox that was set aside long ago gets its name back, and no other does', async () => {
  const young = nameSetAside('Young', now - setAsideMsMax);
  const names = ['INBOX', nameSetAside('A/B', long), young, 'Old--postern-aside-'];
  expect(await namesAfter(names)).toEqual(['A/B', 'INBOX', 'Old--postern-aside-', young].sort());
});

test('it gets another name where that one is taken by now', async () => {
  expect(await namesAfter(['A', nameSetAside('A', long), 'A 2'])).toEqual(['A', 'A 2', 'A 3']);
});

test('it stays for the next time where the mail server refuses or cannot be asked', async () => {
  const names = [nameSetAside('A', long), nameSetAside('B', long)];
  expect(await namesAfter(names, { refuses: () => 'forbidden' })).toEqual(names);
  const refuses = () => {
    throw new Unavailable('the mail server does not answer');
  };
  expect(await namesAfter(names, { refuses })).toEqual(names);
});
