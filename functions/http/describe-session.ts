import { createHash } from 'node:crypto';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { type Account, buildSession, type CoreCapability } from '../../shared/jmap/session.ts';
import { blobAccountCapability } from '../../shared/methods/Blob/capability.ts';
import {
  blobCapability,
  mailCapability,
  mdnCapability,
  quotaCapability,
  sieveCapability,
  submissionCapability,
  vacationCapability,
} from '../../shared/methods/capabilities.ts';
import { attachmentsOctetsMax, mailboxesPerEmailMax } from '../../shared/methods/Email/limits.ts';
import { emailSort } from '../../shared/methods/Email/sort.ts';
import { maxMailboxDepth, maxSizeMailboxName } from '../../shared/methods/Mailbox/name.ts';
import { sieveAccountCapability } from '../../shared/methods/SieveScript/capability.ts';
import type { Provider } from '../../shared/providers.ts';
import type { User } from './authenticate.ts';
import type { DescribeSession } from './session.ts';

/**
 * What the Session says of the server itself (RFC 8620 §2). `strict`: by the letter, where clients expect otherwise. `maxDelayedSend`:
 * seconds for which a message can be held; 0: none can.
 */
export function createSessionDescriber({
  core,
  strict,
  maxDelayedSend,
}: {
  readonly core: CoreCapability;
  readonly strict: boolean;
  readonly maxDelayedSend: (user: User) => number;
}): DescribeSession {
  return (user, urls) =>
    buildSession({
      username: user.username,
      core,
      capabilities: {
        [mailCapability]: {},
        ...(user.provider.smtp !== null && { [submissionCapability]: {}, [mdnCapability]: {} }),
        [blobCapability]: {},
        [quotaCapability]: {},
        ...sieveOf(user),
      },
      accounts: new Map([[user.accountId, accountOf(user, core, maxDelayedSend(user))]]),
      urls,
      strict,
      hash: (text) => createHash('sha256').update(text).digest('base64url').slice(0, 16),
    });
}

function accountOf({ username, provider }: User, core: CoreCapability, maxDelayedSend: number): Account {
  const others: { readonly [capability: string]: JsonObject } = {
    // RFC 8621 §1.3.1
    [mailCapability]: {
      maxMailboxesPerEmail: mailboxesPerEmailMax,
      maxMailboxDepth,
      maxSizeMailboxName,
      maxSizeAttachmentsPerEmail: attachmentsOctetsMax,
      emailQuerySortOptions: Object.keys(emailSort),
      mayCreateTopLevelMailbox: true,
    },
    // Without a submission server nothing can be sent.
    ...(provider.smtp !== null && {
      [submissionCapability]: { maxDelayedSend, submissionExtensions: extensionsOf(provider, maxDelayedSend) },
      [mdnCapability]: {},
    }),
    // Whether the mail server has any is not known before it is asked; without, there are no Quotas.
    [quotaCapability]: {},
    ...(provider.sieve !== null && {
      [sieveCapability]: sieveAccountCapability(provider.sieve.offers),
      [vacationCapability]: {},
    }),
  };
  return {
    name: username.trim(),
    isPersonal: true,
    isReadOnly: false,
    accountCapabilities: { ...others, [blobCapability]: blobAccountCapability(core, others) },
  };
}

/**
 * §1.3.2, `submissionExtensions`: what the operator says of the submission server, and holding a message, which we do ourselves: what a
 * mail server holds could not be canceled any more.
 */
function extensionsOf({ sending }: Provider, maxDelayedSend: number): { [keyword: string]: string[] } {
  const named = Object.fromEntries(sending.extensions.map((keyword): [string, string[]] => [keyword, []]));
  return maxDelayedSend === 0 ? named : { ...named, FUTURERELEASE: [] };
}

/** Whatever filters mail as it comes in is there where the provider has ManageSieve. */
function sieveOf({ provider: { sieve } }: User): { readonly [capability: string]: JsonObject } {
  if (sieve === null) return {};
  return { [sieveCapability]: { implementation: sieve.offers.implementation }, [vacationCapability]: {} };
}
