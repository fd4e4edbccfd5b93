import { createApiRunner, type OpenAccount } from '../../functions/http/api-runner.ts';
import { type App, createApp } from '../../functions/http/app.ts';
import type { User } from '../../functions/http/authenticate.ts';
import { createBlobOpener } from '../../functions/http/blob-opener.ts';
import { createSessionDescriber } from '../../functions/http/describe-session.ts';
import { createLog } from '../../functions/http/log.ts';
import { accountCatalog, accountMemory } from '../../shared/catalog/account.ts';
import { collationAlgorithms } from '../../shared/catalog/query/collation.ts';
import { rightsReader } from '../../shared/catalog/rights.ts';
import type { MailSource } from '../../shared/catalog/source.ts';
import { createBlockCache } from '../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore, type MemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../shared/catalog/storage/open.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { CoreCapability } from '../../shared/jmap/session.ts';
import type {
  CanAppendMessages,
  CanReadMessages,
  CanSearchMessages,
  CanWriteMessages,
} from '../../shared/methods/Email/mail.ts';
import { keptMailboxes } from '../../shared/methods/Mailbox/kept.ts';
import type { CanWriteMailboxes } from '../../shared/methods/Mailbox/writing.ts';
import type { QuotaResource } from '../../shared/methods/Quota/record.ts';
import { singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { type FakeMailServer, type FakeOptions, fakeMailServer } from '../catalog/fake-mail-server.ts';
import { inMemoryScripts } from '../methods/in-memory-scripts.ts';
import { sendingPorts } from '../methods/sending-account.ts';
import { appendingOf } from './appending.ts';
import { messagesOf, searchOf } from './mail.ts';
import { mailboxesOf } from './mailboxes.ts';
import { inMemoryUploads } from './uploads.ts';
import { writingOf } from './writing.ts';

/** What a request asks of the mail server. */
export type MailPorts = {
  readonly source: MailSource;
  readonly messages: CanReadMessages;
  readonly search: CanSearchMessages;
  readonly writing: CanWriteMessages;
  readonly appending: CanAppendMessages;
  readonly mailboxes: CanWriteMailboxes;
  /** At the end of the request. */
  readonly release?: () => Promise<void>;
};

export type Limits = Pick<CoreCapability, 'maxSizeRequest' | 'maxCallsInRequest' | 'maxObjectsInGet'> & {
  readonly maxSizeResponse: number;
};

export type InMemoryServer = {
  readonly accountId: Id;
  /** The mailboxes of the one user; the body of a message is the whole of it. */
  readonly mail: FakeMailServer;
  readonly store: MemoryStore;
  /** Lets time pass; it does not by itself. */
  readonly advanceClock: (ms: number) => void;
  readonly app: App;
  /** A request of the user to the whole server. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
  /** What the operator was told of our own failures, with the stack. */
  readonly defects: readonly string[];
};

/** What a request may take, on a clock that stands still but for `advanceClock`. */
export const requestTimeoutMs = 60_000;

/** No larger than a test needs to reach them. */
export const smallLimits: Limits = {
  maxSizeRequest: 100_000,
  maxCallsInRequest: 16,
  maxObjectsInGet: 50,
  maxSizeResponse: 400_000,
};

/** No smaller than any test needs. */
export const largeLimits: Limits = {
  maxSizeRequest: 1_000_000,
  maxCallsInRequest: 100,
  maxObjectsInGet: 500,
  maxSizeResponse: 10_000_000,
};

/**
 * The whole server from its HTTP surface to its ports, in one account: behind them a mail server and a store in memory. Nothing in
 * it knows the time or chance, so that the same requests have the same answers. `ports` may put something between it and the mail.
 */
export function inMemoryServer(
  options: FakeOptions,
  limits: Limits = smallLimits,
  ports: (ports: MailPorts) => MailPorts = (plain) => plain,
): InMemoryServer {
  let clock = Date.parse('2026-01-01T00:00:00Z');
  let keys = 0;
  const now = () => clock;
  const surroundings = { now, randomKey: () => `key${(++keys).toString(36).padStart(12, '0')}` };
  const mail = fakeMailServer(options);
  const store = createMemoryStore({ now });
  const records = createMemoryRecordStore({ now });
  const defects: string[] = [];
  const accountId = 'Aone' as Id;
  const imap = { host: '127.0.0.1', port: 143, tls: 'plaintext', ca: null } as const;
  const user: User = {
    username: 'one',
    accountId,
    provider: singleProvider('memory', { imap, smtp: imap, sieve: imap }),
    credential: { kind: 'password', user: 'one', password: 'secret' },
  };

  const cache = createBlockCache({ maxBytes: 10_000_000 });
  const memory = accountMemory();
  const { manager: scripts } = inMemoryScripts({ main: 'keep;' }, { active: 'main' });
  const uploads = inMemoryUploads(surroundings.randomKey);
  const openAccount: OpenAccount = () => {
    const { source, release, ...ofMail } = ports({
      source: mail.connect(),
      messages: messagesOf(mail),
      search: searchOf(mail),
      writing: writingOf(mail),
      appending: appendingOf(mail),
      mailboxes: mailboxesOf(mail),
    });
    const sending = sendingPorts({ store: records, now });
    const deadline = now() + requestTimeoutMs;
    const catalog = accountCatalog({
      catalog: openCatalog({ store, account: accountId, surroundings, cache }),
      source: async () => source,
      kept: keptMailboxes(sending.records),
      surroundings,
      freshnessMs: 1000,
      deadline,
      memory,
    });
    const rights = rightsReader({ source: async () => source, remember: catalog.remember, surroundings });
    const quotas = async () => quotasOf(mail);
    return {
      ports: {
        ...{ catalog, ...ofMail, beside: ofMail.messages, rights, uploads, quotas, surroundings },
        ...sending,
        hasTime: () => now() < deadline,
        scripts,
        ownAddresses: [],
      },
      close: release ?? (async () => {}),
    };
  };

  const core: CoreCapability = {
    ...{ maxSizeUpload: 100_000, maxConcurrentUpload: 4, maxConcurrentRequests: 4, maxObjectsInSet: 50 },
    ...{ maxSizeRequest: limits.maxSizeRequest, maxCallsInRequest: limits.maxCallsInRequest },
    ...{ maxObjectsInGet: limits.maxObjectsInGet, collationAlgorithms: [...collationAlgorithms] },
  };
  const describeSession = createSessionDescriber({ core, strict: false, maxDelayedSend: () => 0 });
  const app = createApp({
    authenticator: { authenticate: async () => user, distrust: () => {} },
    describeSession,
    runApiRequest: createApiRunner({
      describeSession,
      openAccount,
      maxSizeResponse: limits.maxSizeResponse,
      strict: false,
      ...{ requestTimeoutMs, now },
    }),
    openBlob: createBlobOpener(openAccount),
    blobs: () => uploads,
    limits: core,
    log: createLog('debug', defectsInto(defects), now),
    realm: 'memory',
    publicUrl: null,
    now,
  });
  return {
    ...{ accountId, mail, store, app, defects },
    advanceClock: (ms) => {
      clock += ms;
    },
    ask: (path, init) =>
      app(new Request(`http://mail.test${path}`, init), { clientAddress: '127.0.0.1', requestId: 'r' }),
  };
}

/** One quota root, whose use goes with what is there. */
function quotasOf(mail: FakeMailServer): QuotaResource[] {
  const messages = mail.names().flatMap((name) => mail.messages(name));
  const octets = messages.reduce((sum, { content }) => sum + content.size, 0);
  return [
    { root: 'User', resource: 'STORAGE', usage: Math.ceil(octets / 1024), limit: 100 },
    { root: 'User', resource: 'MESSAGE', usage: messages.length, limit: 1000 },
  ];
}

/** Takes lines of the log, and keeps defects along with the line after each, which says what it was. */
function defectsInto(defects: string[]): (line: string) => void {
  let last = '';
  return (line) => {
    const { event } = JSON.parse(line) as { event: string };
    if (event === 'defect' || (event === 'detail' && last === 'defect')) defects.push(line);
    last = event;
  };
}
