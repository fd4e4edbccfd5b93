import * as v from 'valibot';
import { ok, type Result, refuse } from './jmap/errors.ts';

/**
 * How a connection is protected. `implicit`: TLS from the first octet. `starttls`: refused unless the upgrade succeeds.
 * `plaintext`: to this machine only.
 */
export type TlsMode = 'implicit' | 'starttls' | 'plaintext';

/** A mail server's address. Hosts come only from the operator, never from a request. */
export type Endpoint = {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  /** PEM certificates to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
};

/** Whether the name can only mean this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whom a certificate names matters on a network. On this machine it does only where the operator says whom to trust. */
export function isCertificateChecked({ host, ca }: Pick<Endpoint, 'host' | 'ca'>): boolean {
  return ca !== null || !isLoopback(host);
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const ipv6 = /^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+$/;

/** The members that say where a server is. */
export const addressMembers = {
  host: v.pipe(
    v.string('expected a host name or address'),
    v.check((text) => hostName.test(text) || ipv6.test(text), 'expected a host name or address'),
  ),
  port: v.pipe(
    v.number('expected a port from 1 to 65535'),
    v.check((port) => Number.isInteger(port) && port >= 1 && port <= 65_535, 'expected a port from 1 to 65535'),
  ),
};
const address = v.object(addressMembers);

/** Says why such a connection is not allowed, or undefined. */
export function objectionTo({ host, tls }: { host: string; tls: TlsMode }): string | undefined {
  if (tls !== 'plaintext' || isLoopback(host)) return undefined;
  return `plaintext is for this machine only, not for "${host}": use "implicit" or "starttls"`;
}

/** The ports on which a protocol is served; null: it has none for TLS from the first octet. */
export type Ports = { readonly implicit: number | null; readonly starttls: number };

const shorthand = /^(?:\[([^\]]+)\]|([^:,]+))(?::(\d+))?(?:,(\w+))?$/;
const modes = new Map<string, TlsMode>([
  ['tls', 'implicit'],
  ['implicit', 'implicit'],
  ['starttls', 'starttls'],
  ['plaintext', 'plaintext'],
]);

/**
 * `host[:port][,tls|starttls|plaintext]`, as a setting spells an endpoint; or the objection to it. Without a mode: TLS on
 * the protocol's TLS port, plaintext on another port of this machine, STARTTLS elsewhere.
 */
export function parseEndpoint(text: string, ports: Ports): Result<Endpoint, string> {
  const [match, bracketed, plain, digits, word] = shorthand.exec(text) ?? [];
  const tls = word === undefined ? undefined : modes.get(word);
  if (match === undefined || (word !== undefined && tls === undefined)) {
    return refuse('expected host:port, then optionally ",tls", ",starttls" or ",plaintext"');
  }
  const usualPort = tls === 'starttls' ? ports.starttls : (ports.implicit ?? ports.starttls);
  const given = v.safeParse(address, {
    host: bracketed ?? plain,
    port: digits === undefined ? usualPort : Number(digits),
  });
  if (!given.success) return refuse(given.issues[0].message);
  const { host, port } = given.output;
  const usualTls = port === ports.implicit ? 'implicit' : isLoopback(host) ? 'plaintext' : 'starttls';
  const endpoint: Endpoint = { host, port, tls: tls ?? usualTls, ca: null };
  const objection = objectionTo(endpoint);
  return objection === undefined ? ok(endpoint) : refuse(objection);
}
