import { ImapSession } from '../../shared/imap/session.ts';
import { survey } from '../../shared/imap/survey.ts';
import { startLatencyProxy } from './latency-proxy.ts';
import type { FilledAccount } from './mail-account.ts';
import { median, timed } from './samples.ts';

export type ColdConnect = {
  /** From nothing to the accepted login: TCP, TLS and all. */
  readonly roundTrips: number;
  /** Not among the figures of the JSON line: to the answer of the first LIST-STATUS. */
  readonly more: { readonly firstAnswer: number };
};

/** So far away that the work on both sides hardly counts. */
const roundTripMs = 100;

/** Connects over TLS to a server that is far away, and tells the time in round trips. */
export async function measureColdConnect(account: FilledAccount, samples: number): Promise<ColdConnect> {
  const { user, password, imapsPort, ca } = account;
  const proxy = await startLatencyProxy(imapsPort, roundTripMs);
  const server = {
    name: 'far away',
    imap: { host: 'localhost', port: proxy.port, tls: 'implicit', ca },
    auth: ['plain', 'login'],
    forbiddenIdentitySchemes: [],
    quirks: { ignoreCapabilities: [] },
  } as const;
  const connected: number[] = [];
  const answered: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const begunAt = performance.now();
    const session = await ImapSession.open(server, { kind: 'password', user, password });
    connected.push(performance.now() - begunAt);
    const more = await timed(() => survey(session));
    answered.push((connected.at(-1) ?? 0) + more);
    session.close();
  }
  await proxy.stop();
  return {
    roundTrips: median(connected) / roundTripMs,
    more: { firstAnswer: median(answered) / roundTripMs },
  };
}
