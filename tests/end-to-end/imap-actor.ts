import type { ImapFlow } from 'imapflow';
import type { TestServer, TestUser } from '../servers/servers.ts';
import { imapClient } from './imap-client.ts';

/** One message in a mailbox as another IMAP client sees it. */
export type ObservedRow = {
  readonly uid: number;
  /** As the server spells them, without `\Recent`. */
  readonly flags: readonly string[];
  /** INTERNALDATE in seconds since the epoch. */
  readonly internalDate: number;
  readonly size: number;
  /** What tells one content from another: the field that every letter of these tests has. */
  readonly token: string;
  /** The token of the first message of its conversation. */
  readonly conversation: string;
};

/** One mailbox as another IMAP client sees it. */
export type ObservedMailbox = {
  readonly name: string;
  readonly subscribed: boolean;
  readonly selectable: boolean;
  readonly uidValidity: number;
  readonly rows: readonly ObservedRow[];
};

export type DeliveryOptions = { readonly flags?: readonly string[]; readonly receivedAt?: Date };

/**
 * Another IMAP client of the same user: it changes the mailbox behind the proxy, and counts what is there. Mailboxes are named without the
 * prefix of the personal namespace, with slashes between the levels.
 */
export type ImapActor = {
  /** APPEND; answers the UID. */
  readonly deliver: (mailbox: string, message: string | Uint8Array, options?: DeliveryOptions) => Promise<number>;
  /** UID MOVE. */
  readonly move: (from: string, uids: readonly number[], to: string) => Promise<void>;
  /** UID COPY, also into the same mailbox. */
  readonly copy: (from: string, uids: readonly number[], to: string) => Promise<void>;
  readonly flag: (mailbox: string, uids: readonly number[], flags: readonly string[]) => Promise<void>;
  readonly unflag: (mailbox: string, uids: readonly number[], flags: readonly string[]) => Promise<void>;
  readonly markDeleted: (mailbox: string, uids: readonly number[]) => Promise<void>;
  readonly undelete: (mailbox: string, uids: readonly number[]) => Promise<void>;
  /** `\Deleted` and UID EXPUNGE of these and no others. */
  readonly expunge: (mailbox: string, uids: readonly number[]) => Promise<void>;
  readonly create: (mailbox: string) => Promise<void>;
  readonly rename: (mailbox: string, to: string) => Promise<void>;
  /** Whether a mailbox with others below it can be removed, which leaves a mere node; or else only those below can. */
  readonly removesAboveOthers: boolean;
  readonly remove: (mailbox: string) => Promise<void>;
  readonly subscribe: (mailbox: string) => Promise<void>;
  readonly unsubscribe: (mailbox: string) => Promise<void>;
  /** The same name and the same messages under another UIDVALIDITY and other UIDs. */
  readonly recreate: (mailbox: string) => Promise<void>;
  /** The whole account. */
  readonly observe: () => Promise<readonly ObservedMailbox[]>;
  readonly rows: (mailbox: string) => Promise<readonly ObservedRow[]>;
  /** The UIDs of a mailbox, ascending. */
  readonly uids: (mailbox: string) => Promise<readonly number[]>;
  /** The octets of a message. */
  readonly source: (mailbox: string, uid: number) => Promise<Buffer>;
  readonly close: () => Promise<void>;
};

/** Logs in as the user. Every method fails when the server refuses. */
export async function imapActor(
  { name: server, ...at }: Pick<TestServer, 'name' | 'host' | 'imapPort'>,
  user: TestUser,
): Promise<ImapActor> {
  const client = await imapClient(at, user);
  const { prefix = '' } = client.namespace ?? {};
  const delimiter = client.namespace?.delimiter ?? '/';
  const onServer = (name: string) => (name === 'INBOX' ? name : `${prefix}${name.replaceAll('/', delimiter)}`);
  const ofServer = (path: string) => (path === 'INBOX' ? path : path.slice(prefix.length).replaceAll(delimiter, '/'));

  const inside = async <T>(mailbox: string, act: () => Promise<T | false | undefined>): Promise<T> => {
    await client.mailboxOpen(onServer(mailbox));
    return accepted(act());
  };
  const store = (mailbox: string, uids: readonly number[], flags: readonly string[], operation: 'Add' | 'Remove') =>
    inside(mailbox, () => client[`messageFlags${operation}`](uids.join(), [...flags], { uid: true }));
  const move = async (from: string, uids: readonly number[], to: string) => {
    await inside(from, () => client.messageMove(uids.join(), onServer(to), { uid: true }));
  };
  /**
   * QUIRK(cyrus 3.6): a deleted mailbox lives on under a name that ends in the second of its death, so it refuses to delete
   * two of one name in one second.
   */
  const remove = async (mailbox: string): Promise<void> => {
    for (const until = Date.now() + 2_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      try {
        await client.mailboxDelete(onServer(mailbox));
        return;
      } catch (error) {
        const isTooSoon = (error as { responseText?: string }).responseText === 'Mailbox already exists';
        if (!isTooSoon || Date.now() > until) throw error;
      }
    }
  };
  const uidsOf = async (mailbox: string): Promise<readonly number[]> => {
    const { exists } = await client.mailboxOpen(onServer(mailbox), { readOnly: true });
    if (exists === 0) return [];
    return (await client.fetchAll('1:*', { uid: true })).map(({ uid }) => uid);
  };

  const rowsOf = async (mailbox: string): Promise<Pick<ObservedMailbox, 'uidValidity' | 'rows'>> => {
    const { exists, uidValidity } = await client.mailboxOpen(onServer(mailbox), { readOnly: true });
    const messages = exists > 0 ? await client.fetchAll('1:*', everything) : [];
    return { uidValidity: Number(uidValidity), rows: messages.map(rowOf) };
  };

  return {
    deliver: async (mailbox, message, { flags = [], receivedAt } = {}) => {
      // QUIRK(courier 5.0): nothing is appended to a mailbox that the same session has open for reading.
      if (client.mailbox !== false && client.mailbox.readOnly === true) await client.mailboxOpen(onServer(mailbox));
      const octets = typeof message === 'string' ? Buffer.from(message) : Buffer.from(message);
      const { uid } = await accepted(client.append(onServer(mailbox), octets, [...flags], receivedAt));
      if (uid === undefined) throw new Error('The server did not tell the UID');
      return uid;
    },
    move,
    copy: async (from, uids, to) => {
      await inside(from, () => client.messageCopy(uids.join(), onServer(to), { uid: true }));
    },
    flag: async (mailbox, uids, flags) => {
      await store(mailbox, uids, flags, 'Add');
    },
    unflag: async (mailbox, uids, flags) => {
      await store(mailbox, uids, flags, 'Remove');
    },
    markDeleted: async (mailbox, uids) => {
      await store(mailbox, uids, ['\\Deleted'], 'Add');
    },
    undelete: async (mailbox, uids) => {
      await store(mailbox, uids, ['\\Deleted'], 'Remove');
    },
    expunge: async (mailbox, uids) => {
      await inside(mailbox, () => client.messageDelete(uids.join(), { uid: true }));
    },
    create: async (mailbox) => {
      await client.mailboxCreate(onServer(mailbox));
    },
    rename: async (mailbox, to) => {
      // QUIRK(courier 5.0): nothing is renamed above a mailbox that the same session has open.
      await client.mailboxOpen('INBOX', { readOnly: true });
      await client.mailboxRename(onServer(mailbox), onServer(to));
    },
    // QUIRK(cyrus 3.6): [HASCHILDREN].
    removesAboveOthers: server !== 'cyrus',
    remove,
    subscribe: async (mailbox) => {
      await accepted(client.mailboxSubscribe(onServer(mailbox)));
    },
    unsubscribe: async (mailbox) => {
      await accepted(client.mailboxUnsubscribe(onServer(mailbox)));
    },
    recreate: async (mailbox) => {
      const keeping = `${mailbox}-kept`;
      const uids = await uidsOf(mailbox);
      await client.mailboxCreate(onServer(keeping));
      if (uids.length > 0) await move(mailbox, uids, keeping);
      await remove(mailbox);
      await client.mailboxCreate(onServer(mailbox));
      const kept = await uidsOf(keeping);
      if (kept.length > 0) await move(keeping, kept, mailbox);
      await remove(keeping);
    },
    observe: async () => {
      const observed: ObservedMailbox[] = [];
      for (const { path, flags, subscribed } of await client.list()) {
        const selectable = !flags.has('\\Noselect') && !flags.has('\\NonExistent');
        const name = ofServer(path);
        const content = selectable ? await rowsOf(name) : { uidValidity: 0, rows: [] };
        observed.push({ name, subscribed: subscribed === true, selectable, ...content });
      }
      return observed;
    },
    rows: async (mailbox) => (await rowsOf(mailbox)).rows,
    uids: uidsOf,
    source: async (mailbox, uid) => {
      await client.mailboxOpen(onServer(mailbox), { readOnly: true });
      const message = await client.fetchOne(`${uid}`, { source: true }, { uid: true });
      if (message === false || message.source === undefined) throw new Error(`There is no message ${uid}`);
      return message.source;
    },
    close: () => client.logout(),
  };
}

/** imapflow answers `false` or nothing where the server refused. */
async function accepted<T>(answer: Promise<T | false | undefined>): Promise<T> {
  const value = await answer;
  if (value === false || value === undefined) throw new Error('The mail server refused what the actor wanted');
  return value;
}

const everything = {
  ...{ uid: true, flags: true, internalDate: true, size: true },
  headers: ['x-token', 'x-conversation'],
};

function rowOf(message: Awaited<ReturnType<ImapFlow['fetchAll']>>[number]): ObservedRow {
  const { uid, flags = new Set(), internalDate, size = 0, headers } = message;
  const field = (name: string) => new RegExp(`^${name}: *(\\S+)`, 'im').exec(headers?.toString() ?? '')?.[1] ?? '';
  return {
    uid,
    flags: [...flags].filter((flag) => flag.toLowerCase() !== '\\recent'),
    internalDate: Math.floor(new Date(internalDate ?? 0).getTime() / 1000),
    size,
    token: field('x-token'),
    conversation: field('x-conversation'),
  };
}
