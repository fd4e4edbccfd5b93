import type { Email } from '../../../shared/catalog/email.ts';
import type { VersionedEntry } from '../../../shared/catalog/view.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { thread } from '../../../shared/methods/Thread/index.ts';
import type { ThreadPorts } from '../../../shared/methods/Thread/record.ts';
import { inMemoryView, type PlainAccount } from '../../catalog/query/in-memory-view.ts';
import { contextFor } from '../context.ts';
import { callMethod } from '../mail-account.ts';

const id = (text: string) => text as Id;

/** An Email of a Thread in the only mailbox, or flagged `\Deleted` there. */
export function emailOf(threadId: string, emailId: string, receivedAt: number, deleted = false): Email {
  const row = { mailbox: 1, uid: 1, keywords: [], deleted };
  return { id: id(emailId), threadId: id(threadId), receivedAt, size: 1, hasAttachment: null, rows: [row] };
}

/** What happened to a Thread. */
export type Happening = readonly [what: 'created' | 'updated' | 'destroyed', thread: string];

/** One entry of the log for each, from version 1 on. */
export function logOf(happenings: readonly Happening[]): VersionedEntry[] {
  return happenings.map(([what, threadId], index) => ({
    type: 'Thread',
    id: id(threadId),
    existedBefore: what !== 'created',
    existsAfter: what !== 'destroyed',
    version: index + 1,
  }));
}

/** An account with one mailbox, and its Thread methods. */
export function threadAccount(account: Partial<PlainAccount>) {
  const emails = (account.emails ?? []).map((email, index) => ({
    ...email,
    rows: email.rows.map((row) => ({ ...row, uid: index + 1 })),
  }));
  const view = inMemoryView({ mailboxes: [{ key: 1, id: id('inbox') }], ...account, emails });
  const views: string[] = [];
  const ports: ThreadPorts = {
    catalog: {
      view: async (freshness) => {
        views.push(freshness);
        return view;
      },
      remember: async () => undefined,
    },
  };
  const call = (verb: keyof typeof thread.methods, args: JsonObject, context = contextFor(ports)) =>
    callMethod(thread.methods[verb], args, ports, context);
  return { call, views, reads: view.reads, context: contextFor(ports) };
}
