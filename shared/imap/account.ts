import { MailboxUnseen, type MailSource } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type {
  CanAppendMessages,
  CanGiveUrls,
  CanReadMessages,
  CanSearchMessages,
  CanWriteMessages,
} from '../methods/Email/mail.ts';
import type { CanWriteMailboxes } from '../methods/Mailbox/writing.ts';
import type { CanTellQuotas } from '../methods/Quota/record.ts';
import { imapAppending } from './append-messages.ts';
import type { ImapCredential, ImapServer } from './endpoint.ts';
import { CommandRefused, ConnectionLost, Dismissed } from './failure.ts';
import { imapUrls } from './message-urls.ts';
import type { Lease, SessionPool } from './pool.ts';
import { imapQuotas } from './quota.ts';
import { imapMessages } from './read-messages.ts';
import { imapSearch } from './search.ts';
import type { ImapSession } from './session.ts';
import { imapSource } from './source.ts';
import type { ChangeWithSession, HoldSession, UseSession } from './use.ts';
import { imapMailboxes } from './write-mailboxes.ts';
import { imapWriting } from './write-messages.ts';

/** What one request may ask of one account's mail server. */
export type ImapAccount = {
  readonly source: MailSource;
  readonly messages: CanReadMessages;
  readonly search: CanSearchMessages;
  readonly writing: CanWriteMessages;
  readonly appending: CanAppendMessages;
  /** Reading messages on another connection, while that of the rest is in use. */
  readonly beside: CanReadMessages;
  readonly mailboxes: CanWriteMailboxes;
  readonly quotas: CanTellQuotas;
  readonly urls: CanGiveUrls;
  /** Gives the session back, when open streams have ended. Has to be called at the end of the request. Never rejects. */
  readonly release: () => Promise<void>;
};

/**
 * One account for the time of one request. No connection is needed before something is asked; then one session serves
 * everything, an operation at a time. A reading operation that finds a parked session dead, or is dismissed by the server, is tried
 * once more on a new one; one that changes something never is.
 */
export function imapAccount(pool: SessionPool, server: ImapServer, credential: ImapCredential): ImapAccount {
  const session = new RequestSession(pool, server, credential);
  const other = new RequestSession(pool, server, credential);
  return {
    source: imapSource(session.use, server),
    messages: imapMessages(session.use, session.hold),
    search: imapSearch(session.use),
    writing: imapWriting(session.use, session.change),
    appending: imapAppending(session.use, session.change),
    beside: imapMessages(other.use, other.hold),
    mailboxes: imapMailboxes(session.use, session.change),
    quotas: imapQuotas(session.use),
    urls: imapUrls(session.use, server, credential),
    release: async () => {
      await Promise.all([session.release(), other.release()]);
    },
  };
}

class RequestSession {
  readonly #pool: SessionPool;
  readonly #server: ImapServer;
  readonly #credential: ImapCredential;
  #lease: Lease | null = null;
  /** How many commands the leased session was asked before; it may answer the last of them later. */
  #askedBefore = 0;
  /** The end of the operation before. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #holds = new Set<object>();
  #isEnding = false;
  #onUnheld: () => void = () => {};

  constructor(pool: SessionPool, server: ImapServer, credential: ImapCredential) {
    this.#pool = pool;
    this.#server = server;
    this.#credential = credential;
  }

  readonly use: UseSession = (operation) => this.#inTurn(() => this.#run(operation));

  readonly change: ChangeWithSession = (prepare, change) =>
    this.#inTurn(async () => {
      const prepared = await this.#run(prepare);
      return this.#attempt(await this.#leased(), (session) => change(session, prepared));
    });

  readonly hold: HoldSession = () => {
    const hold = {};
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
      if (this.#holds.size === 0) this.#onUnheld();
    };
  };

  async release(): Promise<void> {
    this.#isEnding = true;
    if (this.#holds.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnheld = resolve;
      });
    }
    await this.#last;
    await this.#giveBack();
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {});
    return result;
  }

  async #run<T>(operation: (session: ImapSession) => Promise<T>): Promise<T> {
    if (this.#isEnding && this.#holds.size === 0) throw new Unavailable('The request has ended');
    const lease = await this.#leased();
    try {
      return await this.#attempt(lease, operation);
    } catch (error) {
      const wasDead = lease.isReused && lease.session.answered <= this.#askedBefore;
      if (!(error instanceof Dismissed || (error instanceof ConnectionLost && wasDead))) throw error;
      this.#lease = await this.#pool.leaseNew(this.#server, this.#credential);
      return this.#attempt(this.#lease, operation);
    }
  }

  async #leased(): Promise<Lease> {
    if (!this.#lease) {
      this.#lease = await this.#pool.lease(this.#server, this.#credential);
      this.#askedBefore = this.#lease.session.asked;
    }
    return this.#lease;
  }

  async #attempt<T>(lease: Lease, operation: (session: ImapSession) => Promise<T>): Promise<T> {
    try {
      return await operation(lease.session);
    } catch (error) {
      // What is wrong with more than one command is wrong with the session; the pool wants to know what.
      const isOfCommand = error instanceof CommandRefused || error instanceof MailboxUnseen;
      const isOneCommand = !(error instanceof Unavailable) || isOfCommand;
      if (!isOneCommand || !lease.session.isOpen) await this.#giveBack(error);
      throw error;
    }
  }

  async #giveBack(failure?: unknown): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    await lease?.release(failure);
  }
}
