import type { Id } from '../jmap/scalars.ts';
import { countedOf, countsOfThreads, noCounts, sameCounts } from './counts.ts';
import type { Email, MailboxKey, Row } from './email.ts';
import { entriesAfter } from './entries.ts';
import type { MailboxEntry } from './mailbox.ts';
import { rowsIn } from './read-mailbox.ts';
import { mailboxWithRole } from './roles.ts';
import { assignThreads } from './threads.ts';
import type { CatalogEdit, CatalogView, EmailEdit } from './view.ts';

/**
 * The edit that brings in the last missing mailbox, with the threads of the whole account: the provisional ones become real in
 * one pass over all Emails, and the counts follow. It starts the first lasting epoch.
 */
export async function endOfFirstContact(view: CatalogView, edit: CatalogEdit): Promise<CatalogEdit> {
  if (view.threads === 'server') return edit;
  const emails = await allEmails(view, edit.emails);
  const { threads, messageIds } = assignThreads([...emails.values()]);

  const edits = new Map(edit.emails);
  const touched = new Set(edit.threads.keys());
  for (const [id, threadId] of threads) {
    const email = emails.get(id);
    if (email === undefined) continue;
    const after = { ...email, threadId };
    const earlier = edits.get(id);
    edits.set(id, { before: earlier === undefined ? email : earlier.before, after });
    emails.set(id, after);
    touched.add(email.threadId).add(threadId);
  }

  const members = membersOf(emails.values());
  const idsIn = (threadId: Id) => (members.get(threadId) ?? []).map(({ id }) => id);
  return {
    mailboxes: await recounted(view, edit, members),
    emails: edits,
    threads: new Map([...touched].map((threadId) => [threadId, idsIn(threadId)])),
    messageIds,
    log: edit.log,
    newEpoch: true,
  };
}

/** Every Email of the account after the edits. */
async function allEmails(view: CatalogView, edits: ReadonlyMap<Id, EmailEdit>): Promise<Map<Id, Email>> {
  const emails = new Map<Id, Email>();
  const shared = new Set<Id>();
  for (const mailbox of (await view.mailboxes()).keys()) {
    for await (const row of rowsIn(view, mailbox)) {
      if (edits.has(row.emailId)) continue;
      if (row.shared) shared.add(row.emailId);
      else emails.set(row.emailId, emailOf(mailbox, row));
    }
  }
  for (const [id, email] of await view.emails(shared)) emails.set(id, email);
  for (const [id, { after }] of edits) if (after !== null) emails.set(id, after);
  return emails;
}

/** The Email of a row that is its only one. */
function emailOf(mailbox: MailboxKey, { uid, emailId, keywords, deleted, ...content }: Row): Email {
  const { threadId, receivedAt, size, hasAttachment } = content;
  return { id: emailId, threadId, receivedAt, size, hasAttachment, rows: [{ mailbox, uid, keywords, deleted }] };
}

function membersOf(emails: Iterable<Email>): ReadonlyMap<Id, readonly Email[]> {
  const members = new Map<Id, Email[]>();
  for (const email of emails) {
    const others = members.get(email.threadId);
    if (others === undefined) members.set(email.threadId, [email]);
    else others.push(email);
  }
  return members;
}

/** The mailbox entries of the edit, and of all others that the threads give other counts. */
async function recounted(
  view: CatalogView,
  edit: CatalogEdit,
  members: ReadonlyMap<Id, readonly Email[]>,
): Promise<ReadonlyMap<MailboxKey, MailboxEntry | null>> {
  const after = entriesAfter(await view.mailboxes(), edit.mailboxes);
  const counted = [...members.values()].map((emails) => emails.map(countedOf).filter((email) => email !== null));
  const counts = countsOfThreads(counted, mailboxWithRole(after.values(), 'trash'));
  const mailboxes = new Map(edit.mailboxes);
  for (const [key, entry] of after) {
    const exact = counts.get(key) ?? noCounts;
    if (!sameCounts(entry.counts, exact)) mailboxes.set(key, { ...entry, counts: exact });
  }
  return mailboxes;
}
