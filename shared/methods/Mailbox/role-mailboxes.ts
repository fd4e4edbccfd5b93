import { surveyedMailboxes } from '../../catalog/mailbox-match.ts';
import { mailboxPlaces, personalPrefix, type Role } from '../../catalog/roles.ts';
import type { MailSource } from '../../catalog/source.ts';
import { Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { StructurePorts } from './deeds.ts';
import { keptMailboxes } from './kept.ts';

/** Roles for which mailboxes can be made, and what these are called. */
const namesOfRoles = { drafts: 'Drafts', sent: 'Sent', trash: 'Trash', junk: 'Junk', archive: 'Archive' } as const;
export type RoleWithName = keyof typeof namesOfRoles;

/**
 * Makes a mailbox for each of these roles that none has, and subscribes to it. What a client gave a role to counts, wherever it is. Where
 * something is in the way (another mailbox of that name, rights, a server that is away) that role is left for the next time.
 */
export async function createRoleMailboxes(
  roles: readonly RoleWithName[],
  {
    source,
    mailboxes,
    records,
  }: Pick<StructurePorts, 'mailboxes' | 'records'> & { readonly source: Pick<MailSource, 'survey'> },
): Promise<void> {
  try {
    const [survey, kept] = await Promise.all([source.survey(), keptMailboxes(records)()]);
    const found = surveyedMailboxes(survey, []).map((surveyed, key) => ({
      ...{ ...surveyed, key, id: `${key}` as Id, kept: null },
    }));
    const taken = new Set<Role | 'none' | null>([...kept.values()].map(({ role }) => role));
    for (const { role } of mailboxPlaces(found).values()) taken.add(role);
    const missing = roles.filter((role) => !taken.has(role));
    if (missing.length === 0) return;
    const { prefix } = await mailboxes.naming();
    const isAlone = found.length <= 1;
    for (const role of missing) {
      const name = `${isAlone ? prefix : personalPrefix(found)}${namesOfRoles[role]}`;
      if ((await mailboxes.create(name, role)) === null) await mailboxes.subscribe([name], true);
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
}
