import type { Glimpse } from '../catalog/own-changes.ts';
import { MailboxGone, type UidRanges } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { CanWriteMessages, Messages, WriteFailure, Written } from '../methods/Email/mail.ts';
import { atom, cutUidSet, list, mailbox, uidSet } from './arguments.ts';
import { ChangeAnswer } from './change-answer.ts';
import type { Selected } from './examine-answer.ts';
import { CommandRefused } from './failure.ts';
import { imapLimits } from './limits.ts';
import { encodeName } from './mailbox-name.ts';
import type { ImapSession } from './session.ts';
import { rangesOf } from './uid-ranges.ts';
import type { ChangeWithSession, UseSession } from './use.ts';

/** Changing messages over sessions that `change` provides: one SELECT, unless the mailbox is open, and as few commands as name all UIDs. */
export function imapWriting(use: UseSession, change: ChangeWithSession): CanWriteMessages {
  return {
    canMove: () => use(async (session) => session.has('MOVE')),
    flag: async (messages, sign, flags) => {
      const parameters = [atom(sign === 'add' ? '+FLAGS' : '-FLAGS'), list(...flags.map(atom))];
      const done = new Map<number, readonly string[]>();
      return written(change, messages, done, {
        objection: (selected) => objectionTo(selected, flags, sign),
        run: (session, uids, answer) => session.change('UID STORE', [uidSet(uids), ...parameters], answer),
        note: ({ flags: told }) => {
          for (const [uid, now] of told) done.set(uid, now);
        },
      });
    },
    transfer: async (kind, messages, target) => {
      const done = new Map<number, number>();
      return written(change, messages, done, {
        objection: ({ isReadOnly }) => (kind === 'move' && isReadOnly ? 'forbidden' : null),
        run: async (session, uids, answer) => {
          const wire = encodeName(target.mailbox, session.nameEncoding);
          if (wire === null) throw new CommandRefused('UID COPY', 'NO', null, 'missing');
          return session.change(kind === 'move' ? 'UID MOVE' : 'UID COPY', [uidSet(uids), mailbox(wire)], answer);
        },
        note: ({ copied }) => {
          if (copied?.uidValidity !== target.uidValidity) return;
          for (const [uid, there] of copied.uids) done.set(uid, there);
        },
      });
    },
    remove: async (messages) => {
      const done = new Set<number>();
      return written(change, messages, done, {
        objection: (selected) => objectionTo(selected, ['\\Deleted'], 'add'),
        run: (session, uids, answer) => removeUids(session, uids, answer),
        note: ({ gone, flags }) => {
          for (const uid of gone) done.add(uid);
          for (const [uid, now] of flags) if (now.some((flag) => flag.toLowerCase() === '\\deleted')) done.add(uid);
        },
      });
    },
  };
}

type Work = {
  /** Why not to try. */
  readonly objection: (selected: Selected) => WriteFailure | null;
  readonly run: (session: ImapSession, uids: UidRanges, answer: ChangeAnswer) => Promise<Glimpse | readonly Glimpse[]>;
  /** Takes over what the answer tells, also when it is not complete. */
  readonly note: (answer: ChangeAnswer) => void;
};

/** Opens the mailbox of the messages and does the work upon them; what goes wrong then is told, and not thrown. */
async function written<T>(
  change: ChangeWithSession,
  { mailbox: name, uidValidity, uids }: Messages,
  done: T,
  { objection, run, note }: Work,
): Promise<Written<T>> {
  const glimpses: Glimpse[] = [];
  let hasBegun = false;
  const lastUid = uids.reduce((last, uid) => Math.max(last, uid), 0);
  const select = async (session: ImapSession) => {
    const wire = encodeName(name, session.nameEncoding);
    return wire === null ? null : session.select(wire, uidValidity, lastUid + 1);
  };
  const work = async (session: ImapSession, selected: Selected | null): Promise<WriteFailure | null> => {
    if (selected === null) return 'gone';
    const refusal = objection(selected);
    if (refusal !== null) return refusal;
    for (const set of cutUidSet(rangesOf([...uids].sort((a, b) => a - b)), imapLimits.messagesPerChange)) {
      const answer = new ChangeAnswer(set);
      hasBegun = true;
      try {
        glimpses.push(...[await run(session, set, answer)].flat());
      } catch (error) {
        if (!(error instanceof CommandRefused)) throw error;
        glimpses.push({ before: null, after: null });
        return failureOf(error);
      } finally {
        note(answer);
      }
    }
    return null;
  };
  try {
    return { done, failure: await change(select, work), glimpses };
  } catch (error) {
    if (error instanceof MailboxGone) return { done, failure: 'gone', glimpses };
    if (!hasBegun || !(error instanceof Unavailable)) throw error;
    return { done, failure: 'lost', glimpses: [...glimpses, { before: null, after: null }] };
  }
}

/**
 * `\Deleted` and UID EXPUNGE (RFC 4315 §2.1) of exactly these. Without UIDPLUS they are left to whoever expunges: EXPUNGE would
 * take what others have flagged.
 */
async function removeUids(session: ImapSession, uids: UidRanges, answer: ChangeAnswer): Promise<readonly Glimpse[]> {
  const flagged = new ChangeAnswer(uids);
  const canExpunge = session.has('UIDPLUS');
  const parameters = [uidSet(uids), atom('+FLAGS'), list(atom('\\Deleted'))];
  const first = await session.change('UID STORE', parameters, canExpunge ? flagged : answer);
  if (!canExpunge) return [first];
  try {
    return [first, await session.change('UID EXPUNGE', [uidSet(uids)], answer)];
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
    // Half of a removal would hide the messages: the flag is taken back.
    await session.change('UID STORE', [uidSet(uids), atom('-FLAGS'), list(atom('\\Deleted'))], new ChangeAnswer(uids));
    throw error;
  }
}

/** Servers pass over flags that they do not keep for good, or do not let this user set (RFC 4314 §4), without a word. */
function objectionTo(
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
    case 'exists':
    case 'other':
      return 'refused';
  }
}
