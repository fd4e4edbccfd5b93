import type { Partition } from '../../shared/aws/dynamodb-partition.ts';
import type { Row } from '../../shared/catalog/email.ts';
import type { MailboxEntry } from '../../shared/catalog/mailbox.ts';
import { BlockLost, type CatalogView } from '../../shared/catalog/view.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { unpackCommit } from '../../shared/records/packed-collection.ts';
import type { RecordStore } from '../../shared/records/store.ts';
import { type Due, dueIn, everythingDue, heldPrefix, removeDue } from '../sending/queue.ts';
import type { AccountFiles, KeptFile } from './files.ts';

/** Every place where something is kept of one account. */
export type AccountPlaces = {
  readonly account: Id;
  readonly records: Partition;
  /** Where it is noted what is due; of all accounts together. */
  readonly store: RecordStore;
  readonly outbox: AccountFiles;
  readonly uploads: AccountFiles;
  readonly catalog: Partition;
  /** The newest version of the catalog; null: there is none. */
  readonly openCatalog: () => Promise<CatalogView | null>;
};

/** Everything that is kept of an account but what is sealed: of that, that it is there. */
export type AccountData = {
  readonly account: Id;
  /** By type, as they are kept: what clients see of them, and what it takes to go on with them. */
  readonly records: { readonly [type: string]: readonly JsonObject[] };
  /** Messages that wait to be sent. Each is sealed, and so is the credential beside it. */
  readonly waiting: {
    readonly messages: readonly KeptFile[];
    readonly credentials: readonly { readonly id: string; readonly octets: number }[];
    readonly due: readonly { readonly id: Id; readonly at: string }[];
  };
  readonly uploads: readonly KeptFile[];
  /** What was remembered of the mailboxes to answer soon; it is made anew from them. */
  readonly catalog: {
    readonly items: number;
    readonly octets: number;
    readonly mailboxes: readonly Omit<MailboxEntry, 'key'>[];
    readonly messages: readonly (Row & { readonly mailboxId: Id })[];
  };
};

/** How many items went, by place. */
export type Erased = { readonly [place in 'records' | 'due' | 'outbox' | 'uploads' | 'catalog']: number };

const recordsPrefix = 'records/';

/** All of it, for whoever asks what is kept of him. Throws `Unavailable`. */
export async function exportAccount(places: AccountPlaces): Promise<AccountData> {
  const { account, records, outbox, uploads, catalog } = places;
  const items = await records.items();
  const collections = items.filter(({ key }) => key.startsWith(recordsPrefix));
  const blocks = await catalog.items();
  return {
    account,
    records: Object.fromEntries(
      collections.map(({ key, bytes }) => {
        const { collection } = unpackCommit(bytes);
        return [key.slice(recordsPrefix.length), [...collection.records].map(([id, { value }]) => ({ id, ...value }))];
      }),
    ),
    waiting: {
      messages: await outbox.list(),
      credentials: items
        .filter(({ key }) => key.startsWith(heldPrefix))
        .map(({ key, bytes }) => ({ id: key.slice(heldPrefix.length), octets: bytes.length })),
      due: (await dueOf(places)).map(({ id, at }) => ({ id, at: new Date(at).toISOString() })),
    },
    uploads: await uploads.list(),
    catalog: {
      items: blocks.length,
      octets: blocks.reduce((sum, { bytes }) => sum + bytes.length, 0),
      ...(await remembered(await places.openCatalog())),
    },
  };
}

/**
 * Removes all of it. The records go first: what waits is not sent any more from then on, by anybody. A client that comes again is one
 * that was never there. Throws `Unavailable`; then it can be called again.
 */
export async function eraseAccount(places: AccountPlaces): Promise<Erased> {
  const records = await places.records.erase();
  const due = await dueOf(places);
  for (const each of due) await removeDue(places.store, each);
  const outbox = await places.outbox.erase();
  const uploads = await places.uploads.erase();
  const catalog = await places.catalog.erase();
  return { records, due: due.length, outbox, uploads, catalog };
}

async function dueOf({ account, store }: AccountPlaces): Promise<Due[]> {
  const found: Due[] = [];
  for await (const due of everythingDue({ dueUntil: dueIn(store) }, endOfTime)) {
    if (due.account === account) found.push(due);
  }
  return found;
}
const endOfTime = 10 ** 15 - 1;

async function remembered(view: CatalogView | null): Promise<Pick<AccountData['catalog'], 'mailboxes' | 'messages'>> {
  const mailboxes: Omit<MailboxEntry, 'key'>[] = [];
  const messages: (Row & { readonly mailboxId: Id })[] = [];
  if (view === null) return { mailboxes, messages };
  try {
    for (const { key, ...mailbox } of (await view.mailboxes()).values()) {
      mailboxes.push(mailbox);
      for (const block of await view.rowBlocks(key)) {
        for (const row of await block.rows()) messages.push({ mailboxId: mailbox.id, ...row });
      }
    }
  } catch (error) {
    // A part of it has expired: nobody can read that any more.
    if (!(error instanceof BlockLost)) throw error;
  }
  return { mailboxes, messages };
}
