import { createHash, randomBytes } from 'node:crypto';
import type { User } from '../../functions/http/authenticate.ts';
import { createQueue, type Due, type Queue } from '../../functions/sending/queue.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import {
  type KeptSubmission,
  type SubmissionPorts,
  submissionKind,
} from '../../shared/methods/EmailSubmission/record.ts';
import type { CanRelay, RelayOutcome, RelayRequest } from '../../shared/methods/EmailSubmission/relay.ts';
import { singleProvider } from '../../shared/providers.ts';
import { accountRecords } from '../../shared/records/account-records.ts';
import { createMemoryRecordStore, type MemoryRecordStore } from '../../shared/records/memory-store.ts';
import type { RecordStore } from '../../shared/records/store.ts';
import type { Outbox } from '../../shared/vault/outbox.ts';
import { headerOf, keyOctets, nonceOctets, seal, unseal } from '../../shared/vault/sealed.ts';
import type { Vault } from '../../shared/vault/vault.ts';
import { mailAccount } from '../methods/mail-account.ts';
import { someUrls } from '../methods/sending-account.ts';
import { copyId, withoutEmails, withSentCopies } from './sent-copies.ts';

/** The process has ended: whatever it was about to do, it does not. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** What the submission server does with a message. */
export type Fate = 'accept' | 'accept, and lose the answer' | 'refuse for a while' | 'refuse' | 'be away';

/** What outlives a process: the stores, the mail server, the submission server, and time. */
export type World = {
  readonly store: MemoryRecordStore;
  readonly outbox: ReadonlyMap<string, Uint8Array>;
  /** How often each message went out, by Message-ID. */
  readonly sent: ReadonlyMap<string, number>;
  /** Those that went out, and whose answer was lost. */
  readonly unanswered: ReadonlySet<string>;
  /** Those whose body the submission server fetched itself. */
  readonly fetched: ReadonlySet<string>;
  readonly now: () => number;
  readonly advanceTo: (ms: number) => void;
  readonly startProcess: (options?: ProcessOptions) => SendingProcess;
  /** The submissions of an account as they are stored. */
  readonly kept: (account: Id) => Promise<ReadonlyMap<Id, KeptSubmission>>;
  /** Whether the provider has put a copy of the message into Sent. */
  readonly hasCopy: (messageId: string) => boolean;
  readonly destroyed: ReadonlySet<Id>;
};

export type ProcessOptions = {
  /** It ends at this step of all that it does outside of itself; null: it does not. */
  readonly endsAt?: number | null;
  readonly fate?: () => Fate;
  readonly onHeld?: (due: Due) => Promise<void>;
  readonly maxDelaySeconds?: number;
  /** Whether the Email of a submission is in Sent. */
  readonly isInSent?: boolean;
  /** Whether the mail server does nothing any more. */
  readonly isAway?: boolean;
  /** Whether the answer to this write of the store is lost. */
  readonly losesAnswer?: () => boolean;
  /** Whether the submission server fetches a body that it may fetch. */
  readonly fetches?: () => boolean;
  /** Where it stalls: before it gives its message to the server, and before it hears the answer. */
  readonly stall?: (at: 'begin' | 'answer') => Promise<void>;
};

/** How far a process came with a message whose end it was about to send. */
export type Stage = 'noting' | 'ended' | 'answered';

export type SendingProcess = {
  readonly queue: Queue;
  readonly portsOf: (account: Id) => SubmissionPorts;
  readonly isAlive: () => boolean;
  /** Its name in the ledgers. */
  readonly worker: string;
  readonly stageOf: (messageId: string) => Stage | null;
  /** Steps that it has taken. */
  readonly steps: () => number;
};

const header = 'From: anna@example.com\nTo: bob@example.net\nSubject: x\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n\n';
/** A body that the submission server is to fetch. */
export const largeBody = 'Hello, Bob.\n'.repeat(6_000);
const imap = { host: '127.0.0.1', port: 143, tls: 'plaintext', ca: null } as const;
export const provider = singleProvider('test', { imap, smtp: imap, sieve: null });

/** `saves`: whether the provider puts a copy of this message into Sent; null: it saves none. `body`: of every message. */
export function createWorld(saves: ((messageId: string) => boolean) | null = null, body = 'Hello\n'): World {
  let clock = Date.parse('2026-05-01T00:00:00Z');
  const now = () => clock;
  const store = createMemoryRecordStore({ now });
  const outbox = new Map<string, Uint8Array>();
  const sent = new Map<string, number>();
  const unanswered = new Set<string>();
  const vault = testVault();
  const { ports: mail } = mailAccount([`${header}${body}`]);
  let keys = 0;
  const randomKey = () => createHash('sha256').update(String(++keys)).digest('hex').slice(0, 16);
  const hasCopy = (messageId: string) => sent.has(messageId) && saves?.(messageId) === true;
  const fetched = new Set<string>();
  const destroyed = new Set<Id>();
  const sentCopies = withSentCopies(mail, () =>
    [...sent.keys()].map((each, index) => (hasCopy(each) && !destroyed.has(copyId(index)) ? each : null)),
  );

  return {
    store,
    outbox,
    sent,
    unanswered,
    fetched,
    now,
    hasCopy,
    destroyed,
    advanceTo: (ms) => {
      clock = Math.max(clock, ms);
    },
    kept: async (account) => {
      const { records } = await accountRecords({ store, account, randomKey }).view(submissionKind);
      return records;
    },
    startProcess: ({ endsAt = null, fate = () => 'accept', onHeld, maxDelaySeconds = 90 * 86_400, ...more } = {}) => {
      const { losesAnswer = () => false, stall = async () => {}, isInSent = true, isAway = false } = more;
      const { fetches = () => true } = more;
      const stages = new Map<string, Stage>();
      const worker = randomKey();
      let steps = 0;
      let isAlive = true;
      const step = () => {
        steps += 1;
        if (steps === endsAt) isAlive = false;
        if (!isAlive) throw new Killed('the process has ended');
      };
      /** What is done outside of the process: it may end before or after that. */
      const outside = <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) => {
        return async (...args: A): Promise<T> => {
          step();
          const result = await call(...args);
          step();
          return result;
        };
      };
      const ownStore: RecordStore = {
        read: outside(store.read),
        list: outside(store.list),
        write: outside(async (...args: Parameters<RecordStore['write']>) => {
          const isWritten = await store.write(...args);
          if (losesAnswer()) throw new Unavailable('the answer of the store was lost');
          return isWritten;
        }),
        remove: outside(store.remove),
      };
      const ownOutbox: Outbox = {
        put: outside(
          async (account: string, id: string, sealed: Uint8Array) => void outbox.set(`${account}/${id}`, sealed),
        ),
        get: outside(async (account: string, id: string) => outbox.get(`${account}/${id}`) ?? null),
        remove: outside(async (account: string, id: string) => void outbox.delete(`${account}/${id}`)),
      };
      /** What the server has of a message but its end, and whether it fetched the body. */
      const given = async (message: RelayRequest['message']) => {
        if (message instanceof Uint8Array) return { octets: message, isFetched: false };
        const url = await message.bodyUrl();
        step();
        const isFetched = url !== null && fetches();
        step();
        return { octets: isFetched ? message.header : await message.read(), isFetched };
      };
      const relay: CanRelay = async ({ message, beforeEnd }): Promise<RelayOutcome> => {
        step();
        await stall('begin');
        const mine = fate();
        const reply = (code: number) => ({ code, text: `${code} 2.0.0 said so` });
        if (mine === 'be away') throw new Unavailable('away');
        if (mine === 'refuse for a while') return { kind: 'refused', at: 'sender', reply: reply(451), recipients: [] };
        if (mine === 'refuse') return { kind: 'refused', at: 'sender', reply: reply(550), recipients: [] };
        const { octets, isFetched } = await given(message);
        const messageId = /^Message-ID: (<.*>)/m.exec(Buffer.from(octets).toString())?.[1] ?? '';
        stages.set(messageId, 'noting');
        await beforeEnd();
        step();
        stages.set(messageId, 'ended');
        sent.set(messageId, (sent.get(messageId) ?? 0) + 1);
        if (isFetched) fetched.add(messageId);
        step();
        await stall('answer');
        step();
        if (mine === 'accept, and lose the answer') {
          unanswered.add(messageId);
          return { kind: 'unknown' };
        }
        stages.set(messageId, 'answered');
        return { kind: 'accepted', reply: reply(250), recipients: [reply(250)] };
      };
      const portsOf = (account: Id): SubmissionPorts => ({
        ...{ ...mail, ...(isInSent ? sentCopies : withoutEmails(sentCopies)) },
        records: accountRecords({ store: ownStore, account, randomKey }),
        sending: { policy: { address: 'anna@example.com', alsoFrom: [] }, newId: () => `S${randomKey()}` as Id },
        submission: {
          ...{ relay, urls: someUrls, now, worker, maxRecipients: 10, maxSizeMessage: 100_000, emailOf: new Map() },
          deadline: Number.POSITIVE_INFINITY,
          queue: queue.of(userOf(account)),
          serverHoldsSeconds: null,
          held: queue.heldOf(account),
          savesSent: saves !== null,
          destroyEmails: async (ids) => {
            if (isAway) throw new Unavailable('away');
            for (const emailId of ids) destroyed.add(emailId);
          },
          onUnavailable: () => {},
        },
      });
      const queue: Queue = createQueue({
        ...{ store: ownStore, vault, outbox: ownOutbox, providers: [provider], maxDelaySeconds, now },
        ...(onHeld === undefined ? {} : { onHeld }),
        recordsOf: (account) => accountRecords({ store: ownStore, account, randomKey }),
        openAccount: ({ accountId }) => ({ ports: portsOf(accountId), close: async () => {} }),
      });
      return {
        queue,
        portsOf,
        isAlive: () => isAlive,
        worker,
        stageOf: (id) => stages.get(id) ?? null,
        steps: () => steps,
      };
    },
  };
}

function userOf(accountId: Id): User {
  const credential = { kind: 'password', user: 'anna@example.com', password: 'the password' } as const;
  return { username: 'anna@example.com', accountId, provider, credential };
}

/** Something to wait for, until it is opened. */
export function gate(): { readonly isOpen: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen, open };
}

/** The real sealing, under a key that lives as long as the test. */
export function testVault(): Vault {
  const key = randomBytes(keyOctets);
  const header = { keyId: 'test', wrappedKey: new Uint8Array() };
  return {
    seal: async (plain, context) => seal({ plain, context, header }, { key, nonce: randomBytes(nonceOctets) }),
    open: async (sealed, context) => {
      if (headerOf(sealed).keyId !== 'test') throw new Error('another key');
      return unseal(sealed, context, key);
    },
  };
}
