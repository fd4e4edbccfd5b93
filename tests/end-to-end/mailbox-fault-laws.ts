import { expect } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { ImapActor } from './imap-actor.ts';
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

/** Breaks the connection at each command in turn, once in each run, until a run has no such command and all of it is done. */
export async function brokenAtEach(
  moment: Moment,
  run: (interception: Interception) => Promise<{ readonly hasHappened: boolean; readonly response: SetResponse }>,
): Promise<void> {
  for (let nth = 1; ; nth += 1) {
    const { hasHappened, response } = await run({ command: changing, nth, moment, act: 'drop' });
    if (hasHappened) continue;
    expect(nth).toBeGreaterThan(9);
    expect(response).toMatchObject({ notCreated: null, notUpdated: null, notDestroyed: null });
    return;
  }
}
