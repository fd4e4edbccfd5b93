import type { AccountCatalog } from '../../catalog/account.ts';
import { arrayOf, id } from '../../jmap/grammar.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';

/** What a Thread needs of the world. */
export type ThreadPorts = { readonly catalog: AccountCatalog };

/** A Thread (RFC 8621 §3). */
export const threadType = recordType('Thread', {
  id: serverSet(id),
  emailIds: serverSet(arrayOf(id)),
});

export type Thread = RecordOf<typeof threadType>;
