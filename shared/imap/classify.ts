import {
  type RefusalKind,
  saysAuthentication,
  saysThrottled,
  saysUnavailable,
  throttled,
  unavailable,
} from '../refusal.ts';
import type { ResponseCode } from './response.ts';

/** A tagged NO or BAD, or a BYE, as far as it says why. */
export type Refusal = {
  readonly status: 'NO' | 'BAD' | 'BYE';
  readonly code: Pick<ResponseCode, 'name'> | null;
  readonly text: string;
};

/** Response codes (RFC 5530, RFC 9051 §7.1, and what the large providers send) that decide by themselves. */
const kindOfCode = new Map<string, 'authentication' | 'throttled' | 'unavailable'>([
  ['AUTHENTICATIONFAILED', 'authentication'],
  ['AUTHORIZATIONFAILED', 'authentication'],
  ['EXPIRED', 'authentication'],
  ['WEBALERT', 'authentication'],
  ['UNAVAILABLE', 'unavailable'],
  ['CONTACTADMIN', 'unavailable'],
  ['PRIVACYREQUIRED', 'unavailable'],
  ['SERVERBUG', 'unavailable'],
  ['INUSE', 'throttled'],
  ['LIMIT', 'throttled'],
  ['OVERQUOTA', 'throttled'],
  ['THROTTLED', 'throttled'],
]);

/** What these say of a command that stores something is about what it stores, and not about how often we come. */
const codesOfMailbox: ReadonlySet<string> = new Set(['OVERQUOTA', 'LIMIT', 'INUSE']);

/**
 * Classifies a refusal: by response code first, then by its text. During the login a NO that says nothing else means a
 * wrong credential; a throttled one never does, and a wrong credential is never called throttling. `storing`: the command puts
 * something into a mailbox, so that a quota may be its own.
 */
export function classifyRefusal(refusal: Refusal, during: 'login' | 'command' | 'storing'): RefusalKind {
  const code = refusal.code?.name ?? '';
  // What cannot be kept because of the mailbox or its owner's quota concerns that command alone (RFC 5530 §3).
  const isOfMailbox = during === 'storing' && refusal.status === 'NO' && codesOfMailbox.has(code);
  if (isOfMailbox && !saysThrottled(refusal.text)) return { kind: 'refused' };
  const byCode = kindOfCode.get(code);
  if (byCode === 'authentication') return during === 'login' ? { kind: 'authentication' } : unavailable(refusal.text);
  // QUIRK(dovecot 2.3): "[UNAVAILABLE] Maximum number of connections from user+IP exceeded".
  if (byCode === 'throttled' || saysThrottled(refusal.text)) return throttled(refusal.text);
  if (byCode === 'unavailable') return unavailable(refusal.text);
  // A BYE ends the connection for reasons of the server's, unless it says that they are the login's.
  if (during === 'login') {
    if (saysUnavailable(refusal.text)) return unavailable(refusal.text);
    if (saysAuthentication(refusal.text)) return { kind: 'authentication' };
    if (refusal.status === 'BYE') return unavailable(refusal.text);
    return refusal.status === 'NO' ? { kind: 'authentication' } : { kind: 'protocol' };
  }
  if (refusal.status === 'BYE') return unavailable(refusal.text);
  if (refusal.status === 'BAD') return { kind: 'protocol' };
  return { kind: 'refused' };
}

/** What a refused command that changes something ran into; `other`: the server does not say. */
export type RefusalReason =
  | 'quota'
  | 'rights'
  | 'missing'
  | 'exists'
  | 'limit'
  | 'size'
  | 'expunged'
  | 'unseen'
  | 'other';

/**
 * QUIRK(dovecot 2.3): what it says of a mailbox on a connection that knows it and can see it no more, because the index is lost by now; other
 * connections can. LIST tells so untagged.
 */
export function isDeletedUnderUs(text: string): boolean {
  return text.startsWith('Mailbox was deleted under us');
}

const reasonOfCode = new Map<string, RefusalReason>([
  ['OVERQUOTA', 'quota'],
  ['NOPERM', 'rights'],
  ['READ-ONLY', 'rights'],
  ['TRYCREATE', 'missing'],
  ['NONEXISTENT', 'missing'],
  ['ALREADYEXISTS', 'exists'],
  ['LIMIT', 'limit'],
  ['TOOBIG', 'size'],
  ['EXPUNGEISSUED', 'expunged'],
  // RFC 7162 §3.1.3: some of the messages are not there, and others are not as they were.
  ['MODIFIED', 'expunged'],
]);
const reasonOfText: readonly (readonly [RegExp, RefusalReason])[] = [
  [/quota|mailbox is full|(?:disk|storage|space) (?:is )?(?:full|exceeded)|no space/i, 'quota'],
  [/permission|access denied|not permitted|read-?only/i, 'rights'],
  [/(?:does not|doesn't|non-?)\s?exist|no such mailbox|not found/i, 'missing'],
  [/(?:already|file) exists/i, 'exists'],
  [/too (?:big|large)/i, 'size'],
];

/** Why a server refused to change something: by response code, else by its text. */
export function reasonOf({ code, text }: Pick<Refusal, 'code' | 'text'>): RefusalReason {
  if (isDeletedUnderUs(text)) return 'unseen';
  return reasonOfCode.get(code?.name ?? '') ?? reasonOfText.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}
