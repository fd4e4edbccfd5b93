import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MailAccount } from '../../functions/local/append-messages.ts';
import type { RawClient } from './raw-client.ts';

type Requests = Omit<RawClient, 'close'>;

export type RawRequest = { [Name in keyof Requests]: [Name, ...Parameters<Requests[Name]>] }[keyof Requests];

/** What the raw client answered, and the milliseconds that it took, which are taken in its own process. */
export type RawAnswer<T> = { readonly ms: number; readonly answer: T };

/** The raw client of raw-client.ts in another process. One request at a time. */
export type RawClientProcess = {
  readonly [Name in keyof Requests]: (
    ...args: Parameters<Requests[Name]>
  ) => Promise<RawAnswer<Awaited<ReturnType<Requests[Name]>>>>;
} & { readonly stop: () => Promise<void> };

/**
 * Starts a process for the raw client. In the process of Postern it would fill the heap, and Postern would have to wait while that
 * is cleaned up: the answer to SORT of 100,000 messages alone is as many objects.
 */
export async function startRawClient({ host, imapPort, user, password }: MailAccount): Promise<RawClientProcess> {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'raw-process.ts');
  const account = JSON.stringify({ host, imapPort, user, password });
  const child = fork(file, [account], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const answered = async () => {
    const failed = ended.then(() => Promise.reject(new Error('The raw client ended')));
    const [message] = await Promise.race([once(child, 'message'), failed]);
    return message;
  };
  await answered();
  const request = (...message: RawRequest) => {
    child.send(message);
    return answered();
  };
  return {
    openInbox: () => request('openInbox'),
    fullMessage: (uid) => request('fullMessage', uid),
    setFlagged: (uid, isFlagged) => request('setFlagged', uid, isFlagged),
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}
