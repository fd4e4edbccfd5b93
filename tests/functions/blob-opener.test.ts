import { expect, test } from '@jest/globals';
import { createBlobOpener } from '../../functions/http/blob-opener.ts';
import { startServer } from '../../functions/local/server.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { mailAccount } from '../methods/mail-account.ts';
import { memoryBlobStore } from './memory-blob-store.ts';
import { alice, streamOf, toyServer } from './toy-server.ts';

/** A server with one uploaded blob, of which the store says another size. */
async function served(octets: string, size: number) {
  const { ports } = mailAccount([]);
  const id = `u${'0'.repeat(32)}`;
  const uploads = { ...memoryBlobStore()('a' as Id), size: async () => size, open: async () => streamOf(octets) };
  const state = { closed: 0 };
  const close = async () => {
    state.closed += 1;
  };
  const openBlob = createBlobOpener(() => ({ ports: { ...ports, uploads }, close }));
  const { ask } = toyServer({ parts: { openBlob } });
  const { accounts } = (await (await ask('/jmap/session', { headers: alice })).json()) as { accounts: object };
  const server = await startServer((request) => ask(new URL(request.url).pathname, { headers: request.headers }), {
    host: '127.0.0.1',
    port: 0,
  });
  const url = `${server.url}/jmap/download/${Object.keys(accounts)[0]}/${id}/x`;
  const download = async () => (await fetch(url, { headers: alice })).text();
  return { download, state, stop: server.stop };
}

test.each([
  ['all the octets that were promised', 'hello', 5, 'hello'],
  ['no more octets than were promised', 'hello HTTP/1.1 200 OK\r\n\r\n', 5, null],
  ['not fewer octets as if they were all', 'hello', 6, null],
])('a client gets %s', async (_, octets, size, expected) => {
  const { download, state, stop } = await served(octets, size);
  expect(await download().catch(() => null)).toBe(expected);
  expect(state.closed).toBe(1);
  await stop();
});
