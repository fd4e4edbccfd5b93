import type { Id } from '../jmap/scalars.ts';
import type { EmailRow, MailboxKey } from './email.ts';
import { emailIdOf, idOfServer, messageIdHash, nthEmailId, sharesIdInMailbox } from './ids.ts';
import { keywordsOfFlags } from './keywords.ts';
import type { Appearance } from './source.ts';
import { ancestryOf, provisionalThreadOf } from './threads.ts';
import type { CatalogView } from './view.ts';

/** What rows have in common with many others. */
type Marks = Pick<EmailRow, 'keywords' | 'deleted'>;

/** The messages of one mailbox: rows `start` … `end` − 1 of the columns, in UID order. */
export type Stretch = { readonly mailbox: MailboxKey; readonly start: number; readonly end: number };

/** Messages of an account in columns, row by row: about 150 octets of memory each, where whole Emails would take far more. */
export type Columns = {
  readonly uids: readonly number[];
  /** INTERNALDATE in seconds since the epoch. */
  readonly dates: readonly number[];
  readonly sizes: readonly number[];
  readonly ids: readonly Id[];
  /** The server's thread, or what `provisionalThreadOf` gives. */
  readonly threadIds: readonly Id[];
  readonly marks: readonly Marks[];
  /** In the order of mailbox keys. */
  readonly stretches: readonly Stretch[];
};

/** Gathers the messages of an account that was never read before, mailbox by mailbox. */
export type Gathering = {
  /** How many there are so far. */
  readonly size: () => number;
  /** Adds messages of a mailbox in UID order, above those added of it before; a mailbox is not come back to. */
  readonly add: (mailbox: MailboxKey, uidValidity: number, appearances: readonly Appearance[]) => void;
  /** Forgets the mailbox that was added to last. */
  readonly drop: (mailbox: MailboxKey) => void;
  /** All of them, each under the id it keeps. Nothing may be added afterwards. */
  readonly columns: () => Columns;
};

export function gatherMail({ scheme, threads }: Pick<CatalogView, 'scheme' | 'threads'>): Gathering {
  const uids: number[] = [];
  const dates: number[] = [];
  const sizes: number[] = [];
  const ids: Id[] = [];
  const threadIds: Id[] = [];
  const marks: Marks[] = [];
  const stretches: Stretch[] = [];
  const marksOf = sharedMarks();
  const hashOf = rememberedHashes();

  return {
    size: () => uids.length,
    add: (mailbox, uidValidity, appearances) => {
      const last = stretches.at(-1)?.mailbox === mailbox ? stretches.pop() : undefined;
      const start = last?.start ?? uids.length;
      for (const appearance of appearances) {
        const id = inOnePiece(emailIdOf(scheme, appearance, uidValidity));
        const { serverThreadId } = appearance;
        uids.push(appearance.uid);
        dates.push(appearance.internalDate);
        sizes.push(appearance.size);
        ids.push(id);
        threadIds.push(
          threads === 'server' && serverThreadId !== null
            ? idOfServer(serverThreadId)
            : inOnePiece(provisionalThreadOf(ancestryOf(appearance, hashOf), id)),
        );
        marks.push(marksOf(appearance.flags));
      }
      stretches.push({ mailbox, start, end: uids.length });
    },
    drop: (mailbox) => {
      const last = stretches.at(-1)?.mailbox === mailbox ? stretches.pop() : undefined;
      if (last === undefined) return;
      for (const column of [uids, dates, sizes, ids, threadIds, marks]) column.length = last.start;
    },
    columns: () => {
      stretches.sort((a, b) => a.mailbox - b.mailbox);
      if (!sharesIdInMailbox(scheme)) for (const stretch of stretches) nameCopies(stretch, ids, marks);
      return { uids, dates, sizes, ids, threadIds, marks, stretches };
    },
  };
}

/** A text that was put together keeps its parts in memory, four times as much as the text itself. */
function inOnePiece(id: Id): Id {
  return Buffer.from(id, 'latin1').toString('latin1') as Id;
}

/** Many messages have few different lists of flags. */
function sharedMarks(): (flags: readonly string[]) => Marks {
  const known = new Map<string, Marks>();
  return (flags) => {
    const key = flags.join(' ');
    const marks = known.get(key) ?? keywordsOfFlags(flags);
    known.set(key, marks);
    return marks;
  };
}

/** Message-IDs whose hashes are remembered: answers name again what came shortly before. */
const hashesRememberedMax = 10_000;

function rememberedHashes(): typeof messageIdHash {
  const hashes = new Map<string, string>();
  return (messageId) => {
    const hash = hashes.get(messageId) ?? messageIdHash(messageId);
    if (hashes.size >= hashesRememberedMax) hashes.clear();
    hashes.set(messageId, hash);
    return hash;
  };
}

/** Of messages of equal content in one mailbox, the second and further ones get ids of their own; those flagged `\Deleted` come last. */
function nameCopies({ start, end }: Stretch, ids: Id[], marks: readonly Marks[]): void {
  const seen = new Set<Id>();
  const repeated = new Set<Id>();
  for (let row = start; row < end; row += 1) {
    const id = ids[row] as Id;
    if (seen.has(id)) repeated.add(id);
    else seen.add(id);
  }
  if (repeated.size === 0) return;
  const times = new Map<Id, number>();
  for (const deleted of [false, true]) {
    for (let row = start; row < end; row += 1) {
      const first = ids[row] as Id;
      if (marks[row]?.deleted !== deleted || !repeated.has(first)) continue;
      const n = (times.get(first) ?? 0) + 1;
      times.set(first, n);
      ids[row] = nthEmailId(first, n);
    }
  }
}
