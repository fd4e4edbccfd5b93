import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '../jmap/errors.ts';
import { parseHeaders } from '../message/parse-headers.ts';
import { unfold } from '../message/unfold.ts';
import type {
  Appended,
  AppendPiece,
  CanAppendMessages,
  Likeness,
  NewMessage,
  WriteFailure,
} from '../methods/Email/mail.ts';
import { compileAppend } from './append-command.ts';
import { atom, bodyPeek, list } from './arguments.ts';
import { unlessGone } from './at-place.ts';
import { CommandRefused, SourceFailed } from './failure.ts';
import { fetchItem, fetchSection, internalDate } from './fetch-row.ts';
import { fetchRows } from './fetch-rows.ts';
import { imapLimits } from './limits.ts';
import { encodeName } from './mailbox-name.ts';
import { type ImapValue, numberOf, octetsOf } from './response.ts';
import type { ImapSession } from './session.ts';
import { uidsIn } from './uid-ranges.ts';
import type { ChangeWithSession, UseSession } from './use.ts';
import { failureOf, objectionTo } from './write-messages.ts';

/** Putting messages into mailboxes over sessions that `change` provides: one command for a message. */
export function imapAppending(use: UseSession, change: ChangeWithSession): CanAppendMessages {
  return {
    canTakeStored: () => use(async (session) => session.has('CATENATE')),
    append: async (message) => {
      const watched = watchedSources(message.pieces);
      let isUnknown = false;
      try {
        return await change(
          async (session) => encodeName(message.mailbox, session.nameEncoding),
          async (session, wire) => {
            try {
              return await appendOn(session, wire, { ...message, pieces: watched.pieces });
            } catch (error) {
              // A server that goes on to talk has said no.
              isUnknown = !session.isOpen && watched.isSent();
              throw error;
            }
          },
        );
      } catch (error) {
        if (error instanceof SourceFailed) return { done: null, failure: 'unread' };
        if (!(error instanceof Unavailable) || !isUnknown) throw error;
        return { done: null, failure: 'lost' };
      }
    },
    findLike: async (mailbox, likeness, mayCome) => {
      const look = () =>
        use(async (session): Promise<number | 'absent' | 'gone'> => {
          const wire = encodeName(mailbox.mailbox, session.nameEncoding);
          const examined = wire === null ? null : await unlessGone(session.examine(wire));
          if (examined?.uidValidity !== mailbox.uidValidity) return 'gone';
          return newestLike(session, mailbox.uidFrom, examined.uidNext, likeness);
        });
      let found = await look();
      for (const pauseMs of mayCome ? pausesMs : []) {
        if (found !== 'absent') break;
        await pause(pauseMs);
        found = await look();
      }
      return found;
    },
  };
}

/** Before each further look for a message that the server may be about to store: the session that sent it is over, its work perhaps not. */
const pausesMs = [300, 700, 1_500];

async function appendOn(session: ImapSession, wire: string | null, message: NewMessage): Promise<Appended> {
  if (wire === null) return { done: null, failure: 'noTarget' };
  if (sizeOf(message.pieces) > appendLimit(session)) return { done: null, failure: 'tooLarge' };
  session.noteSeen(wire);
  try {
    const { code } = await session.append((tag, literals) => compileAppend(tag, wire, message, literals));
    const [uidValidity, uid] = code?.name === 'APPENDUID' ? code.values.map((value) => numberOf(value)) : [];
    return { done: uidValidity && uid ? { uidValidity, uid } : null, failure: null };
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
    // QUIRK(courier 5.0): nothing is appended to a mailbox that the same session has open for reading.
    if (failureOf(error) === 'forbidden' && session.isOpen && session.isReading(wire)) {
      await session.unselect();
      return appendOn(session, wire, message);
    }
    if (error.code === 'BADURL') return { done: null, failure: 'unread' };
    const failure = failureOf(error);
    return { done: null, failure: failure === 'refused' ? await reasonIn(session, wire, message) : failure };
  }
}

/** Why the mailbox has refused the message. QUIRK(courier 5.0): it does not say so of a keyword that it does not keep. */
async function reasonIn(session: ImapSession, wire: string, { uidValidity, flags }: NewMessage): Promise<WriteFailure> {
  if (flags.every((flag) => flag.startsWith('\\'))) return 'refused';
  try {
    const selected = await session.select(wire, uidValidity, 1);
    return (selected && objectionTo(selected, flags, 'add')) ?? 'refused';
  } catch {
    // It is refused, whatever else goes wrong.
    return 'refused';
  }
}

/** What is sent of the pieces; the server counts the others itself. */
function sizeOf(pieces: readonly AppendPiece[]): number {
  return pieces.reduce((sum, piece) => {
    if (piece.kind === 'octets') return sum + piece.octets.byteLength;
    return piece.kind === 'stream' ? sum + piece.size : sum;
  }, 0);
}

/** RFC 7889 §2: octets of the largest message that the server takes. */
function appendLimit({ capabilities }: ImapSession): number {
  for (const capability of capabilities) {
    const [, octets] = /^APPENDLIMIT=(\d+)$/.exec(capability) ?? [];
    if (octets !== undefined) return Number(octets);
  }
  return Number.POSITIVE_INFINITY;
}

/** The pieces, and whether all that comes from elsewhere has been sent: before that, the server cannot have the message. */
function watchedSources(pieces: readonly AppendPiece[]): { pieces: readonly AppendPiece[]; isSent: () => boolean } {
  const unsent = new Set(pieces.filter(({ kind }) => kind === 'stream'));
  const watched = pieces.map((piece): AppendPiece => {
    if (piece.kind !== 'stream') return piece;
    const open = async function* () {
      unsent.add(piece);
      yield* await piece.open();
      unsent.delete(piece);
    };
    return { ...piece, open };
  });
  return { pieces: watched, isSent: () => unsent.size === 0 };
}

async function newestLike(
  session: ImapSession,
  from: number,
  next: number,
  likeness: Likeness,
): Promise<number | 'absent'> {
  if (from >= next) return 'absent';
  const uids = uidsIn([[from, next - 1]], imapLimits.mailboxMessagesMax);
  const items = [
    ...['UID', 'INTERNALDATE', 'RFC822.SIZE'].map(atom),
    bodyPeek([atom('HEADER.FIELDS'), list(atom('MESSAGE-ID'))]),
  ];
  const rows = await fetchRows(session, uids, items);
  const alike = uids.filter((uid) => isLike(rows.get(uid) ?? [], likeness));
  const sameSize = alike.findLast((uid) => sizeIn(rows.get(uid) ?? []) === likeness.size);
  return sameSize ?? (likeness.messageId === '' ? undefined : alike.at(-1)) ?? 'absent';
}

function isLike(items: readonly ImapValue[], { messageId, receivedAt }: Likeness): boolean {
  const block = octetsOf(fetchSection(items, 'HEADER.FIELDS'));
  const field = block === null ? undefined : parseHeaders(block)[0];
  return (
    unfold(field?.value ?? '').trim() === messageId && internalDate(fetchItem(items, 'INTERNALDATE')) === receivedAt
  );
}

function sizeIn(items: readonly ImapValue[]): number | null {
  return numberOf(fetchItem(items, 'RFC822.SIZE'), Number.MAX_SAFE_INTEGER);
}
