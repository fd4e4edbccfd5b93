import { Unavailable } from '../jmap/errors.ts';
import { isSmtpMailbox, needsSmtpUtf8 } from '../message/smtp-mailbox.ts';
import { writeParameters } from '../message/smtp-parameters.ts';
import type {
  CanRelay,
  RelayOutcome,
  RelayRequest,
  SmtpReply,
  StoredMessage,
} from '../methods/EmailSubmission/relay.ts';
import { defaultSmtpLimits, type SmtpLimits } from './limits.ts';
import { logIn } from './login.ts';
import type { SmtpCredential, SmtpServer } from './server.ts';
import { openSmtp, type SmtpSession } from './session.ts';
import { burlFor, type Fetching, giveStored, withoutUrl } from './stored-body.ts';

/** What RCPT commands are sent together where the server offers PIPELINING (RFC 2920): no server has to take more at once. */
const recipientsAtOnce = 100;

/**
 * Gives messages to one user's submission server, each on a connection of its own. One whose body the server did not fetch, though it
 * says that it does, is given to it in the ordinary way, on another connection: what was given before was not ended.
 */
export function smtpRelay(
  server: SmtpServer,
  credential: SmtpCredential,
  limits: SmtpLimits = defaultSmtpLimits,
): CanRelay {
  return async (request) => {
    const endsAt = performance.now() + request.timeoutMs;
    const attempt = async (mayFetch: boolean): Promise<RelayOutcome> => {
      const startedAt = performance.now();
      const timeoutMs = endsAt - startedAt;
      if (timeoutMs <= 0) throw new Unavailable('there is no time left for the submission server');
      // As much time as all of this takes is left for the ordinary way.
      const patience = () => Math.min(limits.urlTimeoutMs, startedAt + timeoutMs / 2 - performance.now());
      const session = await openSmtp(server, limits, timeoutMs);
      let outcome: RelayOutcome | 'not fetched';
      try {
        const refusal = await logIn(session, server, credential);
        if (refusal !== null) return { kind: 'refused', at: 'login', reply: refusal, recipients: [] };
        const content = await contentOf(request.message, session, mayFetch ? patience : null);
        outcome = content === 'not fetched' ? content : await transact(session, request, content);
      } finally {
        session.close();
      }
      return outcome === 'not fetched' ? attempt(false) : outcome;
    };
    return attempt(true);
  };
}

/** The octets of a message, or the header of one whose body the server is to fetch, and how. */
type Content =
  | { readonly kind: 'whole'; readonly octets: Uint8Array }
  | ({ readonly kind: 'stored'; readonly message: StoredMessage } & Fetching);

/** `patience` is null where the server is not to fetch anything. */
async function contentOf(
  message: RelayRequest['message'],
  session: SmtpSession,
  patience: Fetching['patience'] | null,
): Promise<Content | 'not fetched'> {
  if (message instanceof Uint8Array) return { kind: 'whole', octets: message };
  if (patience !== null) {
    const burl = await burlFor(session, message, patience);
    if (burl === 'not fetched') return burl;
    if (burl !== null) return { kind: 'stored', message, burl, patience };
  }
  return { kind: 'whole', octets: await message.read() };
}

async function transact(
  session: SmtpSession,
  request: RelayRequest,
  content: Content,
): Promise<RelayOutcome | 'not fetched'> {
  const { envelope, beforeEnd } = request;
  const written = commandsOf(request, traitsOf(content), session.offers);
  if (!('mail' in written)) return written;

  const lines = [written.mail, ...written.rcpt];
  const answers = session.offers.has('PIPELINING')
    ? await inBatches(lines, recipientsAtOnce, session)
    : await inBatches(lines, 1, session);
  const [sender, ...recipients] = answers as [SmtpReply, ...SmtpReply[]];
  if (sender.code >= 300) return { kind: 'refused', at: 'sender', reply: sender, recipients: [] };
  if (!recipients.some(isAccepted)) {
    // A temporary refusal says more than a permanent one of others: later some may be accepted.
    const reply = recipients.find(({ code }) => code < 500) ?? (recipients.at(-1) as SmtpReply);
    return { kind: 'refused', at: 'recipients', reply, recipients };
  }
  if (recipients.length !== envelope.rcptTo.length) throw new Error('Could not match replies to recipients');

  let reply: SmtpReply | 'unknown';
  if (content.kind === 'stored') {
    if (!(await giveStored(session, content.message, content))) return 'not fetched';
    reply = withoutUrl(await session.endChunks(beforeEnd), content);
  } else {
    const [data] = (await session.commands(['DATA'])) as [SmtpReply];
    if (data.code !== 354) return { kind: 'refused', at: 'message', reply: data, recipients };
    reply = await session.message(content.octets, beforeEnd);
  }
  if (reply === 'unknown') return { kind: 'unknown' };
  // What is neither a yes nor a no says nothing of the message: RFC 5321 §4.2.1 has no 1yz, and no 3yz that could come here.
  if (reply.code >= 300 && reply.code < 400) return { kind: 'unknown' };
  if (!isAccepted(reply)) return { kind: 'refused', at: 'message', reply, recipients };
  return { kind: 'accepted', reply, recipients };
}

function isAccepted({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}

/** Sends commands some at a time; none after a sender that was refused. */
async function inBatches(lines: readonly string[], size: number, session: SmtpSession): Promise<SmtpReply[]> {
  const replies: SmtpReply[] = [];
  for (let at = 0; at < lines.length; at += size) {
    replies.push(...(await session.commands(lines.slice(at, at + size))));
    if (!isAccepted(replies[0] as SmtpReply)) break;
  }
  return replies;
}

type Commands = { readonly mail: string; readonly rcpt: readonly string[] };

/** What MAIL has to say of a message. */
type Traits = { readonly size: number; readonly isEightBit: boolean; readonly header: Uint8Array };

function traitsOf(content: Content): Traits {
  if (content.kind === 'whole') {
    const { octets } = content;
    return { size: octets.length, isEightBit: octets.some((octet) => octet > 0x7f), header: headerOf(octets) };
  }
  const { header, bodySize } = content.message;
  // What the octets of the body are is not known, and 8BITMIME does for all.
  return { size: header.length + bodySize, isEightBit: true, header };
}

/** MAIL and RCPT, or why this server cannot be told them. */
function commandsOf(
  { envelope, holdForSeconds }: RelayRequest,
  { size, isEightBit, header }: Traits,
  offers: ReadonlyMap<string, string>,
): Commands | Extract<RelayOutcome, { kind: 'tooLarge' | 'notOffered' }> {
  const { mailFrom, rcptTo } = envelope;
  const addresses = [...rcptTo, ...(mailFrom.email === '' ? [] : [mailFrom])].map(({ email }) => email);
  if (rcptTo.length === 0 || !addresses.every(isSmtpMailbox)) throw new Error('Could not send: an address is none');

  const maxSize = Number(/^\d{1,15}$/.exec(offers.get('SIZE') ?? '')?.[0] ?? 0);
  if (maxSize > 0 && size > maxSize) return { kind: 'tooLarge', maxSize };
  const isInternational = addresses.some(needsSmtpUtf8) || header.some((octet) => octet > 0x7f);
  if (isEightBit && !offers.has('8BITMIME'))
    return notOffered('the message has 8-bit parts, and the server takes none');
  if (isInternational && !offers.has('SMTPUTF8'))
    return notOffered('the server takes no addresses or headers in UTF-8');
  if (holdForSeconds !== null && !offers.has('FUTURERELEASE')) return notOffered('the server holds no messages');

  const keywords = new Set(offers.keys());
  let mail = `MAIL FROM:<${mailFrom.email}>`;
  if (offers.has('SIZE')) mail += ` SIZE=${size}`;
  if (isEightBit) mail += ' BODY=8BITMIME';
  if (isInternational) mail += ' SMTPUTF8';
  if (holdForSeconds !== null) mail += ` HOLDFOR=${holdForSeconds}`;
  const ofMail = writeParameters('MAIL', mailFrom.parameters ?? {}, keywords);
  if ('objection' in ofMail) return notOffered(ofMail.objection);
  const rcpt: string[] = [];
  for (const { email, parameters } of rcptTo) {
    const ofRcpt = writeParameters('RCPT', parameters ?? {}, keywords);
    if ('objection' in ofRcpt) return notOffered(ofRcpt.objection);
    rcpt.push(`RCPT TO:<${email}>${ofRcpt.text}`);
  }
  return { mail: mail + ofMail.text, rcpt };
}

function notOffered(description: string): Extract<RelayOutcome, { kind: 'notOffered' }> {
  return { kind: 'notOffered', description };
}

/** Up to the first empty line. */
function headerOf(message: Uint8Array): Uint8Array {
  for (let at = 0; at < message.length; at += 1) {
    if (message[at] !== 0x0a) continue;
    const next = message[at + 1] === 0x0d ? message[at + 2] : message[at + 1];
    if (next === 0x0a) return message.subarray(0, at + 1);
  }
  return message;
}
