import { expect, test } from '@jest/globals';
import { courier } from '../servers/servers.ts';
import { startProduct } from './harness.ts';
import type { MailboxRecord } from './snapshot.ts';

test('mailboxes for the roles that the operator wants are there after the first login, and made once', async () => {
  const server = await courier();
  const product = startProduct(server, { createRoles: ['drafts', 'sent', 'archive'] });
  const user = await server.freshUser();
  for (const created of [3, 0]) {
    const process = await product.startProcess();
    const client = await process.client(user);
    const { list } = await client.get<MailboxRecord>('Mailbox', { ids: null });
    const withRole = list.filter(({ role }) => ['drafts', 'sent', 'archive'].includes(String(role)));
    expect(withRole.map(({ name, isSubscribed }) => [name, isSubscribed]).sort()).toEqual([
      ['Archive', true],
      ['Drafts', true],
      ['Sent', true],
    ]);
    expect(process.imap.commands.filter((name) => name === 'CREATE')).toHaveLength(created);
  }
  await product.stop();
}, 60_000);
