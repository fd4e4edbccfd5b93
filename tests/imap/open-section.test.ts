import { afterEach, describe, expect, test } from '@jest/globals';
import { imapLimits } from '../../shared/imap/limits.ts';
import { openSection } from '../../shared/imap/open-section.ts';
import { oneSession } from './rig.ts';
import { scriptedServer } from './scripted-server.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A server whose only message has these octets, and of which it says another size. */
async function lyingServer(octets: string, size: number) {
  const { server, close } = await scriptedServer({
    answers: {
      'UID FETCH': ({ line }) => {
        const [, from = '0', count = '0'] = /BODY\.PEEK\[[^\]]*\]<(\d+)\.(\d+)>/.exec(line) ?? [];
        const told = octets.slice(Number(from), Number(from) + Number(count));
        const section = /BODY\.PEEK(\[[^\]]*\])/.exec(line)?.[1];
        return `* 1 FETCH (UID 1 RFC822.SIZE ${size} BODY${section}<${from}> {${told.length}}\r\n${told})\r\n% OK done\r\n`;
      },
    },
  });
  stops.push(close);
  const { use, session } = await oneSession(server, { kind: 'password', user: 'anna', password: 'secret' });
  stops.push(() => session.close());
  const hold = () => () => {};
  return (section: string) => openSection(use, hold, { mailbox: 'INBOX', uidValidity: 7, uid: 1 }, section);
}

const chunk = imapLimits.streamChunkOctets;

describe('the size of a message that is opened', () => {
  test.each([
    ['of few octets', 700, 700, 700],
    ['of few octets, of which more are said', 700, 800, 700],
    ['of few octets, of which fewer are said', 700, 5, 700],
    ['of none', 0, 5, 0],
    ['of many octets', chunk + 100, chunk + 100, chunk + 100],
    ['of exactly one chunk', chunk, chunk, chunk],
    ['of many octets, of which more are said', chunk + 100, chunk + 101, null],
    ['of many octets, of which fewer are said', chunk + 100, chunk + 99, null],
    ['of many octets, of which far fewer are said', chunk + 100, 5, null],
  ])('%s is told only as it is', async (_, octets, said, told) => {
    const open = await lyingServer('x'.repeat(octets), said);
    const opened = await open('');
    expect(opened?.size).toBe(told);
    expect((await new Response(opened?.octets).arrayBuffer()).byteLength).toBe(octets);
  });

  test('is not that of its parts', async () => {
    const open = await lyingServer('x'.repeat(chunk + 100), chunk + 100);
    const opened = await open('1');
    expect(opened?.size).toBeNull();
    await opened?.octets.cancel();
  });
});
