import { Buffer } from 'node:buffer';
import { Unavailable } from '../jmap/errors.ts';
import type { StoredMessage } from '../methods/EmailSubmission/relay.ts';
import type { SmtpSession } from './session.ts';

/** Octets of a command line with its CRLF (RFC 5321 §4.5.3.1.4): what a server makes of a longer one is not known. */
const lineOctetsMax = 512;

/**
 * The BURL command for the body of a message (RFC 4468), without LAST: the end is ours to send. Null where the server does not take
 * bodies so, or there is no URL.
 */
export async function burlFor({ offers }: SmtpSession, { bodyUrl }: StoredMessage): Promise<string | null> {
  const takes = new Set((offers.get('BURL') ?? '').toLowerCase().split(/\s+/));
  // §4 has a server of BURL offer 8BITMIME, and without it a body that is not known cannot be sent.
  if (!takes.has('imap') || !offers.has('CHUNKING') || !offers.has('8BITMIME')) return null;
  const url = await bodyUrl();
  if (url === null) return null;
  if (!/^[!-~]+$/.test(url)) throw new Error('Could not send a URL: it is none');
  const command = `BURL ${url}`;
  return Buffer.byteLength(command) + '\r\n'.length > lineOctetsMax ? null : command;
}

/**
 * Gives the server the header of a message, and has it fetch the body. True: it has all of the message but its end. False: it does
 * not, and nothing can be sent on this connection any more. Waits no longer than `mostMs` for each.
 */
export async function giveStored(
  session: SmtpSession,
  { message, burl, mostMs }: { readonly message: StoredMessage; readonly burl: string; readonly mostMs: number },
): Promise<boolean> {
  try {
    if ((await session.chunk(message.header, mostMs)).code !== 250) return false;
    const [fetched] = await session.commands([burl], mostMs);
    return fetched?.code === 250;
  } catch (error) {
    if (error instanceof Unavailable) return false;
    throw error;
  }
}
