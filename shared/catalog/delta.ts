import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import type { Appearance } from './source.ts';

/** What the server said of one mailbox since its entry was committed. Several readings add up to one delta. */
export type MailboxDelta = {
  /** Of the last reading; `messages` is the number of rows there are after the delta. */
  readonly vector: MailboxVector;
  /** UIDVALIDITY changed: every row of the entry is gone, beside those in `gone`. */
  readonly renewed: boolean;
  /** Whether the flags of every row were read, or only changed ones. */
  readonly flagsRead: 'all' | 'changed';
  /** Known UIDs that are gone. */
  readonly gone: ReadonlySet<number>;
  /** Flags as the server spells them, of known UIDs whose flags may have changed. */
  readonly flags: ReadonlyMap<number, readonly string[]>;
  readonly appeared: ReadonlyMap<number, Appearance>;
  /** false: messages below the server's UIDNEXT are still to be read; `vector.uidNext` tells how far it came. */
  readonly complete: boolean;
};

/** The delta of reading on from where the first one ended. */
export function followedBy(first: MailboxDelta, second: MailboxDelta): MailboxDelta {
  if (second.renewed) return second;
  const appeared = new Map(first.appeared);
  const gone = new Set(first.gone);
  const flags = new Map(first.flags);
  for (const [uid, now] of second.flags) {
    const appearance = appeared.get(uid);
    if (appearance === undefined) flags.set(uid, now);
    else appeared.set(uid, { ...appearance, flags: now });
  }
  for (const uid of second.gone) {
    flags.delete(uid);
    if (!appeared.delete(uid)) gone.add(uid);
  }
  for (const [uid, appearance] of second.appeared) appeared.set(uid, appearance);
  return {
    vector: second.vector,
    renewed: first.renewed,
    flagsRead: second.flagsRead === 'all' ? 'all' : first.flagsRead,
    gone,
    flags,
    appeared,
    complete: second.complete,
  };
}

/** The number of rows after a delta upon an entry. */
export function rowsAfter(entry: MailboxEntry, delta: Pick<MailboxDelta, 'renewed' | 'gone' | 'appeared'>): number {
  const before = delta.renewed ? 0 : (vectorOf(entry)?.messages ?? 0);
  return before - delta.gone.size + delta.appeared.size;
}

/** How far the rows of a mailbox are in: its vector, or the progress of its first indexing. */
export function vectorOf(entry: MailboxEntry): MailboxVector | null {
  return entry.vector ?? entry.progress;
}

export function isSameVector(a: MailboxVector, b: MailboxVector): boolean {
  return (
    a.uidValidity === b.uidValidity &&
    a.uidNext === b.uidNext &&
    a.highestModseq === b.highestModseq &&
    a.messages === b.messages
  );
}

/** The progress of a mailbox of which nothing was read: it tells which UIDVALIDITY it was seen with. */
export function noneRead(vector: MailboxVector | null): MailboxVector | null {
  return vector === null ? null : { ...vector, uidNext: 1, messages: 0 };
}

/** Whether the delta may end the existence of an Email: a row is gone, or is now flagged `\Deleted`. */
export function takesAway(delta: MailboxDelta): boolean {
  if (delta.renewed || delta.gone.size > 0) return true;
  for (const flags of delta.flags.values()) if (isDeleted(flags)) return true;
  return false;
}

function isDeleted(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.toLowerCase() === '\\deleted');
}
