import { MailboxGone } from '../catalog/source.ts';
import type { Place } from '../methods/Email/mail.ts';
import { encodeName } from './mailbox-name.ts';
import type { ImapSession } from './session.ts';

/** A mailbox as it was when UIDs of it were learned: all below `uidNext`. */
export type MailboxAt = Omit<Place, 'uid'> & { readonly uidNext: number };

/** Opens the mailbox; false where no UID of it may be used any more. */
export async function isAt(session: ImapSession, { mailbox, uidValidity, uidNext }: MailboxAt): Promise<boolean> {
  const wire = encodeName(mailbox, session.nameEncoding);
  return wire !== null && (await unlessGone(session.examineAgain(wire, uidValidity, uidNext))) !== null;
}

/** What was asked of a mailbox; null where it was taken away meanwhile. */
export async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof MailboxGone) return null;
    throw error;
  }
}

/** The mailbox of places that are all in the same one; null where there is no place. */
export function mailboxOf(places: readonly Place[]): MailboxAt | null {
  const [first] = places;
  if (!first) return null;
  const lastUid = places.reduce((last, { uid }) => Math.max(last, uid), 0);
  return { mailbox: first.mailbox, uidValidity: first.uidValidity, uidNext: lastUid + 1 };
}
