import { once } from 'node:events';
import { connect } from 'node:net';
import { appearanceItems } from '../../shared/imap/appearance.ts';
import {
  compileCommand,
  cutUidSet,
  type ImapArgument,
  list,
  mailbox,
  string,
  uidSet,
} from '../../shared/imap/arguments.ts';
import { imapLimits } from '../../shared/imap/limits.ts';
import type { FilledAccount } from './mail-account.ts';

/**
 * Sends what the first index of an account sends, all commands at once, and takes the answers without looking at them: nothing that
 * reads them can be faster. Every mailbox has UIDs from 1. Gives milliseconds after the login, and octets.
 */
export async function receiveOnBareSocket(
  account: FilledAccount,
): Promise<{ readonly ms: number; readonly octets: number }> {
  const socket = connect({ host: account.host, port: account.imapPort, noDelay: true });
  await once(socket, 'data');
  await send(socket, [['LOGIN', [string(account.user), string(account.password)]]]);
  const items = list(...appearanceItems({ scheme: 'xguid', threads: 'derived' }));
  const commands = account.mailboxes.flatMap(({ name, messages }): Command[] => [
    ['EXAMINE', [mailbox(name)]],
    ...cutUidSet([[1, messages]], imapLimits.appearancesPerCommand).map(
      (uids): Command => ['UID FETCH', [uidSet(uids), items]],
    ),
  ]);
  const begunAt = performance.now();
  const octets = await send(socket, commands);
  const ms = performance.now() - begunAt;
  socket.destroy();
  return { ms, octets };
}

type Command = [name: string, parameters: ImapArgument[]];

/** Resolves with the number of octets received when the last of the commands has been answered. */
function send(socket: ReturnType<typeof connect>, commands: readonly Command[]): Promise<number> {
  const last = 'last';
  const lines = commands.flatMap(([name, parameters], index) =>
    compileCommand(index === commands.length - 1 ? last : `c${index}`, name, parameters, 'plus'),
  );
  return new Promise((resolve, reject) => {
    let octets = 0;
    let tail = '';
    const take = (chunk: Buffer) => {
      octets += chunk.length;
      tail = `${tail}${chunk.subarray(-1_000).toString('latin1')}`.slice(-1_000);
      const answer = new RegExp(`(?:^|\\n)${last} (OK)?`).exec(tail);
      if (answer === null || !tail.endsWith('\n')) return;
      socket.off('data', take);
      if (answer[1] === 'OK') resolve(octets);
      else reject(new Error(`The mail server refused: ${tail}`));
    };
    socket.on('data', take);
    socket.write(Buffer.concat(lines));
  });
}
