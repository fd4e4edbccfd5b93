import { mailboxWithRole } from '../../catalog/roles.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { SubmissionPorts } from './record.ts';

/**
 * The copies of a message in Sent, other than the Email it was sent from: where the submission server saves one there, it has sent
 * the message. Empty where it saves none, or has not yet.
 */
export async function copiesInSent(
  { messageId, emailId }: { readonly messageId: string; readonly emailId: Id },
  { catalog, search, submission }: SubmissionPorts,
): Promise<Id[]> {
  if (!submission.savesSent) return [];
  const view = await catalog.view('now');
  const mailboxes = await view.mailboxes();
  const sent = mailboxes.get(mailboxWithRole(mailboxes.values(), 'sent') ?? Number.NaN);
  if (sent?.vector == null) return [];
  const { uidValidity, uidNext, messages } = sent.vector;
  const condition = { kind: 'header', name: 'Message-ID', value: messageId } as const;
  const [uids = []] =
    (await search.search({ name: sent.name, uidValidity, uidNext, messages }, [{ condition: [condition] }])) ?? [];
  if (uids.length === 0) return [];
  const wanted = new Set(uids);
  const ids = new Set<Id>();
  for (const block of await view.rowBlocks(sent.key)) {
    for (const row of await block.rows()) if (wanted.has(row.uid) && !row.deleted) ids.add(row.emailId);
  }
  ids.delete(emailId);
  return [...ids];
}
