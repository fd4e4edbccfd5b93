import type { Id } from '../../shared/jmap/scalars.ts';
import type { CanGiveUrls } from '../../shared/methods/Email/mail.ts';
import type { CanSubmit, HeldMessages, SendQueue } from '../../shared/methods/EmailSubmission/record.ts';
import {
  type CanRelay,
  octetsOf,
  type RelayOutcome,
  type RelayRequest,
} from '../../shared/methods/EmailSubmission/relay.ts';
import type { IdentityPorts } from '../../shared/methods/Identity/record.ts';
import type { SendingPolicy } from '../../shared/methods/Identity/sending-policy.ts';
import { accountRecords } from '../../shared/records/account-records.ts';
import { createMemoryRecordStore, type MemoryRecordStore } from '../../shared/records/memory-store.ts';

/** A submission server in memory: it counts what it accepted, and does with the next message what it is told. */
export type FakeRelay = {
  readonly relay: CanRelay;
  /** What went out: the envelopes and messages that were accepted. */
  readonly sent: { readonly from: string; readonly to: string[]; readonly text: string }[];
  /** Every request, accepted or not. */
  readonly requests: RelayRequest[];
  /** The fate of the next message; then all are accepted again. */
  readonly next: (fate: Fate) => void;
};
/** `lost`: accepted, and the answer is lost. */
export type Fate = Exclude<RelayOutcome, { kind: 'accepted' | 'unknown' }> | { readonly kind: 'lost' } | Error;

export function fakeRelay(): FakeRelay {
  const sent: { from: string; to: string[]; text: string }[] = [];
  const requests: RelayRequest[] = [];
  let fate: Fate | null = null;
  return {
    sent,
    requests,
    next: (wanted) => {
      fate = wanted;
    },
    relay: async (request) => {
      requests.push(request);
      const mine = fate;
      fate = null;
      if (mine instanceof Error) throw mine;
      if (mine !== null && mine.kind !== 'lost' && !(mine.kind === 'refused' && mine.at === 'message')) return mine;
      const octets = await octetsOf(request.message);
      await request.beforeEnd();
      if (mine !== null && mine.kind !== 'lost') return mine;
      const { mailFrom, rcptTo } = request.envelope;
      const to = rcptTo.map(({ email }) => email);
      sent.push({ from: mailFrom.email, to, text: Buffer.from(octets).toString() });
      if (mine !== null) return { kind: 'unknown' };
      const reply = { code: 250, text: '250 2.0.0 queued' };
      return { kind: 'accepted', reply, recipients: to.map((email) => ({ code: 250, text: `250 2.1.5 ${email} ok` })) };
    },
  };
}

/** A mail server that lets nobody else read. */
export const noUrls: CanGiveUrls = { canGiveUrls: async () => false, urlOf: async () => null };
/** One that gives the submission server URLs. */
export const someUrls: CanGiveUrls = {
  canGiveUrls: async () => true,
  urlOf: async ({ uidValidity, uid }, section, expiresAtMs) =>
    `imap://anna@example.com/m;UIDVALIDITY=${uidValidity}/;UID=${uid}/;SECTION=${section};EXPIRE=${new Date(expiresAtMs).toISOString()};URLAUTH=submit+anna:internal:${'ab'.repeat(20)}`,
};

/** What an account needs that can send: Identities, and a submission server. */
export function sendingPorts(
  options: {
    readonly relay?: CanRelay;
    readonly urls?: CanGiveUrls;
    readonly store?: MemoryRecordStore;
    readonly now?: () => number;
    readonly policy?: Partial<SendingPolicy>;
    readonly savesSent?: boolean;
    readonly maxRecipients?: number;
    readonly maxSizeMessage?: number;
    readonly queue?: SendQueue | null;
    readonly held?: HeldMessages | null;
    readonly serverHoldsSeconds?: number;
    readonly worker?: string;
    readonly deadline?: number;
  } = {},
): IdentityPorts & {
  readonly submission: CanSubmit;
  readonly store: MemoryRecordStore;
  readonly unavailable: Error[];
} {
  const { now = Date.now, store = createMemoryRecordStore({ now }), policy = {} } = options;
  let keys = 0;
  const unavailable: Error[] = [];
  const randomKey = () => `${options.worker ?? 'w'}${(++keys).toString(36).padStart(12, '0')}`;
  return {
    store,
    unavailable,
    records: accountRecords({ store, account: 'a', randomKey }),
    sending: {
      policy: { address: 'anna@example.com', alsoFrom: [], ...policy },
      newId: () => `S${randomKey()}` as Id,
    },
    submission: {
      relay: options.relay ?? fakeRelay().relay,
      urls: options.urls ?? noUrls,
      now,
      worker: options.worker ?? 'worker',
      deadline: options.deadline ?? Number.POSITIVE_INFINITY,
      maxRecipients: options.maxRecipients ?? 5,
      maxSizeMessage: options.maxSizeMessage ?? 10_000,
      savesSent: options.savesSent ?? false,
      queue: options.queue ?? null,
      held: options.held ?? null,
      destroyEmails: async () => {},
      onUnavailable: (error) => void unavailable.push(error),
      serverHoldsSeconds: options.serverHoldsSeconds ?? null,
      emailOf: new Map(),
    },
  };
}
