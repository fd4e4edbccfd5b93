import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import { date, quote } from '../../jmap/grammar.ts';
import { addresses } from '../../message/addresses.ts';
import type { EmailHeader } from '../../message/parse-headers.ts';
import { comparableMailbox, isSmtpMailbox } from '../../message/smtp-mailbox.ts';
import { writeParameters } from '../../message/smtp-parameters.ts';
import type { KeptIdentity } from '../Identity/record.ts';
import { identityCovers, maySendFrom, type SendingPolicy } from '../Identity/sending-policy.ts';
import type { EmailSubmission } from './record.ts';
import type { Envelope, EnvelopeAddress } from './relay.ts';

type GivenEnvelope = NonNullable<EmailSubmission['envelope']>;

/** The envelope that a message goes out with, and how long it is to be held. */
export type ResolvedEnvelope = { readonly envelope: Envelope; readonly holdUntilMs: number | null };

export type EnvelopeRules = {
  readonly policy: SendingPolicy;
  readonly identity: KeptIdentity;
  readonly maxRecipients: number;
  /** Null: nothing is held. */
  readonly maxDelaySeconds: number | null;
  readonly now: number;
};

/** The envelope as it was given, or made of the message (RFC 8621 §7), checked. */
export function resolveEnvelope(
  given: GivenEnvelope | null,
  headers: readonly EmailHeader[],
  rules: EnvelopeRules,
): Result<ResolvedEnvelope, SetError> {
  const { mailFrom, rcptTo } = given ?? generated(headers, rules);
  const held = takeHold(mailFrom, rules);
  if (!held.ok) return held;
  const { sender, holdUntilMs } = held.value;

  if (rcptTo.length === 0) return refuse({ type: 'noRecipients' });
  const recipients = given === null ? rcptTo : withoutRepetitions(rcptTo);
  const { maxRecipients } = rules;
  if (recipients.length > maxRecipients) return refuse({ type: 'tooManyRecipients', maxRecipients });
  const invalid = recipients.map(({ email }) => email).filter((email) => !isSmtpMailbox(email));
  if (invalid.length > 0) return refuse({ type: 'invalidRecipients', invalidRecipients: invalid });

  if (sender.email !== '' && !maySendFrom(rules.policy, sender.email)) {
    return refuse({ type: 'forbiddenMailFrom', description: `${quote(sender.email)} is not yours` });
  }
  for (const [command, { parameters }] of [
    ['MAIL', sender] as const,
    ...recipients.map((recipient) => ['RCPT', recipient] as const),
  ]) {
    const written = writeParameters(command, parameters ?? {}, null);
    if ('objection' in written) return invalidEnvelope(written.objection);
  }
  return ok({ envelope: { mailFrom: sender, rcptTo: recipients }, holdUntilMs });
}

/** Of a message that has one From and at most one Sender field. */
function generated(headers: readonly EmailHeader[], { identity, policy }: EnvelopeRules): GivenEnvelope {
  const [sender] = [...addressesIn(headers, 'sender'), ...addressesIn(headers, 'from')];
  const own = isSmtpMailbox(identity.email) && !identity.email.startsWith('*@') ? identity.email : policy.address;
  const email = sender !== undefined && identityCovers(identity.email, sender) ? sender : own;
  const recipients = ['to', 'cc', 'bcc'].flatMap((name) => addressesIn(headers, name));
  return {
    mailFrom: { email, parameters: null },
    rcptTo: withoutRepetitions(recipients.map((each) => ({ email: each, parameters: null }))),
  };
}

/** The addresses of all fields of that name, in lower case. */
export function addressesIn(headers: readonly EmailHeader[], field: string): string[] {
  return headers
    .filter(({ name }) => name.toLowerCase() === field)
    .flatMap(({ value }) => addresses(value).map(({ email }) => email));
}

function withoutRepetitions(recipients: readonly EnvelopeAddress[]): GivenEnvelope['rcptTo'] {
  const unique = new Map<string, GivenEnvelope['rcptTo'][number]>();
  for (const { email, parameters } of recipients) {
    const key = comparableMailbox(email);
    if (!unique.has(key)) unique.set(key, { email, parameters: parameters === null ? null : { ...parameters } });
  }
  return [...unique.values()];
}

/** Takes HOLDFOR and HOLDUNTIL (RFC 4865 §4) from the sender's parameters: we or the server see to it. */
function takeHold(
  mailFrom: GivenEnvelope['mailFrom'],
  { maxDelaySeconds, now }: EnvelopeRules,
): Result<{ sender: EnvelopeAddress; holdUntilMs: number | null }, SetError> {
  const others: { [name: string]: string | null } = {};
  const holds: { name: string; value: string | null }[] = [];
  for (const [name, value] of Object.entries(mailFrom.parameters ?? {})) {
    if (/^HOLD(?:FOR|UNTIL)$/i.test(name)) holds.push({ name: name.toUpperCase(), value });
    else others[name] = value;
  }
  const sender = { email: mailFrom.email, parameters: mailFrom.parameters === null ? null : others };
  const [hold, another] = holds;
  if (hold === undefined) return ok({ sender, holdUntilMs: null });
  if (another !== undefined) return invalidEnvelope('a message is held by HOLDFOR or by HOLDUNTIL, and not by both');
  if (maxDelaySeconds === null) return invalidEnvelope(`${hold.name}: nothing is held here`);
  const until = hold.name === 'HOLDFOR' ? afterSeconds(hold.value, now) : timeOf(hold.value);
  if (until === null) return invalidEnvelope(`${hold.name} does not take this value`);
  if (until > now + maxDelaySeconds * 1_000) {
    return invalidEnvelope(`${hold.name}: nothing is held for more than ${maxDelaySeconds} seconds`);
  }
  return ok({ sender, holdUntilMs: until <= now ? null : until });
}

function afterSeconds(value: string | null, now: number): number | null {
  return value !== null && /^\d{1,9}$/.test(value) ? now + Number(value) * 1_000 : null;
}

function timeOf(value: string | null): number | null {
  const parsed = date.parse(value);
  return parsed.ok ? Date.parse(parsed.value) : null;
}

function invalidEnvelope(description: string): Result<never, SetError> {
  return refuse({ type: 'invalidProperties', properties: ['envelope'], description });
}
