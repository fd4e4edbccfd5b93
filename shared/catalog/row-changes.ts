import type { Id } from '../jmap/scalars.ts';
import type { Email, EmailRow, MailboxKey } from './email.ts';
import type { EmailReader } from './email-reader.ts';
import { identify, type Newcomer } from './identify.ts';
import { keywordsOfFlags } from './keywords.ts';
import { rowsIn } from './read-mailbox.ts';
import type { Findings } from './reconcile.ts';
import type { Appearance } from './source.ts';
import type { CatalogView } from './view.ts';

/** A (mailbox, UID) pair as one number. */
export type Place = number;

export function placeOf(mailbox: MailboxKey, uid: number): Place {
  return mailbox * 2 ** 32 + uid;
}

/** What the findings do to the rows of one Email. */
export type EmailChange = {
  readonly gone: Set<Place>;
  /** Flags now, as the server spells them. */
  readonly flags: Map<Place, readonly string[]>;
  readonly appeared: { readonly mailbox: MailboxKey; readonly appearance: Appearance }[];
};

/** The findings sorted by the Email they are about. Emails that they touch are loaded in the reader. */
export async function rowChanges(
  view: CatalogView,
  emails: EmailReader,
  findings: Findings,
): Promise<ReadonlyMap<Id, EmailChange>> {
  const changes = new Map<Id, EmailChange>();
  const changeOf = (id: Id): EmailChange => {
    const change = changes.get(id) ?? { gone: new Set(), flags: new Map(), appeared: [] };
    changes.set(id, change);
    return change;
  };

  for (const mailbox of emptied(findings)) {
    for await (const { uid, emailId } of rowsIn(view, mailbox)) changeOf(emailId).gone.add(placeOf(mailbox, uid));
  }
  for (const [mailbox, { renewed, gone, flags }] of findings.deltas) {
    if (renewed || (gone.size === 0 && flags.size === 0)) continue;
    const ids = await view.emailIdsAt(mailbox, [...gone, ...flags.keys()]);
    for (const [uid, id] of ids) {
      const now = flags.get(uid);
      if (gone.has(uid)) changeOf(id).gone.add(placeOf(mailbox, uid));
      else if (now !== undefined) changeOf(id).flags.set(placeOf(mailbox, uid), now);
    }
  }
  await emails.load(changes.keys());

  const rowNow = ({ id }: Email, { mailbox, uid, deleted }: EmailRow) => {
    const change = changes.get(id);
    const flags = change?.flags.get(placeOf(mailbox, uid));
    if (change?.gone.has(placeOf(mailbox, uid)) === true) return 'gone';
    return (flags === undefined ? deleted : keywordsOfFlags(flags).deleted) ? 'deleted' : 'present';
  };
  const { copies = new Map<Place, Id>() } = findings;
  const newcomers = newcomersOf(findings);
  const copyOf = ({ mailbox, appearance }: Newcomer) => copies.get(placeOf(mailbox, appearance.uid));
  await emails.load(copies.values());
  const strangers = newcomers.filter((newcomer) => copyOf(newcomer) === undefined);
  const named = await identify(view.scheme, strangers, {
    load: emails.load,
    email: emails.get,
    rowNow,
    goneRows: new Map([...changes].flatMap(([id, { gone }]) => (gone.size > 0 ? [[id, gone.size] as const] : []))),
  });
  for (const newcomer of newcomers) {
    const id = copyOf(newcomer) ?? named.get(newcomer);
    const { mailbox, appearance } = newcomer;
    if (id !== undefined) changeOf(id).appeared.push({ mailbox, appearance });
  }
  return changes;
}

/** Mailboxes of which no known row is left. */
function emptied({ mailboxes, deltas }: Findings): MailboxKey[] {
  const gone = [...mailboxes].filter(([, entry]) => entry === null);
  const renewed = [...deltas].filter(([, delta]) => delta.renewed);
  return [...gone, ...renewed].map(([key]) => key);
}

/** Everything that appeared, in (mailbox, UID) order. */
function newcomersOf({ deltas }: Findings): Newcomer[] {
  const newcomers: Newcomer[] = [];
  for (const [mailbox, { vector, appeared }] of [...deltas].sort(([a], [b]) => a - b)) {
    const ordered = [...appeared.values()].sort((a, b) => a.uid - b.uid);
    for (const appearance of ordered) newcomers.push({ mailbox, uidValidity: vector.uidValidity, appearance });
  }
  return newcomers;
}
