import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { type Call, type PosternOptions, startPostern } from './postern.ts';
import { timed } from './samples.ts';

// Postern and a client of it, in a process that does nothing else.
const options = JSON.parse(process.argv[2] ?? '') as PosternOptions;
for (let count = 0; count < (options.indexedBefore ?? 0); count += 1) {
  const before = await startPostern({ ...options, providerName: `${options.providerName}, before it ${count}` });
  await before.api([['Mailbox/get', { ids: null }, 'mailboxes']]);
  await before.stop();
}
const postern = await startPostern(options);
process.on('disconnect', () => void postern.stop().then(() => process.exit()));
process.on('message', async (calls: readonly Call[]) => {
  postern.counts();
  let answers: readonly JsonObject[] = [];
  const ms = await timed(async () => {
    answers = await postern.api(calls);
  });
  // The kernel tells kilobytes (getrusage(2)).
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  process.send?.({ ms, answers, counts: postern.counts(), peakRssMb });
});
process.send?.('ready');
