import type { Id } from '../jmap/scalars.ts';
import type { Email, EmailRow, MailboxKey } from './email.ts';
import { emailIdOf, nthEmailId, sharesIdInMailbox } from './ids.ts';
import { keywordsOfFlags } from './keywords.ts';
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
  /** What the row of that place is now. */
  readonly rowNow: (email: Email, row: EmailRow) => 'present' | 'deleted' | 'gone';
  /** Per Email id, how many of its rows are gone. */
  readonly goneRows: ReadonlyMap<Id, number>;
};

/**
 * The Email id of each newcomer, given in (mailbox, UID) order. Where the server's id names the Email, that is it. Else ids go
 * by content: a vanished row hands its id over to a newcomer of equal content before any other id is given, and a newcomer whose
 * id is already taken in its mailbox is the n-th of equal content there. Rows flagged `\Deleted` take no id from others: a client
 * that moves a message away and back by copies, and never expunges, has the same Email all the time.
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
  const isFree = ({ mailbox, appearance }: Newcomer, id: Id): boolean => {
    if (taken.get(mailbox)?.has(id) === true) return false;
    const email = known.email(id);
    if (email === null) return true;
    const isInTheWay = (row: EmailRow) => {
      const now = known.rowNow(email, row);
      return now === 'present' || (now === 'deleted' && isDeleted(appearance));
    };
    return !email.rows.some((row) => row.mailbox === mailbox && isInTheWay(row));
  };
  const take = (newcomer: Newcomer, id: Id): void => {
    named.set(newcomer, id);
    const ids = taken.get(newcomer.mailbox) ?? new Set();
    taken.set(newcomer.mailbox, ids.add(id));
  };

  const heirless = new Map(known.goneRows);
  let waiting: (readonly [Newcomer, Id])[] = [];
  for (const [newcomer, first] of presentFirst(firsts)) {
    const inherited = inheritance(first, heirless, (id) => isFree(newcomer, id));
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
      if (!isFree(newcomer, id)) return true;
      take(newcomer, id);
      return false;
    });
  }
  return named;
}

function presentFirst(newcomers: ReadonlyMap<Newcomer, Id>): [Newcomer, Id][] {
  return [...newcomers].sort(([a], [b]) => Number(isDeleted(a.appearance)) - Number(isDeleted(b.appearance)));
}

function isDeleted({ flags }: Appearance): boolean {
  return keywordsOfFlags(flags).deleted;
}

/** The id of a vanished row whose content is that of the first id, and which may be taken. */
function inheritance(first: Id, heirless: ReadonlyMap<Id, number>, isFree: (id: Id) => boolean): Id | undefined {
  for (let n = 1; n <= copiesFollowedMax && heirless.size > 0; n += 1) {
    const id = nthEmailId(first, n);
    if (heirless.has(id) && isFree(id)) return id;
  }
  return undefined;
}
