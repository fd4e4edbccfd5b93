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
): Promise<{ writing: CanWriteMessages; scripted: ScriptedServer }> {
  const greeting = `* OK [CAPABILITY ${capabilities}] ready\r\n`;
  const authenticate = `% OK [CAPABILITY ${capabilities}] welcome\r\n`;
  const scripted = await scriptedServer({
    greeting,
    answers: { AUTHENTICATE: authenticate, SELECT: select, ...answers },
  });
  const pool = new SessionPool({ connectionsMax: 1, parkMs: 0, sessionAgeMaxMs: 60_000 });
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
    const { writing } = await onServer({ 'UID MOVE': `${copies}* VANISHED 1:3\r\n% OK done\r\n` });
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
    const { writing } = await onServer({ 'UID MOVE': `${copies}* VANISHED 2\r\n% NO [NOPERM] not these\r\n` });
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
    const { writing } = await onServer({ 'UID STORE': answer, 'UID EXPUNGE': '% NO [NOPERM] no\r\n' });
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
