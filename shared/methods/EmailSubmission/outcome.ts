import { type SetError, Unavailable } from '../../jmap/errors.ts';
import type { DeliveryStatus } from './record.ts';
import type { Envelope, RelayOutcome, SmtpReply } from './relay.ts';

type Refusal = Exclude<RelayOutcome, { kind: 'accepted' | 'unknown' }>;

/** §7, `deliveryStatus`: what the server said of each recipient. Relayed is not delivered: it stays `unknown` what became of it. */
export function deliveryStatusOf(
  { rcptTo }: Envelope,
  replies: readonly SmtpReply[],
): { [email: string]: DeliveryStatus } {
  return Object.fromEntries(
    rcptTo.map(({ email }, index) => {
      const reply = replies[index] ?? lost;
      const delivered = reply.code >= 200 && reply.code < 300 ? 'unknown' : 'no';
      return [
        email,
        { smtpReply: cut(reply.text, repliesMax / rcptTo.length), delivered, displayed: 'unknown' },
      ] as const;
    }),
  );
}

/** Characters that are kept of what a server said of all recipients of a message together. */
const repliesMax = 60_000;

function cut(text: string, length: number): string {
  return text.slice(0, Math.ceil(length)).replace(/\p{Cs}$/u, '');
}

/** The same answer for all of them, and the same fate. */
export function deliveryStatusOfAll(
  { rcptTo }: Envelope,
  delivered: 'no' | 'unknown',
  smtpReply: string,
): { [email: string]: DeliveryStatus } {
  return Object.fromEntries(
    rcptTo.map(({ email }) => [email, { smtpReply, delivered, displayed: 'unknown' } as const]),
  );
}

/** What stands for an answer that never came (RFC 8621 §7 gives its form; RFC 3463 the code). */
export const lostReply = '451 4.4.2 The connection was lost before the answer: the message may have been sent or not';
const lost: SmtpReply = { code: 451, text: lostReply };

/** Whether trying again later makes sense. */
export function isTemporary(refusal: Refusal): refusal is Refusal & { kind: 'refused' } {
  return refusal.kind === 'refused' && refusal.at !== 'login' && refusal.reply.code < 500;
}

/** What the log may tell of a message that was refused for a while: the code, and none of the server's words. */
export function refusedForNow({ reply }: Refusal & { kind: 'refused' }): Unavailable {
  return Object.assign(new Unavailable('the submission server refused a message for a while'), {
    code: `SMTP_${reply.code}`,
  });
}

/** What is said of each recipient of a message that was refused for good. */
export function refusedStatusOf(envelope: Envelope, refusal: Refusal): { [email: string]: DeliveryStatus } {
  if (refusal.kind === 'refused' && refusal.at === 'recipients') return deliveryStatusOf(envelope, refusal.recipients);
  return deliveryStatusOfAll(envelope, 'no', wordsOf(refusal));
}

function wordsOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'refused':
      return refusal.reply.text;
    case 'tooLarge':
      return '552 5.3.4 The message is larger than the submission server takes';
    case 'notOffered':
      return `555 5.5.4 ${refusal.description.replace(/[\r\n]+/g, ' ')}`;
  }
}

/** §7.5: why the submission was not created. */
export function refusalError(envelope: Envelope, refusal: Refusal, maxSize: number): SetError {
  if (refusal.kind === 'tooLarge') return { type: 'tooLarge', maxSize: refusal.maxSize };
  if (refusal.kind === 'notOffered') {
    return { type: 'invalidProperties', properties: ['envelope'], description: refusal.description };
  }
  const { at, reply, recipients } = refusal;
  const description = reply.text;
  const enhanced = /^\d{3} (\d\.\d{1,3}\.\d{1,3})\b/.exec(description)?.[1];
  if (at === 'login') return { type: 'forbiddenToSend', description };
  if (reply.code === 552 || enhanced === '5.3.4' || enhanced === '5.2.3')
    return { type: 'tooLarge', maxSize, description };
  if (reply.code < 500) return { type: 'serverUnavailable', description };
  switch (at) {
    case 'sender':
      return { type: 'forbiddenMailFrom', description };
    case 'recipients': {
      const refused = envelope.rcptTo.filter((_, index) => (recipients[index]?.code ?? 0) >= 500);
      return { type: 'invalidRecipients', invalidRecipients: refused.map(({ email }) => email), description };
    }
    case 'message':
      return enhanced?.startsWith('5.6.')
        ? { type: 'invalidEmail', properties: [], description }
        : { type: 'forbiddenToSend', description };
  }
}
