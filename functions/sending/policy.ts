import { isIP } from 'node:net';
import type { SendingPolicy } from '../../shared/methods/Identity/sending-policy.ts';
import type { User } from '../http/authenticate.ts';

/** From which addresses a user may send: his own, which his login is or is a part of, and those that the operator allows. */
export function sendingPolicyOf({ username, provider, credential }: User): SendingPolicy {
  const { domain, alsoFrom } = provider.sending;
  const typed = username.trim();
  // The name is the one that the mail server is told, so that it is the same however it was typed.
  const local = partsOf(credential.user).local;
  const own = partsOf(typed).domain ?? domain ?? domainOfHost(provider.imap.host);
  return {
    address: `${local}@${own.toLowerCase()}`,
    alsoFrom: alsoFrom.map((pattern) => pattern.replace('{local}', () => local)),
  };
}

/** Addresses of a user at which he gets mail, as far as they are known: his own, and those that he may send from by name. */
export function ownAddressesOf(user: User): string[] {
  const { address, alsoFrom } = sendingPolicyOf(user);
  return [address, ...alsoFrom].filter((each) => /^[\w.!#$%&'+/=?^`{|}~-]+@(?:[a-z0-9-]+\.)+[a-z]+$/i.test(each));
}

function partsOf(login: string): { readonly local: string; readonly domain: string | null } {
  const at = login.lastIndexOf('@');
  return at === -1 ? { local: login, domain: null } : { local: login.slice(0, at), domain: login.slice(at + 1) };
}

/** RFC 5321 §4.1.3. */
function domainOfHost(host: string): string {
  const version = isIP(host);
  return version === 0 ? host : `[${version === 6 ? 'IPv6:' : ''}${host}]`;
}
