import { ImapFlow } from 'imapflow';
import type { MailAccount } from '../../functions/local/append-messages.ts';
import { atom, bodyPeek, type ImapArgument, list, mailbox, string, uidSet } from '../../shared/imap/arguments.ts';
import { rangesOf } from '../../shared/imap/uid-ranges.ts';

/**
 * The reference: what a program that knows IMAP well would send on an open connection for the same screen, with imapflow's parser
 * and nothing behind it. It finds no threads, gives no ids that last, and remembers nothing.
 */
export type RawClient = {
  /** LIST-STATUS, EXAMINE, SORT, FETCH of the newest 50. Answers the UIDs of those. */
  readonly openInbox: () => Promise<readonly number[]>;
  /** EXAMINE, FETCH of the structure and all octets of one message. Answers how many octets those are. */
  readonly fullMessage: (uid: number) => Promise<number>;
  /** LIST-STATUS, SELECT, STORE of one flag. */
  readonly setFlagged: (uid: number, isFlagged: boolean) => Promise<void>;
  readonly close: () => void;
};

const messagesShown = 50;

/** LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)) */
const listStatus: Command = {
  name: 'LIST',
  parameters: [
    string(''),
    string('*'),
    atom('RETURN'),
    list(
      ...[atom('SPECIAL-USE'), atom('SUBSCRIBED'), atom('STATUS')],
      list(...['MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY', 'HIGHESTMODSEQ'].map(atom)),
    ),
  ],
};

/** EXAMINE INBOX */
const examine: Command = { name: 'EXAMINE', parameters: [mailbox('INBOX')] };

/** SELECT INBOX */
const select: Command = { name: 'SELECT', parameters: [mailbox('INBOX')] };

/** UID STORE … +FLAGS (\\Flagged) */
const storeFlagged = (uid: number, isFlagged: boolean): Command => ({
  name: 'UID STORE',
  parameters: [uidSet([[uid, uid]]), atom(isFlagged ? '+FLAGS' : '-FLAGS'), list(atom('\\Flagged'))],
});

/** UID SORT (REVERSE ARRIVAL) US-ASCII ALL */
const sort: Command = {
  name: 'UID SORT',
  parameters: [list(atom('REVERSE'), atom('ARRIVAL')), atom('US-ASCII'), atom('ALL')],
};

/** UID FETCH … (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE PREVIEW BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT)]) */
const fetchShown = (uids: readonly number[]): Command => ({
  name: 'UID FETCH',
  parameters: [
    uidSet(rangesOf(uids)),
    list(
      ...['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'BODYSTRUCTURE', 'PREVIEW'].map(atom),
      bodyPeek([atom('HEADER.FIELDS'), list(atom('FROM'), atom('TO'), atom('SUBJECT'))]),
    ),
  ],
});

/** UID FETCH … (UID FLAGS INTERNALDATE BODYSTRUCTURE BODY.PEEK[]) */
const fetchWhole = (uid: number): Command => ({
  name: 'UID FETCH',
  parameters: [
    uidSet([[uid, uid]]),
    list(...['UID', 'FLAGS', 'INTERNALDATE', 'BODYSTRUCTURE'].map(atom), bodyPeek([])),
  ],
});

declare module 'imapflow' {
  interface ImapFlow {
    /** `untagged`: what takes the untagged responses, by their name. */
    exec(
      command: string,
      parameters: readonly ImapArgument[],
      options: { readonly untagged: { readonly [name: string]: (response: Untagged) => Promise<void> } },
    ): Promise<{ readonly next: () => void }>;
  }
}

type Command = { readonly name: string; readonly parameters: readonly ImapArgument[] };

/** An untagged response as imapflow parses it. */
type Untagged = { readonly attributes: readonly Value[] };
type Value = readonly Value[] | { readonly value: string | Buffer } | null;

/** Connects, logs in, and enables what a client that keeps mailboxes up to date enables. */
export async function connectRawClient({ host, imapPort, user, password }: MailAccount): Promise<RawClient> {
  const client = new ImapFlow({
    ...{ host, port: imapPort, secure: false, doSTARTTLS: false },
    ...{ auth: { user, pass: password }, logger: false, disableAutoIdle: true, disableCompression: true },
  });
  client.on('error', () => {});
  await client.connect();

  /** Runs a command and gives its untagged responses of one name. */
  const run = async ({ name, parameters }: Command, response: string): Promise<readonly (readonly Value[])[]> => {
    const responses: (readonly Value[])[] = [];
    const take = async ({ attributes }: Untagged) => {
      responses.push(attributes);
    };
    const answer = await client.exec(name, parameters, { untagged: { [response]: take } });
    answer.next();
    return responses;
  };

  return {
    openInbox: async () => {
      await run(listStatus, 'STATUS');
      await run(examine, 'EXISTS');
      const [sorted = []] = await run(sort, 'SORT');
      const uids = sorted.slice(0, messagesShown).map((uid) => Number(textOf(uid)));
      const rows = await run(fetchShown(uids), 'FETCH');
      return rows.map(shown).map(({ uid }) => uid);
    },
    fullMessage: async (uid) => {
      await run(examine, 'EXISTS');
      const [row = []] = await run(fetchWhole(uid), 'FETCH');
      return octetsOf(itemsOf(row).get('BODY')).length;
    },
    setFlagged: async (uid, isFlagged) => {
      await run(listStatus, 'STATUS');
      await run(select, 'EXISTS');
      await run(storeFlagged(uid, isFlagged), 'FETCH');
    },
    close: () => client.close(),
  };
}

/** What a list of messages shows of one row. */
function shown(row: readonly Value[]) {
  const items = itemsOf(row);
  const flags = items.get('FLAGS');
  return {
    uid: Number(textOf(items.get('UID') ?? null)),
    flags: Array.isArray(flags) ? flags.map(textOf) : [],
    receivedAt: new Date(textOf(items.get('INTERNALDATE') ?? null)),
    size: Number(textOf(items.get('RFC822.SIZE') ?? null)),
    structure: items.get('BODYSTRUCTURE'),
    preview: octetsOf(items.get('PREVIEW')).toString(),
    headers: octetsOf(items.get('BODY')).toString(),
  };
}

function itemsOf(row: readonly Value[]): ReadonlyMap<string, Value> {
  const values = row.find((value): value is readonly Value[] => Array.isArray(value)) ?? [];
  const items = new Map<string, Value>();
  for (let at = 0; at + 1 < values.length; at += 2) items.set(textOf(values[at] ?? null), values[at + 1] ?? null);
  return items;
}

function octetsOf(value: Value | undefined): Buffer {
  if (value === undefined || value === null || !('value' in value)) return Buffer.alloc(0);
  return Buffer.from(value.value);
}

function textOf(value: Value): string {
  return octetsOf(value).toString();
}
