import type { Id } from '../jmap/scalars.ts';
import type { Email, MailboxKey } from './email.ts';
import { emailIdOf, nthEmailId, sharesIdInMailbox } from './ids.ts';
import type { Appearance } from './source.ts';
import type { IdentityScheme } from './view.ts';

/** Of byte-identical messages in one mailbox so many are followed through moves; further ones may swap ids among themselves. */
const copiesFollowedMax = 32;

/** A message that appeared in a mailbox, to be named. */
export type Newcomer = { readonly mailbox: MailboxKey; readonly uidValidity: number; readonly appearance: Appearance };

/** What is known of Emails while newcomers are named. */
export type Known = {
  /** Makes `email` answer for these ids. */
  readonly load: (ids: Iterable<Id>) => Promise<void>;
  /** The Email before the edit; null where there is none. */
  readonly email: (id: Id) => Email | null;
  /** Whether the row of that place is gone. */
  readonly isGone: (mailbox: MailboxKey, uid: number) => boolean;
  /** Per Email id, how many of its rows are gone. */
  readonly goneRows: ReadonlyMap<Id, number>;
};

/**
 * The Email id of each newcomer, given in (mailbox, UID) order. Where the server's id names the Email, that is it. Else ids go
 * by content: a vanished row hands its id over to a newcomer of equal content before any other id is given, and a newcomer whose
 * id is already taken in its mailbox is the n-th of equal content there.
 */
export async function identify(
  scheme: IdentityScheme,
  newcomers: readonly Newcomer[],
  known: Known,
): Promise<ReadonlyMap<Newcomer, Id>> {
  const firsts = new Map(newcomers.map((one) => [one, emailIdOf(scheme, one.appearance, one.uidValidity)]));
  await known.load(firsts.values());
  if (sharesIdInMailbox(scheme)) return firsts;

  const named = new Map<Newcomer, Id>();
  const taken = new Map<MailboxKey, Set<Id>>();
  const isFree = (mailbox: MailboxKey, id: Id): boolean =>
    taken.get(mailbox)?.has(id) !== true &&
    known.email(id)?.rows.some((row) => row.mailbox === mailbox && !known.isGone(mailbox, row.uid)) !== true;
  const take = (newcomer: Newcomer, id: Id): void => {
    named.set(newcomer, id);
    const ids = taken.get(newcomer.mailbox) ?? new Set();
    taken.set(newcomer.mailbox, ids.add(id));
  };

  const heirless = new Map(known.goneRows);
  let waiting: (readonly [Newcomer, Id])[] = [];
  for (const [newcomer, first] of firsts) {
    const inherited = inheritance(first, heirless, (id) => isFree(newcomer.mailbox, id));
    if (inherited === undefined) {
      waiting.push([newcomer, first]);
      continue;
    }
    take(newcomer, inherited);
    const left = (heirless.get(inherited) ?? 0) - 1;
    if (left > 0) heirless.set(inherited, left);
    else heirless.delete(inherited);
  }

  for (let n = 1; waiting.length > 0; n += 1) {
    await known.load(waiting.map(([, first]) => nthEmailId(first, n)));
    waiting = waiting.filter(([newcomer, first]) => {
      const id = nthEmailId(first, n);
      if (!isFree(newcomer.mailbox, id)) return true;
      take(newcomer, id);
      return false;
    });
  }
  return named;
}

/** The id of a vanished row whose content is that of the first id, and which may be taken. */
function inheritance(first: Id, heirless: ReadonlyMap<Id, number>, isFree: (id: Id) => boolean): Id | undefined {
  for (let n = 1; n <= copiesFollowedMax && heirless.size > 0; n += 1) {
    const id = nthEmailId(first, n);
    if (heirless.has(id) && isFree(id)) return id;
  }
  return undefined;
}
