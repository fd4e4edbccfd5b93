import { comparableMailbox, isSmtpMailbox } from '../../message/smtp-mailbox.ts';

/** Who a user may be when he writes: what the operator says of his provider, and his login. */
export type SendingPolicy = {
  /** The address that belongs to the login. */
  readonly address: string;
  /** Further ones: an address, `name+*@domain`, `*@domain`, or `*` for any, which leaves it to the submission server. */
  readonly alsoFrom: readonly string[];
};

/** Whether the user may send from the address. `*@domain` stands for all addresses of the domain (RFC 8621 §6). */
export function maySendFrom({ address, alsoFrom }: SendingPolicy, wanted: string): boolean {
  if (!isSmtpMailbox(wanted)) return false;
  return [address, ...alsoFrom].some((pattern) => covers(pattern, wanted));
}

/** Whether an Identity with that address lets one send from the other: it is the same, or any of the domain. */
export function identityCovers(identityAddress: string, wanted: string): boolean {
  return covers(identityAddress, wanted);
}

function covers(pattern: string, wanted: string): boolean {
  if (pattern === '*') return true;
  const [from, to] = [splitAddress(comparableMailbox(pattern)), splitAddress(comparableMailbox(wanted))];
  if (from.domain !== to.domain) return false;
  if (from.local === to.local || from.local === '*') return true;
  if (!from.local.endsWith('+*') || to.local.startsWith('"')) return false;
  const stem = from.local.slice(0, -1);
  return to.local.startsWith(stem) && to.local.length > stem.length;
}

function splitAddress(address: string): { readonly local: string; readonly domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, at), domain: address.slice(at + 1) };
}
