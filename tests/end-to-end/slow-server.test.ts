import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { appendMessages } from '../../functions/local/append-messages.ts';
import { bulkMessages } from '../../functions/local/sample-mail/bulk-messages.ts';
import { dovecot } from '../servers/servers.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { type Product, startProduct } from './harness.ts';

const messages = 6_000;

test('an account on a slow server is indexed by requests that end soon after their time, and each keeps what it has read', async () => {
  const server = await dovecot();
  const user = await server.freshUser();
  await appendMessages(
    { ...server, ...user },
    bulkMessages({ mailbox: ['INBOX'], count: messages, seed: 1, now: new Date() }),
  );
  const proxy = await startFaultyProxy(server.imapPort);
  const products = [
    startProduct({ ...server, imapPort: proxy.port }),
    startProduct({ ...server, imapPort: proxy.port }),
  ];
  const clientOf = async (product: Product) => (await product.startProcess()).client(user);
  try {
    const [slow, fast] = products as [Product, Product];
    await (await clientOf(fast)).get('Mailbox', {});
    const whole = proxy.octets();

    const client = await clientOf(slow);
    proxy.set({ kind: 'throttle', octetsPerSecond: 300_000 });
    const answer = client.call([['Mailbox/get', { accountId: client.accountId, ids: null }, 'a']]);
    while (proxy.octets() < 0.1 * whole) await setTimeout(10);
    slow.advanceClock(120_000);
    expect(await answer).toMatchObject([['error', { type: 'serverUnavailable' }, 'a']]);
    expect(proxy.octets()).toBeLessThan(0.6 * whole);

    proxy.set(null);
    const { total } = await client.query('Email', { calculateTotal: true, limit: 0 });
    expect(total).toBe(messages);
    expect(proxy.octets()).toBeLessThan(0.95 * whole);
  } finally {
    for (const product of products) await product.stop();
    await proxy.stop();
  }
}, 60_000);
