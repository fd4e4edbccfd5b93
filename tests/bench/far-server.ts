import { changesAfterDeliveries } from './changes-after-delivery.ts';
import type { Bench } from './compare.ts';
import { startLatencyProxy } from './latency-proxy.ts';
import type { FilledAccount } from './mail-account.ts';
import { startMeasuredPostern } from './measured-postern.ts';
import { everyMailbox, messagesAllOver, openInbox, searchEverywhere } from './requests.ts';
import { median } from './samples.ts';
import type { StoreProcess } from './store.ts';

/** What requests take where the mail server is far away, in round trips to it. The process is warm, and logged in. */
export type FarServer = {
  readonly roundTripMs: number;
  readonly openInbox: number;
  /** A word that nothing holds is looked for in all mailboxes. */
  readonly searchEverywhere: number;
  /** Fifty messages outside of the inbox, as a list shows them. */
  readonly messagesAllOver: number;
  /** Email/changes and Email/get after one delivery. */
  readonly changesAfterDelivery: number;
};

/** As between continents, nearly. */
const roundTripMs = 80;

export async function measureFarServer(
  account: FilledAccount,
  store: StoreProcess,
  { inboxId, outside, samples }: Pick<Bench, 'outside' | 'samples'> & { readonly inboxId: string },
): Promise<FarServer> {
  const proxy = await startLatencyProxy(account.imapPort, roundTripMs);
  const far = { ...account, imapPort: proxy.port };
  const postern = await startMeasuredPostern({ account: far, storeEndpoint: store.endpoint, freshnessMs: 0 });
  try {
    await postern.request(everyMailbox);
    const inRoundTrips = async (callsOf: (sample: number) => Parameters<typeof postern.request>[0]) => {
      const taken: number[] = [];
      for (let sample = 0; sample < samples; sample += 1) taken.push((await postern.request(callsOf(sample))).ms);
      return median(taken) / roundTripMs;
    };
    return {
      roundTripMs,
      openInbox: await inRoundTrips(() => openInbox(inboxId)),
      searchEverywhere: await inRoundTrips((sample) => searchEverywhere(`postern-bench-${sample}`)),
      messagesAllOver: await inRoundTrips(() => messagesAllOver(inboxId)),
      changesAfterDelivery: (await changesAfterDeliveries({ postern, outside, samples })) / roundTripMs,
    };
  } finally {
    await postern.stop();
    await proxy.stop();
  }
}
