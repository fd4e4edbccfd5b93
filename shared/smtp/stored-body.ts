import { Buffer } from 'node:buffer';
import { Unavailable } from '../jmap/errors.ts';
import type { SmtpReply, StoredMessage } from '../methods/EmailSubmission/relay.ts';
import type { SmtpSession } from './session.ts';

/** Octets of a command line with its CRLF (RFC 5321 §4.5.3.1.4): what a server makes of a longer one is not known. */
const lineOctetsMax = 512;

/** How a server is to fetch a body. */
export type Fetching = {
  /** The BURL command (RFC 4468), without LAST: the end is ours to send. */
  readonly burl: string;
  /** Milliseconds that the step which comes now may take, of those until the server has the body; none are left at 0 and below. */
  readonly patience: () => number;
};

/**
 * The BURL command for the body of a message. Null where the server does not take bodies so, or there is no URL. 'not fetched': the
 * connection cannot be used any more.
 */
export async function burlFor(
  session: SmtpSession,
  { bodyUrl }: StoredMessage,
  patience: Fetching['patience'],
): Promise<string | 'not fetched' | null> {
  if (!session.offers.has('BURL')) return null;
  // RFC 4468 §3.1: after the login, something else may be offered.
  const isThere = await isDone(async () => (await session.askOffers(patience())).code !== 421);
  if (!isThere) return 'not fetched';
  const { offers } = session;
  const takes = new Set((offers.get('BURL') ?? '').toLowerCase().split(/\s+/));
  // §4 has a server of BURL offer 8BITMIME, and without it a body that is not known cannot be sent.
  if (!takes.has('imap') || !offers.has('CHUNKING') || !offers.has('8BITMIME')) return null;
  const url = await bodyUrl().catch(nullIfUnavailable);
  if (url === null) return null;
  if (!/^[!-~]+$/.test(url)) throw new Error('Could not send a URL: it is none');
  const command = `BURL ${url}`;
  return Buffer.byteLength(command) + '\r\n'.length > lineOctetsMax ? null : command;
}

/**
 * Gives the server the header of a message, and has it fetch the body. True: it has all of the message but its end. False: it does
 * not, and nothing can be sent on this connection any more.
 */
export async function giveStored(
  session: SmtpSession,
  { header }: StoredMessage,
  { burl, patience }: Fetching,
): Promise<boolean> {
  return isDone(async () => {
    const taken = await session.chunk(header, patience());
    if (taken.code !== 250) return false;
    const [fetched] = await session.commands([burl], patience());
    return fetched?.code === 250;
  });
}

/** The reply without the words that quote the URL: it is not for those who are told what the server said. */
export function withoutUrl(reply: SmtpReply | 'unknown', { burl }: Fetching): SmtpReply | 'unknown' {
  if (reply === 'unknown') return reply;
  const token = burl.slice(burl.lastIndexOf(':') + 1).toLowerCase();
  const text = reply.text.replace(/\S+/g, (word) => (word.toLowerCase().includes(token) ? 'URL' : word));
  return { ...reply, text };
}

/** Whether it is; false too where the connection fails meanwhile. */
async function isDone(step: () => Promise<boolean>): Promise<boolean> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Unavailable) return false;
    throw error;
  }
}

/** The mail server that gives no URL now may still let the message be read. */
function nullIfUnavailable(error: unknown): null {
  if (error instanceof Unavailable) return null;
  throw error;
}
