import * as v from 'valibot';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { dutyOf, overdueMs } from '../../shared/methods/EmailSubmission/ledger.ts';
import {
  type HeldMessages,
  type SendQueue,
  type SubmissionPorts,
  submissionKind,
} from '../../shared/methods/EmailSubmission/record.ts';
import { attend, giveUp } from '../../shared/methods/EmailSubmission/transmit.ts';
import type { Provider } from '../../shared/providers.ts';
import type { AccountRecords } from '../../shared/records/account-records.ts';
import type { ListedItem, RecordStore, StoredItem } from '../../shared/records/store.ts';
import type { Outbox } from '../../shared/vault/outbox.ts';
import { SealBroken, type Vault } from '../../shared/vault/vault.ts';
import type { User } from '../http/authenticate.ts';

/** A submission that has to be looked after at some time, in milliseconds, and whose server it takes; '' where that is not known. */
export type Due = { readonly at: number; readonly account: Id; readonly id: Id; readonly provider: string };

/** Messages that are sent when nobody is there. */
export type Queue = {
  /** For one user; null where what he showed will not do later, and where nothing is to be held. */
  readonly of: (user: User) => SendQueue | null;
  readonly heldOf: (account: Id) => HeldMessages;
  /** What falls due up to a time, the earliest first; only what comes after `after`. */
  readonly dueUntil: (ms: number, limit: number, after?: Due | null) => Promise<readonly Due[]>;
  /**
   * Does what there is to do about a submission, and says when there is more. It is safe to do so at any time, twice, or by several at
   * once. Throws `Unavailable` when it cannot be done now.
   */
  readonly attendTo: (due: Due) => Promise<Due | null>;
  /** Erases what is kept of a message that nobody will send any more; `since` it was put there, in milliseconds. */
  readonly eraseIfOver: (account: Id, id: Id, since: number) => Promise<void>;
};

const pageMax = 1_000;

/** Everything that falls due up to a time, the earliest first, however much that is: what hangs must not hide what comes after it. */
export async function* everythingDue({ dueUntil }: Pick<Queue, 'dueUntil'>, ms: number): AsyncGenerator<Due> {
  for (let after: Due | null = null; ; ) {
    const page = await dueUntil(ms, pageMax, after);
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < pageMax) return;
  }
}

export type QueueParts = {
  readonly store: RecordStore;
  readonly vault: Vault;
  readonly outbox: Outbox;
  readonly providers: readonly Provider[];
  readonly maxDelaySeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what is due when it is put into the queue. */
  readonly onHeld?: (due: Due) => Promise<void>;
  readonly recordsOf: (account: Id) => AccountRecords;
  readonly openAccount: (user: User) => { readonly ports: SubmissionPorts; readonly close: () => Promise<void> };
};

/** The partition of what is due; no account is called so, for their ids start with another letter and are longer. */
const dueAccount = 'due';
/** Where an account's store has the credential of a message that waits. */
export const heldPrefix = 'held/';
export const heldKey = (id: Id): string => `${heldPrefix}${id}`;
/** How long after it was put into the queue a submission may be unknown. */
const commitMs = 10 * 60_000;
/** How soon it is looked for again until then. */
const unknownAgainMs = 1_000;
/** So long after it was put there, a message of which nothing else is known has had its time, whatever that was. */
const unknownForeverMs = 366 * 24 * 3_600_000 + overdueMs;
/** A submission whose provider or store fails is looked after again so much later. */
const failedAgainMs = 60_000;

const purposes = { credential: 'submission/credential', message: 'submission/message' };

export function createQueue(parts: QueueParts): Queue {
  const { store, vault, outbox, providers, maxDelaySeconds, now, onHeld, recordsOf, openAccount } = parts;

  async function putDue(due: Due, heldAt: number): Promise<void> {
    const expiresAt = Math.ceil((due.at + overdueMs) / 1_000);
    const bytes = Buffer.from(`${heldAt} ${due.provider}`);
    // That it is there already is as good.
    await store.write(dueAccount, keyOf(due), { version: 1, bytes, expiresAt }, null);
  }

  async function forget(account: Id, id: Id): Promise<void> {
    await outbox.remove(account, id);
    await store.remove(account, heldKey(id), null);
  }

  /** Who a message was written by; null: nothing of him is left. */
  async function userOf(account: Id, id: Id): Promise<User | null> {
    const item = await store.read(account, heldKey(id));
    if (item === null) return null;
    const plain = await vault.open(item.bytes, { account, purpose: purposes.credential, id });
    const held = v.parse(heldUser, JSON.parse(Buffer.from(plain).toString()));
    const provider = providers.find(({ name }) => name === held.provider);
    if (provider === undefined) return null;
    return { username: held.username, accountId: account, provider, credential: held.credential };
  }

  /** When there is more to do about it; null: never. */
  async function attended({ account, id }: Due, heldAt: number): Promise<number | null> {
    const records = recordsOf(account);
    const kept = (await records.view(submissionKind)).records.get(id);
    // It is put into the queue before it is committed: a moment later it is known, or never.
    if (kept === undefined && heldAt + commitMs > now()) return now() + unknownAgainMs;
    const duty = kept && dutyOf(kept.ledger, now());
    if (duty?.kind === 'wait') return duty.until;
    const user = kept === undefined ? null : await userOf(account, id).catch(nullIfBroken);
    if (user === null) {
      await giveUp(id, '554 5.3.0 The message could not be kept until it was due', { records });
      await forget(account, id);
      return null;
    }
    const { ports, close } = openAccount(user);
    try {
      return await attend(id, ports);
    } finally {
      await close();
    }
  }

  return {
    // An access token does not live as long as a message may wait.
    of: (user) => (user.credential.kind === 'token' || maxDelaySeconds === 0 ? null : queueOf(user)),
    heldOf: (account) => ({
      message: async (id) => {
        const sealed = await outbox.get(account, id);
        if (sealed === null) return null;
        return vault.open(sealed, { account, purpose: purposes.message, id }).catch(nullIfBroken);
      },
      forgetMessage: (id) => outbox.remove(account, id),
      forget: (id) => forget(account, id),
    }),
    dueUntil: dueIn(store),
    eraseIfOver,
    attendTo: async (due) => {
      const item = await store.read(dueAccount, keyOf(due));
      if (item === null || due.at > now()) return item === null ? null : due;
      const { heldAt, provider } = factsOf(item);
      const nextAt = await attended(due, heldAt).catch((error: unknown) => {
        if (error instanceof Unavailable) return now() + failedAgainMs;
        throw error;
      });
      const next = nextAt === null ? null : { ...due, provider, at: nextAt };
      if (next !== null) await putDue(next, heldAt);
      await removeDue(store, due);
      return next;
    },
  };

  async function eraseIfOver(account: Id, id: Id, since: number): Promise<void> {
    const kept = (await recordsOf(account).view(submissionKind)).records.get(id);
    const duty = kept === undefined ? null : dutyOf(kept.ledger, now()).kind;
    // Of a message without its record it is not known whether somebody looks for that in the wrong place.
    const isOver = duty === null ? since + unknownForeverMs < now() : duty === 'give up' || duty === 'nothing';
    if (isOver) await forget(account, id);
  }

  function queueOf(user: User): SendQueue {
    const { accountId: account, username, provider, credential } = user;
    return {
      maxDelaySeconds,
      hold: async (id, message, sendAtMs) => {
        const due = { at: sendAtMs, account, id, provider: provider.name };
        const heldAt = now();
        // First of all: what is in the queue is found again, and erased if it was never committed, for which nobody waits that long.
        await putDue(due, heldAt);
        if (sendAtMs > heldAt + commitMs) await putDue({ ...due, at: heldAt + commitMs }, heldAt);
        await outbox.put(account, id, await vault.seal(message, { account, purpose: purposes.message, id }));
        const held = Buffer.from(JSON.stringify({ username, provider: provider.name, credential }));
        const bytes = await vault.seal(held, { account, purpose: purposes.credential, id });
        const expiresAt = Math.ceil((sendAtMs + overdueMs) / 1_000);
        await store.write(account, heldKey(id), { version: 1, bytes, expiresAt }, null);
        await onHeld?.(due);
      },
    };
  }
}

/** What cannot be opened is lost. */
function nullIfBroken(error: unknown): null {
  if (error instanceof SealBroken) return null;
  throw error;
}

const heldUser = v.strictObject({
  username: v.string(),
  provider: v.string(),
  credential: v.strictObject({ kind: v.literal('password'), user: v.string(), password: v.string() }),
});

/** What is due, as the store has it. */
export function dueIn(store: RecordStore): Queue['dueUntil'] {
  return async (ms, limit, after = null) => {
    const first = after === null ? '0' : `${keyOf(after)} `;
    const last = keyOf({ at: ms, account: '~' as Id, id: '~' as Id });
    return (await store.list(dueAccount, { first, last, limit })).map(dueOf);
  };
}

/** Nobody looks after it any more. */
export async function removeDue(store: RecordStore, due: Due): Promise<void> {
  await store.remove(dueAccount, keyOf(due), null);
}

/** Sorts by time. */
function keyOf({ at, account, id }: Omit<Due, 'provider'>): string {
  return `${String(at).padStart(15, '0')}/${account}/${id}`;
}

function dueOf(item: ListedItem): Due {
  const [at, account, id] = item.key.split('/');
  return { at: Number(at), account: account as Id, id: id as Id, provider: factsOf(item).provider };
}

/** When it was put into the queue, and whose server it takes. */
function factsOf({ bytes }: Pick<StoredItem, 'bytes'>): { readonly heldAt: number; readonly provider: string } {
  const [heldAt = '', provider = ''] = Buffer.from(bytes).toString().split(' ');
  return { heldAt: Number(heldAt), provider };
}
