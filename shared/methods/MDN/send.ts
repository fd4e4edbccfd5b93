// MDN/send (RFC 9007 §2.1)
import { existsInJmap, keywordsOf } from '../../catalog/keywords.ts';
import {
  AuthenticationFailed,
  methodError,
  ok,
  type Result,
  refuse,
  type SetError,
  Unavailable,
} from '../../jmap/errors.ts';
import { anyObject, creationId, id, isObject, mapOf, nullable, string } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import { createRecord } from '../../jmap/standard/record.ts';
import { mdnMessage } from '../../message/mdn-message.ts';
import { refusalError } from '../EmailSubmission/outcome.ts';
import type { SubmissionPorts } from '../EmailSubmission/record.ts';
import { timeLeft } from '../EmailSubmission/time-left.ts';
import { identityKind, type KeptIdentity } from '../Identity/record.ts';
import { claimMdn, releaseMdn, wasClaimed } from './claim.ts';
import { receiptFor } from './receipt.ts';
import { type Mdn, mdnType } from './record.ts';
import { readRequest } from './request.ts';

/** Somebody else sends a receipt for the same Email: the end of ours must not be sent. */
class SentBefore extends Error {
  override readonly name = 'SentBefore';
}

/**
 * Sends receipts, at most one for each Email: that it is about to go out is kept before the end of its message is sent, and the
 * Email has to get the keyword `$mdnsent` in the same call.
 */
export const mdnSend: AccountMethod<SubmissionPorts> = accountMethod(
  { identityId: id, send: mapOf(creationId, anyObject), onSuccessUpdateEmail: nullable(mapOf(string, anyObject)) },
  async (args, ports: SubmissionPorts, { limits, createdIds }) => {
    const { accountId, identityId, onSuccessUpdateEmail } = args;
    const send = Object.entries(args.send);
    if (send.length > limits.maxObjectsInSet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} records`));
    }
    const { records, sending } = ports;
    const identity = (await records.view(identityKind(sending.policy))).records.get(identityId);
    if (identity === undefined)
      return refuse(methodError('invalidArguments', '/identityId: there is no such Identity'));
    const without = send.find(([creationId]) => !setsMdnSent(onSuccessUpdateEmail?.[`#${creationId}`]));
    if (without !== undefined) {
      const description = `/onSuccessUpdateEmail: does not set $mdnsent for "#${without[0]}"`;
      return refuse(methodError('invalidArguments', description));
    }

    const sent = new Map<string, JsonObject>();
    const notSent = new Map<string, SetError>();
    const update: JsonObject = {};
    for (const [creationId, object] of send) {
      const creation = createRecord(mdnType, object, (name) => createdIds.get(name));
      if (!creation.ok) {
        notSent.set(creationId, creation.error);
        continue;
      }
      // The engine's check makes it such a record.
      const mdn = creation.value.record as unknown as Mdn;
      const outcome = await sendOne(mdn, identity, ports).catch(unlessUnavailable);
      if (outcome.ok) {
        sent.set(creationId, { ...creation.value.defaults, ...outcome.value });
        update[mdn.forEmailId] = onSuccessUpdateEmail?.[`#${creationId}`] ?? {};
      } else notSent.set(creationId, outcome.error);
    }
    const response = { accountId, sent: mapOrNull(sent), notSent: mapOrNull(notSent) };
    const isAnySent = Object.keys(update).length > 0;
    return ok({ response, implicit: isAnySent ? [{ name: 'Email/set', args: { accountId, update } }] : [] });
  },
  { writes: true },
);

/** Whether a patch leaves an Email with the keyword. */
function setsMdnSent(patch: JsonObject | undefined): boolean {
  if (patch === undefined) return false;
  return patch['keywords/$mdnsent'] === true || (isObject(patch.keywords) && patch.keywords.$mdnsent === true);
}

/** Sends one receipt; answers what the server decided about it. */
async function sendOne(
  mdn: Mdn,
  identity: KeptIdentity,
  ports: SubmissionPorts,
): Promise<Result<JsonObject, SetError>> {
  const { catalog, submission, sending } = ports;
  const view = await catalog.view('now');
  const email = (await view.emails([mdn.forEmailId])).get(mdn.forEmailId) ?? null;
  if (!existsInJmap(email)) return refuse({ type: 'notFound', description: 'there is no such Email' });
  if (keywordsOf(email).includes('$mdnsent') || (await wasClaimed(email.id, ports))) return refuse(sentBefore);
  const request = await readRequest(email, view, mdn.includeOriginalMessage, ports);
  if (!request.ok) return request;
  const receipt = receiptFor(mdn, request.value, identity, sending.policy);
  if (!receipt.ok) return receipt;

  const { message, shown } = receipt.value;
  const octets = mdnMessage(message, { now: submission.now(), randomKey: sending.newId });
  if (octets.byteLength > submission.maxSizeMessage) {
    return refuse({ type: 'tooLarge', maxSize: submission.maxSizeMessage });
  }
  // Nobody is told when a receipt cannot be delivered (RFC 8098 §3).
  const envelope = {
    mailFrom: { email: '', parameters: null },
    rcptTo: message.to.map((address) => ({ email: address.email, parameters: null })),
  };
  let isClaimed = false;
  const beforeEnd = async () => {
    if (timeLeft(submission) === 0) throw new Unavailable('there is no time left for the end of a receipt');
    if (!(await claimMdn(email.id, ports))) throw new SentBefore();
    isClaimed = true;
  };
  const release = async () => {
    if (isClaimed) await releaseMdn(email.id, ports);
  };
  try {
    const timing = { holdForSeconds: null, timeoutMs: timeLeft(submission) };
    const outcome = await submission.relay({ envelope, message: octets, ...timing, beforeEnd });
    // One whose answer was lost may have gone out, and is not sent again.
    if (outcome.kind === 'accepted' || outcome.kind === 'unknown') return ok(shown);
    await release();
    return refuse(refusalError(envelope, outcome, submission.maxSizeMessage));
  } catch (error) {
    if (error instanceof SentBefore) return refuse(sentBefore);
    await release();
    throw error;
  }
}

const sentBefore: SetError = { type: 'mdnAlreadySent', description: 'a receipt was sent for this Email' };

function unlessUnavailable(error: unknown): Result<never, SetError> {
  if (error instanceof Unavailable || error instanceof AuthenticationFailed)
    return refuse({ type: 'serverUnavailable' });
  throw error;
}
