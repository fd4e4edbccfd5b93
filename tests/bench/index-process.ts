import { type PosternOptions, startPostern } from './postern.ts';
import { timed } from './samples.ts';

// One account is indexed for the first time, in a process that does nothing else.
const options = JSON.parse(process.argv[2] ?? '') as PosternOptions;
const postern = await startPostern(options);
const ms = await timed(() => postern.api([['Mailbox/get', { ids: null }, 'mailboxes']]));
const { storeUnits, imapCommands } = postern.counts();
// The kernel tells kilobytes (getrusage(2)).
const peakRssMb = process.resourceUsage().maxRSS / 1024;
await postern.stop();
process.send?.({ accountId: postern.accountId, ms, peakRssMb, storeUnits, imapCommands: imapCommands.length });
process.disconnect();
