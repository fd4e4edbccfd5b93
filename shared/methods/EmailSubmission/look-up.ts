import { mailboxesOf } from '../../catalog/keywords.ts';
import type { MailboxEntry, MailboxVector } from '../../catalog/mailbox.ts';
import { mailboxWithRole } from '../../catalog/roles.ts';
import { CannotSearch } from '../../catalog/source.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { AuthenticationFailed, Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { type EndOfSent, type KeptSubmission, type SubmissionPorts, submissionKind } from './record.ts';

/** How long after a message was sent the provider may take to put its copy into Sent. */
const copyMs = 15 * 60_000;

/**
 * The end of Sent before a message is sent, by which its copy is told from those of earlier submissions of the same Email. Null: it
 * cannot be seen, or the submission server saves nothing.
 */
export async function endOfSent({ catalog, submission }: SubmissionPorts): Promise<EndOfSent | null> {
  if (!submission.savesSent) return null;
  try {
    const at = submission.now();
    const sent = await sentIn(await catalog.view('now'));
    if (sent === null) return null;
    const { uidValidity, uidNext } = sent.vector;
    return { mailboxId: sent.id, uidValidity, uidNext, at };
  } catch (error) {
    // The message can be sent nevertheless.
    if (error instanceof Unavailable || error instanceof AuthenticationFailed) return null;
    throw error;
  }
}

/** Whether a copy in Sent proves that the message went out: one that no other submission of the same message can have brought. */
export async function hasCopyInSent(id: Id, kept: KeptSubmission, ports: SubmissionPorts): Promise<boolean> {
  const copies = await copiesInSent(kept, ports);
  if (copies.length === 0) return false;
  const { records } = await ports.records.view(submissionKind);
  const others = [...records].filter(([other, submission]) => other !== id && mayHaveBrought(submission, kept));
  return copies.length > others.length;
}

/** Whether a copy that came since `kept` was sent may be that of another submission. */
function mayHaveBrought({ ledger, messageId, endOfSent: end }: KeptSubmission, kept: KeptSubmission): boolean {
  if (messageId !== kept.messageId) return false;
  if (ledger.state === 'queued' || ledger.state === 'failed' || ledger.state === 'canceled') return false;
  return end == null || kept.endOfSent == null || end.at > kept.endOfSent.at - copyMs;
}

/**
 * Those copies in Sent that are too many: the client keeps the Email it was sent from there as well, and one of the two is enough. One that
 * is elsewhere, too, is more than a copy: where a server keeps a message once (Gmail), who sends to himself received it by that.
 */
export async function surplusCopies(kept: KeptSubmission, ports: SubmissionPorts): Promise<Id[]> {
  if (!(await isInSent(kept.emailId, ports))) return [];
  const copies = await copiesInSent(kept, ports);
  const emails = await (await ports.catalog.view('now')).emails(copies);
  return copies.filter((id) => mailboxesOf(emails.get(id) ?? null).length <= 1);
}

/**
 * The copies of a message that came into Sent since it was sent, other than the Email it was sent from. Empty where the submission
 * server saves none, or has not yet, and where it is not known what was there before.
 */
async function copiesInSent(
  { messageId, emailId, endOfSent: end }: KeptSubmission,
  { catalog, search, submission }: SubmissionPorts,
): Promise<Id[]> {
  if (!submission.savesSent || end == null) return [];
  const view = await catalog.view('now');
  const sent = await sentIn(view);
  if (sent === null || sent.id !== end.mailboxId || sent.vector.uidValidity !== end.uidValidity) return [];
  const { uidValidity, uidNext, messages } = sent.vector;
  if (uidNext <= end.uidNext) return [];
  const condition = { kind: 'header', name: 'Message-ID', value: messageId } as const;
  const asked = search.search({ name: sent.name, uidValidity, uidNext, messages }, [{ condition: [condition] }]);
  const [uids = []] = (await asked.catch(thatItIsUnavailable)) ?? [];
  const wanted = new Set(uids.filter((uid) => uid >= end.uidNext));
  if (wanted.size === 0) return [];
  const ids = new Set<Id>();
  for (const block of await view.rowBlocks(sent.key)) {
    if (block.lastUid < end.uidNext) continue;
    for (const row of await block.rows()) if (wanted.has(row.uid) && !row.deleted) ids.add(row.emailId);
  }
  ids.delete(emailId);
  return [...ids];
}

/** Whether it cannot look now, or never can: a message that went out is not to be forgotten for that. */
function thatItIsUnavailable(error: unknown): never {
  throw error instanceof CannotSearch ? new Unavailable(error.message, { cause: error }) : error;
}

async function isInSent(emailId: Id, { catalog }: SubmissionPorts): Promise<boolean> {
  const view = await catalog.view('now');
  const sent = await sentIn(view);
  return sent !== null && mailboxesOf((await view.emails([emailId])).get(emailId) ?? null).includes(sent.key);
}

async function sentIn(view: CatalogView): Promise<(MailboxEntry & { readonly vector: MailboxVector }) | null> {
  const mailboxes = await view.mailboxes();
  const sent = mailboxes.get(mailboxWithRole(mailboxes.values(), 'sent') ?? Number.NaN);
  return sent === undefined || sent.vector === null ? null : { ...sent, vector: sent.vector };
}
