import type { RawRequest } from './raw.ts';
import { connectRawClient } from './raw-client.ts';
import { timed } from './samples.ts';

// The raw client, in a process that does nothing else.
const raw = await connectRawClient(JSON.parse(process.argv[2] ?? ''));
const requests = {
  openInbox: () => raw.openInbox(),
  fullMessage: (uid: number) => raw.fullMessage(uid),
  setFlagged: (uid: number, isFlagged: boolean) => raw.setFlagged(uid, isFlagged),
};
process.on('disconnect', () => process.exit());
process.on('message', async ([name, ...args]: RawRequest) => {
  let answer: unknown;
  const ms = await timed(async () => {
    answer = await (requests[name] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  });
  process.send?.({ ms, answer });
});
process.send?.('ready');
