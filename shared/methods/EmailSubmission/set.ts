// EmailSubmission/set (RFC 8621 §7.5)
import {
  AuthenticationFailed,
  OutcomeUnknown,
  ok,
  type Result,
  refuse,
  type SetError,
  Unavailable,
} from '../../jmap/errors.ts';
import { anyObject, arrayOf, mapOf, nullable, string } from '../../jmap/grammar.ts';
import type { AccountContext, ImplicitCall } from '../../jmap/method.ts';
import { type Id, type JsonObject, type State, utcDate } from '../../jmap/scalars.ts';
import type { Achieved, SetPort } from '../../jmap/standard/set.ts';
import type { Some, Step } from '../../jmap/verbs.ts';
import type { Edit } from '../../records/collection.ts';
import { only } from '../kept.ts';
import { currentSubmissions } from './current.ts';
import { isRecallable } from './ledger.ts';
import { surplusCopies } from './look-up.ts';
import { refusalError } from './outcome.ts';
import { NotSendable, type Prepared, prepare } from './prepare.ts';
import {
  type EmailSubmission,
  type KeptSubmission,
  type SendQueue,
  type SubmissionPorts,
  shownSubmission,
  submissionKind,
} from './record.ts';
import { octetsOf } from './relay.ts';
import { outlived, spareOfNew } from './retention.ts';
import { timeLeft } from './time-left.ts';
import { transmitNow } from './transmit.ts';

/** The arguments of EmailSubmission/set besides the standard ones. */
export const setArguments = {
  onSuccessUpdateEmail: nullable(mapOf(string, anyObject)),
  onSuccessDestroyEmail: nullable(arrayOf(string)),
};
type SetArguments = {
  readonly onSuccessUpdateEmail: { [submission: string]: JsonObject } | null;
  readonly onSuccessDestroyEmail: string[] | null;
};

const noRoom: SetError = { type: 'overQuota', description: 'there is no room for another submission' };

type States = { readonly oldState: State; readonly newState: State };

/** Creates by sending, now or later; updates by canceling; destroys only what is over. */
export function canSetSubmissions(ports: SubmissionPorts): SetPort<EmailSubmission, SetArguments, false> {
  const { records, submission, sending } = ports;
  const { emailOf, now } = submission;

  /** Sends, or has it sent later, one message; with the states between which its changes lie. */
  async function create(record: Omit<EmailSubmission, 'id'>): Promise<{
    readonly states: States | null;
    readonly result: Result<Some<EmailSubmission>, SetError>;
  }> {
    // §7: it is the server that sets it on create, and there is one value with which anything is to be sent.
    if (record.undoStatus !== 'pending') {
      const properties = ['undoStatus'];
      return {
        states: null,
        result: refuse({ type: 'invalidProperties', properties, description: 'cannot be chosen' }),
      };
    }
    const prepared = await prepare(sending.newId(), record, ports);
    if (!prepared.ok) return { states: null, result: prepared };
    const { id, envelope, emailId, holdUntilMs } = prepared.value;
    if (holdUntilMs !== null && submission.queue !== null) return hold(submission.queue, prepared.value, holdUntilMs);
    const { outcome, kept, states } = await transmitNow(prepared.value, ports);
    if (outcome.kind === 'full') return { states, result: refuse(noRoom) };
    if (kept === null) {
      if (outcome.kind === 'accepted' || outcome.kind === 'unknown') throw new Error('Could not tell what was sent');
      return { states, result: refuse(refusalError(envelope, outcome, submission.maxSizeMessage)) };
    }
    emailOf.set(id, emailId);
    return { states, result: ok(serverSetOf(id, kept)) };
  }

  async function hold(queue: SendQueue, prepared: Prepared, untilMs: number): ReturnType<typeof create> {
    const { id, identityId, emailId, threadId, envelope, messageId } = prepared;
    const sendAtMs = Math.ceil(untilMs / 1_000) * 1_000;
    const kept: KeptSubmission = {
      ...{ identityId, emailId, threadId, messageId, envelope: envelope as KeptSubmission['envelope'] },
      sendAt: utcDate(sendAtMs),
      undoStatus: 'pending',
      deliveryStatus: null,
      endOfSent: null,
      ledger: { state: 'queued', notBefore: sendAtMs, attempts: 0, claim: null },
    };
    await queue.hold(id, await octetsOf(prepared.message), sendAtMs);
    const changed = await records.change(submissionKind, (view) => ({
      // It is there when the answer to our own write was lost long ago, and may have been sent or canceled since.
      edits: view.records.has(id) ? [] : [{ id, value: kept }],
      outlived: outlived(view.records, now()),
      spare: spareOfNew,
      answer: null,
    }));
    if (!changed.ok) {
      await submission.held?.forget(id);
      return { states: null, result: refuse(noRoom) };
    }
    emailOf.set(id, emailId);
    const { before, after } = changed.value;
    const states = { oldState: before.state, newState: after.state };
    return { states, result: ok(serverSetOf(id, after.records.get(id) ?? kept)) };
  }

  return {
    latestState: async () => (await currentSubmissions(ports)).state,
    current: async (ids, properties) => {
      const { records: kept } = await currentSubmissions(ports);
      return new Map(
        ids.flatMap((id) => {
          const found = kept.get(id);
          if (found === undefined) return [];
          emailOf.set(id, found.emailId);
          return [[id, only(properties, shownSubmission(id, found))] as const];
        }),
      );
    },
    create: async (given) => {
      const start = (await records.view(submissionKind)).state;
      let states: States = { oldState: start, newState: start };
      const results = new Map<string, Result<Some<EmailSubmission>, SetError>>();
      for (const [creationId, record] of given) {
        if (timeLeft(submission) === 0) {
          results.set(creationId, refuse({ type: 'serverUnavailable', description: 'there is no time left for it' }));
          continue;
        }
        try {
          const created = await create(record);
          states = joined(states, created.states);
          results.set(creationId, created.result);
        } catch (error) {
          if (error instanceof NotSendable) {
            results.set(creationId, refuse(error.setError));
            continue;
          }
          // What may be kept must not be refused, for it will be sent.
          if (error instanceof OutcomeUnknown) return { ...states, results, doubt: error };
          // The others may have gone out by now, and have to be answered for.
          if (!(error instanceof Unavailable || error instanceof AuthenticationFailed)) throw error;
          submission.onUnavailable(error);
          results.set(creationId, refuse({ type: 'serverUnavailable' }));
        }
      }
      return { ...states, results };
    },
    update: async (revisions) => {
      const step = await changeStep([...revisions.keys()], (id, present) => {
        if (revisions.get(id)?.after.undoStatus !== 'canceled') {
          return refuse({ type: 'invalidProperties', properties: ['undoStatus'], description: 'can only be canceled' });
        }
        if (present.undoStatus !== 'pending' || !isRecallable(present.ledger, now()))
          return refuse({ type: 'cannotUnsend' });
        return ok({ ...present, undoStatus: 'canceled', ledger: { state: 'canceled' } } as const);
      });
      for (const [id, result] of step.results) if (result.ok) await submission.held?.forget(id).catch(ifUnavailable);
      return step;
    },
    destroy: (ids) =>
      changeStep(ids, (id, present) => {
        // Nothing would send it any more, and to destroy a submission must not keep it from being sent.
        if (present.undoStatus === 'pending') {
          return refuse({ type: 'forbidden', description: 'it waits to be sent: cancel it first' });
        }
        emailOf.set(id, present.emailId);
        return ok(null);
      }),
  };

  /** Changes or removes (null) submissions, all at once. */
  async function changeStep(
    ids: readonly Id[],
    wanted: (id: Id, present: KeptSubmission) => Result<KeptSubmission | null, SetError>,
  ): Promise<Step<Id, null>> {
    const changed = await records.change(submissionKind, ({ records: present }) => {
      const edits: Edit[] = [];
      const answer = new Map<Id, Result<null, SetError>>();
      for (const id of ids) {
        const found = present.get(id);
        const next = found === undefined ? refuse<SetError>({ type: 'notFound' }) : wanted(id, found);
        if (next.ok) edits.push({ id, value: next.value });
        answer.set(id, next.ok ? ok(null) : next);
      }
      return { edits, answer };
    });
    if (!changed.ok) throw new Unavailable('there is no room to cancel a submission');
    const { before, after, answer } = changed.value;
    return { oldState: before.state, newState: after.state, results: answer };
  }
}

/** The calls of `onSuccessUpdateEmail` and `onSuccessDestroyEmail`: one Email/set, or none. */
export async function afterSubmissions(
  achieved: Achieved<EmailSubmission>,
  { onSuccessUpdateEmail, onSuccessDestroyEmail }: SetArguments,
  ports: SubmissionPorts,
  { accountId, createdIds }: AccountContext<SubmissionPorts>,
): Promise<readonly ImplicitCall[]> {
  const succeeded = new Set([
    ...[...achieved.created.values()].map(({ id }) => id),
    ...achieved.updated,
    ...achieved.destroyed,
  ]);
  const emailIdFor = (name: string): Id | undefined => {
    const id = name.startsWith('#') ? (achieved.created.get(name.slice(1))?.id ?? createdIds.get(name.slice(1))) : name;
    return id !== undefined && succeeded.has(id as Id) ? ports.submission.emailOf.get(id as Id) : undefined;
  };
  const update: JsonObject = {};
  for (const [name, patch] of Object.entries(onSuccessUpdateEmail ?? {})) {
    const emailId = emailIdFor(name);
    if (emailId !== undefined) update[emailId] = patch;
  }
  const destroy = (onSuccessDestroyEmail ?? []).flatMap((name) => emailIdFor(name) ?? []);
  const calls: ImplicitCall[] = [];
  if (Object.keys(update).length > 0 || destroy.length > 0) {
    calls.push({ name: 'Email/set', args: { accountId, update, destroy: [...new Set(destroy)] } });
  }
  if (ports.submission.savesSent && Object.keys(update).length > 0) {
    const surplus = async () => {
      const copies = await surplusCopiesOf(achieved, update, ports).catch(noneIfUnavailable);
      return copies.length === 0 ? null : { accountId, destroy: copies };
    };
    calls.push({ name: 'Email/set', args: surplus });
  }
  return calls;
}

async function surplusCopiesOf(
  achieved: Achieved<EmailSubmission>,
  update: JsonObject,
  ports: SubmissionPorts,
): Promise<Id[]> {
  if (timeLeft(ports.submission) === 0) return [];
  const { records } = await ports.records.view(submissionKind);
  const copies = new Set<Id>();
  for (const { id } of achieved.created.values()) {
    const kept = records.get(id);
    if (kept === undefined || !(kept.emailId in update)) continue;
    for (const copy of await surplusCopies(kept, ports)) copies.add(copy);
  }
  return [...copies];
}

/** What the server decides about a submission. */
function serverSetOf(id: Id, kept: KeptSubmission): Some<EmailSubmission> {
  const { threadId, envelope, sendAt, undoStatus, deliveryStatus, dsnBlobIds, mdnBlobIds } = shownSubmission(id, kept);
  return {
    id,
    threadId,
    envelope,
    sendAt,
    undoStatus,
    deliveryStatus,
    dsnBlobIds,
    mdnBlobIds,
  } as Some<EmailSubmission>;
}

/** One step's states followed by those of the next; what is not connected was changed by others in between. */
function joined(states: States, next: States | null): States {
  if (next !== null && states.oldState === states.newState) return next;
  if (next === null || next.oldState !== states.newState) return states;
  return { oldState: states.oldState, newState: next.newState };
}

/** A copy too many is no harm. */
function noneIfUnavailable(error: unknown): Id[] {
  ifUnavailable(error);
  return [];
}

function ifUnavailable(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}
