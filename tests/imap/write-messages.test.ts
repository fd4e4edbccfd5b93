import { afterEach, describe, expect, test } from '@jest/globals';
import { imapAccount } from '../../shared/imap/account.ts';
import { SessionPool } from '../../shared/imap/pool.ts';
import type { CanWriteMessages } from '../../shared/methods/Email/mail.ts';
import { passwordOf } from './rig.ts';
import { type Answer, type ScriptedServer, scriptedServer } from './scripted-server.ts';

/** A mailbox of three messages, writable. */
const select =
  '* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\n* OK [HIGHESTMODSEQ 3] ok\r\n* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] ok\r\n% OK [READ-WRITE] done\r\n';
const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC NAMESPACE UNSELECT UIDPLUS MOVE';
const source = { mailbox: 'Source', uidValidity: 7, uids: [1, 2, 3] };
const target = { mailbox: 'Target', uidValidity: 9 };

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function onServer(
  answers: Readonly<Record<string, Answer>>,
  offered = capabilities,
): Promise<{ writing: CanWriteMessages; scripted: ScriptedServer }> {
  const greeting = `* OK [CAPABILITY ${offered}] ready\r\n`;
  const authenticate = `% OK [CAPABILITY ${offered}] welcome\r\n`;
  const scripted = await scriptedServer({
    greeting,
    answers: { AUTHENTICATE: authenticate, SELECT: select, ...answers },
  });
  const pool = new SessionPool({
    connectionsMax: 1,
    parkMs: 0,
    sessionAgeMaxMs: 60_000,
  });
  const account = imapAccount(pool, scripted.server, passwordOf({ user: 'ada', password: 'secret' }));
  ends.push(
    () => scripted.close(),
    async () => {
      await account.release();
      await pool.close();
    },
  );
  return { writing: account.writing, scripted };
}

describe('a move of which the server told the copies', () => {
  const copies = '* OK [COPYUID 9 1:3 11:13] copied\r\n';

  test('has moved all of them when it says so', async () => {
    const { writing } = await onServer({
      'UID MOVE': `${copies}* VANISHED 1:3\r\n% OK done\r\n`,
    });
    const { done, failure } = await writing.transfer('move', source, target);
    expect([[...done], failure]).toEqual([
      [
        [1, 11],
        [2, 12],
        [3, 13],
      ],
      null,
    ]);
  });

  test('has moved, when the server refuses it after that, what has vanished, and of the rest nothing is known', async () => {
    const { writing } = await onServer({
      'UID MOVE': `${copies}* VANISHED 2\r\n% NO [NOPERM] not these\r\n`,
    });
    const { done, failure } = await writing.transfer('move', source, target);
    expect([[...done], failure]).toEqual([[[2, 12]], 'lost']);
  });

  test('has moved, when the connection is lost after that, what has vanished, and of the rest nothing is known', async () => {
    const { writing } = await onServer({
      'UID MOVE': ({ socket }) => {
        socket.end(`${copies}* VANISHED 2\r\n`);
        return null;
      },
    });
    const { done, failure } = await writing.transfer('move', source, target);
    expect([[...done], failure]).toEqual([[[2, 12]], 'lost']);
  });
});

test.each([
  ['UIDPLUS', capabilities, '2:3'],
  ['no UIDPLUS', capabilities.replace(' UIDPLUS', ''), null],
])(
  'with %s a message goes only when a copy of it is seen, and is flagged no more where none is',
  async (_, offered, expunged) => {
    const deleted = new Set<number>();
    const store: Answer = ({ tag, line }) => {
      const sign = line.includes('+FLAGS');
      const uids = line.includes('1:3') ? [1, 2, 3] : [1];
      for (const uid of uids) sign ? deleted.add(uid) : deleted.delete(uid);
      return `${uids.map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS (${sign ? '\\Deleted' : ''}))\r\n`).join('')}${tag} OK done\r\n`;
    };
    const { writing, scripted } = await onServer(
      {
        'UID STORE': store,
        'UID FETCH': ({ line }) =>
          line.includes('MODSEQ')
            ? `${[1, 2, 3].map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS () MODSEQ (${uid}))\r\n`).join('')}% OK done\r\n`
            : '* 1 FETCH (UID 11 FLAGS (\\deleted))\r\n* 2 FETCH (UID 12 FLAGS ())\r\n% OK done\r\n',
        'UID EXPUNGE': '* VANISHED 2:3\r\n% OK done\r\n',
      },
      offered,
    );
    const copyOf = (uid: number) => ({
      mailbox: 'Target',
      uidValidity: 7,
      uid,
    });
    const copies = new Map([
      [1, [copyOf(11), copyOf(13)]],
      [2, [copyOf(13), copyOf(12)]],
    ]);
    const { done, kept, failure } = await writing.remove(source, copies);
    expect([[...done].sort(), [...kept], failure]).toEqual([[2, 3], [1], null]);
    expect([...deleted]).toEqual([2, 3]);
    const order = scripted.commands.filter((line) => /^(?:SELECT|EXAMINE|UID)/.test(line));
    expect(order.slice(0, 7)).toEqual([
      ...['SELECT "Source"', 'UID FETCH 1:3 (UID FLAGS MODSEQ)'],
      ...['UID STORE 1:3 (UNCHANGEDSINCE 3) +FLAGS (\\Deleted)'],
      ...['EXAMINE "Target"', 'UID FETCH 11:13 (UID FLAGS)'],
      ...['SELECT "Source"', 'UID STORE 1 -FLAGS (\\Deleted)'],
    ]);
    expect(order.slice(7)).toEqual(expunged === null ? [] : [`UID EXPUNGE ${expunged}`]);
  },
);

test('what somebody else has flagged, before or at that moment, is his: it is neither expunged nor flagged no more', async () => {
  const row = (uid: number, flags: string) => `* ${uid} FETCH (UID ${uid} FLAGS (${flags}) MODSEQ (3))\r\n`;
  const { writing, scripted } = await onServer({
    'UID FETCH': ({ line, tag }) =>
      `${line.includes('MODSEQ') ? row(1, '\\Deleted') + row(2, '') + row(3, '') : row(11, '')}${tag} OK done\r\n`,
    'UID STORE': `${row(2, '\\Deleted')}% OK [MODIFIED 3] not all\r\n`,
    'UID EXPUNGE': '* VANISHED 2\r\n% OK done\r\n',
  });
  const copy = [{ mailbox: 'Target', uidValidity: 7, uid: 11 }];
  const { done, kept, failure } = await writing.remove(source, new Map(source.uids.map((uid) => [uid, copy])));
  expect([[...done], [...kept].sort(), failure]).toEqual([[2], [1, 3], null]);
  expect(scripted.commands.filter((line) => /^UID (?:STORE|EXPUNGE)/.test(line))).toEqual([
    ...['UID STORE 2:3 (UNCHANGEDSINCE 3) +FLAGS (\\Deleted)', 'UID EXPUNGE 2'],
  ]);
});

test.each([
  ['some of them', 'MODIFIED 3,9', ['UID STORE 1:2 -FLAGS (\\Deleted)'], [3]],
  ['all of them', 'MODIFIED 1:3', [], [1, 2, 3]],
])(
  'when the server refuses to flag, %s because somebody else has, these stay flagged',
  async (_, code, after, kept) => {
    const row = (uid: number) => `* ${uid} FETCH (UID ${uid} FLAGS () MODSEQ (3))\r\n`;
    const { writing, scripted } = await onServer({
      'UID FETCH': `${row(1)}${row(2)}${row(3)}% OK done\r\n`,
      'UID STORE': ({ line, tag }) => `${tag} ${line.includes('+FLAGS') ? `NO [${code}] not all` : 'OK done'}\r\n`,
    });
    const copy = [{ mailbox: 'Target', uidValidity: 7, uid: 11 }];
    const removed = await writing.remove(source, new Map(source.uids.map((uid) => [uid, copy])));
    expect([[...removed.done], [...removed.kept], removed.failure]).toEqual([[], kept, 'gone']);
    expect(scripted.commands.filter((line) => /^UID (?:STORE|EXPUNGE)/.test(line))).toEqual([
      'UID STORE 1:3 (UNCHANGEDSINCE 3) +FLAGS (\\Deleted)',
      ...after,
    ]);
  },
);

describe('a removal that the server refuses', () => {
  test.each([
    ['in the middle of flagging', { 'UID STORE': /\+FLAGS/ }],
    ['before anything is expunged', { 'UID EXPUNGE': /./ }],
  ])('%s leaves no message flagged as deleted', async (_, refused) => {
    const deleted = new Set<number>();
    const answer: Answer = ({ tag, line }) => {
      const sign = line.includes('+FLAGS');
      for (const uid of [1, 2])
        if (sign) deleted.add(uid);
        else deleted.delete(uid);
      const isRefused = 'UID STORE' in refused && refused['UID STORE'].test(line);
      return `${tag} ${isRefused ? 'NO [EXPUNGEISSUED] one of them is gone' : 'OK done'}\r\n`;
    };
    const { writing } = await onServer({
      'UID STORE': answer,
      'UID EXPUNGE': '% NO [NOPERM] no\r\n',
    });
    const { done, failure } = await writing.remove(source);
    expect([[...done], failure === null, [...deleted]]).toEqual([[], false, []]);
  });

  test('and will not take the flags back is looked at anew', async () => {
    const { writing } = await onServer({
      'UID STORE': ({ tag, line }) => `${tag} ${line.includes('+FLAGS') ? 'OK' : 'NO'} done\r\n`,
      'UID EXPUNGE': '% NO [NOPERM] no\r\n',
    });
    expect((await writing.remove(source)).failure).toBe('lost');
  });
});
