import type { MailboxKey, Row } from '../../shared/catalog/email.ts';
import type { CatalogView, RowBlock } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { BlobPorts } from '../../shared/methods/Blob/find.ts';
import type { SubmissionPorts } from '../../shared/methods/EmailSubmission/record.ts';

const firstUid = 2;

/** The Email that is the copy of the message which went out after so many others. */
export const copyId = (index: number): Id => `copy${firstUid + index}` as Id;

/**
 * The mailbox of an account, whose first message it keeps, as a Sent that grows with each message that goes out. `gone`: their
 * Message-IDs in order, and null for one of which the provider saves no copy.
 */
export function withSentCopies(
  { catalog }: Pick<BlobPorts, 'catalog'>,
  gone: () => readonly (string | null)[],
): Pick<SubmissionPorts, 'catalog' | 'search'> {
  const uidsOf = (wanted: (messageId: string) => boolean) =>
    gone().flatMap((messageId, index) => (messageId !== null && wanted(messageId) ? [firstUid + index] : []));
  const isSent = catalog.view('now').then(async (view) => {
    for (const mailbox of (await view.mailboxes()).values()) Object.assign(mailbox, { attributes: ['\\sent'] });
  });
  /** All copies as one block, each an Email like the one that is there. */
  const copiesLike = async (view: CatalogView, key: MailboxKey): Promise<RowBlock> => {
    const block = (await view.rowBlocks(key))[0] as RowBlock;
    const [row] = (await block.rows()) as [Row];
    const rows = uidsOf(() => true).map((uid) => ({ ...row, uid, emailId: copyId(uid - firstUid) }));
    return { ...block, count: rows.length, firstUid, lastUid: firstUid + gone().length - 1, rows: async () => rows };
  };
  return {
    catalog: {
      ...catalog,
      view: async (freshness) => {
        await isSent;
        const view = await catalog.view(freshness);
        const mailboxes = new Map(await view.mailboxes());
        for (const [key, entry] of mailboxes) {
          const { vector } = entry;
          if (vector === null) continue;
          mailboxes.set(key, { ...entry, vector: { ...vector, uidNext: firstUid + gone().length } });
        }
        return { ...view, mailboxes: async () => mailboxes, rowBlocks: async (key) => [await copiesLike(view, key)] };
      },
    },
    search: {
      search: async (_mailbox, [question]) => {
        const [condition] = question?.operator === undefined ? (question?.condition ?? []) : [];
        return [condition?.kind === 'header' ? uidsOf((messageId) => messageId === condition.value) : []];
      },
      sort: async () => null,
    },
  };
}

/** The same where the Email that was sent is nowhere any more. */
export function withoutEmails({ catalog, ...others }: ReturnType<typeof withSentCopies>): typeof others & {
  readonly catalog: typeof catalog;
} {
  const view: typeof catalog.view = async (freshness) => ({
    ...(await catalog.view(freshness)),
    emails: async () => new Map(),
  });
  return { ...others, catalog: { ...catalog, view } };
}
