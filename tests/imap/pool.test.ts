import { afterEach, describe, expect, test } from '@jest/globals';
import type { ImapFlow } from 'imapflow';
import { MailboxUnseen } from '../../shared/catalog/source.ts';
import { imapAccount } from '../../shared/imap/account.ts';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { Throttled } from '../../shared/imap/failure.ts';
import { type PoolOptions, SessionPool } from '../../shared/imap/pool.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, message, otherClient, passwordOf } from './rig.ts';
import { type Script, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const anna: ImapCredential = { kind: 'password', user: 'anna', password: 'secret' };
const annaAnew: ImapCredential = { kind: 'password', user: 'anna', password: 'changed' };
const bert: ImapCredential = { kind: 'password', user: 'bert', password: 'secret' };

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});

function poolOf(options: Partial<PoolOptions> = {}): SessionPool {
  const pool = new SessionPool({
    connectionsMax: 3,
    parkMs: 60_000,
    sessionAgeMaxMs: 600_000,
    queueMs: 50,
    ...options,
  });
  running.push(pool);
  return pool;
}

async function start(script: Script = {}): Promise<ScriptedServer> {
  const scripted = await scriptedServer(script);
  running.push(scripted);
  return scripted;
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('That succeeded');
    },
    (error: Error) => error,
  );
}

describe('a session', () => {
  test('is used again by the same credential, left by UNSELECT in between', async () => {
    const { server, commands, connections } = await start();
    const pool = poolOf();
    const first = await pool.lease(server, anna);
    await first.session.examine('INBOX');
    await first.release();
    const second = await pool.lease(server, anna);
    expect([second.session === first.session, second.isReused, connections()]).toEqual([true, true, 1]);
    await second.session.exec('NOOP', []);
    expect(commands.slice(-3)).toEqual([expect.stringMatching(/^EXAMINE/), 'UNSELECT', 'NOOP']);
    await second.release();
  });

  test.each<[string, ImapCredential]>([
    ['another user', bert],
    ['another password of the same user', annaAnew],
    ['a token with the text of the password', { kind: 'token', user: 'anna', accessToken: 'secret' }],
  ])('is never used by %s', async (_, other) => {
    const { server, connections } = await start({
      greeting: '* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] hi\r\n',
    });
    const pool = poolOf();
    const first = await pool.lease(server, anna);
    await first.release();
    const second = await pool.lease(server, other);
    expect([second.session === first.session, second.isReused, connections()]).toEqual([false, false, 2]);
    await second.release();
    const third = await pool.lease(server, anna);
    expect(third.session).toBe(first.session);
    await third.release();
  });

  test('is never used at another server with the same user and password', async () => {
    const [one, two] = [await start(), await start()];
    const pool = poolOf();
    await (await pool.lease(one.server, anna)).release();
    await (await pool.lease(two.server, anna)).release();
    expect([one.connections(), two.connections()]).toEqual([1, 1]);
  });

  test.each<[string, Script, Partial<PoolOptions>]>([
    ['nothing is to be parked', {}, { parkMs: 0 }],
    ['it is too old', {}, { sessionAgeMaxMs: 0 }],
  ])('is logged out before the release is done where %s, and expunges nothing', async (_, script, options) => {
    const { server, commands } = await start(script);
    const lease = await poolOf(options).lease(server, anna);
    await lease.session.examine('INBOX');
    await lease.release();
    expect(commands.at(-1)).toBe('LOGOUT');
    expect(commands.filter((command) => /^(CLOSE|EXPUNGE)/.test(command))).toEqual([]);
  });

  const inbox = '* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n% OK done\r\n';
  /** A server without UNSELECT; `nowhere`: what it says of a mailbox that is not there. */
  const old = (nowhere: string): Script => ({
    greeting: '* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n',
    answers: {
      AUTHENTICATE: '% OK [CAPABILITY IMAP4rev1] hi\r\n',
      EXAMINE: ({ line }) => (line.endsWith('"INBOX"') ? inbox : nowhere),
    },
  });

  test('is left without UNSELECT by opening what is not there, and used again', async () => {
    const { server, commands, connections } = await start(old('% NO there is none\r\n'));
    const pool = poolOf();
    for (let times = 0; times < 2; times += 1) {
      const lease = await pool.lease(server, anna);
      await lease.session.examine('INBOX');
      await lease.release();
    }
    const last = await pool.lease(server, anna);
    await last.session.exec('NOOP', []);
    const nowhere = 'EXAMINE "Postern: no such mailbox"';
    expect(commands.slice(-5)).toEqual(['EXAMINE "INBOX"', nowhere, 'EXAMINE "INBOX"', nowhere, 'NOOP']);
    expect(connections()).toBe(1);
    await last.release();
  });

  test.each<[string, Script]>([
    ['it refuses UNSELECT', { answers: { UNSELECT: '% NO never\r\n' } }],
    ['it opens what is not there', old(inbox)],
    ['it does not understand', old('% BAD what?\r\n')],
  ])('is logged out when the server does not leave its mailbox: %s', async (_, script) => {
    const { server, commands, received } = await start(script);
    const lease = await poolOf().lease(server, anna);
    await lease.session.examine('INBOX');
    const left = received('LOGOUT');
    await lease.release();
    await left;
    expect(commands.at(-1)).toBe('LOGOUT');
    expect(commands.filter((command) => /^(CLOSE|EXPUNGE)/.test(command))).toEqual([]);
  });

  test('is logged out when nobody wanted it for a while, and when the process ends', async () => {
    const { server, received } = await start();
    const pool = poolOf({ parkMs: 20 });
    const left = received('LOGOUT');
    await (await pool.lease(server, anna)).release();
    await left;
    const patient = poolOf();
    await (await patient.lease(server, anna)).release();
    const closed = received('LOGOUT');
    await patient.close();
    await closed;
  });
});

test('a process that rests keeps no session, and works on when it wakes', async () => {
  const { server, commands, connections } = await start();
  const pool = poolOf();
  await pool.verifyLogin(server, anna);
  const lease = await pool.lease(server, anna);
  expect([lease.isReused, connections()]).toEqual([true, 1]);
  await lease.release();
  await pool.rest();
  expect(commands.at(-1)).toBe('LOGOUT');
  const next = await pool.lease(server, anna);
  expect([next.isReused, connections()]).toEqual([false, 2]);
  await next.release();
});

test('a process that rests ends the commands of a request whose time is over', async () => {
  const { server } = await start();
  const pool = poolOf();
  const lease = await pool.lease(server, anna);
  await pool.rest();
  const error = await failureOf(lease.session.examine('INBOX'));
  expect(error).toBeInstanceOf(Unavailable);
  await lease.release(error);
  const next = await pool.lease(server, anna);
  expect(next.isReused).toBe(false);
  await next.release();
});

describe('connections of an account', () => {
  test('are at most so many; who waits too long is told when to come again', async () => {
    const { server, connections } = await start();
    const pool = poolOf();
    const leases = await Promise.all([1, 2, 3].map(() => pool.lease(server, anna)));
    const error = await failureOf(pool.lease(server, anna));
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Unavailable).retryAfterSeconds).toBe(1);
    await Promise.all((await Promise.all([pool.lease(server, bert)])).map((lease) => lease.release()));
    const waiting = pool.lease(server, anna);
    await leases[1]?.release();
    expect((await waiting).session).toBe(leases[1]?.session);
    expect(connections()).toBe(4);
  });

  test('make room: a parked one of another credential ends for a new one', async () => {
    const { server, commands, connections } = await start();
    const pool = poolOf({ connectionsMax: 1 });
    await (await pool.lease(server, anna)).release();
    await (await pool.lease(server, annaAnew)).release();
    expect(connections()).toBe(2);
    expect(commands.filter((command) => command === 'LOGOUT')).toHaveLength(1);
  });

  test('are not opened faster than a server likes', async () => {
    const { server, connections } = await start();
    const pool = poolOf({ parkMs: 0 });
    let error: Error | null = null;
    for (let count = 0; count < 40 && !error; count++) {
      await pool.lease(server, anna).then(
        (lease) => lease.release(),
        (failure: Error) => {
          error = failure;
        },
      );
    }
    expect(error).toBeInstanceOf(Unavailable);
    expect(connections()).toBeLessThan(25);
    await (await pool.lease(server, bert)).release();
  });
});

describe('throttling', () => {
  test('of one account leaves that account alone, and no other', async () => {
    let isThrottled = true;
    const { server, connections } = await start({
      answers: {
        AUTHENTICATE: ({ tag }) =>
          isThrottled ? `${tag} NO [LIMIT] slow down\r\n` : `${tag} OK [CAPABILITY IMAP4rev1] hi\r\n`,
      },
    });
    const pool = poolOf();
    expect(await failureOf(pool.lease(server, anna))).toBeInstanceOf(Throttled);
    isThrottled = false;
    const error = await failureOf(pool.lease(server, anna));
    expect(error).toBeInstanceOf(Throttled);
    expect((error as Throttled).retryAfterSeconds).toBeGreaterThanOrEqual(60);
    expect(connections()).toBe(1);
    await (await pool.lease(server, bert)).release();
  });

  test('of everybody leaves the host alone', async () => {
    const { server, connections } = await start({ greeting: '* BYE Too many connections\r\n' });
    const pool = poolOf();
    expect(await failureOf(pool.lease(server, anna))).toBeInstanceOf(Throttled);
    expect(await failureOf(pool.lease(server, bert))).toBeInstanceOf(Throttled);
    expect(connections()).toBe(1);
  });

  test('of a command ends the session and leaves the account alone', async () => {
    const { server, connections } = await start({ answers: { EXAMINE: '% NO [OVERQUOTA] too much\r\n' } });
    const pool = poolOf();
    const account = imapAccount(pool, server, anna);
    const read = () => account.source.read('INBOX', null, { scheme: 'xguid', threads: 'derived' });
    expect(await failureOf(read())).toBeInstanceOf(Throttled);
    expect(await failureOf(read())).toBeInstanceOf(Throttled);
    expect(connections()).toBe(1);
    await account.release();
  });
});

test('a connection that does not leave its mailbox is given up for another one when mailboxes are listed', async () => {
  const listed = '* LIST () "/" INBOX\r\n* LSUB () "/" INBOX\r\n% OK done\r\n';
  const { server, connections } = await start({
    answers: { UNSELECT: '% BAD not now\r\n', LIST: listed, LSUB: listed, STATUS: '% NO not now\r\n' },
  });
  const pool = poolOf();
  for (let request = 1; request <= 2; request++) {
    const account = imapAccount(pool, server, anna);
    expect(await account.source.scheme()).toMatchObject({ scheme: 'xguid' });
    expect(await account.source.survey()).toHaveLength(1);
    expect(connections()).toBe(1 + request);
    await account.release();
  }
});

describe('a mailbox that was deleted under us', () => {
  const lost = 'NO Mailbox was deleted under us (0.001 + 0.000 secs).\r\n';
  const there = '* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n% OK done\r\n';
  const facts = { scheme: 'xguid', threads: 'derived' } as const;

  test('as a connection says that had shown it, is opened on another one', async () => {
    let opened = 0;
    const { server, connections } = await start({
      answers: {
        EXAMINE: () => {
          opened += 1;
          return opened === 2 ? `% ${lost}` : there;
        },
      },
    });
    const account = imapAccount(poolOf(), server, anna);
    for (let nth = 0; nth < 2; nth += 1) {
      const { vector } = await account.source.read('INBOX', null, facts);
      expect(vector.uidValidity).toBe(7);
    }
    expect([opened, connections()]).toEqual([3, 2]);
    await account.release();
  });

  describe('as every connection says', () => {
    /** Of Lost the server says so whatever it is asked; `told`: but not in its lists, at the times given. */
    const losing = (told: readonly number[] = []): Script => {
      const offered = 'IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE UNSELECT ESEARCH LIST-EXTENDED LIST-STATUS ACL';
      const status = (name: string) => `* STATUS ${name} (MESSAGES 0 UIDNEXT 2 UIDVALIDITY 7)\r\n`;
      let lists = 0;
      return {
        greeting: `* OK [CAPABILITY ${offered}] ready\r\n`,
        answers: {
          AUTHENTICATE: `% OK [CAPABILITY ${offered}] welcome\r\n`,
          LIST: () => {
            lists += 1;
            const ofLost = told.includes(lists) ? status('Lost') : `* ${lost}`;
            return `* LIST () "/" INBOX\r\n${status('INBOX')}* LIST () "/" Lost\r\n${ofLost}% OK done\r\n`;
          },
          EXAMINE: ({ line }) => (line.includes('Lost') ? `% ${lost}` : there),
          SELECT: `% ${lost}`,
          STATUS: `% ${lost}`,
          MYRIGHTS: `% ${lost}`,
        },
      };
    };

    test('cannot be read, and the connection serves the others', async () => {
      const { server, connections } = await start(losing());
      const account = imapAccount(poolOf(), server, anna);
      for (let nth = 0; nth < 3; nth += 1) {
        const survey = await account.source.survey();
        expect(survey.map(({ name, selectable, vector }) => [name, selectable, vector?.uidValidity])).toEqual([
          ['INBOX', true, 7],
          ['Lost', true, undefined],
        ]);
        expect(await failureOf(account.source.read('Lost', null, facts))).toBeInstanceOf(MailboxUnseen);
        expect(await account.source.rights(['Lost'])).toEqual(new Map());
        expect((await account.source.read('INBOX', null, facts)).vector.uidValidity).toBe(7);
      }
      const messages = { mailbox: 'Lost', uidValidity: 7, uids: [1] };
      expect(await failureOf(account.writing.flag(messages, 'add', ['\\Seen']))).toBeInstanceOf(MailboxUnseen);
      expect(connections()).toBe(1);
      await account.release();
    });

    test('and not in a list before, costs the connection of that list', async () => {
      const { server, connections } = await start(losing([1]));
      const account = imapAccount(poolOf(), server, anna);
      const vectors = [];
      for (let nth = 0; nth < 3; nth += 1) vectors.push((await account.source.survey())[1]?.vector?.uidValidity);
      expect([vectors, connections()]).toEqual([[7, undefined, undefined], 2]);
      await account.release();
    });
  });
});

describe('the login', () => {
  test('is really done, whatever is parked, and its session serves what comes next', async () => {
    let password = 'secret';
    const { server, connections } = await start({
      answers: {
        AUTHENTICATE: ({ line, tag }) =>
          Buffer.from(line.split(' ')[3] ?? '', 'base64')
            .toString()
            .endsWith(`\0${password}`)
            ? `${tag} OK [CAPABILITY IMAP4rev1 UNSELECT] hi\r\n`
            : `${tag} NO [AUTHENTICATIONFAILED] no\r\n`,
      },
    });
    const pool = poolOf();
    await pool.verifyLogin(server, anna);
    const lease = await pool.lease(server, anna);
    expect([lease.isReused, connections()]).toEqual([true, 1]);
    await lease.release();
    expect(await failureOf(pool.verifyLogin(server, annaAnew))).toBeInstanceOf(AuthenticationFailed);
    const again = await pool.lease(server, anna);
    expect(again.isReused).toBe(true);
    await again.release();
    password = 'changed';
    expect(await failureOf(pool.verifyLogin(server, anna))).toBeInstanceOf(AuthenticationFailed);
    // What was parked of a credential that is no longer good is gone.
    expect(await failureOf(pool.lease(server, anna))).toBeInstanceOf(AuthenticationFailed);
    await pool.verifyLogin(server, annaAnew);
  });

  test('at Dovecot: a wrong password right after a right one is refused', async () => {
    const running = await dovecot();
    const user = await running.freshUser();
    const pool = poolOf();
    await pool.verifyLogin(imapServer(running), passwordOf(user));
    const wrong = passwordOf({ ...user, password: 'wrong' });
    expect(await failureOf(pool.verifyLogin(imapServer(running), wrong))).toBeInstanceOf(AuthenticationFailed);
    expect(await failureOf(pool.lease(imapServer(running), wrong))).toBeInstanceOf(AuthenticationFailed);
  });
});

describe('the account of a request', () => {
  test('needs no connection while nothing is asked', async () => {
    const { server, connections } = await start();
    const account = imapAccount(poolOf(), server, anna);
    await account.release();
    expect(connections()).toBe(0);
    expect(await failureOf(account.source.survey())).toBeInstanceOf(Unavailable);
  });

  test('tries once more where a parked connection turns out to be dead', async () => {
    const { server, connections, hangUp } = await start({
      answers: {
        EXAMINE: ({ socket }) => {
          if (connections() === 1 && deaf) return void socket.destroy() as undefined;
          return '* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n% OK done\r\n';
        },
      },
    });
    let deaf = false;
    const pool = poolOf();
    const read = async () => {
      const account = imapAccount(pool, server, anna);
      try {
        return (await account.source.read('INBOX', null, { scheme: 'xguid', threads: 'derived' })).vector.uidValidity;
      } finally {
        await account.release();
      }
    };
    expect(await read()).toBe(7);
    deaf = true;
    expect(await read()).toBe(7);
    expect(connections()).toBe(2);
    hangUp();
    expect(await read()).toBe(7);
    expect(connections()).toBe(3);
  });

  test('does not try again on a connection of its own', async () => {
    const { server, connections } = await start({
      answers: { EXAMINE: ({ socket }) => void socket.destroy() as undefined },
    });
    const account = imapAccount(poolOf(), server, anna);
    expect(await failureOf(account.source.presentUids('INBOX'))).toBeInstanceOf(Error);
    expect(await failureOf(account.source.read('INBOX', null, { scheme: 'xguid', threads: 'derived' }))).toBeInstanceOf(
      Unavailable,
    );
    expect(connections()).toBe(1);
    await account.release();
  });

  test.each<[string, string, () => Promise<TestServer>, act: (other: ImapFlow) => Promise<unknown>]>([
    ['Dovecot', 'deletes', dovecot, (other) => other.mailboxDelete('box')],
    ['Dovecot', 'renames', dovecot, (other) => other.mailboxRename('box', 'other')],
    ['Cyrus', 'deletes', cyrus, (other) => other.mailboxDelete('box')],
    ['Cyrus', 'renames', cyrus, (other) => other.mailboxRename('box', 'other')],
  ])('at %s: finds nothing in an open mailbox that another client %s', async (_, __, startServer, takeAway) => {
    const running = await startServer();
    const user = await running.freshUser();
    const other = await otherClient(running, user);
    await other.mailboxCreate('box');
    await other.append('box', message('hello'));
    const account = imapAccount(poolOf(), imapServer(running), passwordOf(user));
    const { vector } = await account.source.read('box', null, { scheme: 'digest', threads: 'derived' });
    const place = { mailbox: 'box', uidValidity: vector.uidValidity, uid: 1 };
    const needs = { headers: ['subject'], structure: true, preview: false };
    expect((await account.messages.read([place], needs)).size).toBe(1);
    await takeAway(other);
    expect((await account.messages.read([place], needs)).size).toBe(0);
    expect(await account.messages.open(place, '')).toBeNull();
    const words = [{ condition: [{ kind: 'text', value: 'hello' }] }] as const;
    expect(await account.search.search({ name: 'box', ...vector }, words)).toBeNull();
    expect((await account.source.survey()).map(({ name }) => name)).not.toContain('box');
    await account.release();
    await other.logout();
  });

  test('at Dovecot: reading, searching and streaming share one session, which is parked when the stream has ended', async () => {
    const running = await dovecot();
    const user = await running.freshUser();
    const other = await otherClient(running, user);
    await other.append('INBOX', message('hello'));
    const commands: string[] = [];
    let connections = 0;
    const pool = poolOf({ onCommand: (name) => commands.push(name), onConnect: () => connections++ });
    const account = imapAccount(pool, imapServer(running), passwordOf(user));
    const facts = await account.source.scheme();
    commands.length = 0;
    await account.source.survey();
    const { vector } = await account.source.read('INBOX', null, facts);
    const place = { mailbox: 'INBOX', uidValidity: vector.uidValidity, uid: 1 };
    const [found, uids, opened] = await Promise.all([
      account.messages.read([place], { headers: ['subject'], structure: true, preview: true }),
      account.search.search({ name: 'INBOX', ...vector }, [{ condition: [{ kind: 'subject', value: 'hello' }] }]),
      account.messages.open(place, ''),
    ]);
    expect([found.get(place)?.preview, uids]).toEqual(['Hello', [[1]]]);
    let isReleased = false;
    const released = account.release().then(() => {
      isReleased = true;
    });
    expect(commands.at(-1)).not.toBe('UNSELECT');
    const octets = opened && (await new Response(opened.octets).text());
    expect(octets).toContain('Subject: hello');
    await released;
    expect(isReleased).toBe(true);
    expect(commands).toEqual([
      'UNSELECT',
      'LIST',
      'EXAMINE',
      'UID FETCH',
      'UID FETCH',
      'UID FETCH',
      'NOOP',
      'UID SEARCH',
      'UNSELECT',
    ]);
    expect(connections).toBe(1);
    other.close();
  });

  test('at Dovecot: one delivery, seen and read, costs five commands', async () => {
    const running = await dovecot();
    const user = await running.freshUser();
    const other = await otherClient(running, user);
    const commands: string[] = [];
    const pool = poolOf({ onCommand: (name) => commands.push(name) });
    const request = async <T>(work: (account: ReturnType<typeof imapAccount>) => Promise<T>) => {
      const account = imapAccount(pool, imapServer(running), passwordOf(user));
      try {
        return await work(account);
      } finally {
        await account.release();
      }
    };
    const facts = await request((account) => account.source.scheme());
    await other.append('INBOX', message('one'));
    const { vector } = await request((account) => account.source.read('INBOX', null, facts));
    await other.append('INBOX', message('two'));
    commands.length = 0;
    await request(async (account) => {
      await account.source.survey();
      const reading = await account.source.read('INBOX', { vector, uids: async () => [1] }, facts);
      const places = [];
      for await (const batch of reading.appeared) {
        for (const { uid } of batch) places.push({ mailbox: 'INBOX', uidValidity: vector.uidValidity, uid });
      }
      const found = await account.messages.read(places, {
        headers: ['from', 'subject'],
        structure: true,
        preview: true,
      });
      expect(found.size).toBe(1);
    });
    expect(commands).toEqual(['LIST', 'EXAMINE', 'UID FETCH', 'UID FETCH', 'UNSELECT']);
    other.close();
  });
});
