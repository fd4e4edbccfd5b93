import { setTimeout as pause } from 'node:timers/promises';
import type { Glimpse } from '../catalog/own-changes.ts';
import { MailboxGone, MailboxUnseen, type UidRanges } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { CanWriteMessages, Copies, Messages, Place, WriteFailure, Written } from '../methods/Email/mail.ts';
import { flagsOf } from './appearance.ts';
import { atom, cutUidSet, list, mailbox, uidSet } from './arguments.ts';
import { unlessGone } from './at-place.ts';
import { ChangeAnswer } from './change-answer.ts';
import { modseqOf, type Selected } from './examine-answer.ts';
import { CommandRefused } from './failure.ts';
import { fetchItem } from './fetch-row.ts';
import { fetchRows } from './fetch-rows.ts';
import { imapLimits } from './limits.ts';
import { encodeName } from './mailbox-name.ts';
import { listOf } from './response.ts';
import type { ImapSession } from './session.ts';
import { outside, rangesOf, uidsIn } from './uid-ranges.ts';
import type { ChangeWithSession, UseSession } from './use.ts';

/** Changing messages over sessions that `change` provides: one SELECT, unless the mailbox is open, and as few commands as name all UIDs. */
export function imapWriting(use: UseSession, change: ChangeWithSession): CanWriteMessages {
  return {
    canMove: () => use(async (session) => session.has('MOVE')),
    getOutOfStep: () => pause(outOfStepMs * Math.random()),
    flag: async (messages, sign, flags) => {
      const parameters = [atom(sign === 'add' ? '+FLAGS' : '-FLAGS'), list(...flags.map(atom))];
      const done = new Map<number, readonly string[]>();
      return writtenTo(change, messages, done, {
        objection: (selected) => objectionTo(selected, flags, sign),
        run: (session, uids, answer) => session.change('UID STORE', [uidSet(uids), ...parameters], answer),
        note: ({ flags: told }) => {
          for (const [uid, now] of told) done.set(uid, now);
        },
      });
    },
    transfer: async (kind, messages, target) => {
      const done = new Map<number, number>();
      return writtenTo(change, messages, done, {
        objection: ({ isReadOnly }) => (kind === 'move' && isReadOnly ? 'forbidden' : null),
        run: async (session, uids, answer) => {
          const wire = encodeName(target.mailbox, session.nameEncoding);
          if (wire === null) throw new CommandRefused('UID COPY', 'NO', null, 'missing');
          const parameters = [uidSet(uids), mailbox(wire)];
          session.noteSeen(wire);
          if (kind === 'copy') return session.change('UID COPY', parameters, answer);
          return session.change('UID MOVE', parameters, answer).catch((error: unknown) => {
            if (error instanceof CommandRefused && leftBehind(answer).length > 0) return 'lost';
            throw error;
          });
        },
        note: (answer, isAccepted) => {
          if (answer.copied?.uidValidity !== target.uidValidity) return;
          const left = new Set(kind === 'move' && !isAccepted ? leftBehind(answer) : []);
          for (const [uid, there] of answer.copied.uids) if (!left.has(uid)) done.set(uid, there);
        },
      });
    },
    remove: async (messages, copies = new Map()) => {
      const done = new Set<number>();
      const kept = new Set<number>();
      const keep = (uids: readonly number[]): UidRanges => {
        for (const uid of uids) kept.add(uid);
        return rangesOf(uids);
      };
      const confirm = async (session: ImapSession, uids: UidRanges): Promise<UidRanges> => {
        const withCopies = uidsIn(uids, imapLimits.messagesPerChange).filter((uid) => copies.has(uid));
        if (withCopies.length === 0) return [];
        const seen = await seenElsewhere(session, withCopies, copies, messages.mailbox);
        if ((await select(session, messages)) === null) throw new MailboxGone('The mailbox was replaced');
        return keep(withCopies.filter((uid) => !seen.has(uid)));
      };
      const written = await writtenTo(change, messages, done, {
        objection: (selected) => objectionTo(selected, ['\\Deleted'], 'add'),
        run: async (session, uids, answer, selected) => {
          const { taken, since } = await takenByOthers(session, selected, uids, copies);
          const free = rangesOf(outside(uidsIn(uids, imapLimits.messagesPerChange), keep(taken)));
          return free.length === 0 ? [] : removeUids(session, free, since, answer, { keep, confirm });
        },
        note: ({ gone, flags }, isAccepted) => {
          for (const uid of gone) done.add(uid);
          // What was flagged before a refusal is flagged no more.
          if (!isAccepted) return;
          for (const [uid, now] of flags) if (isDeleted(now) && !kept.has(uid)) done.add(uid);
        },
      });
      return { ...written, kept };
    },
  };
}

type Work = {
  /** Why not to try. */
  readonly objection: (selected: Selected) => WriteFailure | null;
  readonly run: (session: ImapSession, uids: UidRanges, answer: ChangeAnswer, selected: Selected) => Promise<Ran>;
  /** Takes over what the answer tells, also when it is not complete, or ends in a refusal. */
  readonly note: (answer: ChangeAnswer, isAccepted: boolean) => void;
};

/** `lost`: the server refused it when half of it was done, so that nobody knows how the rest is. */
type Ran = Glimpse | readonly Glimpse[] | 'lost';

/** Opens the mailbox of the messages and does the work upon them; what goes wrong then is told, and not thrown. */
async function writtenTo<T>(
  change: ChangeWithSession,
  messages: Messages,
  done: T,
  { objection, run, note }: Work,
): Promise<Written<T>> {
  const glimpses: Glimpse[] = [];
  let hasBegun = false;
  const work = async (session: ImapSession, selected: Selected | null): Promise<WriteFailure | null> => {
    if (selected === null) return 'gone';
    const refusal = objection(selected);
    if (refusal !== null) return refusal;
    const uids = rangesOf([...messages.uids].sort((a, b) => a - b));
    for (const set of cutUidSet(uids, imapLimits.messagesPerChange)) {
      const answer = new ChangeAnswer(set);
      hasBegun = true;
      let isAccepted = false;
      try {
        const ran = await run(session, set, answer, selected);
        isAccepted = ran !== 'lost';
        glimpses.push(...(ran === 'lost' ? [unseen] : [ran].flat()));
        if (!isAccepted) return 'lost';
      } catch (error) {
        if (!(error instanceof CommandRefused)) throw error;
        glimpses.push(unseen);
        return failureOf(error);
      } finally {
        note(answer, isAccepted);
      }
    }
    return null;
  };
  try {
    return { done, failure: await change((session) => select(session, messages), work), glimpses };
  } catch (error) {
    if (error instanceof MailboxGone) return { done, failure: 'gone', glimpses };
    if (!hasBegun || !(error instanceof Unavailable)) throw error;
    return { done, failure: 'lost', glimpses: [...glimpses, unseen] };
  }
}

const unseen: Glimpse = { before: null, after: null };

/** UIDs that the server told copies of, and not that they are gone: it may copy first and expunge later. */
function leftBehind({ copied, gone }: ChangeAnswer): number[] {
  return [...(copied?.uids.keys() ?? [])].filter((uid) => !gone.has(uid));
}

/** Opens the mailbox of the messages for changes; null where its UIDs are others by now. */
async function select(session: ImapSession, { mailbox: name, uidValidity, uids }: Messages): Promise<Selected | null> {
  const lastUid = uids.reduce((last, uid) => Math.max(last, uid), 0);
  const wire = encodeName(name, session.nameEncoding);
  return wire === null ? null : session.select(wire, uidValidity, lastUid + 1);
}

/**
 * Those of the messages with copies that somebody else takes away at this moment: they are flagged `\Deleted` already, or gone. `since`: the
 * last mod-sequence of all messages, where the mailbox has any; whoever changes one of them later gives it a greater one.
 */
async function takenByOthers(
  session: ImapSession,
  selected: Selected,
  uids: UidRanges,
  copies: Copies,
): Promise<{ readonly taken: readonly number[]; readonly since: string | null }> {
  const all = uidsIn(uids, imapLimits.messagesPerChange);
  if (!all.some((uid) => copies.has(uid))) return { taken: [], since: null };
  const items = ['UID', 'FLAGS', ...(selected.highestModseq === null ? [] : ['MODSEQ'])];
  const rows = await fetchRows(session, all, items.map(atom));
  const modseqs = [...rows.values()].map((row) => modseqOf(listOf(fetchItem(row, 'MODSEQ'))[0]));
  const isTaken = (uid: number) => {
    const row = rows.get(uid);
    return copies.has(uid) && (row === undefined || isDeleted(flagsOf(fetchItem(row, 'FLAGS'))));
  };
  return { taken: all.filter(isTaken), since: modseqs.includes(null) ? null : greatest(modseqs) };
}

function greatest(modseqs: readonly (string | null)[]): string | null {
  return modseqs.reduce((last, each) => (BigInt(each ?? 0) > BigInt(last ?? 0) ? each : last), null);
}

type Care = {
  /** Notes that these stay as somebody else has them. */
  readonly keep: (uids: readonly number[]) => UidRanges;
  /** Tells which ones are to stay, now that all are flagged. */
  readonly confirm: (session: ImapSession, uids: UidRanges) => Promise<UidRanges>;
};

/**
 * `\Deleted` and UID EXPUNGE (RFC 4315 §2.1) of exactly these, but for those that `confirm` tells to keep when they are flagged. Without
 * UIDPLUS they are left to whoever expunges: EXPUNGE would take what others have flagged. Half of a removal would hide the
 * messages: of what is kept or refused the flag is taken back, also where the server has flagged some of them and refused the rest
 * (RFC 2180 §4.2). What was changed after `since` is left alone: a flag that somebody else has set is not ours to take back, for he
 * relies on it when he expunges.
 */
async function removeUids(
  session: ImapSession,
  uids: UidRanges,
  since: string | null,
  answer: ChangeAnswer,
  { keep, confirm }: Care,
): Promise<Ran> {
  const canExpunge = session.has('UIDPLUS');
  const condition = since === null ? [] : [list(atom('UNCHANGEDSINCE'), atom(since))];
  const unflag = (some: UidRanges) =>
    session.change('UID STORE', [uidSet(some), atom('-FLAGS'), list(atom('\\Deleted'))], new ChangeAnswer(some));
  const flagged = canExpunge ? new ChangeAnswer(uids) : answer;
  const ours = () => rangesOf(uidsIn(uids, imapLimits.messagesPerChange).filter((uid) => !flagged.modified.has(uid)));
  let isFlagged = false;
  try {
    const store = [uidSet(uids), ...condition, atom('+FLAGS'), list(atom('\\Deleted'))];
    const glimpses = [await session.change('UID STORE', store, flagged)];
    isFlagged = true;
    keep([...flagged.modified]);
    if (ours().length === 0) return glimpses;
    const kept = await confirm(session, ours());
    if (kept.length > 0) glimpses.push(await unflag(kept));
    const going = rangesOf(outside(uidsIn(ours(), imapLimits.messagesPerChange), kept));
    if (!canExpunge || going.length === 0) return glimpses;
    glimpses.push(await session.change('UID EXPUNGE', [uidSet(going)], answer));
    // QUIRK(dovecot 2.3): without the right to expunge (RFC 4314) nothing is, and the answer is OK.
    const isLeft = flagged.flags.size > 0 && !answer.hasLost;
    return isLeft ? [...glimpses, await unflag(going)] : glimpses;
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
    keep([...flagged.modified]);
    const left = ours();
    try {
      if (left.length > 0) await unflag(left);
    } catch (second) {
      if (!(second instanceof CommandRefused)) throw second;
      if (isFlagged) return 'lost';
    }
    throw error;
  }
}

const outOfStepMs = 250;

/** Before each further look at copies that another writer has flagged, by the one of two who does not give way to the other. */
const pausesMs = [100, 300, 600];

/**
 * Those of the messages of which a copy is there and not flagged `\Deleted`. Two writers who each have flagged what the other one wants to stay
 * would both give up: the one in the mailbox of the greater name waits for the other to do so.
 */
async function seenElsewhere(
  session: ImapSession,
  uids: readonly number[],
  copies: Copies,
  own: string,
): Promise<ReadonlySet<number>> {
  const sought = uids.flatMap((uid) => (copies.get(uid) ?? []).map((at) => ({ uid, at })));
  const mailboxes = new Set(sought.map(({ at }) => at.mailbox));
  const seen = new Set<number>();
  for (const pauseMs of [0, ...pausesMs]) {
    await pause(pauseMs);
    let isDisputed = false;
    for (const mailbox of mailboxes) {
      const open = sought.filter(({ uid, at }) => at.mailbox === mailbox && !seen.has(uid));
      if (open.length === 0) continue;
      const places = open.map(({ at }) => at);
      const flags = await flagsAt(session, places);
      for (const { uid, at } of open) {
        const now = flags.get(at.uid);
        if (now !== undefined && !isDeleted(now)) seen.add(uid);
        else isDisputed ||= now !== undefined && mailbox < own;
      }
    }
    if (!isDisputed) break;
  }
  return seen;
}

/** The flags that messages of one mailbox have at this moment; none of what is not there, or cannot be looked at. */
async function flagsAt(
  session: ImapSession,
  places: readonly Place[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const [first] = places;
  const wire = first ? encodeName(first.mailbox, session.nameEncoding) : null;
  try {
    const examined = wire === null ? null : await unlessGone(session.examine(wire));
    if (examined?.uidValidity !== first?.uidValidity) return new Map();
    const uids = places.map(({ uid }) => uid).sort((a, b) => a - b);
    const rows = await fetchRows(session, uids, ['UID', 'FLAGS'].map(atom));
    return new Map([...rows].map(([uid, items]) => [uid, flagsOf(fetchItem(items, 'FLAGS'))]));
  } catch (error) {
    if (error instanceof CommandRefused || error instanceof MailboxUnseen) return new Map();
    throw error;
  }
}

function isDeleted(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.toLowerCase() === '\\deleted');
}

/** Servers pass over flags that they do not keep for good, or do not let this user set (RFC 4314 §4), without a word. */
export function objectionTo(
  { isReadOnly, permanentFlags }: Selected,
  flags: readonly string[],
  sign: 'add' | 'remove',
): WriteFailure | null {
  if (isReadOnly) return 'forbidden';
  if (permanentFlags === null) return null;
  const isKept = (flag: string) => permanentFlags.has(flag.toLowerCase());
  const refused = flags.filter((flag) => !isKept(flag) && (flag.startsWith('\\') || !permanentFlags.has('\\*')));
  if (refused.length === 0) return null;
  return sign === 'add' && refused.every((flag) => !flag.startsWith('\\')) ? 'keyword' : 'forbidden';
}

/** What a refusal says about what was to be written. */
export function failureOf({ reason, status }: CommandRefused): WriteFailure {
  if (status === 'BAD') return 'refused';
  switch (reason) {
    case 'quota':
      return 'overQuota';
    case 'rights':
      return 'forbidden';
    case 'missing':
      return 'noTarget';
    case 'limit':
      return 'tooManyKeywords';
    case 'size':
      return 'tooLarge';
    case 'expunged':
      return 'gone';
    case 'exists':
    case 'unseen':
    case 'other':
      return 'refused';
  }
}
