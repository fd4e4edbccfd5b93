import { expect } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { TestServer } from '../servers/servers.ts';
import type { ImapActor } from './imap-actor.ts';
import { type InterceptedProduct, interceptedProduct } from './intercepted-product.ts';
import type { Interception, Moment } from './intercepting-proxy.ts';

type Refusals = { readonly [id: string]: JsonObject } | null;
/** What Mailbox/set answers. */
export type SetResponse = {
  readonly newState: string;
  readonly created: { readonly [creationId: string]: { readonly id: Id } } | null;
  readonly updated: { readonly [id: string]: JsonObject | null } | null;
  readonly destroyed: readonly Id[] | null;
  readonly notCreated: Refusals;
  readonly notUpdated: Refusals;
  readonly notDestroyed: Refusals;
};

/** Commands that change mailboxes, as they are on the wire. */
export const changing = /^(?:CREATE|RENAME|DELETE|SUBSCRIBE|UNSUBSCRIBE) /;

/** The tokens of all messages on the mail server. */
export async function tokensOn(actor: ImapActor): Promise<string[]> {
  return (await actor.observe()).flatMap(({ rows }) => rows.map(({ token }) => token)).sort();
}

/** Runs under way at once: where the mail server takes its time, as Courier does, others get on meanwhile. */
const runsAtOnce = 6;

/**
 * Breaks the connection at each command, once in each run, until there are runs that have no such command: all of them is done. Each run has a
 * product and a proxy of its own.
 */
export async function brokenAtEach(
  server: TestServer,
  moment: Moment,
  run: (
    behind: InterceptedProduct,
    interception: Interception,
  ) => Promise<{ readonly hasHappened: boolean; readonly response: SetResponse }>,
): Promise<void> {
  const breakAt = async (nth: number) => {
    const behind = await interceptedProduct(server);
    try {
      return { nth, ...(await run(behind, { command: changing, nth, moment, act: 'drop' })) };
    } finally {
      await behind.end();
    }
  };
  for (let first = 1; ; first += runsAtOnce) {
    const runs = await Promise.allSettled(Array.from({ length: runsAtOnce }, (_, index) => breakAt(first + index)));
    const undisturbed = runs
      .map((settled) => {
        if (settled.status === 'rejected') throw settled.reason;
        return settled.value;
      })
      .filter(({ hasHappened }) => !hasHappened);
    for (const { nth, response } of undisturbed) {
      expect(nth).toBeGreaterThan(9);
      expect(response).toMatchObject({ notCreated: null, notUpdated: null, notDestroyed: null });
    }
    if (undisturbed.length > 0) return;
  }
}
