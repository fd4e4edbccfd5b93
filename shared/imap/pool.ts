import { createHmac, randomBytes } from 'node:crypto';
import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import type { ImapCredential, ImapServer } from './endpoint.ts';
import { Throttled } from './failure.ts';
import { type ImapLimits, imapLimits } from './limits.ts';
import { ImapSession, type SessionObserver } from './session.ts';
import { Slots } from './slots.ts';
import { TokenBucket } from './token-bucket.ts';

export type PoolOptions = SessionObserver & {
  /** Connections of one account in this process, parked ones included. */
  readonly connectionsMax: number;
  /** How long a session without work is kept; 0: it is logged out when its work is done. */
  readonly parkMs: number;
  /** Age beyond which a session is not kept: its credential may have been revoked meanwhile. */
  readonly sessionAgeMaxMs: number;
  /** How long a request waits for one of the connections. */
  readonly queueMs?: number;
  readonly limits?: ImapLimits;
};

/** A session for one user's exclusive use. */
export type Lease = {
  readonly session: ImapSession;
  /** It was parked: its connection may have died unnoticed. */
  readonly isReused: boolean;
  /** Gives it back, to be parked or logged out; with the error that made it useless, to be thrown away. Never rejects. */
  readonly release: (failure?: unknown) => Promise<void>;
};

/** How long a request waits for a connection, where nothing else is said. */
const defaultQueueMs = 5_000;
/** Connects to one account: so many at once, and then one in so many seconds. */
const connectsBurst = 20;
const connectsPerSecond = 0.5;
/** A pause is prolonged by up to this part of it, so that not everybody comes back at the same moment. */
const jitter = 0.2;
/** When accounts without sessions are looked for to be forgotten. */
const accountsSweptAt = 1_000;

type Parked = { readonly session: ImapSession; readonly key: string; readonly timer: NodeJS.Timeout };

type Account = {
  readonly slots: Slots;
  readonly connects: TokenBucket;
  parked: Parked[];
  /** Connections that are open, or being opened or closed. */
  connections: number;
  /** Connections that are being closed. */
  readonly ending: Set<Promise<void>>;
  /** Milliseconds since the epoch before which the server wants to hear nothing. */
  notBefore: number;
};

/**
 * The sessions of one process. A session is used by one credential only, the one it was opened with: the same server, user
 * and secret, compared by a keyed hash.
 */
export class SessionPool {
  readonly #options: PoolOptions;
  readonly #limits: ImapLimits;
  readonly #hashKey = randomBytes(32);
  readonly #accounts = new Map<string, Account>();
  readonly #leased = new Set<ImapSession>();
  readonly #openedAt = new WeakMap<ImapSession, number>();
  readonly #hostNotBefore = new Map<string, number>();
  #sweepAt = accountsSweptAt;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#limits = options.limits ?? imapLimits;
  }

  /**
   * A session of the credential: a parked one, else a new one. Waits a moment while the account's connections are all in
   * use. Throws `AuthenticationFailed`, `Throttled`, `Unavailable`.
   */
  lease(server: ImapServer, credential: ImapCredential): Promise<Lease> {
    return this.#take(server, credential, 'parked or new');
  }

  /**
   * Logs in, whatever sessions there are: only that proves the credential. The session is parked for what comes next, or
   * logged out. Throws the same.
   */
  async verifyLogin(server: ImapServer, credential: ImapCredential): Promise<void> {
    const lease = await this.#take(server, credential, 'new');
    await lease.release();
  }

  /** A session on a new connection, because a parked one turned out to be dead. Throws the same. */
  leaseNew(server: ImapServer, credential: ImapCredential): Promise<Lease> {
    return this.#take(server, credential, 'new');
  }

  /**
   * Keeps no connection: a process that is frozen between requests can neither use nor close one. Sessions still in use belong
   * to a request whose time is over.
   */
  async rest(): Promise<void> {
    for (const session of this.#leased) session.close();
    await this.#logOutParked();
  }

  /** Logs out for ever; sessions in use follow when they are released. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#logOutParked();
  }

  async #logOutParked(): Promise<void> {
    const accounts = [...this.#accounts.values()];
    await Promise.all(accounts.flatMap((account) => account.parked.map((parked) => this.#unpark(account, parked))));
  }

  async #take(server: ImapServer, credential: ImapCredential, wanted: 'parked or new' | 'new'): Promise<Lease> {
    const account = this.#accountOf(server, credential);
    const queueMs = this.#options.queueMs ?? defaultQueueMs;
    if (!(await account.slots.take(queueMs))) {
      throw new Unavailable('All connections of the account are in use', {
        retryAfterSeconds: Math.ceil(queueMs / 1000),
      });
    }
    try {
      this.#checkPause(account.notBefore);
      const key = this.#keyOf(server, credential);
      const parked = wanted === 'new' ? null : this.#takeParked(account, key);
      const session = parked ?? (await this.#connect(account, key, server, credential));
      return this.#leaseOf(account, key, server, session, parked !== null);
    } catch (error) {
      account.slots.giveBack();
      throw error;
    }
  }

  #leaseOf(account: Account, key: string, server: ImapServer, session: ImapSession, isReused: boolean): Lease {
    let isReleased = false;
    this.#leased.add(session);
    const release = async (failure?: unknown) => {
      if (isReleased) return;
      isReleased = true;
      this.#leased.delete(session);
      if (failure !== undefined) this.#pauseFor(failure, server, account);
      if (failure === undefined && this.#mayPark(session)) this.#park(account, key, session);
      else await this.#end(account, session, failure !== undefined);
      account.slots.giveBack();
    };
    return { session, isReused, release };
  }

  async #connect(account: Account, key: string, server: ImapServer, credential: ImapCredential): Promise<ImapSession> {
    this.#checkPause(this.#hostNotBefore.get(hostOf(server)) ?? 0);
    const seconds = account.connects.take(Date.now());
    if (seconds > 0) {
      throw new Unavailable('Too many connections to the account', { retryAfterSeconds: Math.ceil(seconds) });
    }
    // Slots limit the sessions in use; a parked one makes room, if possible one that is of no use to anybody else.
    while (account.connections >= this.#options.connectionsMax) {
      const [oldest] = [...account.parked].sort((a, b) => Number(b.key === key) - Number(a.key === key));
      if (!oldest && account.ending.size === 0) break;
      await (oldest ? this.#unpark(account, oldest) : Promise.race(account.ending));
    }
    account.connections++;
    try {
      const { onConnect, onCommand } = this.#options;
      const session = await ImapSession.open(server, credential, {
        limits: this.#limits,
        ...(onConnect ? { onConnect } : {}),
        ...(onCommand ? { onCommand } : {}),
      });
      this.#openedAt.set(session, Date.now());
      return session;
    } catch (error) {
      account.connections--;
      this.#pauseFor(error, server, account);
      if (error instanceof AuthenticationFailed) await this.#dropParked(account, key);
      throw error;
    }
  }

  #takeParked(account: Account, key: string): ImapSession | null {
    const found = account.parked.findLast(
      (parked) => parked.key === key && parked.session.isOpen && this.#isYoung(parked.session),
    );
    if (!found) return null;
    clearTimeout(found.timer);
    account.parked = account.parked.filter((parked) => parked !== found);
    found.session.onEnd = () => {};
    found.session.keepAlive(true);
    return found.session;
  }

  #mayPark(session: ImapSession): boolean {
    return !this.#isClosed && this.#options.parkMs > 0 && session.isOpen && this.#isYoung(session);
  }

  /**
   * Leaves the mailbox, so that the session carries nothing over to its next use. Nobody waits for the answer: what is sent next
   * comes after it on the wire. A session that cannot leave its mailbox ends, also when it is in use again.
   */
  #park(account: Account, key: string, session: ImapSession): void {
    const timer = setTimeout(() => void this.#unpark(account, parked), this.#options.parkMs).unref();
    const parked: Parked = { session, key, timer };
    account.parked.push(parked);
    session.keepAlive(false);
    session.onEnd = () => void this.#unpark(account, parked);
    session.unselect().catch(() => (account.parked.includes(parked) ? this.#unpark(account, parked) : session.close()));
  }

  async #unpark(account: Account, parked: Parked): Promise<void> {
    if (!account.parked.includes(parked)) return;
    account.parked = account.parked.filter((other) => other !== parked);
    clearTimeout(parked.timer);
    await this.#end(account, parked.session, false);
  }

  async #dropParked(account: Account, key: string): Promise<void> {
    const dropped = account.parked.filter((parked) => parked.key === key);
    await Promise.all(dropped.map((parked) => this.#unpark(account, parked)));
  }

  async #end(account: Account, session: ImapSession, atOnce: boolean): Promise<void> {
    session.onEnd = () => {};
    if (atOnce) session.close();
    const ending = session.leave().then(() => {
      account.connections--;
      account.ending.delete(ending);
    });
    account.ending.add(ending);
    await ending;
  }

  #isYoung(session: ImapSession): boolean {
    return Date.now() - (this.#openedAt.get(session) ?? 0) < this.#options.sessionAgeMaxMs;
  }

  #checkPause(notBefore: number): void {
    const seconds = Math.ceil((notBefore - Date.now()) / 1000);
    if (seconds > 0) throw new Throttled('account', seconds);
  }

  #pauseFor(failure: unknown, server: ImapServer, account: Account): void {
    if (!(failure instanceof Throttled)) return;
    const notBefore = Date.now() + failure.pause * 1000 * (1 + jitter * Math.random());
    account.notBefore = Math.max(account.notBefore, notBefore);
    if (failure.concerns === 'host') {
      const host = hostOf(server);
      this.#hostNotBefore.set(host, Math.max(this.#hostNotBefore.get(host) ?? 0, notBefore));
    }
  }

  #accountOf(server: ImapServer, { user }: ImapCredential): Account {
    const name = JSON.stringify([server.name, user]);
    let account = this.#accounts.get(name);
    if (!account) {
      this.#forgetIdle();
      account = {
        slots: new Slots(this.#options.connectionsMax),
        connects: new TokenBucket(connectsBurst, connectsPerSecond, Date.now()),
        parked: [],
        connections: 0,
        ending: new Set(),
        notBefore: 0,
      };
      this.#accounts.set(name, account);
    }
    return account;
  }

  /** Accounts that nothing has to be remembered of: anybody can make up names of accounts. */
  #forgetIdle(): void {
    if (this.#accounts.size < this.#sweepAt) return;
    const now = Date.now();
    for (const [name, { slots, connects, connections, notBefore }] of this.#accounts) {
      if (slots.isIdle && connections === 0 && notBefore <= now && connects.isFull(now)) this.#accounts.delete(name);
    }
    this.#sweepAt = Math.max(accountsSweptAt, 2 * this.#accounts.size);
  }

  #keyOf(server: ImapServer, credential: ImapCredential): string {
    const secret = credential.kind === 'password' ? credential.password : credential.accessToken;
    const text = JSON.stringify([server.name, credential.kind, credential.user, secret]);
    return createHmac('sha256', this.#hashKey).update(text).digest('base64');
  }
}

function hostOf({ imap }: ImapServer): string {
  return `${imap.host}:${imap.port}`;
}
