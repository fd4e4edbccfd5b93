import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MailboxVector } from '../../shared/catalog/mailbox.ts';
import { type ImapAccount, imapAccount } from '../../shared/imap/account.ts';
import type { ImapServer } from '../../shared/imap/endpoint.ts';
import { SessionPool } from '../../shared/imap/pool.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { CanWriteMailboxes, MailboxFailure } from '../../shared/methods/Mailbox/writing.ts';
import { courier, cyrus, dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { imapServer, message, otherClient, passwordOf } from './rig.ts';
import { type Answer, type ScriptedCommand, type ScriptedServer, scriptedServer } from './scripted-server.ts';

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
  const remove = (name: string, known: MailboxVector | null) =>
    mailboxes.remove(full(name), known, full(`${name}-aside`));

  test('are created, subscribed to, renamed with what is below, and deleted', async () => {
    for (const name of ['A', 'A/B']) expect(await mailboxes.create(full(name), null)).toBeNull();
    expect(await mailboxes.subscribe([full('A'), full('A/B')], true)).toBeNull();
    expect((await listed()).get(full('A'))).toMatchObject({ subscribed: true, selectable: true });
    expect(await mailboxes.rename(full('A'), full('Z'))).toBeNull();
    expect([...(await listed()).keys()]).toEqual(expect.arrayContaining([full('Z'), full('Z/B')]));
    expect(await remove('Z/B', await vectorOf('Z/B'))).toBeNull();
    expect(await remove('Z', await vectorOf('Z'))).toBeNull();
    expect([...(await listed()).keys()]).not.toContain(full('Z'));
  });

  test('the server says why not', async () => {
    expect(await mailboxes.create(full('A'), null)).toBeNull();
    // QUIRK(courier): it says no more than that it cannot.
    const exists = title === 'Courier' ? 'refused' : 'exists';
    expect(await mailboxes.create(full('A'), null)).toBe(exists);
    expect(await mailboxes.create(`${full('A')}\n`, null)).toBe('name');
    // It is looked at before, and found to be no such mailbox.
    const empty = { uidValidity: 1, uidNext: 1, messages: 0, highestModseq: null };
    expect(await remove('Never', empty)).toBe('changed');
  });

  test('a mailbox that goes aside does so with what it was known to hold, and with its children', async () => {
    for (const name of ['A', 'A/B']) await mailboxes.create(full(name), null);
    const known = await vectorOf('A');
    const other = await otherClient(server, user);
    await other.append(full('A'), message('late'));
    expect(await mailboxes.rename(full('A'), full('Z'), known)).toBe('changed');
    expect(used.commands).not.toContain('RENAME');
    expect(await mailboxes.rename(full('A'), full('Z'), await vectorOf('A'))).toBeNull();
    expect([...(await listed()).keys()]).toEqual(expect.arrayContaining([full('Z'), full('Z/B')]));
    await other.logout();
  });

  test('one that was set aside is deleted there, also when it has another UIDVALIDITY by that', async () => {
    await mailboxes.create(full('A'), null);
    const known = { ...((await vectorOf('A')) as MailboxVector), uidValidity: null };
    await mailboxes.rename(full('A'), full('A-aside'));
    const other = await otherClient(server, user);
    await other.append(full('A-aside'), message('late'));
    expect(await mailboxes.remove(full('A-aside'), known, null)).toBe('changed');
    const now = { ...known, uidNext: 2, messages: 1 };
    expect(await mailboxes.remove(full('A-aside'), now, null)).toBeNull();
    expect(used.commands.filter((name) => name === 'RENAME')).toHaveLength(1);
    expect([...(await listed()).keys()]).not.toContain(full('A-aside'));
    await other.logout();
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
    expect(await remove('B', await vectorOf('B'))).toBeNull();
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
    expect(await remove('A', known)).toBe('changed');
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
    scripted = await scriptedServer({ answers: { LIST: gone } });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    await expect(account.mailboxes.remove('A', vector, 'A-aside')).rejects.toBeInstanceOf(Unavailable);
    expect(scripted.commands.some((line) => line.startsWith('DELETE'))).toBe(false);
    await end();
  });
});

describe('a mailbox that is destroyed', () => {
  let scripted: ScriptedServer;
  afterEach(() => scripted.close());

  /** `carried out`: what was asked was done, and the answer is lost. */
  type Fault = 'dropped' | 'carried out' | 'refused' | 'mail comes' | 'a child comes';

  /** Removes A, which holds two messages, from a server on which something goes wrong at the nth command of a name. */
  async function removed(faults: Readonly<Record<string, Fault>>, { keepsValidity = true } = {}) {
    const mailboxes = new Map([['A', { uidValidity: 7, uidNext: 3, messages: 2 }]]);
    const counts = new Map<string, number>();
    const faulty = (name: string, act: (line: string) => boolean): Answer => {
      return ({ tag, line, socket }) => {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        const fault = faults[`${name} ${count}`];
        const isDone = fault !== 'dropped' && fault !== 'refused' && act(line);
        if (fault === 'dropped' || fault === 'carried out') {
          socket.destroy();
          return null;
        }
        for (const [name, { uidNext, messages, ...rest }] of [...mailboxes]) {
          if (fault === 'mail comes') mailboxes.set(name, { ...rest, uidNext: uidNext + 1, messages: messages + 1 });
          if (fault === 'a child comes') mailboxes.set(`${name}/B`, { uidValidity: 9, uidNext: 1, messages: 0 });
        }
        return `${tag} ${isDone ? 'OK' : 'NO'} done\r\n`;
      };
    };
    const listing = (line: string) => {
      const start = /"([^"*]*)\*"/.exec(line)?.[1] ?? '';
      return ['INBOX', ...mailboxes.keys()].filter((name) => name.startsWith(start));
    };
    scripted = await scriptedServer({
      answers: {
        LIST: ({ tag, line, socket }) => {
          const names = listing(line);
          const answer = faulty('LIST', () => true) as (command: ScriptedCommand) => string | null;
          const end = answer({ tag, line, socket });
          return end && `${names.map((name) => `* LIST () "/" "${name}"\r\n`).join('')}${end}`;
        },
        LSUB: '% OK done\r\n',
        STATUS: ({ tag, line }) => {
          const name = /STATUS "?([^" ]+)/.exec(line)?.[1] ?? '';
          const { uidValidity, uidNext, messages } = mailboxes.get(name) ?? { uidValidity: 1, uidNext: 1, messages: 0 };
          const items = `MESSAGES ${messages} UIDNEXT ${uidNext} UIDVALIDITY ${uidValidity}`;
          return `* STATUS "${name}" (${items})\r\n${tag} OK done\r\n`;
        },
        RENAME: faulty('RENAME', (line) => {
          const [, from = '', to = ''] = /RENAME "?([^" ]+)"? "?([^" ]+)/.exec(line) ?? [];
          if (!mailboxes.has(from) || mailboxes.has(to)) return false;
          for (const [name, mailbox] of [...mailboxes]) {
            if (name !== from && !name.startsWith(`${from}/`)) continue;
            const uidValidity = mailbox.uidValidity + (keepsValidity ? 0 : 1);
            mailboxes.delete(name);
            mailboxes.set(`${to}${name.slice(from.length)}`, { ...mailbox, uidValidity });
          }
          return true;
        }),
        DELETE: faulty('DELETE', (line) => mailboxes.delete(/DELETE "?([^" ]+)/.exec(line)?.[1] ?? '')),
      },
    });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    const known = { uidValidity: 7, uidNext: 3, messages: 2, highestModseq: null };
    const outcome = await account.mailboxes.remove('A', known, 'A-aside');
    await end();
    const sent = scripted.commands.filter((line) => /^(?:LIST|RENAME|DELETE) /.test(line));
    return { outcome, left: [...mailboxes.keys()], sent: sent.map((line) => line.split(' ')[0]) };
  }

  test('goes aside, is looked at, and goes', async () => {
    const { outcome, left, sent } = await removed({});
    expect({ outcome, left, sent }).toEqual({ outcome: null, left: [], sent: ['LIST', 'RENAME', 'LIST', 'DELETE'] });
  });

  test('goes too where its UIDVALIDITY changes with its name', async () => {
    expect(await removed({}, { keepsValidity: false })).toMatchObject({ outcome: null, left: [] });
  });

  const faults: [faults: Readonly<Record<string, Fault>>, outcome: MailboxFailure | null, left: string[]][] = [
    [{ 'LIST 1': 'mail comes' }, 'changed', ['A']],
    [{ 'RENAME 1': 'mail comes' }, 'changed', ['A']],
    [{ 'LIST 1': 'a child comes' }, 'hasChild', ['A', 'A/B']],
    [{ 'RENAME 1': 'a child comes' }, 'hasChild', ['A', 'A/B']],
    [{ 'RENAME 1': 'dropped' }, 'lost', ['A']],
    [{ 'RENAME 1': 'carried out' }, null, []],
    [{ 'RENAME 1': 'refused' }, null, []],
    [{ 'RENAME 1': 'refused', 'LIST 1': 'mail comes' }, 'changed', ['A']],
    [{ 'LIST 2': 'dropped' }, 'lost', ['A']],
    [{ 'DELETE 1': 'dropped' }, 'lost', ['A']],
    [{ 'DELETE 1': 'carried out' }, null, []],
    [{ 'DELETE 1': 'refused' }, 'refused', ['A']],
    [{ 'DELETE 1': 'refused', 'RENAME 2': 'refused' }, 'refused', ['A-aside']],
    [{ 'DELETE 1': 'dropped', 'LIST 3': 'dropped', 'LIST 4': 'dropped' }, 'lost', ['A']],
    [{ 'DELETE 1': 'carried out', 'LIST 3': 'dropped', 'LIST 4': 'dropped' }, 'unclear', []],
  ];
  test.each(faults)('is gone, or where it was: %j', async (faults, outcome, left) => {
    expect(await removed(faults)).toMatchObject({ outcome, left });
  });
});

test.each([
  ['\\Noselect', null, 1],
  ['\\Marked', 'changed', 0],
])('a node is deleted as the server lists it: %s', async (attribute, outcome, deletions) => {
  const scripted = await scriptedServer({
    answers: {
      LIST: `* LIST (${attribute}) "/" "A"\r\n% OK done\r\n`,
      LSUB: '% OK done\r\n',
      STATUS: '% NO not now\r\n',
      DELETE: '% OK done\r\n',
    },
  });
  const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
  expect(await account.mailboxes.remove('A', null, 'A-aside')).toBe(outcome);
  expect(scripted.commands.filter((line) => line.startsWith('DELETE'))).toHaveLength(deletions);
  await end();
  await scripted.close();
});

describe('what a user names never becomes a command', () => {
  test.each(['a\r\nx DELETE INBOX', 'a\0b', '"', '\\', '{3+}\r\n', 'a) (b', '%*'])('%j', async (name) => {
    const scripted = await scriptedServer({
      answers: {
        CREATE: '% OK done\r\n',
        RENAME: '% OK done\r\n',
        SUBSCRIBE: '% OK done\r\n',
        DELETE: '% OK done\r\n',
        LIST: '% OK done\r\n',
        LSUB: '% OK done\r\n',
      },
    });
    const { account, end } = accountOn(scripted.server, { user: 'u', password: 'p' });
    await account.mailboxes.create(name, 'sent');
    await account.mailboxes.rename(name, `${name}/x`);
    await account.mailboxes.subscribe([name], true);
    await account.mailboxes.remove(name, null, `${name}-aside`);
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
