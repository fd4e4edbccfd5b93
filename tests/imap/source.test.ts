import { afterAll, describe, expect, test } from '@jest/globals';
import type { MailboxVector } from '../../shared/catalog/mailbox.ts';
import type { Appearance } from '../../shared/catalog/source.ts';
import { MailboxGone } from '../../shared/catalog/source.ts';
import type { ImapServer } from '../../shared/imap/endpoint.ts';
import { imapSource } from '../../shared/imap/source.ts';
import { uidsIn } from '../../shared/imap/uid-ranges.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import {
  applyReading,
  asKnown,
  comparable,
  imapServer,
  type MailboxModel,
  message,
  oneSession,
  otherClient,
  passwordOf,
} from './rig.ts';

const open: { close(): void }[] = [];
afterAll(() => {
  for (const each of open) each.close();
});

/** A new account with a source for it, and another client in it. */
async function account(start: () => Promise<TestServer>, options: Parameters<typeof imapServer>[1] = {}) {
  const running = await start();
  const user = await running.freshUser();
  const server: ImapServer = imapServer(running, options);
  const { use, session, commands } = await oneSession(server, passwordOf(user));
  const other = await otherClient(running, user);
  open.push(session, other);
  return { source: imapSource(use, server), use, session, commands, other, running, user, server };
}

async function allOf(batches: AsyncIterable<Iterable<Appearance>>): Promise<Appearance[]> {
  const all: Appearance[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

const backends: [string, () => Promise<TestServer>, Parameters<typeof imapServer>[1]][] = [
  ['Dovecot', dovecot, {}],
  ['Dovecot without QRESYNC', dovecot, { ignoring: ['QRESYNC'] }],
  ['Dovecot without LIST-STATUS', dovecot, { ignoring: ['LIST-STATUS'] }],
  [
    'Dovecot without anything newer than RFC 3501',
    dovecot,
    {
      ignoring: [
        'QRESYNC',
        'CONDSTORE',
        'ENABLE',
        'ESEARCH',
        'LIST-STATUS',
        'LIST-EXTENDED',
        'LITERAL+',
        'SASL-IR',
        'UNSELECT',
      ],
      forbiddenIdentitySchemes: ['xguid'],
    },
  ],
  ['Cyrus', cyrus, {}],
  ['Courier', courier, {}],
];

describe.each(backends)('%s', (name, start, options) => {
  test('a mailbox is read as it is after everything another client does to it', async () => {
    const { source, other, session } = await account(start, options);
    const facts = await source.scheme();
    let model: MailboxModel | null = null;
    const sync = async () => {
      const known: MailboxModel | null = model;
      const reading = await source.read('INBOX', known && asKnown(known), facts);
      model = await applyReading(known, reading);
      await other.noop();
      const really: [number, Set<string>][] = [];
      const lock = await other.getMailboxLock('INBOX');
      for await (const { uid, flags } of other.fetch('1:*', { flags: true, uid: true }))
        really.push([uid, flags ?? new Set()]);
      lock.release();
      expect(comparable(model.rows)).toEqual(comparable(really));
      const present = await source.presentUids('INBOX');
      expect(uidsIn(present, 100)).toEqual([...model.rows.keys()].sort((a, b) => a - b));
      if (session.has('UNSELECT')) await session.unselect();
    };

    await sync();
    for (let count = 1; count <= 6; count++)
      await other.append('INBOX', message(`m${count}`), count % 2 ? ['\\Seen'] : []);
    await sync();
    await sync();
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('1:3', ['\\Flagged', '$Forwarded'], { uid: true });
    await sync();
    await other.messageDelete('2', { uid: true });
    await other.messageFlagsRemove('3', ['\\Flagged'], { uid: true });
    await other.append('INBOX', message('m7'), ['\\Draft']);
    await sync();
    await other.messageFlagsAdd('4', ['\\Deleted'], { uid: true });
    await other.messageDelete('6', { uid: true });
    await sync();
    await other.messageDelete('1:*', { uid: true });
    await sync();
    await other.append('INBOX', message('m8'));
    await sync();
  });

  test('what appears has what identity needs', async () => {
    const { source, other } = await account(start, options);
    const facts = await source.scheme();
    const references = '<one@example.com>\r\n <two@example.com>';
    const text = message('hello', {
      'In-Reply-To': '<two@example.com>',
      References: references,
      Date: 'Fri, 1 Mar 2024 10:00:00 +0100',
      Received: 'from a\r\n\tby b; Fri, 1 Mar 2024 10:00:01 +0100',
    });
    await other.append('INBOX', text, ['\\Seen'], new Date('2024-03-05T23:59:59Z'));
    const [appearance] = await allOf((await source.read('INBOX', null, facts)).appeared);
    expect(appearance).toMatchObject({
      uid: 1,
      flags: expect.arrayContaining(['\\Seen']),
      internalDate: Date.parse('2024-03-05T23:59:59Z') / 1000,
      size: text.length,
    });
    const threadFields = {
      messageId: '<hello@example.com>',
      references: '<one@example.com> <two@example.com>',
      inReplyTo: '<two@example.com>',
    };
    switch (facts.scheme) {
      case 'objectid':
        expect(appearance).toMatchObject({
          serverEmailId: expect.stringMatching(/^\S+$/),
        });
        break;
      case 'xguid':
        expect(appearance).toMatchObject({ serverEmailId: expect.stringMatching(/^[0-9a-f]{32}$/), ...threadFields });
        break;
      default:
        expect(appearance).toMatchObject({
          ...threadFields,
          serverEmailId: null,
          digestFields: {
            date: 'Fri, 1 Mar 2024 10:00:00 +0100',
            from: 'Anna <anna@example.com>',
            received: expect.stringContaining('from a\r\n\tby b;'),
          },
        });
    }
  });

  test('a survey names every mailbox with its vector, whatever it is called', async () => {
    const { source, other, session } = await account(start, options);
    const { others } = await session.namespaces();
    const prefix = other.namespace?.prefix ?? '';
    const names = ['Entwürfe & Co', '台北', 'a "quoted" one', 'back\\slash', '100% {3}'];
    const created: string[] = [];
    for (const each of names) {
      const path = await other.mailboxCreate(each).then(
        ({ path }) => path,
        () => null,
      );
      if (path !== null) created.push(path);
    }
    expect(created.length).toBeGreaterThanOrEqual(2);
    await other.append('INBOX', message('one'));
    const mailboxes = new Map((await source.survey()).map((mailbox) => [mailbox.name, mailbox]));
    expect([...mailboxes.keys()]).toEqual(expect.arrayContaining(['INBOX', ...created]));
    expect([...mailboxes.keys()].every((each) => !others.some((other) => each.startsWith(other)))).toBe(true);
    expect(mailboxes.get('INBOX')).toMatchObject({ selectable: true, vector: { messages: 1, uidNext: 2 } });
    const facts = await source.scheme();
    for (const path of created) {
      const surveyed = mailboxes.get(path)?.vector;
      const read = (await source.read(path, null, facts)).vector;
      expect(read).toEqual(surveyed);
    }
    expect(prefix === '' || created.every((path) => path.startsWith(prefix))).toBe(true);
  });

  test('a survey tells of the mailbox that is open as it is by now', async () => {
    const { source, other } = await account(start, options);
    const facts = await source.scheme();
    const told = async () => (await source.survey()).find((mailbox) => mailbox.name === 'INBOX')?.vector?.messages;
    for (let count = 1; count <= 3; count++) {
      await allOf((await source.read('INBOX', null, facts)).appeared);
      await other.append('INBOX', message(`m${count}`));
      expect(await told()).toBe(count);
    }
    await allOf((await source.read('INBOX', null, facts)).appeared);
    await other.mailboxOpen('INBOX');
    await other.messageDelete('1:2', { uid: true });
    expect(await told()).toBe(1);
  });

  test('subscriptions and special uses are told', async () => {
    const { source, other } = await account(start, options);
    await other.mailboxCreate('Known');
    await other.mailboxCreate('Unknown');
    await other.mailboxSubscribe('Known');
    await other.mailboxUnsubscribe('Unknown');
    const mailboxes = await source.survey();
    const subscribed = (end: string) => mailboxes.find((mailbox) => mailbox.name.endsWith(end))?.subscribed;
    expect([
      subscribed('Unknown'),
      mailboxes.find((mailbox) => /(?<!Un)Known$/.test(mailbox.name))?.subscribed,
    ]).toEqual([false, true]);
    if (name === 'Dovecot') {
      expect(mailboxes.find((mailbox) => mailbox.name === 'Sent')?.attributes).toEqual(['\\sent']);
    }
  });

  test.each([
    ['deleted', 'Nowhere'],
    ['with NUL in its name', 'a\0b'],
    ['named by a command', 'x"\r\na1 DELETE INBOX\r\n'],
    ['named by a literal', '{3+}\r\nabc'],
  ])('a mailbox that is not there is gone: %s', async (_, mailbox) => {
    const { source } = await account(start, options);
    await expect(source.read(mailbox, null, { scheme: 'digest', threads: 'derived' })).rejects.toThrow(MailboxGone);
    expect((await source.survey()).some(({ name: each }) => each === 'INBOX')).toBe(true);
  });

  test('a mailbox of which the survey told is the same, also when it is gone meanwhile', async () => {
    const { source, other } = await account(start, options);
    const facts = await source.scheme();
    const { path } = await other.mailboxCreate('Told');
    for (const text of ['one', 'two', 'three']) await other.append(path, message(text));
    const told = (await source.survey()).find((mailbox) => mailbox.name === path)?.vector ?? null;
    expect(told?.messages).toBe(3);
    const read = async (vector: MailboxVector | null) => {
      const { appeared, ...rest } = await source.read(path, null, facts, vector);
      return { ...rest, appeared: await allOf(appeared) };
    };
    expect(await read(told)).toEqual(await read(null));
    await other.append(path, message('four'));
    expect((await read(told)).appeared).toHaveLength(4);
    await other.mailboxDelete(path);
    await expect(read(told)).rejects.toThrow(MailboxGone);
    expect((await source.survey()).some(({ name: each }) => each === 'INBOX')).toBe(true);
  });

  test('a mailbox deleted and made again is renewed', async () => {
    const { source, other } = await account(start, options);
    const facts = await source.scheme();
    const { path } = await other.mailboxCreate('Again');
    await other.append(path, message('one'));
    await other.append(path, message('two'));
    const model = await applyReading(null, await source.read(path, null, facts));
    expect([...model.rows.keys()]).toEqual([1, 2]);
    await source.read('INBOX', null, facts);
    // UIDVALIDITY is made of the time, in seconds, on some servers.
    for (let made = model.vector.uidValidity; made === model.vector.uidValidity; ) {
      await other.mailboxDelete(path);
      await other.mailboxCreate('Again');
      const status = await other.status(path, { uidValidity: true });
      if (status) made = Number(status.uidValidity);
    }
    await other.append(path, message('three'));
    const reading = await source.read(path, asKnown(model), facts);
    expect(reading.kind).toBe('renewed');
    expect((await allOf(reading.appeared)).map(({ uid }) => uid)).toEqual([1]);
  });
});

test('a mailbox larger than a batch comes in batches, in UID order, without gaps or repetitions', async () => {
  const { source, other, commands } = await account(dovecot);
  const facts = await source.scheme();
  const text = message('many');
  const session = await oneSessionOf(other);
  await session(text, 4500);
  await other.mailboxOpen('INBOX');
  await other.messageDelete('100:200', { uid: true });
  const reading = await source.read('INBOX', null, facts);
  const sizes: number[] = [];
  const uids: number[] = [];
  for await (const batch of reading.appeared) {
    sizes.push(batch.length);
    uids.push(...[...batch].map(({ uid }) => uid));
  }
  expect(sizes[0]).toBe(100);
  expect(sizes.length).toBeGreaterThan(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2000);
  expect(uids).toEqual(uidsIn(reading.present, 10_000));
  expect(commands.filter((command) => command === 'UID SEARCH')).toHaveLength(1);
});

async function oneSessionOf(other: Awaited<ReturnType<typeof otherClient>>) {
  return async (text: string, count: number) => {
    await other.append('INBOX', text);
    await other.mailboxOpen('INBOX');
    for (let have = 1; have < count; have = Math.min(2 * have, count)) {
      await other.messageCopy(`1:${Math.min(have, count - have)}`, 'INBOX', { uid: false });
      await other.noop();
    }
  };
}

test('on Dovecot rights are asked where ACL is offered, and ids where OBJECTID is', async () => {
  const { source } = await account(dovecot);
  expect(await source.rights(['INBOX'])).toEqual(new Map([['INBOX', expect.stringContaining('lr')]]));
  expect(await source.mailboxIds(['INBOX'])).toBeNull();
  const without = await account(dovecot, { ignoring: ['ACL'] });
  expect(await without.source.rights(['INBOX'])).toBeNull();
});

test('on Cyrus mailboxes have ids', async () => {
  const { source } = await account(cyrus);
  expect(await source.mailboxIds(['INBOX', 'Nowhere'])).toEqual(
    new Map([['INBOX', expect.stringMatching(/^[\w-]+$/)]]),
  );
});

test.each<[string, () => Promise<TestServer>, Parameters<typeof imapServer>[1], object]>([
  ['OBJECTID', cyrus, {}, { scheme: 'objectid', threads: expect.any(String) }],
  ['X-GUID', dovecot, {}, { scheme: 'xguid', threads: 'derived' }],
  ['nothing of the kind', courier, {}, { scheme: 'digest', threads: 'derived' }],
  ['what is forbidden', dovecot, { forbiddenIdentitySchemes: ['xguid'] }, { scheme: 'digest', threads: 'derived' }],
  ['what is not to be believed', cyrus, { ignoring: ['OBJECTID'] }, { scheme: 'digest', threads: 'derived' }],
])('the identity scheme of a server with %s', async (_, start, options, expected) => {
  const { source, other } = await account(start, options);
  expect(await source.scheme()).toEqual(expected);
  await other.append('INBOX', message('one'));
  expect(await source.scheme()).toEqual(expected);
});

test('threads are derived on a Cyrus that names none, and each message is read once', async () => {
  const { source, other, commands } = await account(cyrus);
  expect(await source.scheme()).toEqual({ scheme: 'objectid', threads: 'server' });
  await other.append('INBOX', message('one'));
  const facts = await source.scheme();
  expect(facts).toEqual({ scheme: 'objectid', threads: 'derived' });
  commands.length = 0;
  await applyReading(null, await source.read('INBOX', null, facts));
  expect(commands).toEqual(['EXAMINE', 'UID FETCH']);
});

test('one delivery costs three commands with QRESYNC: the survey, the EXAMINE that tells of it, the FETCH of it', async () => {
  const { source, other, commands } = await account(dovecot);
  const facts = await source.scheme();
  await other.append('INBOX', message('one'));
  const model = await applyReading(null, await source.read('INBOX', null, facts));
  await other.append('INBOX', message('two'));
  await source.survey();
  commands.length = 0;
  await source.survey();
  await applyReading(model, await source.read('INBOX', asKnown(model), facts));
  expect(commands).toEqual(['LIST', 'EXAMINE', 'UID FETCH']);
});
