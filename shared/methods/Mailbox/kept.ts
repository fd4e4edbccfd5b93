import type { CanTellKept, KeptFacts } from '../../catalog/mailbox.ts';
import { type Role, roles } from '../../catalog/roles.ts';
import { Unavailable } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { AccountRecords, RecordKind } from '../../records/account-records.ts';
import type { Edit } from '../../records/collection.ts';

/** What is kept of mailboxes, by their ids: so it survives that they are renamed, and that the catalog is lost. */
const keptOfMailboxes: RecordKind<JsonObject> = { name: 'Mailbox' };

/** Everything that is kept of mailboxes. */
export function keptMailboxes(records: AccountRecords): CanTellKept {
  return async () => {
    const { records: all } = await records.view(keptOfMailboxes);
    return new Map(
      [...all].map(([id, { sortOrder, role }]) => [id, { sortOrder: orderOf(sortOrder), role: roleOf(role) }]),
    );
  };
}

/** Keeps these facts of mailboxes; null: nothing any more. Answers why nothing was changed, or null. */
export async function keepOrNot(
  records: AccountRecords,
  facts: ReadonlyMap<Id, KeptFacts | null>,
): Promise<'overQuota' | 'lost' | null> {
  const edits = [...facts].map(([id, value]): Edit => ({ id, value: value && { ...value } }));
  if (edits.length === 0) return null;
  try {
    const changed = await records.change(keptOfMailboxes, () => ({ edits, answer: null }));
    return changed.ok ? null : 'overQuota';
  } catch (error) {
    if (error instanceof Unavailable) return 'lost';
    throw error;
  }
}

function orderOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function roleOf(value: unknown): KeptFacts['role'] {
  return value === 'none' || (roles as readonly unknown[]).includes(value) ? (value as Role | 'none') : null;
}
