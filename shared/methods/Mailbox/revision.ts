import type { Role } from '../../catalog/roles.ts';
import type { SetError } from '../../jmap/errors.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import type { Revision } from '../../jmap/verbs.ts';
import type { KnownMailbox } from './known-mailboxes.ts';
import { normalName } from './name.ts';
import type { Mailbox } from './record.ts';
import type { Wish } from './restructuring.ts';
import type { Branch } from './tree.ts';

export function wishOf({ name, parentId, role, entry }: Branch, after: Revision<Mailbox>['after']): NonNullable<Wish> {
  return {
    position: {
      name: after.name === undefined ? name : normalName(after.name),
      parentId: after.parentId === undefined ? parentId : after.parentId,
    },
    role: after.role === undefined ? role : (after.role as Role | null),
    isSubscribed: after.isSubscribed ?? entry?.subscribed ?? false,
  };
}

/** What of a record that was refused is other than before all the same, where it could not be taken back. */
export function withWhatIsLeft(
  error: SetError,
  before: KnownMailbox | undefined,
  mailbox: KnownMailbox | undefined,
): SetError {
  const names = ['name', 'parentId', 'isSubscribed'] as const;
  const left = names.filter((name) => before !== undefined && mailbox !== undefined && mailbox[name] !== before[name]);
  if (left.length === 0) return error;
  const now = left.map((name) => `${name} is ${JSON.stringify(mailbox?.[name])}`).join(', ');
  return {
    ...error,
    description: `${error.description ?? error.type}; it could not be taken back: ${now} now`,
  };
}

/** What is not as it was wanted, or has changed though nobody asked for it; null where there is nothing of that. */
export function surprisesOf(mailbox: KnownMailbox, expected: KnownMailbox): JsonObject | null {
  const surprises: JsonObject = {};
  for (const name of ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed'] as const) {
    if (mailbox[name] !== expected[name]) surprises[name] = mailbox[name];
  }
  return Object.keys(surprises).length === 0 ? null : surprises;
}
