import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { Email, MailboxKey, Row } from '../email.ts';
import type { MailboxEntry } from '../mailbox.ts';
import type { CatalogStore, Surroundings } from '../store.ts';
import type {
  Catalog,
  CatalogEdit,
  CatalogView,
  ChangingType,
  CommitOutcome,
  IdentityScheme,
  RowBlock,
  VersionedEntry,
} from '../view.ts';
import { BlockLost } from '../view.ts';
import type { BlockCache } from './block-cache.ts';

type Facts = {
  readonly epoch: string;
  readonly version: number;
  readonly scheme: IdentityScheme;
  readonly threads: 'server' | 'derived';
  readonly committedAt: number;
  readonly commitId: string;
  readonly blocks: readonly string[];
};
type Content = {
  readonly versions: Readonly<Record<ChangingType, number>>;
  readonly oldestVersions: Readonly<Record<ChangingType, number>>;
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>;
  readonly emails: ReadonlyMap<Id, Email>;
  readonly threads: ReadonlyMap<Id, readonly Id[]>;
  readonly messageIds: ReadonlyMap<string, Id>;
  readonly log: readonly VersionedEntry[];
};

const blockBytes = 16_000;
const lifeSeconds = 60 * 86_400;

/** Opens one account's catalog on a store. */
export function openCatalog({
  store,
  account,
  surroundings,
  cache,
}: {
  store: CatalogStore;
  account: string;
  surroundings: Surroundings;
  cache: BlockCache;
}): Catalog {
  const opened = new WeakMap<CatalogView, { facts: Facts; content: Content }>();

  const viewOf = (facts: Facts, content: Content): CatalogView => {
    const view = makeView(facts, content);
    opened.set(view, { facts, content });
    return view;
  };

  const open = async (): Promise<CatalogView | null> => {
    const head = await store.readHead(account);
    if (head === null) return null;
    const facts = JSON.parse(inflateRawSync(head).toString()) as Facts;
    const cached = cache.get(`${account} ${facts.commitId}`);
    if (cached !== undefined) return viewOf(facts, cached.value as Content);
    const found = new Map(await store.readBlocks(account, facts.blocks, { consistent: false }));
    const missing = facts.blocks.filter((key) => !found.has(key));
    if (missing.length > 0)
      for (const [key, bytes] of await store.readBlocks(account, missing, { consistent: true })) found.set(key, bytes);
    const parts = facts.blocks.map((key) => {
      const bytes = found.get(key);
      if (bytes === undefined) throw new BlockLost(`a block of the account is gone "${key}"`);
      return bytes;
    });
    const content = unpack(Buffer.concat(parts));
    cache.set(`${account} ${facts.commitId}`, { value: content, bytes: 200 + content.emails.size * 600 });
    return viewOf(facts, content);
  };

  const write = async (
    facts: Omit<Facts, 'blocks' | 'commitId'>,
    content: Content,
    expectedVersion: number | null,
  ): Promise<CommitOutcome> => {
    const commitId = surroundings.randomKey();
    const bytes = pack(content);
    const blocks: { key: string; bytes: Uint8Array }[] = [];
    for (let at = 0; at < bytes.length; at += blockBytes)
      blocks.push({ key: surroundings.randomKey(), bytes: bytes.subarray(at, at + blockBytes) });
    const expiresAt = Math.floor(surroundings.now() / 1000) + lifeSeconds;
    await store.writeBlocks(account, blocks, expiresAt);
    const whole: Facts = { ...facts, commitId, blocks: blocks.map(({ key }) => key) };
    const head = { version: facts.version, bytes: deflateRawSync(JSON.stringify(whole)), expiresAt };
    try {
      if (!(await store.writeHead(account, head, expectedVersion))) return { kind: 'conflict' };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const now = await store.readHead(account);
      if (now === null || (JSON.parse(inflateRawSync(now).toString()) as Facts).commitId !== commitId) throw error;
    }
    cache.set(`${account} ${commitId}`, { value: content, bytes: 200 + content.emails.size * 600 });
    return { kind: 'committed', view: viewOf(whole, content) };
  };

  return {
    open,
    create: ({ scheme, threads }, edit, replaces) => {
      const version = (replaces?.version ?? 0) + 1;
      const committedAt = Math.floor(surroundings.now() / 1000);
      const none = { Email: 0, Thread: 0, Mailbox: 0 };
      const empty: Content = {
        versions: none,
        oldestVersions: none,
        mailboxes: new Map(),
        emails: new Map(),
        threads: new Map(),
        messageIds: new Map(),
        log: [],
      };
      return write(
        { epoch: surroundings.randomKey(), version, scheme, threads, committedAt },
        apply(empty, edit),
        replaces?.version ?? null,
      );
    },
    commit: (base, edit) => {
      const at = opened.get(base);
      if (at === undefined) throw new Error('the base of a commit must be a view of the same catalog');
      const epoch = edit.newEpoch ? surroundings.randomKey() : at.facts.epoch;
      const committedAt = Math.floor(surroundings.now() / 1000);
      return write(
        { epoch, version: at.facts.version + 1, scheme: at.facts.scheme, threads: at.facts.threads, committedAt },
        apply(at.content, edit),
        at.facts.version,
      );
    },
  };
}

/** The content after an edit. */
function apply(content: Content, edit: CatalogEdit): Content {
  const emails = new Map(content.emails);
  for (const [id, { after }] of edit.emails) after === null ? emails.delete(id) : emails.set(id, after);
  const mailboxes = new Map(content.mailboxes);
  for (const [key, entry] of edit.mailboxes) entry === null ? mailboxes.delete(key) : mailboxes.set(key, entry);
  const threads = new Map(content.threads);
  for (const [id, members] of edit.threads) members.length === 0 ? threads.delete(id) : threads.set(id, members);
  const messageIds = new Map(content.messageIds);
  for (const [hash, id] of edit.messageIds) messageIds.set(hash, id);
  const versions = { ...content.versions };
  const added = edit.log.map((entry): VersionedEntry => ({ ...entry, version: ++versions[entry.type] }));
  return edit.newEpoch
    ? { versions, oldestVersions: versions, mailboxes, emails, threads, messageIds, log: [] }
    : {
        versions,
        oldestVersions: content.oldestVersions,
        mailboxes,
        emails,
        threads,
        messageIds,
        log: [...content.log, ...added],
      };
}

function makeView(facts: Facts, content: Content): CatalogView {
  const pick = <K, V>(map: ReadonlyMap<K, V>, keys: Iterable<K>): ReadonlyMap<K, V> => {
    const found = new Map<K, V>();
    for (const key of keys) {
      const value = map.get(key);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  };
  const rowsOf = (mailbox: MailboxKey): readonly Row[] => {
    const rows: Row[] = [];
    for (const { id: emailId, threadId, receivedAt, size, hasAttachment, rows: copies } of content.emails.values()) {
      for (const { mailbox: where, uid, keywords, deleted } of copies) {
        if (where === mailbox)
          rows.push({
            uid,
            emailId,
            threadId,
            receivedAt,
            size,
            hasAttachment,
            keywords,
            deleted,
            shared: copies.length > 1,
          });
      }
    }
    return rows.sort((a, b) => a.uid - b.uid);
  };
  return {
    epoch: facts.epoch,
    version: facts.version,
    scheme: facts.scheme,
    threads: facts.threads,
    provisional: [...content.mailboxes.values()].some((entry) => entry.selectable && entry.vector === null),
    versions: content.versions,
    oldestVersions: content.oldestVersions,
    committedAt: facts.committedAt,
    mailboxes: async () => content.mailboxes,
    emails: async (ids) => pick(content.emails, ids),
    emailIdsAt: async (mailbox, uids) => pick(new Map(rowsOf(mailbox).map((row) => [row.uid, row.emailId])), uids),
    threadEmails: async (ids) => pick(content.threads, ids),
    threadsByMessageId: async (hashes) => pick(content.messageIds, hashes),
    rowBlocks: async (mailbox) => {
      const rows = rowsOf(mailbox);
      const blocks: RowBlock[] = [];
      for (let at = 0; at < rows.length; at += 500) {
        const part = rows.slice(at, at + 500);
        const dates = part.map((row) => row.receivedAt);
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
      const entries = content.log.filter((entry) => entry.type === type && entry.version > since);
      if (entries.length > 0) yield entries;
    },
  };
}

function pack(content: Content): Uint8Array {
  const { mailboxes, emails, threads, messageIds, ...rest } = content;
  return deflateRawSync(
    JSON.stringify({
      ...rest,
      mailboxes: [...mailboxes],
      emails: [...emails],
      threads: [...threads],
      messageIds: [...messageIds],
    }),
  );
}

function unpack(bytes: Uint8Array): Content {
  const { mailboxes, emails, threads, messageIds, ...rest } = JSON.parse(inflateRawSync(bytes).toString());
  return {
    ...rest,
    mailboxes: new Map(mailboxes),
    emails: new Map(emails),
    threads: new Map(threads),
    messageIds: new Map(messageIds),
  };
}
