import type { Email, MailboxKey, Row, RowMarks } from '../../shared/catalog/email.ts';
import { entriesAfter, missingAmong } from '../../shared/catalog/entries.ts';
import { rootOf } from '../../shared/catalog/ids.ts';
import type { MailboxEntry } from '../../shared/catalog/mailbox.ts';
import {
  BlockLost,
  type Catalog,
  type CatalogEdit,
  type CatalogView,
  type ChangingType,
  type CommitOutcome,
  type Filling,
  type IdentityScheme,
  type VersionedEntry,
} from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

type Facts = { readonly scheme: IdentityScheme; readonly threads: 'server' | 'derived' };
type Content = Facts & {
  readonly epoch: string;
  readonly version: number;
  readonly versions: Readonly<Record<ChangingType, number>>;
  readonly oldestVersions: Readonly<Record<ChangingType, number>>;
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>;
  readonly emails: ReadonlyMap<Id, Email>;
  readonly threads_: ReadonlyMap<Id, readonly Id[]>;
  readonly messageIds: ReadonlyMap<string, Id>;
  readonly log: readonly VersionedEntry[];
};

/** A `Catalog` of plain maps, with switches for what goes wrong in a real one. */
export type ModelCatalog = Catalog & {
  /** Versions that were committed. */
  readonly commits: () => readonly CatalogView[];
  /** Forgets everything, as a dropped table does. */
  readonly loseAll: () => void;
  /** From now on, until the catalog is created anew, its rows cannot be read. */
  readonly loseBlock: () => void;
  /** Counts look-ups of Emails, to see that they grow with the change only. */
  readonly emailsRead: () => number;
};

export function modelCatalog(): ModelCatalog {
  let current: Content | null = null;
  let isBroken = false;
  let epochs = 0;
  let emailsRead = 0;
  const commits: CatalogView[] = [];
  const contents = new WeakMap<CatalogView, Content>();

  const write = (content: Content): CommitOutcome => {
    current = content;
    const view = viewOf(content);
    commits.push(view);
    return { kind: 'committed', view };
  };
  const viewOf = (content: Content): CatalogView => {
    const guard = () => {
      if (isBroken) throw new BlockLost('A block is gone');
    };
    const view = makeView(content, guard, (count) => {
      emailsRead += count;
    });
    contents.set(view, content);
    return view;
  };
  const newEpoch = () => {
    epochs += 1;
    return `epoch${epochs}`;
  };

  return {
    open: async () => (current === null ? null : viewOf(current)),
    create: async (facts, edit, replaces) => {
      if ((current?.version ?? null) !== (replaces?.version ?? null)) return { kind: 'conflict' };
      isBroken = false;
      const versions = { Email: 0, Thread: 0, Mailbox: 0 };
      const empty: Content = {
        ...facts,
        epoch: newEpoch(),
        version: replaces?.version ?? 0,
        versions,
        oldestVersions: versions,
        mailboxes: new Map(),
        emails: new Map(),
        threads_: new Map(),
        messageIds: new Map(),
        log: [],
      };
      return write(applied(empty, edit, empty.epoch));
    },
    commit: async (base, edit) => {
      const content = contents.get(base);
      if (content === undefined) throw new Error('The base of a commit is a view of the same catalog');
      if (content !== current) return { kind: 'conflict' };
      return write(applied(content, edit, edit.newEpoch ? newEpoch() : content.epoch));
    },
    fill: async (base, filling) => {
      const content = contents.get(base);
      if (content === undefined) throw new Error('A catalog is filled from a view of itself');
      if (content !== current) return { kind: 'conflict' };
      return write(applied(content, editOf(content, filling), newEpoch()));
    },
    commits: () => commits,
    loseAll: () => {
      current = null;
    },
    loseBlock: () => {
      isBroken = true;
    },
    emailsRead: () => emailsRead,
  };
}

/** The edit that does what a filling does. */
function editOf(content: Content, filling: Filling): CatalogEdit {
  const textAt = (number: number | undefined) => filling.texts.at(number as number) as Id;
  const rows = new Map<Id, [MailboxKey, Row][]>();
  let last: readonly [MailboxKey, number] = [0, 0];
  for (let at = 0; at < filling.rows.count; at += 1) {
    const [mailbox, row] = rowAt(filling, at);
    if (mailbox < last[0] || (mailbox === last[0] && row.uid <= last[1]))
      throw new Error('Rows come by mailbox and UID');
    last = [mailbox, row.uid];
    const own = rows.get(row.emailId) ?? [];
    rows.set(row.emailId, own);
    own.push([mailbox, row]);
  }
  const emails = new Map(
    ascending(
      numbers(filling.emails.count).map((email) => {
        const { ids, starts, rowsOf } = filling.emails;
        return [textAt(ids[email]), Array.from(rowsOf).slice(starts[email], starts[email + 1])] as const;
      }),
    ).map(([id, places]) => {
      const own = rows.get(id) ?? [];
      const placed = places.map((at) => rowAt(filling, at));
      if (JSON.stringify(placed) !== JSON.stringify(own)) throw new Error(`Email "${id}" has other rows`);
      if (own.some(([, { shared }]) => shared !== own.length > 1)) throw new Error(`Email "${id}" is not shared`);
      return [id, { before: null, after: emailOf(own) }] as const;
    }),
  );
  if (emails.size !== rows.size || content.emails.size > 0) throw new Error('There are other Emails');
  const threads = new Map<Id, Id[]>();
  for (let at = 0; at < filling.threads.count; at += 1) {
    const emailId = filling.threads.emailIds[at];
    if (emailId === undefined || emailId < 0) continue;
    const [threadId, id] = [textAt(filling.threads.ids[at]), textAt(emailId)];
    if (emails.get(id)?.after.threadId !== threadId) throw new Error(`Email "${id}" is in another thread`);
    const members = threads.get(threadId) ?? [];
    threads.set(threadId, members);
    members.push(id);
  }
  const messageIds = new Map(
    ascending(
      numbers(filling.threads.count).flatMap((at) => {
        const known = filling.threads.knownBy[at];
        if (known === undefined || known < 0) return [];
        return [[rootOf(textAt(filling.threads.ids[at])) ?? '', textAt(known)] as const];
      }),
    ),
  );
  return { mailboxes: filling.mailboxes, emails, threads, messageIds, log: [], newEpoch: true };
}

function emailOf(rows: readonly (readonly [MailboxKey, Row])[]): Email {
  const [first] = rows;
  if (first === undefined) throw new Error('An Email has rows');
  const { emailId: id, threadId, receivedAt, size, hasAttachment } = first[1];
  return {
    ...{ id, threadId, receivedAt, size, hasAttachment },
    rows: rows.map(([mailbox, { uid, keywords, deleted }]) => ({ mailbox, uid, keywords, deleted })),
  };
}

function rowAt({ texts, rows }: Filling, at: number): [MailboxKey, Row] {
  const row = {
    uid: rows.uids[at] as number,
    emailId: texts.at(rows.emailIds[at] as number) as Id,
    threadId: texts.at(rows.threadIds[at] as number) as Id,
    receivedAt: rows.receivedAt[at] as number,
    size: rows.sizes[at] as number,
    ...(rows.kinds[rows.marks[at] as number] as RowMarks),
  };
  return [rows.mailboxes[at] as MailboxKey, row];
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

function ascending<K extends string, T>(all: (readonly [K, T])[]): (readonly [K, T])[] {
  if (all.some(([key], i) => i > 0 && key <= (all[i - 1] as readonly [K, T])[0]))
    throw new Error('Entries come by ascending key');
  return all;
}

function applied(content: Content, edit: CatalogEdit, epoch: string): Content {
  const emails = new Map(content.emails);
  for (const [id, { before, after }] of edit.emails) {
    if (JSON.stringify(before) !== JSON.stringify(emails.get(id) ?? null))
      throw new Error(`Email "${id}" was another before`);
    if (after === null) emails.delete(id);
    else emails.set(id, after);
  }
  const threads = new Map(content.threads_);
  for (const [id, members] of edit.threads) {
    if (members.length === 0) threads.delete(id);
    else threads.set(id, members);
  }
  const versions = { ...content.versions };
  const log = edit.log.map((entry) => {
    versions[entry.type] += 1;
    return { ...entry, version: versions[entry.type] };
  });
  return {
    ...content,
    epoch,
    version: content.version + 1,
    versions,
    oldestVersions: edit.newEpoch ? versions : content.oldestVersions,
    mailboxes: entriesAfter(content.mailboxes, edit.mailboxes),
    emails,
    threads_: threads,
    messageIds: new Map([...content.messageIds, ...edit.messageIds]),
    log: edit.newEpoch ? [] : [...content.log, ...log],
  };
}

function makeView(content: Content, guard: () => void, countEmails: (count: number) => void): CatalogView {
  let rows: Map<MailboxKey, Row[]> | null = null;
  const rowsOf = (mailbox: MailboxKey): readonly Row[] => {
    guard();
    rows ??= allRows(content.emails.values());
    return rows.get(mailbox) ?? [];
  };
  const pick = <K, V>(map: ReadonlyMap<K, V>, keys: Iterable<K>): Map<K, V> => {
    guard();
    const found = new Map<K, V>();
    for (const key of keys) {
      const value = map.get(key);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  };
  return {
    epoch: content.epoch,
    version: content.version,
    scheme: content.scheme,
    threads: content.threads,
    provisional: missingAmong(content.mailboxes).length > 0,
    versions: content.versions,
    oldestVersions: content.oldestVersions,
    committedAt: 0,
    mailboxes: async () => content.mailboxes,
    emails: async (ids) => {
      const found = pick(content.emails, ids);
      countEmails(found.size);
      return found;
    },
    emailIdsAt: async (mailbox, uids) =>
      pick(new Map(rowsOf(mailbox).map(({ uid, emailId }) => [uid, emailId] as const)), uids),
    threadEmails: async (ids) => pick(content.threads_, ids),
    threadsByMessageId: async (hashes) => pick(content.messageIds, hashes),
    rowBlocks: async (mailbox) => {
      const all = rowsOf(mailbox);
      const blocks = [];
      for (let at = 0; at < all.length; at += 50) {
        const part = all.slice(at, at + 50);
        const dates = part.map(({ receivedAt }) => receivedAt);
        blocks.push({
          count: part.length,
          firstUid: part[0]?.uid ?? 0,
          lastUid: part.at(-1)?.uid ?? 0,
          oldest: Math.min(...dates),
          newest: Math.max(...dates),
          rows: async () => part,
        });
      }
      return blocks;
    },
    log: async function* (type, since) {
      guard();
      const entries = content.log.filter((entry) => entry.type === type && entry.version > since);
      for (let at = 0; at < entries.length; at += 50) yield entries.slice(at, at + 50);
    },
  };
}

function allRows(emails: Iterable<Email>): Map<MailboxKey, Row[]> {
  const rows = new Map<MailboxKey, Row[]>();
  for (const { id, threadId, receivedAt, size, hasAttachment, rows: copies } of emails) {
    for (const { mailbox, uid, keywords, deleted } of copies) {
      const list = rows.get(mailbox) ?? [];
      rows.set(mailbox, list);
      const shared = copies.length > 1;
      list.push({ uid, emailId: id, threadId, receivedAt, size, hasAttachment, keywords, deleted, shared });
    }
  }
  for (const list of rows.values()) list.sort((a, b) => a.uid - b.uid);
  return rows;
}
