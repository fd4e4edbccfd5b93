import { afterEach, describe, expect, test } from '@jest/globals';
import type { ImapServer } from '../../shared/imap/endpoint.ts';
import { imapUrls } from '../../shared/imap/message-urls.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, oneSession, passwordOf } from './rig.ts';
import { type Answer, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const token = 'ab'.repeat(20);
const place = { mailbox: 'INBOX', uidValidity: 7, uid: 12 };
const expiresAt = Date.parse('2026-05-01T12:00:00.250Z');
const asked = (line: string) => /GENURLAUTH "(.*)" INTERNAL$/.exec(line)?.[1] ?? '';
/** Tells what was asked for, followed by this. */
const echoed =
  (more: string): Answer =>
  ({ tag, line, socket }) => {
    socket.write(`* GENURLAUTH "${asked(line)}${more}"\r\n${tag} OK done\r\n`);
    return null;
  };
const decent = echoed(`:internal:${token}`);

async function urls(
  answer: Answer,
  { user = 'anna', imap = {} }: { user?: string; imap?: Partial<ImapServer['imap']> } = {},
) {
  const scripted: ScriptedServer = await scriptedServer({ answers: { GENURLAUTH: answer } });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  stops.push(scripted.close, () => session.leave());
  const server = {
    ...scripted.server,
    imap: { ...scripted.server.imap, host: 'imap.example.com', port: 143, ...imap },
  };
  const given = imapUrls(use, server, { kind: 'password', user, password: 'secret' });
  const commands = () => scripted.commands.filter((line) => line.startsWith('GENURLAUTH'));
  return { ...given, commands };
}

describe('the URL of a section for the submission server', () => {
  test('names the message, the time, and for whom it may be used', async () => {
    const { urlOf, commands } = await urls(decent);
    const url =
      'imap://anna@imap.example.com/INBOX;UIDVALIDITY=7/;UID=12/;SECTION=TEXT;EXPIRE=2026-05-01T12:00:00Z;URLAUTH=submit+anna';
    expect(await urlOf(place, 'TEXT', expiresAt)).toBe(`${url}:internal:${token}`);
    expect(commands()).toEqual([`GENURLAUTH "${url}" INTERNAL`]);
  });

  test.each([
    ['anna@example.com', 'anna%40example.com'],
    ['a;b/c@d:e f?g#h"i\\j+k%l', 'a%3Bb%2Fc%40d%3Ae%20f%3Fg%23h%22i%5Cj%2Bk%25l'],
    ["j\u00fcrgen!'()*", 'j%C3%BCrgen%21%27%28%29%2A'],
    ['x@evil.example/INBOX', 'x%40evil.example%2FINBOX'],
    ['a\r\nA1 LOGOUT', 'a%0D%0AA1%20LOGOUT'],
  ])('has the user %j as text and nothing else', async (user, escaped) => {
    const { urlOf, commands } = await urls(decent, { user });
    const url = (await urlOf(place, 'TEXT', expiresAt)) ?? '';
    expect(url.startsWith(`imap://${escaped}@imap.example.com/INBOX;UIDVALIDITY=7/`)).toBe(true);
    expect(url.endsWith(`;URLAUTH=submit+${escaped}:internal:${token}`)).toBe(true);
    expect(commands()).toHaveLength(1);
  });

  test.each([
    ['Lists/a b', 'Lists/a%20b'],
    ['a;UID=1/;URLAUTH=anonymous', 'a%3BUID%3D1/%3BURLAUTH%3Danonymous'],
    ['a" INTERNAL\r\nA1 LOGOUT', 'a%22%20INTERNAL%0D%0AA1%20LOGOUT'],
    ['a LAST', 'a%20LAST'],
    ['100%25?@:#[]&\\', '100%2525%3F%40%3A%23%5B%5D%26%5C'],
    ['Entw\u00fcrfe', 'Entw%C3%BCrfe'],
    ['..a/b../.c', '..a/b../.c'],
    ['\ud83d\ude00', '%F0%9F%98%80'],
  ])('has the mailbox %j as text and nothing else', async (mailbox, escaped) => {
    const { urlOf, commands } = await urls(decent);
    const url = (await urlOf({ ...place, mailbox }, 'TEXT', expiresAt)) ?? '';
    expect(url.startsWith(`imap://anna@imap.example.com/${escaped};UIDVALIDITY=7/;UID=12/;SECTION=TEXT;`)).toBe(true);
    expect(url).toMatch(/^[!-~]+$/);
    expect(commands()).toHaveLength(1);
  });

  test.each(['..', '.', 'a/../b', 'a/./b', '../a', 'a/..', 'a//b', '/a', 'a/', '\ufeffa&b'])(
    'is none, and none is asked for, where the path of the mailbox %j would be another one',
    async (mailbox) => {
      const { urlOf, commands } = await urls(decent);
      expect(await urlOf({ ...place, mailbox }, 'TEXT', expiresAt)).toBeNull();
      expect(commands()).toEqual([]);
    },
  );

  test.each<[string, Partial<ImapServer['imap']>, string]>([
    ['its usual port is not named', { port: 143, tls: 'starttls' }, 'imap.example.com'],
    ['another one is', { port: 1143, tls: 'starttls' }, 'imap.example.com:1143'],
    ['one of TLS from the first octet is none of IMAP URLs', { port: 993, tls: 'implicit' }, 'imap.example.com'],
    ['an address may be one of IPv6', { host: '::1', port: 143 }, '[::1]'],
  ])('names the server: %s', async (_, imap, authority) => {
    const { urlOf } = await urls(decent, { imap });
    expect(await urlOf(place, 'TEXT', expiresAt)).toContain(`imap://anna@${authority}/INBOX;`);
  });

  test.each<[string, Answer]>([
    ['refuses', '% NO no\r\n'],
    ['does not know the command', '% BAD what?\r\n'],
    ['tells none', '% OK done\r\n'],
    ['tells NIL', '* GENURLAUTH NIL\r\n% OK done\r\n'],
    [
      'gives it for another message',
      `* GENURLAUTH "imap://anna@imap.example.com/x:internal:${token}"\r\n% OK done\r\n`,
    ],
    ['authorizes nothing', echoed('')],
    ['has a weak token', echoed(':internal:abcd')],
    ['adds something', echoed(`:internal:${token} LAST`)],
    ['adds something else', echoed(`0:internal:${token}`)],
  ])('is none where the server %s', async (_, answer) => {
    const { urlOf } = await urls(answer);
    expect(await urlOf(place, 'TEXT', expiresAt)).toBeNull();
  });

  test('is not known where the connection is lost', async () => {
    const { urlOf } = await urls(({ socket }) => {
      socket.destroy();
      return null;
    });
    await expect(urlOf(place, 'TEXT', expiresAt)).rejects.toThrow(Unavailable);
  });

  test.each<[string, () => Promise<TestServer>, boolean]>([
    ['Cyrus gives some', cyrus, true],
    ['Dovecot gives none where its administrator does not say how it is called', dovecot, false],
  ])('can be had where the server offers URLAUTH: %s', async (_, start, canGive) => {
    const server = await start();
    const user = await server.freshUser();
    const { use, session } = await oneSession(imapServer(server), passwordOf(user));
    stops.push(() => session.leave());
    // Cyrus calls itself so, and gives none that name another server.
    const imap = { host: 'localhost', port: 143, tls: 'starttls', ca: null } as const;
    const { canGiveUrls, urlOf } = imapUrls(use, imapServer(server, { imap }), passwordOf(user));
    expect(await canGiveUrls()).toBe(canGive);
    const given = await urlOf({ mailbox: 'INBOX', uidValidity: 1, uid: 1 }, 'TEXT', Date.now() + 60_000);
    expect(given === null).toBe(!canGive);
  });
});
