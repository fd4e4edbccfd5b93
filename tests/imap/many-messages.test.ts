import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import type { Appearances } from '../../shared/catalog/source.ts';
import { CommandRefused, ConnectionLost, Dismissed } from '../../shared/imap/failure.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { imapSource } from '../../shared/imap/source.ts';
import type { UseSession } from '../../shared/imap/use.ts';
import { type ScriptedCommand, scriptedServer } from './scripted-server.ts';

const facts = { scheme: 'xguid', threads: 'derived' } as const;
const fields = 'BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] {2}\r\n\r\n';

const numbers = `INTERNALDATE "01-Mar-2024 10:00:00 +0000" RFC822.SIZE 5`;
const row = (uid: number, id = `g${uid}`) =>
  `* ${uid} FETCH (UID ${uid} FLAGS () ${numbers} X-GUID ${id} ${fields})\r\n`;

const uidsOf = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const rowsOf = (from: number, to: number) => uidsOf(from, to).map((uid) => row(uid));
const idsOf = (batch: Appearances) => [...batch].map(({ serverEmailId }) => serverEmailId);
const allIds = (last: number) => uidsOf(1, last).map((uid) => `g${uid}`);

type Fetch = Pick<ScriptedCommand, 'tag' | 'socket'> & { readonly from: number; readonly to: number };

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

/** Reads an inbox of so many messages, of a server that answers a FETCH as it is told to. Of `uids` some may be gone. */
async function reading(messages: number, fetched: (fetch: Fetch) => string | null, uids = messages) {
  const server = await scriptedServer({
    answers: {
      EXAMINE: `* ${messages} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT ${uids + 1}] ok\r\n% OK done\r\n`,
      'UID SEARCH': `* ESEARCH (TAG "%") UID ALL 1:${messages}\r\n% OK done\r\n`,
      'UID FETCH': ({ tag, line, socket }) => {
        const [, from, to] = /UID FETCH (\d+):(\d+)/.exec(line) ?? [];
        return fetched({ tag, socket, from: Number(from), to: Number(to) });
      },
    },
  });
  started.push(server.close);
  const open = async () => {
    const opened = await ImapSession.open(server.server, { kind: 'password', user: 'u', password: 'p' });
    started.push(async () => opened.close());
    return opened;
  };
  let session = await open();
  const use: UseSession = async (operation) => {
    try {
      return await operation(session);
    } catch (error) {
      if (!(error instanceof Dismissed)) throw error;
      session = await open();
      return operation(session);
    }
  };
  const { appeared } = await imapSource(use, { forbiddenIdentitySchemes: [] }).read('INBOX', null, facts);
  const batches = appeared[Symbol.asyncIterator]();
  /** The ids of so many messages, or of all. */
  const read = async (wanted = Number.POSITIVE_INFINITY) => {
    const ids: (string | null)[] = [];
    while (ids.length < wanted) {
      const { value, done } = await batches.next();
      if (done) break;
      ids.push(...idsOf(value));
    }
    return ids;
  };
  /** Until all that the server has said was heard. */
  const heard = () => session.exec('NOOP', []);
  const { commands } = server;
  return {
    batches,
    read,
    heard,
    commands,
    hangUp: server.hangUp,
    session: () => session,
    connections: server.connections,
  };
}

test.each([
  { uids: 3_000, why: 'where none is missing', searches: 0 },
  { uids: 3_001, why: 'where one is', searches: 1 },
])('UIDs are asked for $why: $searches times', async ({ uids, searches }) => {
  const answer = ({ tag, from, to }: Fetch) => `${rowsOf(from, to).join('')}${tag} OK done\r\n`;
  const { read, commands } = await reading(3_000, answer, uids);
  expect(await read()).toEqual(allIds(3_000));
  expect(commands.filter((command) => command.startsWith('UID SEARCH'))).toHaveLength(searches);
});

test('messages are handed over when all of them have come, whenever the server says so', async () => {
  const late: (() => void)[] = [];
  const { read } = await reading(5_000, ({ tag, socket, from, to }) => {
    late.push(() => socket.write(`${tag} OK done\r\n`));
    return rowsOf(from, to).join('');
  });
  expect(await read(5_000)).toEqual(allIds(5_000));
  const rest = read();
  for (const answer of late) answer();
  expect(await rest).toEqual([]);
});

test('a message that is told of again after that changes nothing that was handed over, or comes later', async () => {
  let answerFirst = () => {};
  let tellAgain = () => {};
  const { batches, read, heard } = await reading(20_000, ({ tag, socket, from, to }) => {
    const rows = rowsOf(from, to).join('');
    if (from > 1) return `${row(2, 'again')}${rows}${row(3, 'again')}${tag} OK done\r\n`;
    answerFirst = () => socket.write(`${tag} OK done\r\n`);
    tellAgain = () => socket.write(row(1, 'again'));
    return rows;
  });
  const { value: first } = await batches.next();
  tellAgain();
  await heard();
  const ids = idsOf(first);
  expect(ids).toEqual(allIds(ids.length));
  expect([...ids, ...(await read(20_000 - ids.length))]).toEqual(allIds(20_000));
  answerFirst();
  expect(await read()).toEqual([]);
});

test('one that is told of by a part only has not come yet', async () => {
  const { read } = await reading(3_000, ({ tag, from, to }) => {
    const part = `* ${to} FETCH (UID ${to} FLAGS () ${numbers})\r\n`;
    return `${rowsOf(from, to - 1).join('')}${part}${row(to)}${tag} OK done\r\n`;
  });
  expect(await read()).toEqual(allIds(3_000));
});

test('where one does not come, or they come in another order, the server has to say that it is complete', async () => {
  let answerFirst = () => {};
  const { read, heard } = await reading(3_000, ({ tag, socket, from, to }) => {
    if (from > 1) return `${rowsOf(from, to).reverse().join('')}${tag} OK done\r\n`;
    answerFirst = () => socket.write(`${tag} OK done\r\n`);
    return rowsOf(2, to).join('');
  });
  let isRead = false;
  const all = read().finally(() => {
    isRead = true;
  });
  await heard();
  expect(isRead).toBe(false);
  answerFirst();
  expect(await all).toEqual(allIds(3_000).slice(1));
});

test('a command that is refused when all its messages have come fails the reading, and the session stays', async () => {
  let refuse = () => {};
  const { read, session } = await reading(5_000, ({ tag, socket, from, to }) => {
    const rows = rowsOf(from, to).join('');
    if (from > 1) return `${rows}${tag} OK done\r\n`;
    refuse = () => socket.write(`${tag} NO that was not all\r\n`);
    return rows;
  });
  await read(5_000);
  refuse();
  await expect(read()).rejects.toThrow(CommandRefused);
  expect(session().isOpen).toBe(true);
});

test('a connection that is lost when all messages have come fails the reading', async () => {
  const { read, hangUp } = await reading(5_000, ({ from, to }) => rowsOf(from, to).join(''));
  await read(5_000);
  hangUp();
  await expect(read()).rejects.toThrow(ConnectionLost);
});

test('what had not come when the server said goodbye is asked for on another connection', async () => {
  let hasLeft = false;
  const { read, connections } = await reading(5_000, ({ tag, socket, from, to }) => {
    if (hasLeft) return `${rowsOf(from, to).join('')}${tag} OK done\r\n`;
    if (from < 1_000) return rowsOf(from, to).join('');
    hasLeft = true;
    socket.end(`${row(from, 'before')}* BYE shutting down\r\n`);
    return null;
  });
  expect(await read()).toEqual(allIds(5_000));
  expect(connections()).toBe(2);
});

test('a reading that is given up waits for what was asked for, and for no more', async () => {
  let unanswered = 0;
  const { batches, session } = await reading(50_000, ({ tag, socket, from, to }) => {
    unanswered += 1;
    void setTimeout(20).then(() => {
      unanswered -= 1;
      socket.write(`${tag} OK done\r\n`);
    });
    return rowsOf(from, to).join('');
  });
  await batches.next();
  await batches.return?.();
  expect(unanswered).toBe(0);
  expect(session().answered).toBe(session().asked);
});

test('of a slow server no more is asked for than it tells of in half a second or so', async () => {
  const waiting: { readonly rows: string[]; readonly end: string }[] = [];
  let ahead = 0;
  let aheadMax = 0;
  let isTelling = false;
  // A thousand messages a second, or less.
  const tell = async ({ socket }: Fetch) => {
    isTelling = true;
    for (let command = waiting[0]; command !== undefined; command = waiting[0]) {
      await setTimeout(10);
      const rows = command.rows.splice(0, 10);
      ahead -= rows.length;
      const isLast = command.rows.length === 0;
      socket.write(`${rows.join('')}${isLast ? command.end : ''}`);
      if (isLast) waiting.shift();
    }
    isTelling = false;
  };
  const { read } = await reading(2_500, (fetch) => {
    waiting.push({ rows: rowsOf(fetch.from, fetch.to), end: `${fetch.tag} OK done\r\n` });
    ahead += fetch.to - fetch.from + 1;
    aheadMax = Math.max(aheadMax, ahead);
    if (!isTelling) void tell(fetch);
    return null;
  });
  expect(await read()).toEqual(allIds(2_500));
  expect(aheadMax).toBeGreaterThan(200);
  expect(aheadMax).toBeLessThan(600);
}, 20_000);
