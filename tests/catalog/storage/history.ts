import type { Email, EmailRow, MailboxKey } from '../../../shared/catalog/email.ts';
import { rootOf } from '../../../shared/catalog/ids.ts';
import type { MailboxEntry } from '../../../shared/catalog/mailbox.ts';
import type { CatalogEdit } from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { editOf, type Model } from './model.ts';
import type { Random } from './random.ts';

/** Edits as a mailbox in use brings them about. */
export type History = {
  /** `mailboxCount` mailboxes and `emailCount` Emails in them, most in the first. */
  readonly first: (counts: { mailboxes: number; emails: number }) => CatalogEdit;
  /** One new message in the first mailbox, which in one of three cases continues a thread. */
  readonly delivery: () => CatalogEdit;
  /** Anything: deliveries, flags, moves, copies, removals, UIDs that name other messages, mailboxes that come and go. */
  readonly anything: () => CatalogEdit;
  /** New flags for so many Emails. */
  readonly flags: (count: number) => CatalogEdit;
  /** New flags for one Email anywhere. */
  readonly flag: () => CatalogEdit;
};

const keywordSets = [
  [],
  ['$seen'],
  ['$answered', '$seen'],
  ['$flagged', '$seen'],
  ['$flagged'],
  ['$seen', 'invoice-2024'],
];

export function createHistory(random: Random, model: Model): History {
  const uidNext = new Map<MailboxKey, number>();
  let mailboxNext = 1;
  let clock = 1_600_000_000;

  const newUid = (mailbox: MailboxKey): number => {
    const uid = (uidNext.get(mailbox) ?? 1) + (random.chance(0.05) ? random.below(50) : 0);
    uidNext.set(mailbox, uid + 1);
    return uid;
  };
  const newRow = (mailbox: MailboxKey): EmailRow => ({
    mailbox,
    uid: newUid(mailbox),
    keywords: random.pick(keywordSets),
    deleted: random.chance(0.01),
  });
  const newEmail = (mailbox: MailboxKey, threadId: Id | null): Email => {
    clock += random.below(40_000);
    return {
      id: `e${random.hash(16)}` as Id,
      threadId: threadId ?? (`t${random.hash(16)}` as Id),
      receivedAt: clock,
      size: 800 + random.below(random.chance(0.1) ? 4_000_000 : 60_000),
      hasAttachment: random.chance(0.3) ? random.chance(0.2) : null,
      rows: [newRow(mailbox)],
    };
  };
  const sorted = (rows: readonly EmailRow[]): EmailRow[] =>
    [...rows].sort((a, b) => a.mailbox - b.mailbox || a.uid - b.uid);
  const newMailbox = (): MailboxEntry => {
    const key = mailboxNext++;
    const selectable = key === 1 || !random.chance(0.05);
    return entryOf(
      key,
      `${key === 1 ? 'INBOX' : `Projekte/${random.hash(3)}/Ablage ${key} – ü`}`,
      selectable,
      selectable && (key === 1 || !random.chance(0.02)),
    );
  };
  const entryOf = (key: MailboxKey, name: string, selectable: boolean, indexed: boolean): MailboxEntry => ({
    key,
    id: `m${random.hash(16)}` as Id,
    name,
    delimiter: '/',
    selectable,
    attributes: random.chance(0.1) ? ['\\hasnochildren', '\\sent'] : ['\\hasnochildren'],
    subscribed: random.chance(0.9),
    serverId: null,
    vector: indexed ? vector(key) : null,
    progress: selectable && !indexed ? vector(key) : null,
    counts: {
      totalEmails: random.below(1000),
      unreadEmails: random.below(100),
      totalThreads: random.below(700),
      unreadThreads: random.below(50),
    },
    rights: random.chance(0.5) ? { letters: 'lrswipkxtea', readAt: clock } : null,
    flagsReadAt: clock,
    kept: null,
  });
  const vector = (key: MailboxKey) => ({
    uidValidity: 1_500_000_000 + key,
    uidNext: uidNext.get(key) ?? 1,
    highestModseq: String(1000 + random.below(90_000)),
    messages: random.below(1000),
  });
  const touchedEntry = (key: MailboxKey): MailboxEntry | undefined => {
    const entry = model.mailboxes.get(key);
    if (entry === undefined) return undefined;
    return {
      ...entry,
      vector: vector(key),
      counts: { ...entry.counts, totalEmails: entry.counts.totalEmails + 1, unreadEmails: random.below(100) },
    };
  };
  const selectable = (): MailboxKey[] =>
    [...model.mailboxes.values()].filter((entry) => entry.selectable).map((entry) => entry.key);

  const withEntries = (
    emails: Map<Id, Email | null>,
    more: Partial<Parameters<typeof editOf>[1]> = {},
  ): CatalogEdit => {
    const mailboxes = new Map(more.mailboxes);
    for (const [id, after] of emails) {
      for (const { mailbox } of [...(model.emails.get(id)?.rows ?? []), ...(after?.rows ?? [])]) {
        const entry = touchedEntry(mailbox);
        if (entry !== undefined && !mailboxes.has(mailbox)) mailboxes.set(mailbox, entry);
      }
    }
    const fresh = [...emails.values()].filter((after) => after !== null && !model.emails.has(after.id));
    return editOf(model, { ...more, emails, mailboxes, messageIds: messageIdsOf(fresh) });
  };
  /** A message that begins a thread gives it its name. */
  const messageIdsOf = (emails: readonly (Email | null)[]): Map<string, Id> => {
    const begun = new Set(model.threads.keys());
    const messageIds = new Map<string, Id>();
    for (const email of emails) {
      if (email === null) continue;
      const { threadId } = email;
      messageIds.set((begun.has(threadId) ? null : rootOf(threadId)) ?? random.hash(16), threadId);
      begun.add(threadId);
    }
    return messageIds;
  };
  const someEmails = (count: number): Email[] => {
    const { ids } = model;
    if (model.emails.size === 0) return [];
    return Array.from({ length: count }, () => {
      for (;;) {
        const email = model.emails.get(random.pick(ids));
        if (email !== undefined) return email;
      }
    });
  };
  const reflagged = (email: Email): Email => ({
    ...email,
    rows: email.rows.map((row) => ({
      ...row,
      keywords: random.pick(keywordSets.filter((set) => set !== row.keywords)),
      deleted: random.chance(0.02),
    })),
  });

  return {
    first: ({ mailboxes, emails }) => {
      const entries = new Map(Array.from({ length: mailboxes }, newMailbox).map((entry) => [entry.key, entry]));
      const targets = [...entries.values()].filter((entry) => entry.selectable).map((entry) => entry.key);
      const threads: Id[] = [];
      const all = new Map<Id, Email | null>();
      for (let i = 0; i < emails; i++) {
        const mailbox = random.chance(0.6) ? (targets[0] ?? 1) : random.pick(targets);
        const email = newEmail(
          mailbox,
          threads.length > 0 && random.chance(0.4) ? random.pick(threads.slice(-50)) : null,
        );
        threads.push(email.threadId);
        all.set(
          email.id,
          random.chance(0.02) ? { ...email, rows: sorted([...email.rows, newRow(random.pick(targets))]) } : email,
        );
      }
      return editOf(model, { emails: all, mailboxes: entries, messageIds: messageIdsOf([...all.values()]) });
    },

    delivery: () => {
      const email = newEmail(selectable()[0] ?? 1, random.chance(0.33) ? (someEmails(1)[0]?.threadId ?? null) : null);
      return withEntries(new Map([[email.id, email]]));
    },

    flags: (count) =>
      withEntries(new Map([...model.emails.values()].slice(0, count).map((email) => [email.id, reflagged(email)]))),

    flag: () => withEntries(new Map(someEmails(1).map((email) => [email.id, reflagged(email)]))),

    anything: () => {
      const targets = selectable();
      const emails = new Map<Id, Email | null>();
      const mailboxes = new Map<MailboxKey, MailboxEntry | null>();
      const target = () => random.pick(targets);
      const untouched = (count: number) => someEmails(count).filter((email) => !emails.has(email.id));
      const few = () => 1 + random.below(random.chance(0.1) ? 300 : 6);
      for (let action = random.below(4); action >= 0; action--) {
        switch (random.below(9)) {
          case 0:
          case 1:
            for (let i = few(); i > 0; i--) {
              const email = newEmail(target(), random.chance(0.4) ? (someEmails(1)[0]?.threadId ?? null) : null);
              emails.set(email.id, email);
            }
            break;
          case 2:
            for (const email of untouched(few())) emails.set(email.id, reflagged(email));
            break;
          case 3:
            for (const email of untouched(few())) emails.set(email.id, { ...email, rows: [newRow(target())] });
            break;
          case 4:
            for (const email of untouched(few()))
              emails.set(email.id, { ...email, rows: sorted([...email.rows, newRow(target())]) });
            break;
          case 5:
            for (const email of untouched(few()))
              emails.set(email.id, email.rows.length > 1 ? { ...email, rows: email.rows.slice(1) } : null);
            break;
          case 6: {
            // Two Emails exchange their places, as after a UIDVALIDITY that was not noticed in time.
            const [one, two] = untouched(2);
            if (one === undefined || two === undefined || one.id === two.id) break;
            emails.set(one.id, { ...one, rows: two.rows });
            emails.set(two.id, { ...two, rows: one.rows });
            break;
          }
          case 7: {
            const entry = newMailbox();
            mailboxes.set(entry.key, entry);
            break;
          }
          default: {
            const [email] = untouched(1);
            if (email !== undefined)
              emails.set(email.id, { ...email, threadId: `t${random.hash(16)}` as Id, hasAttachment: true });
          }
        }
      }
      if (random.chance(0.05) && targets.length > 3) {
        const doomed = random.pick(targets.slice(1));
        mailboxes.set(doomed, null);
        for (const email of model.emails.values()) {
          const now = emails.has(email.id) ? emails.get(email.id) : email;
          if (now === null || now === undefined || !now.rows.some((row) => row.mailbox === doomed)) continue;
          const rows = now.rows.filter((row) => row.mailbox !== doomed);
          emails.set(email.id, rows.length === 0 ? null : { ...now, rows });
        }
        for (const [id, after] of emails)
          if (after?.rows.some((row) => row.mailbox === doomed) && !model.emails.has(id)) emails.delete(id);
      }
      return withEntries(emails, { mailboxes, newEpoch: random.chance(0.03) });
    },
  };
}
