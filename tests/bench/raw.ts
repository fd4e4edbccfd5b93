import type { MailAccount } from '../../functions/local/append-messages.ts';
import { startBundled } from './bundled-process.ts';
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
  const { ask, stop } = await startBundled<RawRequest, RawAnswer<never>>('raw-process.ts', {
    host,
    imapPort,
    user,
    password,
  });
  return {
    openInbox: () => ask(['openInbox']),
    fullMessage: (uid) => ask(['fullMessage', uid]),
    setFlagged: (uid, isFlagged) => ask(['setFlagged', uid, isFlagged]),
    stop,
  };
}
