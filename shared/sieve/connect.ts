import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { type Endpoint, isCertificateChecked, isLoopback } from '../endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import { retryAfterSeconds } from '../refusal.ts';
import type { SieveLimits } from './limits.ts';
import { login } from './login.ts';
import { textOf } from './response.ts';
import type { SieveCredential, SieveServer } from './server.ts';
import { SieveWire, type TakeData } from './wire.ts';

/** A connection that has just been logged in, and what the server then said of itself. */
export type SieveConnection = { readonly wire: SieveWire; readonly capabilities: SieveCapabilities };

/** What a server says of itself (RFC 5804 §1.7), by name in upper case; '' for what has no value. */
export type SieveCapabilities = ReadonlyMap<string, string>;

/**
 * Opens a connection and logs in. With STARTTLS nothing that was said before the upgrade is believed after it, and a server
 * that does not upgrade gets no credential. Certificates are checked.
 *
 * Throws `AuthenticationFailed` only when the server says that the credential is wrong, `Throttled` when it wants less of us,
 * `Unavailable` for everything else.
 */
export async function connect(
  server: SieveServer,
  credential: SieveCredential,
  limits: SieveLimits,
): Promise<SieveConnection> {
  const { sieve } = server;
  if (sieve.tls === 'plaintext' && !isLoopback(sieve.host)) {
    throw new Unavailable(`No connection to "${sieve.host}": plaintext is for this machine only`);
  }
  let abandon: (error: Error) => void = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    abandon = reject;
  });
  const opened: { close: () => void }[] = [];
  const deadline = setTimeout(() => {
    abandon(new Unavailable('The ManageSieve server did not answer in time'));
  }, limits.connectTimeoutMs);
  try {
    return await Promise.race([open(server, credential, limits, opened), tooLate]);
  } catch (error) {
    for (const { close } of opened) close();
    throw described(error);
  } finally {
    clearTimeout(deadline);
  }
}

/** `opened` takes what has to be closed if it fails. */
async function open(
  server: SieveServer,
  credential: SieveCredential,
  limits: SieveLimits,
  opened: { close: () => void }[],
): Promise<SieveConnection> {
  const { sieve } = server;
  const socket = sieve.tls === 'implicit' ? secured(sieve, null) : connectTcp({ host: sieve.host, port: sieve.port });
  opened.push({ close: () => socket.destroy() });
  await isConnected(socket, sieve.tls === 'implicit' ? 'secureConnect' : 'connect');
  let wire = new SieveWire(socket, limits);
  let capabilities = await capabilitiesOf((onData) => wire.greeting(onData));
  if (sieve.tls === 'starttls') {
    if (!capabilities.has('STARTTLS')) throw new Unavailable('The ManageSieve server offers no STARTTLS');
    const upgraded = secured(sieve, await wire.startTls());
    opened.push({ close: () => upgraded.destroy() });
    await isConnected(upgraded, 'secureConnect');
    wire = new SieveWire(upgraded, limits);
    capabilities = await capabilitiesOf((onData) => wire.greeting(onData));
  }
  await login(wire, server, credential, wordsOf(capabilities.get('SASL'), 'upper'));
  return { wire, capabilities: await capabilitiesOf((onData) => wire.run('CAPABILITY', [], onData)) };
}

/** The words of a capability's value. */
export function wordsOf(value: string | undefined, letters: 'upper' | 'as they are' = 'as they are'): Set<string> {
  const words = (value ?? '').split(' ').filter((word) => word !== '');
  return new Set(letters === 'upper' ? words.map((word) => word.toUpperCase()) : words);
}

async function capabilitiesOf(ask: (onData: TakeData) => Promise<unknown>): Promise<SieveCapabilities> {
  const capabilities = new Map<string, string>();
  await ask(([name, value]) => {
    capabilities.set((textOf(name) ?? '').toUpperCase(), textOf(value) ?? '');
    return undefined;
  });
  return capabilities;
}

function secured(endpoint: Endpoint, socket: Socket | null): Socket {
  const { host, port, ca } = endpoint;
  return connectTls({
    host,
    port,
    secureContext: secureContextFor(ca),
    rejectUnauthorized: isCertificateChecked(endpoint),
    // An address is no server name (RFC 6066 §3); the certificate is compared with `host` anyway.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(socket === null ? {} : { socket }),
  });
}

function isConnected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off(event, settle).off('error', settle).off('close', closed);
      // Until somebody else listens.
      socket.on('error', () => {});
      if (error) reject(error);
      else resolve();
    };
    const closed = () => settle(new Error('closed'));
    socket.once(event, () => settle());
    socket.once('error', settle).once('close', closed);
  });
}

/** One context for all connections that trust the same certificates: each costs tens of kilobytes. */
const secureContexts = new Map<string | null, SecureContext>();

function secureContextFor(ca: string | null): SecureContext {
  const known = secureContexts.get(ca);
  const context = known ?? createSecureContext({ minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) });
  secureContexts.set(ca, context);
  return context;
}

function described(error: unknown): Error {
  if (error instanceof AuthenticationFailed || error instanceof Unavailable) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  return new Unavailable(`No connection to the ManageSieve server: ${code ?? name}`, {
    retryAfterSeconds: retryAfterSeconds.unavailable,
    cause: error,
  });
}
