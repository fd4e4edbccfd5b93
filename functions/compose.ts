import { randomBytes } from 'node:crypto';
import { type AccountMemory, accountCatalog, accountMemory } from '../shared/catalog/account.ts';
import { collationAlgorithms } from '../shared/catalog/query/collation.ts';
import { rightsReader } from '../shared/catalog/rights.ts';
import { createBlockCache } from '../shared/catalog/storage/block-cache.ts';
import { openCatalog } from '../shared/catalog/storage/open.ts';
import type { CatalogStore } from '../shared/catalog/store.ts';
import type { Config } from '../shared/config.ts';
import { imapAccount } from '../shared/imap/account.ts';
import type { ImapCredential } from '../shared/imap/endpoint.ts';
import { SessionPool } from '../shared/imap/pool.ts';
import type { SessionObserver } from '../shared/imap/session.ts';
import type { Id } from '../shared/jmap/scalars.ts';
import type { CoreCapability } from '../shared/jmap/session.ts';
import type { BlobStore } from '../shared/methods/Blob/uploads.ts';
import { destroyEmails } from '../shared/methods/Email/set.ts';
import type { CanRelay } from '../shared/methods/EmailSubmission/relay.ts';
import { keptMailboxes } from '../shared/methods/Mailbox/kept.ts';
import { putBack } from '../shared/methods/Mailbox/put-back.ts';
import { createRoleMailboxes } from '../shared/methods/Mailbox/role-mailboxes.ts';
import type { Provider } from '../shared/providers.ts';
import { accountRecords } from '../shared/records/account-records.ts';
import type { RecordStore } from '../shared/records/store.ts';
import { smtpRelay } from '../shared/smtp/relay.ts';
import { createApiRunner, type OpenAccount } from './http/api-runner.ts';
import { type App, createApp } from './http/app.ts';
import { accountIdOf, createAuthenticator } from './http/authenticate.ts';
import { createBlobOpener } from './http/blob-opener.ts';
import { createSessionDescriber } from './http/describe-session.ts';
import { createLog, type Log, logUnavailable } from './http/log.ts';
import { createLoginCounter } from './http/login-limits.ts';
import { createLoginMemory } from './http/login-memory.ts';
import { timelySearch } from './http/timely-search.ts';
import { lastUsed } from './last-used.ts';
import { sieveOpener } from './open-sieve.ts';
import { ownAddressesOf, sendingPolicyOf } from './sending/policy.ts';
import { createQueue, type Queue, type QueueParts } from './sending/queue.ts';

/** What differs between the processes that serve JMAP. */
export type World = {
  readonly providers: readonly Provider[];
  readonly store: CatalogStore;
  /** Where uploaded files are kept. */
  readonly blobs: BlobStore;
  /** Where is kept what no mail server can keep. */
  readonly records: RecordStore;
  /** What it takes to hold messages that are to be sent later; absent: none are. */
  readonly held?: Pick<QueueParts, 'vault' | 'outbox' | 'onHeld'>;
  /** Takes a line of the log. */
  readonly writeLog: (line: string) => void;
  /** Told of every connection to a mail server and every command, for counting. */
  readonly observer?: SessionObserver;
  /** Milliseconds since the epoch; the clock of this machine, where it is absent. */
  readonly now?: () => number;
};

export type Postern = {
  readonly app: App;
  readonly log: Log;
  /** Messages that wait to be sent; null: none do. */
  readonly queue: Queue | null;
  /** Logs out of the mail servers until the next request: for a process that is frozen in between. */
  readonly rest: () => Promise<void>;
  /** Logs out of the mail servers for ever. */
  readonly close: () => Promise<void>;
};

/** Accounts of which this process remembers when it last asked their server. */
const maxRememberedAccounts = 10_000;

/** Puts the server together: the one place that knows every room. */
export function compose(config: Config, world: World): Postern {
  const { providers, store, blobs, writeLog, observer = {}, now = Date.now } = world;
  const surroundings = { now, randomKey: () => randomBytes(12).toString('hex') };
  const log = createLog(config.log, writeLog, now);
  const requestTimeoutMs = config.requestTimeoutSeconds * 1000;
  const trustMs = config.loginTrustMinutes * 60_000;

  const pool = new SessionPool({
    ...observer,
    connectionsMax: config.maxConnectionsPerAccount,
    parkMs: config.parkedConnectionSeconds * 1000,
    // What a login proved holds no longer for its connection than for its requests.
    sessionAgeMaxMs: trustMs,
  });
  const cache = createBlockCache({ maxBytes: config.blockCacheMegabytes * 1_000_000 });
  const memories = lastUsed<AccountMemory>(maxRememberedAccounts);

  const openSieve = sieveOpener(log, (...login) => pool.verifyLogin(...login));
  const recordsOf = (account: Id) =>
    accountRecords({ store: world.records, account, randomKey: surroundings.randomKey });
  const maxDelaySeconds = config.maxDelayedSendDays * 86_400;
  // Also where nothing is to be held any more: what waits is still sent.
  const queue =
    world.held === undefined
      ? null
      : createQueue({
          ...{ ...world.held, store: world.records, providers, maxDelaySeconds, now, recordsOf },
          openAccount: (user) => openAccount(user),
        });
  const openAccount: OpenAccount = (user, foresight) => {
    const { accountId, provider, credential } = user;
    const { source: plainSource, release, urls, ...mail } = imapAccount(pool, provider, credential);
    /** Names of mailboxes that were met. */
    const met = new Set<string>();
    const source = {
      ...plainSource,
      survey: async (...foreseen: Parameters<typeof plainSource.survey>) => {
        const survey = await plainSource.survey(...foreseen);
        for (const { name } of survey) met.add(name);
        return survey;
      },
    };
    const deadline = now() + requestTimeoutMs;
    const hasTime = () => now() < deadline;
    const memory = memories.get(accountId) ?? accountMemory();
    memories.set(accountId, memory);
    const records = recordsOf(accountId);
    const catalog = accountCatalog({
      catalog: openCatalog({ store, account: accountId, surroundings, cache }),
      source: async () => source,
      kept: keptMailboxes(records),
      ...(foresight && { foresight }),
      surroundings,
      freshnessMs: config.freshnessMs,
      deadline,
      memory,
    });
    const rights = rightsReader({ source: async () => source, remember: catalog.remember, surroundings });
    const sieve = openSieve(provider, credential);
    const newId = () => `S${surroundings.randomKey()}` as Id;
    const ports = {
      ...{ catalog, ...mail, rights, uploads: blobs(accountId), records, surroundings },
      search: timelySearch(mail.search, hasTime),
      hasTime,
      sending: { policy: sendingPolicyOf(user), newId },
      submission: {
        relay: provider.smtp === null ? noRelay : smtpRelay({ smtp: provider.smtp, auth: provider.auth }, credential),
        urls,
        now,
        deadline,
        worker: surroundings.randomKey(),
        maxRecipients: provider.sending.maxRecipients,
        maxSizeMessage: config.maxSizeMessage,
        savesSent: provider.sending.savesSent,
        queue: queue?.of(user) ?? null,
        held: queue?.heldOf(accountId) ?? null,
        destroyEmails: (ids: readonly Id[]) => destroyEmails(ids, { catalog, writing: mail.writing }),
        onUnavailable: (error: Error) => logUnavailable(log, error, accountId),
        serverHoldsSeconds: serverHolds(provider) ? maxDelaySeconds : null,
        emailOf: new Map<Id, Id>(),
      },
      scripts: sieve.scripts,
      ownAddresses: ownAddressesOf(user),
    };
    const close = async () => {
      await putBack(met, { mailboxes: mail.mailboxes, surroundings });
      await Promise.all([release(), sieve.release()]);
    };
    return { ports, close };
  };

  const createRoles = async (provider: Provider, credential: ImapCredential) => {
    const { source, mailboxes, release } = imapAccount(pool, provider, credential);
    const records = recordsOf(accountIdOf({ provider, user: credential.user }));
    try {
      await createRoleMailboxes(provider.createRoles, { source, mailboxes, records });
    } finally {
      await release();
    }
  };

  const core = coreCapability(config);
  const describeSession = createSessionDescriber({
    core,
    strict: config.strict,
    maxDelayedSend: (user) => ((queue?.of(user) ?? null) !== null || serverHolds(user.provider) ? maxDelaySeconds : 0),
  });
  const app = createApp({
    authenticator: createAuthenticator({
      providers,
      verifyLogin: async (provider, credential) => {
        await pool.verifyLogin(provider, credential);
        if (provider.createRoles.length > 0) await createRoles(provider, credential);
      },
      memory: createLoginMemory({ trustMs, refusalMs: config.wrongLoginSeconds * 1000 }, now),
      counter: createLoginCounter(
        {
          windowMs: config.failedLoginMinutes * 60_000,
          perAddress: config.maxFailedLoginsPerAddress,
          perUser: config.maxFailedLoginsPerUser,
          perProvider: config.maxFailedLoginsPerProvider,
        },
        now,
      ),
      now,
    }),
    describeSession,
    runApiRequest: createApiRunner({
      describeSession,
      openAccount,
      maxSizeResponse: config.maxSizeResponse,
      strict: config.strict,
      ...{ requestTimeoutMs, now },
    }),
    openBlob: createBlobOpener(openAccount),
    blobs,
    limits: core,
    log,
    realm: config.realm,
    publicUrl: config.publicUrl,
    now,
  });
  return { app, log, queue, rest: () => pool.rest(), close: () => pool.close() };
}

function coreCapability(config: Config): CoreCapability {
  return {
    maxSizeUpload: config.maxSizeUpload,
    maxConcurrentUpload: config.maxConcurrentUpload,
    maxSizeRequest: config.maxSizeRequest,
    maxConcurrentRequests: config.maxConcurrentRequests,
    maxCallsInRequest: config.maxCallsInRequest,
    maxObjectsInGet: config.maxObjectsInGet,
    maxObjectsInSet: config.maxObjectsInSet,
    collationAlgorithms: [...collationAlgorithms],
  };
}

/** Whether the operator says that the submission server has FUTURERELEASE (RFC 4865). */
function serverHolds({ sending }: Provider): boolean {
  return sending.extensions.includes('FUTURERELEASE');
}

/** Where there is no submission server, the methods that would ask one cannot be called. */
const noRelay: CanRelay = () => Promise.reject(new Error('Could not send: there is no submission server'));
