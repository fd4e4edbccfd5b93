import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { isCertificateChecked, isLoopback } from '../endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import { retryAfterSeconds } from '../refusal.ts';
import { classifyRefusal, type Refusal } from './classify.ts';
import type { ImapCredential, ImapServer } from './endpoint.ts';
import { CommandRefused, refusalError } from './failure.ts';
import type { ImapFlowFailure } from './imapflow-internals.ts';
import type { ImapLimits } from './limits.ts';
import { login } from './login.ts';

/** A connection that has just been logged in; nothing has been sent on it since. */
export type ImapConnection = {
  readonly socket: Socket;
  /** Upper case, as the server lists them after the login, without those the operator distrusts. */
  readonly capabilities: ReadonlySet<string>;
};

/**
 * Opens a connection and logs in: TLS and login are imapflow's, cut down to the round trips they need (no ID, NAMESPACE,
 * ENABLE or COMPRESS; an initial response where the server takes one). From then on the socket is the caller's.
 *
 * Throws `AuthenticationFailed` only when the server says that the credential is wrong, `Throttled` when it wants less of
 * us, `Unavailable` for everything else.
 */
export async function connect(
  server: ImapServer,
  credential: ImapCredential,
  limits: ImapLimits,
): Promise<ImapConnection> {
  const { imap } = server;
  // imapflow takes an empty secret for none at all.
  if (secretOf(credential) === '') throw new AuthenticationFailed('An empty secret is none');
  if (imap.tls === 'plaintext' && !isLoopback(imap.host)) {
    throw new Unavailable(`No connection to "${imap.host}": plaintext is for this machine only`);
  }
  const client = new ImapFlow({
    host: imap.host,
    port: imap.port,
    secure: imap.tls === 'implicit',
    doSTARTTLS: imap.tls === 'starttls',
    tls: { secureContext: secureContextFor(imap.ca), rejectUnauthorized: isCertificateChecked(imap) },
    auth: credential.kind === 'password' ? { user: credential.user, pass: credential.password } : credential,
    logger: false,
    disableAutoIdle: true,
    disableAutoEnable: true,
    disableCompression: true,
    connectionTimeout: limits.connectTimeoutMs,
    greetingTimeout: limits.connectTimeoutMs,
    socketTimeout: limits.connectTimeoutMs,
    maxLineLength: limits.greetingOctetsMax,
    maxLiteralSize: limits.greetingOctetsMax,
    maxResponseSize: 2 * limits.greetingOctetsMax,
  });
  client.on('error', () => {});
  client.throttleWait = () => Promise.resolve(false);

  let progress: 'greeting' | 'login' | 'done' = 'greeting';
  const loginHere = async () => {
    progress = 'login';
    await login(client, imap, server.auth, credential);
    progress = 'done';
    return credential.user;
  };
  client.commands = new Map([
    ...client.commands,
    ['ID', async () => undefined],
    ['NAMESPACE', async () => undefined],
    ['AUTHENTICATE', loginHere],
    ['LOGIN', loginHere],
  ]);

  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    client.close();
  }, limits.connectTimeoutMs);
  try {
    await client.connect();
    // A PREAUTH greeting skips the login: whoever asked would be let in as somebody.
    if (!isDone(progress)) throw new Unavailable('The mail server asks for no login');
    const { socket } = client.unbind();
    return { socket: socket as unknown as Socket, capabilities: capabilitiesOf(client, server) };
  } catch (error) {
    client.close();
    throw isLate
      ? new Unavailable('The mail server did not answer in time')
      : describeFailure(error as ImapFlowFailure, progress);
  } finally {
    clearTimeout(deadline);
  }
}

function secretOf(credential: ImapCredential): string {
  return credential.kind === 'password' ? credential.password : credential.accessToken;
}

function isDone(progress: string): boolean {
  return progress === 'done';
}

function capabilitiesOf(client: ImapFlow, server: ImapServer): ReadonlySet<string> {
  // imapflow cuts APPENDLIMIT (RFC 7889) apart.
  const names = [...client.capabilities].map(([name, value]) =>
    typeof value === 'number' ? `${name}=${value}` : name,
  );
  const capabilities = new Set(names.map((name) => name.toUpperCase()));
  for (const ignored of server.quirks.ignoreCapabilities) capabilities.delete(ignored);
  return capabilities;
}

/** One context for all connections that trust the same certificates: each costs tens of kilobytes. */
const secureContexts = new Map<string | null, SecureContext>();

function secureContextFor(ca: string | null): SecureContext {
  let context = secureContexts.get(ca);
  if (!context) {
    context = createSecureContext({ minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) });
    secureContexts.set(ca, context);
  }
  return context;
}

/** The error to throw for what went wrong. */
function describeFailure(error: ImapFlowFailure, progress: 'greeting' | 'login' | 'done'): Error {
  if (error instanceof AuthenticationFailed || error instanceof Unavailable) return error;
  const refusal = refusalOf(error);
  if (refusal === null) {
    return new Unavailable(`No connection to the mail server: ${error.code ?? error.name}`, {
      retryAfterSeconds: retryAfterSeconds.unavailable,
      cause: error,
    });
  }
  const kind = classifyRefusal(refusal, 'login');
  if (kind.kind === 'protocol' || kind.kind === 'refused')
    return new CommandRefused('the login', 'BAD', refusal.code?.name ?? null);
  return refusalError(kind, progress === 'greeting' ? 'host' : 'account');
}

function refusalOf(error: ImapFlowFailure): Refusal | null {
  const { code, responseStatus, responseText = '', reason } = error;
  if (responseStatus === 'NO' || responseStatus === 'BAD') {
    const name = codeOf(error.response);
    return { status: responseStatus, code: name === null ? null : { name }, text: responseText };
  }
  // Errors of node:tls have a reason too.
  const wasClosed = code === 'NoConnection' || code?.startsWith('ClosedAfterConnect') === true;
  return reason === undefined || !wasClosed ? null : { status: 'BYE', code: null, text: reason };
}

/** The response code in imapflow's parse of a refusal. */
function codeOf(response: unknown): string | null {
  const first = (response as { attributes?: { section?: { value?: unknown }[] }[] } | undefined)?.attributes?.[0];
  const name = first?.section?.[0]?.value;
  return typeof name === 'string' ? name.toUpperCase() : null;
}
