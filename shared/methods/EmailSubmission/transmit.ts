import { AuthenticationFailed, OutcomeUnknown, Unavailable } from '../../jmap/errors.ts';
import type { Id, State } from '../../jmap/scalars.ts';
import { utcDate } from '../../jmap/scalars.ts';
import type { RecordsView, Wanted } from '../../records/account-records.ts';
import { answerMs, begun, claimed, claimMs, copyLateMs, dutyOf, postponed } from './ledger.ts';
import { endOfSent, hasCopyInSent, surplusCopies } from './look-up.ts';
import {
  deliveryStatusOf,
  deliveryStatusOfAll,
  isTemporary,
  lostReply,
  refusedForNow,
  refusedStatusOf,
} from './outcome.ts';
import type { Prepared } from './prepare.ts';
import { type EndOfSent, type KeptSubmission, type SubmissionPorts, submissionKind } from './record.ts';
import type { RelayOutcome } from './relay.ts';
import { outlived, spareOfAnswers, spareOfNew } from './retention.ts';
import { timeLeft } from './time-left.ts';

/** Somebody else is about to send the message, or has: its end must not be sent by us. */
class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

/** What became of a submission, and the states between which its changes lie; null: nothing was changed. */
export type Transmitted = {
  readonly outcome: RelayOutcome | { readonly kind: 'full' };
  readonly kept: KeptSubmission | null;
  readonly states: { readonly oldState: State; readonly newState: State } | null;
};

/**
 * Gives a message to the submission server at once. It is noted as being sent before its end goes out, and what became of it after that. What was refused
 * leaves nothing behind. Throws `Unavailable` when it did not go out.
 */
export async function transmitNow(prepared: Prepared, ports: SubmissionPorts): Promise<Transmitted> {
  const { records, submission } = ports;
  const { id, envelope, holdUntilMs } = prepared;
  // Held by the server, it goes out when that lets it go, and cannot be recalled.
  const holdForSeconds = holdUntilMs === null ? null : Math.ceil((holdUntilMs - submission.now()) / 1_000);
  const end = await endOfSent(ports);
  let states: { oldState: State; newState: State } | null = null;
  const commit = async (wanted: (view: RecordsView<KeptSubmission>) => Omit<Wanted<null>, 'answer'>) => {
    const changed = await records.change(submissionKind, (view) => ({ ...wanted(view), answer: null }));
    if (!changed.ok) return false;
    const { before, after } = changed.value;
    if (states === null) states = { oldState: before.state, newState: after.state };
    // What others changed meanwhile is not ours to tell: then our own later changes are told as if they were theirs.
    else if (states.newState === before.state) states = { ...states, newState: after.state };
    return true;
  };

  let mayExist = false;
  let isFull = false;
  const beforeEnd = async () => {
    if (timeLeft(submission) === 0) throw new Unavailable('there is no time left for the end of a message');
    mayExist = true;
    const edits = [{ id, value: beginning(prepared, end, ports) }];
    isFull = !(await commit((view) => ({
      ...{ edits, outlived: outlived(view.records, submission.now()), spare: spareOfNew },
    })));
    if (isFull) throw new Unavailable('there is no room for another submission');
  };
  const withdraw = async () => {
    const isLeft = (kept: KeptSubmission | undefined) => mayExist && kept?.ledger.state === 'sending';
    await commit(({ records: all }) => ({ edits: isLeft(all.get(id)) ? [{ id, value: null }] : [] }));
  };

  let outcome: RelayOutcome;
  try {
    const timeoutMs = timeLeft(submission);
    outcome = await submission.relay({ envelope, message: prepared.message, holdForSeconds, timeoutMs, beforeEnd });
  } catch (error) {
    if (isFull) return { outcome: { kind: 'full' }, kept: null, states };
    // It did not go out, which is known to nobody else: what is left of it would be taken for a message that may have.
    await withdraw().catch(() => {});
    throw error instanceof OutcomeUnknown ? new Unavailable(error.message, { cause: error }) : error;
  }
  if (outcome.kind !== 'accepted' && outcome.kind !== 'unknown') {
    if (isTemporary(outcome)) submission.onUnavailable(refusedForNow(outcome));
    await withdraw();
    return { outcome, kept: null, states };
  }
  let kept = await settledBy(outcome, id, beginning(prepared, end, ports), ports);
  await stubbornly(async () => {
    if (await commit(() => ({ edits: [{ id, value: kept }], spare: spareOfAnswers }))) return;
    kept = { ...kept, deliveryStatus: null };
    if (!(await commit(() => ({ edits: [{ id, value: kept }] })))) throw new Unavailable(noRoom);
  });
  return { outcome, kept, states };
}
const noRoom = 'there is no room for what became of a submission';

/** A submission whose message is being sent: it can be recalled no more. */
function beginning(
  { identityId, emailId, threadId, envelope, messageId, holdUntilMs }: Prepared,
  end: EndOfSent | null,
  ports: SubmissionPorts,
): KeptSubmission {
  const { now, worker } = ports.submission;
  const ledger = { state: 'sending', by: worker, until: now() + answerMs } as const;
  const sentTo = envelope as KeptSubmission['envelope'];
  const facts = { identityId, emailId, threadId, messageId, endOfSent: end, ledger, envelope: sentTo };
  return { ...facts, sendAt: utcDate(wholeSeconds(holdUntilMs ?? now())), undoStatus: 'final', deliveryStatus: null };
}

/** The submission once its end was sent: the answer tells, or else a copy in Sent does, or nobody knows. */
async function settledBy(
  outcome: Extract<RelayOutcome, { kind: 'accepted' | 'unknown' }>,
  id: Id,
  kept: KeptSubmission,
  ports: SubmissionPorts,
): Promise<KeptSubmission> {
  if (outcome.kind === 'unknown') return foundOut(id, kept, ports);
  const deliveryStatus = deliveryStatusOf(kept.envelope, outcome.recipients);
  return { ...kept, undoStatus: 'final', deliveryStatus, ledger: { state: 'sent' } };
}

/** A message that may have gone out, and is not sent again either way. */
async function foundOut(id: Id, kept: KeptSubmission, ports: SubmissionPorts): Promise<KeptSubmission> {
  const isSent = await hasCopyInSent(id, kept, ports).catch((error: unknown) => {
    // A password that is another one by now keeps nobody from saying that it is not known.
    if (error instanceof Unavailable || error instanceof AuthenticationFailed) return false;
    throw error;
  });
  const words = isSent ? '250 2.0.0 A copy of the message is in Sent' : lostReply;
  const deliveryStatus = deliveryStatusOfAll(kept.envelope, 'unknown', words);
  return { ...kept, undoStatus: 'final', deliveryStatus, ledger: { state: isSent ? 'sent' : 'uncertain' } };
}

/**
 * Does what there is to do about a submission that is kept: sends what is due, finds out what became of what somebody was sending
 * when he vanished. Any number of processes may do so at the same time, and any may end at any moment. Answers when there will be more
 * to do, in milliseconds; null: never.
 */
export async function attend(id: Id, ports: SubmissionPorts): Promise<number | null> {
  const { records, submission } = ports;
  const { now, worker, held } = submission;
  const view = await records.view(submissionKind);
  const kept = view.records.get(id);
  if (kept === undefined) {
    await held?.forget(id);
    return null;
  }
  const duty = dutyOf(kept.ledger, now());
  switch (duty.kind) {
    case 'nothing':
      await held?.forget(id);
      return null;
    case 'wait':
      return duty.until;
    case 'find out': {
      const settled = await foundOut(id, kept, ports);
      await change(id, ports, (present) => (dutyOf(present.ledger, now()).kind === 'find out' ? settled : null));
      await tidySent(settled, ports);
      await held?.forget(id);
      return null;
    }
    case 'tidy':
      await tidySent(kept, ports);
      await held?.forget(id);
      await change(id, ports, (present) =>
        dutyOf(present.ledger, now()).kind === 'tidy' ? { ...present, ledger: { state: 'sent' } } : null,
      );
      return null;
    case 'give up':
      await giveUp(id, notTaken, ports);
      await held?.forget(id);
      return null;
    case 'send': {
      const mine = await change(id, ports, (present) => {
        const ledger = claimed(present.ledger, worker, now());
        return ledger === null ? null : { ...present, ledger };
      });
      return mine === null ? now() + claimMs : sendClaimed(id, mine, ports);
    }
  }
}

async function sendClaimed(id: Id, mine: KeptSubmission, ports: SubmissionPorts): Promise<number | null> {
  const { relay, now, worker, held, onUnavailable } = ports.submission;
  const { envelope } = mine;
  let outcome: RelayOutcome | 'failed' | 'not now';
  let sending = mine;
  try {
    const message = (await held?.message(id)) ?? null;
    const end = await endOfSent(ports);
    const beforeEnd = async () => {
      const marked = await change(id, ports, (present) => {
        const ledger = begun(present.ledger, worker, now());
        return ledger === null ? null : { ...present, endOfSent: end, ledger };
      });
      if (marked === null) throw new NotOurs(`${id} is sent by somebody else`);
      sending = marked;
    };
    const patience = { holdForSeconds: null, timeoutMs: Number.POSITIVE_INFINITY };
    outcome = message === null ? 'failed' : await relay({ envelope, message, ...patience, beforeEnd });
  } catch (error) {
    // Whoever does may vanish too.
    if (error instanceof NotOurs) return now() + answerMs;
    if (!(error instanceof Unavailable)) throw error;
    onUnavailable(error);
    outcome = 'not now';
  }

  const isOurs = ({ ledger }: KeptSubmission) =>
    (ledger.state === 'queued' && ledger.claim?.by === worker) || (ledger.state === 'sending' && ledger.by === worker);
  /** Whether it was ours to note, and was noted. */
  const note = async (next: (present: KeptSubmission) => KeptSubmission) =>
    (await stubbornly(() => change(id, ports, (present) => (isOurs(present) ? next(present) : null)))) !== null;
  /** What is somebody else's by now may still be sent by him, and it must not be taken from him what that takes. */
  const finish = async (last: KeptSubmission) => {
    if (!(await note(() => last))) return now() + answerMs;
    await held?.forget(id);
    return null;
  };
  if (outcome !== 'failed' && outcome !== 'not now' && (outcome.kind === 'accepted' || outcome.kind === 'unknown')) {
    const settled = await settledBy(outcome, id, sending, ports);
    if (settled.ledger.state !== 'sent' || settled.endOfSent === null) return finish(settled);
    const copyAt = now() + copyLateMs;
    if (!(await note(() => ({ ...settled, ledger: { state: 'sent', copyAt } })))) return now() + answerMs;
    await held?.forgetMessage(id);
    await tidySent(settled, ports);
    return copyAt;
  }
  const attempts = mine.ledger.state === 'queued' ? mine.ledger.attempts : 0;
  const refusal = outcome !== 'failed' && outcome !== 'not now' && isTemporary(outcome) ? outcome : null;
  if (refusal !== null) onUnavailable(refusedForNow(refusal));
  const mayTryAgain = outcome === 'not now' || refusal !== null;
  const later = mayTryAgain ? postponed(attempts, now()) : null;
  if (later !== null) {
    return (await note((present) => ({ ...present, ledger: later }))) ? later.notBefore : now() + answerMs;
  }
  const deliveryStatus =
    outcome === 'failed' || outcome === 'not now'
      ? deliveryStatusOfAll(envelope, 'no', notTaken)
      : refusedStatusOf(envelope, outcome);
  return finish({ ...mine, undoStatus: 'canceled', deliveryStatus, ledger: { state: 'failed' } });
}

/** Leaves one copy in Sent of a message that waited: the client put its own there when it submitted it. One too many is no harm. */
async function tidySent(kept: KeptSubmission, ports: SubmissionPorts): Promise<void> {
  if (kept.ledger.state !== 'sent') return;
  try {
    const copies = await surplusCopies(kept, ports);
    if (copies.length > 0) await ports.submission.destroyEmails(copies);
  } catch (error) {
    if (!(error instanceof Unavailable || error instanceof AuthenticationFailed)) throw error;
  }
}

const notTaken = '451 4.4.1 The message could not be given to the submission server';

/** A submission that waits is not going to be sent; `words` say why. */
export async function giveUp(id: Id, words: string, ports: Pick<SubmissionPorts, 'records'>): Promise<void> {
  await change(id, ports, (present) => {
    if (present.ledger.state !== 'queued') return null;
    const deliveryStatus = deliveryStatusOfAll(present.envelope, 'no', words);
    return { ...present, undoStatus: 'canceled', deliveryStatus, ledger: { state: 'failed' } };
  });
}

/**
 * Changes a kept submission, or leaves it (null); what it is then, or null. What clients cannot see changes no state. Where there is no
 * room for the answers of the server, they are left out: §7 lets `deliveryStatus` be null.
 */
async function change(
  id: Id,
  { records }: Pick<SubmissionPorts, 'records'>,
  wanted: (present: KeptSubmission) => KeptSubmission | null,
): Promise<KeptSubmission | null> {
  const attempt = (hasAnswers: boolean) =>
    records.change(submissionKind, ({ records: all }) => {
      const present = all.get(id);
      const next = present === undefined ? null : wanted(present);
      if (present === undefined || next === null) return { edits: [], answer: null };
      const value = hasAnswers ? next : { ...next, deliveryStatus: null };
      const shows = value.undoStatus !== present.undoStatus || value.deliveryStatus !== present.deliveryStatus;
      const spare = value.deliveryStatus === null ? 0 : spareOfAnswers;
      return { edits: [shows ? { id, value } : { id, value, quiet: true as const }], spare, answer: value };
    });
  const changed = await attempt(true);
  const noted = changed.ok ? changed : await attempt(false);
  if (!noted.ok) throw new Unavailable(noRoom);
  return noted.value.answer;
}

/** What is known now and to nobody else is worth more than one attempt. Null: it was not noted. */
async function stubbornly<T>(attempt: () => Promise<T>): Promise<T | null> {
  for (let left = attemptsToNote; left > 0; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
  return null;
}
const attemptsToNote = 3;

/** A UTCDate without a fraction: what is sent now is not dated later. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
