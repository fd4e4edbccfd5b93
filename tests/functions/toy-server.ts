import { type AppParts, createApp } from '../../functions/http/app.ts';
import { createAuthenticator } from '../../functions/http/authenticate.ts';
import { createLog } from '../../functions/http/log.ts';
import { createLoginCounter } from '../../functions/http/login-limits.ts';
import { createLoginMemory } from '../../functions/http/login-memory.ts';
import type { LogLevel } from '../../shared/config.ts';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { AuthenticationFailed } from '../../shared/jmap/errors.ts';
import { coreUri } from '../../shared/jmap/session.ts';
import { parseProviders } from '../../shared/providers.ts';
import { memoryBlobStore } from './memory-blob-store.ts';

const imap = { host: '127.0.0.1', port: 143, tls: 'plaintext' };
const providers = parseProviders(
  JSON.stringify({
    providers: [
      { name: 'example', domains: ['example.com'], imap },
      { name: 'modern', domains: ['modern.example'], imap, auth: ['oauthbearer', 'plain'] },
      { name: 'tokens', domains: ['tokens.example'], imap, auth: ['xoauth2'] },
    ],
  }),
  String,
);

const core = {
  maxSizeUpload: 1_000,
  maxConcurrentUpload: 2,
  maxSizeRequest: 1_000,
  maxConcurrentRequests: 2,
  maxCallsInRequest: 16,
  maxObjectsInGet: 500,
  maxObjectsInSet: 500,
  collationAlgorithms: ['i;ascii-casemap'],
};

/** An app on a mail server that exists in memory only: some passwords, a clock that is set by hand, and what was logged. */
export function toyServer(options: { parts?: Partial<AppParts>; level?: LogLevel } = {}) {
  const passwords = new Map([
    ['alice@example.com', 'secret'],
    ['bob@example.com', 'hunter2'],
    ['carol@tokens.example', 'token-1'],
    ['dave@modern.example', 'token-2'],
  ]);
  const logins: ImapCredential[] = [];
  const logged: string[] = [];
  const world = {
    ms: 0,
    /** Thrown by the mail server instead of an answer. */
    failure: null as Error | null,
    /** Awaited before the mail server answers. */
    answersAfter: Promise.resolve(),
  };
  const now = () => world.ms;
  const log = createLog(options.level ?? 'info', (line) => logged.push(line), now);

  /** A process of its own: what it remembers, no other one knows. */
  const start = () => {
    const authenticator = createAuthenticator({
      providers,
      verifyLogin: async (_, credential) => {
        logins.push(credential);
        await world.answersAfter;
        if (world.failure !== null) throw world.failure;
        const secret = credential.kind === 'password' ? credential.password : credential.accessToken;
        if (passwords.get(credential.user) !== secret) throw new AuthenticationFailed('[AUTHENTICATIONFAILED] no');
      },
      memory: createLoginMemory({ trustMs: 600_000, refusalMs: 30_000 }, now),
      counter: createLoginCounter({ windowMs: 300_000, perAddress: 6, perUser: 3, perProvider: 8 }, now),
      now,
    });
    const app = createApp({
      authenticator,
      log,
      realm: 'Postern',
      publicUrl: null,
      now,
      describeSession: ({ username, accountId }, urls) => ({
        capabilities: { [coreUri]: core },
        accounts: { [accountId]: { name: username, isPersonal: true, isReadOnly: false, accountCapabilities: {} } },
        primaryAccounts: {},
        username,
        ...urls,
        state: 's1',
      }),
      runApiRequest: async (_, body) => ({ json: Buffer.from(body).toString(), responses: ['Core/echo'] }),
      openBlob: async (_, blobId) => (blobId === 'b1' ? { octets: streamOf('hello'), size: 5 } : null),
      blobs: memoryBlobStore(),
      limits: core,
      ...options.parts,
    });
    let requests = 0;
    return (path: string, init: RequestInit = {}, clientAddress = '192.0.2.1') =>
      app(new Request(`http://mail.test${path}`, init), { clientAddress, requestId: `r${++requests}` });
  };
  return { ask: start(), start, passwords, logins, logged, world };
}

/** An Authorization header of scheme Basic. */
export function basic(login: string, password: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}` };
}

export const alice = basic('alice@example.com', 'secret');

export function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
}
