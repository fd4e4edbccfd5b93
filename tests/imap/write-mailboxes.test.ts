import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ImapAccount, imapAccount } from '../../shared/imap/account.ts';
import type { ImapServer } from '../../shared/imap/endpoint.ts';
import { SessionPool } from '../../shared/imap/pool.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { CanWriteMailboxes, MailboxFailure } from '../../shared/methods/Mailbox/writing.ts';
import { courier, cyrus, dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { imapServer, message, otherClient, passwordOf } from './rig.ts';
import { type Answer, type ScriptedServer, scriptedServer } from './scripted-server.ts';

/** The account of one request, and the commands it sends. */
function accountOn(
  server: ImapServer,
  user: TestUser,
): { account: ImapAccount; commands: string[]; end: () => Promise<void> } {
  const commands: string[] = [];
  const pool = new SessionPool({
    ...{ connectionsMax: 3, parkMs: 0, sessionAgeMaxMs: 60_000 },
    onCommand: (name) => commands.push(name),
  });
  const account = imapAccount(pool, server, passwordOf(user));
  const end = async () => {
    await account.release();
    await pool.close();
  };
  return { account, commands, end };
}

/** Names below the personal prefix. */
const servers = [
  { title: 'Dovecot', start: dovecot, full: (name: string) => name },
  { title: 'Cyrus', start: cyrus, full: (name: string) => name },
  { title: 'Courier', start: courier, full: (name: string) => `INBOX.${name.replaceAll('/', '.')}` },
];

describe.each(servers)('mailboxes on $title', ({ title, start, full }) => {
  let server: TestServer;
  let user: TestUser;
  let used: ReturnType<typeof accountOn>;
  let mailboxes: CanWriteMailboxes;

  beforeEach(async () => {
    server = await start();
    user = await server.freshUser();
    used = accountOn(imapServer(server), user);
    mailboxes = used.account.mailboxes;
  });
  afterEach(() => used.end());

  const listed = async () => new Map((await used.account.source.survey()).map((each) => [each.name, each]));
  const vectorOf = async (name: string) => (await listed()).get(full(name))?.vector ?? null;

  test('are created, subscribed to, renamed with what is below, and deleted', async () => {
    for (const name of ['A', 'A/B']) expect(await mailboxes.create(full(name), null)).toBeNull();
    expect(await mailboxes.subscribe([full('A'), full('A/B')], true)).toBeNull();
    expect((await listed()).get(full('A'))).toMatchObject({ subscribed: true, selectable: true });
    expect(await mailboxes.rename(full('A'), full('Z'))).toBeNull();
    expect([...(await listed()).keys()]).toEqual(expect.arrayContaining([full('Z'), full('Z/B')]));
    expect(await mailboxes.remove(full('Z/B'), await vectorOf('Z/B'))).toBeNull();
    expect(await mailboxes.remove(full('Z'), await vectorOf('Z'))).toBeNull();
    expect([...(await listed()).keys()]).not.toContain(full('Z'));
  });

  test('the server says why not', async () => {
    expect(await mailboxes.create(full('A'), null)).toBeNull();
    // QUIRK(courier): it says no more than that it cannot.
    const exists = title === 'Courier' ? 'refused' : 'exists';
    expect(await mailboxes.create(full('A'), null)).toBe(exists);
    expect(await mailboxes.create(`${full('A')}\n`, null)).toBe('name');
    // It is looked at before, and found to be no such mailbox.
    expect(
      await mailboxes.remove(full('Never'), { uidValidity: 1, uidNext: 1, messages: 0, highestModseq: null }),
    ).toBe('changed');
  });

  test('a mailbox that is open is left before it is renamed or deleted', async () => {
    await mailboxes.create(full('A'), null);
    const facts = { scheme: 'digest', threads: 'derived' } as const;
    const read = async (name: string) => {
      for await (const _ of (await used.account.source.read(full(name), null, facts)).appeared);
    };
    await read('A');
    expect(await mailboxes.rename(full('A'), full('B'))).toBeNull();
    await read('B');
    expect(await mailboxes.remove(full('B'), await vectorOf('B'))).toBeNull();
  });

  test.each<[string, (other: Awaited<ReturnType<typeof otherClient>>) => Promise<unknown>]>([
    ['mail arrived', (other) => other.append(full('A'), message('late'))],
    [
      'another client deleted and made it again',
      async (other) => {
        await other.mailboxDelete(full('A'));
        await other.mailboxCreate(full('A'));
        await other.append(full('A'), message('other'));
      },
    ],
  ])('a mailbox is not deleted when %s since it was looked at', async (_, act) => {
    await mailboxes.create(full('A'), null);
    const known = await vectorOf('A');
    const other = await otherClient(server, user);
    await act(other);
    expect(await mailboxes.remove(full('A'), known)).toBe('changed');
    expect(used.commands).not.toContain('DELETE');
    expect(await vectorOf('A')).toMatchObject({ messages: 1 });
    await other.logout();
  });
});

test('Cyrus takes a mailbox for a special use, and where it does not, the mailbox is made without', async () => {
  const server = await cyrus();
  const { account, commands, end } = accountOn(imapServer(server), await server.freshUser());
  const attributesOf = async (name: string) =>
    (await account.source.survey()).find((each) => each.name === name)?.attributes ?? null;
  expect(await account.mailboxes.create('Later', 'snoozed')).toBeNull();
  expect(await attributesOf('Later')).toContain('\\snoozed');
  // It keeps no such use, and another mailbox has that one.
  for (const role of ['scheduled', 'trash'] as const) {
    expect(await account.mailboxes.create(role, role)).toBeNull();
    expect(await attributesOf(role)).toEqual([]);
  }
  expect(commands.filter((name) => name === 'CREATE')).toHaveLength(5);
  await end();
});

describe('when the answer is lost', () => {
  let scripted: ScriptedServer;
  afterEach(() => scripted.close());

  const list = (...names: string[]) => `${names.map((name) => `* LIST () "/" "${name}"\r\n`).join('')}% OK done\r\n`;
  const lsub = (...names: string[]) => `${names.map((name) => `* LSUB () "/" "${name}"\r\n`).join('')}% OK done\r\n`;
  const status: Answer = ({ tag, line }) =>
    `* STATUS ${/STATUS (\S+)/.exec(line)?.[1]} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7)\r\n${tag} OK done\r\n`;
  const gone: Answer = ({ socket }) => {
    socket.destroy();
    return null;
  };
  const vector = { uidValidity: 7, uidNext: 1, messages: 0, highestModseq: null };

  const cases: [
    command: string,
    act: (to: CanWriteMailboxes) => Promise<unknown>,
    now: string[],
    outcome: MailboxFailure | null,
  ][] = [
    ['CREATE', (to) => to.create('A', null), ['INBOX', 'A'], null],
    ['CREATE', (to) => to.create('A', null), ['INBOX'], 'lost'],
    ['RENAME', (to) => to.rename('A', 'B'), ['INBOX', 'B'], null],
    ['RENAME', (to) => to.rename('A', 'B'), ['INBOX', 'A'], 'lost'],
    ['RENAME', (to) => to.rename('A', 'B'), ['INBOX', 'A', 'B'], 'unclear'],
    ['RENAME', (to) => to.rename('A', 'B'), ['INBOX'], 'unclear'],
    ['DELETE', (to) => to.remove('A', vector), ['INBOX'], null],
    ['DELETE', (to) => to.remove('A', vector), ['INBOX', 'A'], 'lost'],
    ['SUBSCRIBE', (to) => to.subscribe(['A'], true), ['INBOX', 'A'], null],
    ['UNSUBSCRIBE', (to) => to.subscribe(['A'], false), ['INBOX', 'A'], 'lost'],
  ];
  test.each(cases)(
    'to %s, it is not sent again, and what is listed decides (%#)',
    async (command, act, now, outcome) => {
      scripted = await scriptedServer({
        answers: { [command]: gone, LIST: list(...now), LSUB: lsub('A'), STATUS: status },
      });
      const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
      expect(await act(account.mailboxes)).toBe(outcome);
      expect(scripted.commands.filter((line) => line.startsWith(`${command} `))).toHaveLength(1);
      await end();
    },
  );

  test('and nothing can be listed either, it is unclear', async () => {
    scripted = await scriptedServer({ answers: { CREATE: gone, LIST: gone, LSUB: gone } });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    expect(await account.mailboxes.create('A', null)).toBe('unclear');
    await end();
  });

  test('before anything was sent, that is an exception', async () => {
    scripted = await scriptedServer({ answers: { STATUS: gone } });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    await expect(account.mailboxes.remove('A', vector)).rejects.toBeInstanceOf(Unavailable);
    expect(scripted.commands.some((line) => line.startsWith('DELETE'))).toBe(false);
    await end();
  });
});

describe('what a user names never becomes a command', () => {
  test.each(['a\r\nx DELETE INBOX', 'a\0b', '"', '\\', '{3+}\r\n', 'a) (b', '%*'])('%j', async (name) => {
    const scripted = await scriptedServer({
      answers: {
        CREATE: '% OK done\r\n',
        RENAME: '% OK done\r\n',
        SUBSCRIBE: '% OK done\r\n',
        DELETE: '% OK done\r\n',
      },
    });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    await account.mailboxes.create(name, 'sent');
    await account.mailboxes.rename(name, `${name}/x`);
    await account.mailboxes.subscribe([name], true);
    await account.mailboxes.remove(name, null);
    const sent = scripted.commands.filter((line) => /^(?:CREATE|RENAME|SUBSCRIBE|DELETE)/.test(line));
    const isPossible = !/[\r\n\0]/.test(name);
    expect(sent.map((line) => line.split(' ')[0])).toEqual(
      isPossible ? ['CREATE', 'RENAME', 'SUBSCRIBE', 'DELETE'] : [],
    );
    const quoted = `"${name.replace(/["\\]/g, '\\$&')}"`;
    for (const line of sent) expect(line.startsWith(`${line.split(' ')[0]} ${quoted}`)).toBe(true);
    await end();
    await scripted.close();
  });
});
