import { createHash } from 'node:crypto';
import { type Account, buildSession, type CoreCapability } from '../../shared/jmap/session.ts';
import { blobAccountCapability } from '../../shared/methods/Blob/capability.ts';
import { blobCapability, mailCapability, quotaCapability } from '../../shared/methods/capabilities.ts';
import { mailboxesPerEmailMax } from '../../shared/methods/Email/set.ts';
import { emailSort } from '../../shared/methods/Email/sort.ts';
import type { User } from './authenticate.ts';
import type { DescribeSession } from './session.ts';

/** What the Session says of the server itself (RFC 8620 §2). `strict`: by the letter, where clients expect otherwise. */
export function createSessionDescriber({ core, strict }: { core: CoreCapability; strict: boolean }): DescribeSession {
  return (user, urls) =>
    buildSession({
      username: user.username,
      core,
      capabilities: { [mailCapability]: {}, [blobCapability]: {}, [quotaCapability]: {} },
      accounts: new Map([[user.accountId, accountOf(user, core)]]),
      urls,
      strict,
      hash: (text) => createHash('sha256').update(text).digest('base64url').slice(0, 16),
    });
}

function accountOf({ username }: User, core: CoreCapability): Account {
  return {
    name: username.trim(),
    isPersonal: true,
    isReadOnly: false,
    accountCapabilities: {
      // RFC 8621 §1.3.1
      [mailCapability]: {
        maxMailboxesPerEmail: mailboxesPerEmailMax,
        maxMailboxDepth: null,
        maxSizeMailboxName: 100,
        maxSizeAttachmentsPerEmail: 0,
        emailQuerySortOptions: Object.keys(emailSort),
        mayCreateTopLevelMailbox: false,
      },
      [blobCapability]: blobAccountCapability(core),
      // Whether the mail server has any is not known before it is asked; without, there are no Quotas.
      [quotaCapability]: {},
    },
  };
}
