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
          const parameters = [uidSet(uids), mailbox(wire)];
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
    remove: async (messages) => {
      const done = new Set<number>();
      return written(change, messages, done, {
        objection: (selected) => objectionTo(selected, ['\\Deleted'], 'add'),
        run: (session, uids, answer) => removeUids(session, uids, answer),
        note: ({ gone, flags }, isAccepted) => {
          for (const uid of gone) done.add(uid);
          // What was flagged before a refusal is flagged no more.
          if (!isAccepted) return;
          for (const [uid, now] of flags) if (now.some((flag) => flag.toLowerCase() === '\\deleted')) done.add(uid);
        },
      });
    },
  };
}

type Work = {
  /** Why not to try. */
  readonly objection: (selected: Selected) => WriteFailure | null;
  readonly run: (session: ImapSession, uids: UidRanges, answer: ChangeAnswer) => Promise<Ran>;
  /** Takes over what the answer tells, also when it is not complete, or ends in a refusal. */
  readonly note: (answer: ChangeAnswer, isAccepted: boolean) => void;
};

/** `lost`: the server refused it when half of it was done, so that nobody knows how the rest is. */
type Ran = Glimpse | readonly Glimpse[] | 'lost';

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
      let isAccepted = false;
      try {
        const ran = await run(session, set, answer);
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
    return { done, failure: await change(select, work), glimpses };
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

/**
 * `\Deleted` and UID EXPUNGE (RFC 4315 §2.1) of exactly these. Without UIDPLUS they are left to whoever expunges: EXPUNGE would
 * take what others have flagged. Half of a removal would hide the messages: of what is refused the flag is taken back, also where
 * the server has flagged some of them and refused the rest (RFC 2180 §4.2).
 */
async function removeUids(session: ImapSession, uids: UidRanges, answer: ChangeAnswer): Promise<Ran> {
  const canExpunge = session.has('UIDPLUS');
  const flag = (sign: '+FLAGS' | '-FLAGS', told: ChangeAnswer) =>
    session.change('UID STORE', [uidSet(uids), atom(sign), list(atom('\\Deleted'))], told);
  let isFlagged = false;
  try {
    const flagged = canExpunge ? new ChangeAnswer(uids) : answer;
    const first = await flag('+FLAGS', flagged);
    isFlagged = true;
    if (!canExpunge) return [first];
    const second = await session.change('UID EXPUNGE', [uidSet(uids)], answer);
    // QUIRK(dovecot 2.3): without the right to expunge (RFC 4314) nothing is, and the answer is OK.
    const isLeft = flagged.flags.size > 0 && !answer.hasLost;
    return isLeft ? [first, second, await flag('-FLAGS', new ChangeAnswer(uids))] : [first, second];
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
    try {
      await flag('-FLAGS', new ChangeAnswer(uids));
    } catch (second) {
      if (!(second instanceof CommandRefused)) throw second;
      if (isFlagged) return 'lost';
    }
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
