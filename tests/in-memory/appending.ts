import { parseMessage } from '../../shared/message/parse-message.ts';
import { sectionOf } from '../../shared/message/section.ts';
import type { Appended, AppendPiece, CanAppendMessages, NewMessage } from '../../shared/methods/Email/mail.ts';
import type { FakeMailServer } from '../catalog/fake-mail-server.ts';
import { contentOfMessage } from './mail.ts';

/** What the mail server in memory can do with new messages, and what it refuses. */
export type AppendingAbilities = {
  /** UIDPLUS: the UID of a new message is told. */
  readonly uidPlus?: boolean;
  /** CATENATE. */
  readonly catenate?: boolean;
  /** What becomes of a message instead of being put in; asked before each. `put`: whether it is put in all the same. */
  readonly instead?: (message: NewMessage) => { readonly failure: Appended['failure']; readonly put?: boolean } | null;
  /** Told of each message, with the kinds of its pieces. */
  readonly onAppend?: (mailbox: string, pieces: readonly string[]) => void;
};

/** Putting messages into the mailboxes of the mail server; each is put in at one instant, when all of it has come. */
export function appendingOf(server: FakeMailServer, abilities: AppendingAbilities = {}): CanAppendMessages {
  const { uidPlus = true, catenate = false, instead = () => null, onAppend = () => {} } = abilities;
  const isThere = (mailbox: string, uidValidity: number) =>
    server.names().includes(mailbox) && server.uidValidity(mailbox) === uidValidity;

  const octetsOf = async (piece: AppendPiece): Promise<Buffer | null> => {
    if (piece.kind === 'octets') return Buffer.from(piece.octets);
    if (piece.kind === 'stored') {
      const { mailbox, uidValidity, uid } = piece.place;
      const found = isThere(mailbox, uidValidity)
        ? server.messages(mailbox).find((each) => each.uid === uid)
        : undefined;
      const octets = Buffer.from(found?.content.body ?? '', 'latin1');
      const section = found && sectionOf({ octets, root: parseMessage(octets) }, piece.section);
      return section ? Buffer.from(section) : null;
    }
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of await piece.open()) chunks.push(chunk);
      const octets = Buffer.concat(chunks);
      return octets.length === piece.size ? octets : null;
    } catch {
      return null;
    }
  };

  return {
    canTakeStored: async () => catenate,
    append: async (message) => {
      const { mailbox, uidValidity, flags, receivedAt, pieces } = message;
      onAppend(
        mailbox,
        pieces.map(({ kind }) => kind),
      );
      const deviation = instead(message);
      if (deviation !== null && !deviation.put) return { done: null, failure: deviation.failure };
      const octets: Buffer[] = [];
      for (const piece of pieces) {
        const some = await octetsOf(piece);
        if (some === null) return { done: null, failure: 'unread' };
        octets.push(some);
      }
      if (!server.names().includes(mailbox)) return { done: null, failure: 'noTarget' };
      const content = contentOfMessage(Buffer.concat(octets).toString('latin1'));
      const uid = server.append(mailbox, content, { flags, internalDate: receivedAt });
      if (deviation !== null) return { done: null, failure: deviation.failure };
      const isTold = uidPlus || server.uidValidity(mailbox) !== uidValidity;
      return { done: isTold ? { uidValidity: server.uidValidity(mailbox), uid } : null, failure: null };
    },
    findLike: async ({ mailbox, uidValidity, uidFrom }, { messageId, receivedAt, size }) => {
      if (!isThere(mailbox, uidValidity)) return 'gone';
      const alike = server
        .messages(mailbox)
        .filter(
          (each) => each.uid >= uidFrom && each.content.messageId === messageId && each.internalDate === receivedAt,
        )
        .sort((a, b) => a.uid - b.uid);
      const sameSize = alike.findLast(({ content }) => content.size === size);
      return (sameSize ?? (messageId === '' ? undefined : alike.at(-1)))?.uid ?? 'absent';
    },
  };
}
