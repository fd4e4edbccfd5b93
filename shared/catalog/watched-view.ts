import { Unavailable } from '../jmap/errors.ts';
import type { MailboxKey } from './email.ts';
import { BlockLost, type CatalogView, type ChangingType, type RowBlock, type VersionedEntry } from './view.ts';

/**
 * The same view, but a lost block is reported and becomes `Unavailable`: the caller's answer has to wait until the account was
 * indexed again.
 */
export function watchedView(view: CatalogView, onLost: () => void): CatalogView {
  const failure = (error: unknown): unknown => {
    if (!(error instanceof BlockLost)) return error;
    onLost();
    return new Unavailable('The account has to be indexed again', { cause: error });
  };
  const watched = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      throw failure(error);
    }
  };
  async function* log(type: ChangingType, since: number): AsyncGenerator<readonly VersionedEntry[]> {
    try {
      yield* view.log(type, since);
    } catch (error) {
      throw failure(error);
    }
  }
  const rowBlocks = async (mailbox: MailboxKey): Promise<readonly RowBlock[]> =>
    (await watched(view.rowBlocks(mailbox))).map((block) => ({ ...block, rows: () => watched(block.rows()) }));

  return {
    ...view,
    mailboxes: () => watched(view.mailboxes()),
    emails: (ids) => watched(view.emails(ids)),
    emailIdsAt: (mailbox, uids) => watched(view.emailIdsAt(mailbox, uids)),
    threadEmails: (ids) => watched(view.threadEmails(ids)),
    threadsByMessageId: (hashes) => watched(view.threadsByMessageId(hashes)),
    rowBlocks,
    log,
  };
}
