import type { Email } from '../../../shared/catalog/email.ts';
import type { LogEntry, VersionedEntry } from '../../../shared/catalog/view.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailbox } from '../../../shared/methods/Mailbox/index.ts';
import type { MailboxPorts } from '../../../shared/methods/Mailbox/record.ts';
import { inMemoryView, type PlainAccount } from '../../catalog/query/in-memory-view.ts';
import { contextFor } from '../context.ts';
import { callMethod } from '../mail-account.ts';

const id = (text: string) => text as Id;

/** A tree below Work, a node that cannot be selected, and two mailboxes with a role. */
export const tree: PlainAccount['mailboxes'] = [
  { key: 1, id: id('inbox'), name: 'INBOX' },
  { key: 2, id: id('work'), name: 'Work' },
  { key: 3, id: id('zebra'), name: 'Work/Zebra', subscribed: false },
  { key: 4, id: id('apple'), name: 'Work/apple' },
  { key: 5, id: id('pips'), name: 'Work/apple/pips' },
  { key: 6, id: id('sent'), name: 'Gone out', attributes: ['\\sent'] },
  { key: 7, id: id('lists'), name: 'Lists', selectable: false, attributes: ['\\noinferiors'] },
];

function emailIn(mailboxes: readonly number[], uid: number, threadId: string, keywords: readonly string[]): Email {
  const rows = mailboxes.map((mailbox) => ({ mailbox, uid, keywords, deleted: false }));
  return { id: id(`e${uid}`), threadId: id(threadId), receivedAt: uid, size: 1, hasAttachment: null, rows };
}

/** Three Emails of two Threads in the inbox, one of them unread and in Work too. */
export const emails: readonly Email[] = [
  emailIn([1], 1, 't1', ['$seen']),
  emailIn([1, 2], 2, 't1', []),
  emailIn([1], 3, 't2', ['$seen']),
];

/** What happened to a Mailbox. `counts`: to nothing but its counts. */
export type Happening = readonly [what: 'created' | 'updated' | 'counts' | 'destroyed', mailbox: string];

/** One entry of the log for each, from version 1 on. */
export function logOf(happenings: readonly Happening[]): VersionedEntry[] {
  return happenings.map(([what, mailbox], index) => {
    const entry: LogEntry = {
      type: 'Mailbox',
      id: id(mailbox),
      existedBefore: what !== 'created',
      existsAfter: what !== 'destroyed',
      countsOnly: what === 'counts',
    };
    return { ...entry, version: index + 1 };
  });
}

/** An account and its Mailbox methods. `letters`: MYRIGHTS by mailbox key; what is not there was not told. */
export function mailboxAccount(
  account: Partial<PlainAccount> = {},
  { letters = {} }: { readonly letters?: Readonly<Record<number, string>> } = {},
) {
  const view = inMemoryView({ mailboxes: tree, emails: [], version: 1, ...account });
  /** How fresh the versions were that were asked for, and how often rights were. */
  const asked = { views: [] as string[], rights: 0 };
  const ports: MailboxPorts = {
    catalog: {
      view: async (freshness) => {
        asked.views.push(freshness);
        return view;
      },
      remember: async () => undefined,
    },
    rights: async () => {
      asked.rights += 1;
      return new Map(Object.entries(letters).map(([key, told]) => [Number(key), told]));
    },
  };
  const call = (verb: 'get' | 'changes' | 'query' | 'queryChanges', args: JsonObject, context = contextFor(ports)) =>
    callMethod(mailbox.methods[verb], args, ports, context);
  return { call, asked, context: contextFor(ports) };
}
