// Mailbox/get (RFC 8621 §2.1)
import { stateOf } from '../../catalog/changes.ts';
import { personalPrefix } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { CanGet, Some } from '../../jmap/verbs.ts';
import { type KnownMailbox, knownMailboxes } from './known-mailboxes.ts';
import type { Mailbox, MailboxPorts } from './record.ts';
import { mailboxRights } from './rights.ts';

/** Everything but `myRights` comes from the catalog; rights are looked at only when they are asked for. */
export function canGetMailboxes(ports: MailboxPorts): CanGet<Mailbox> {
  return {
    state: async () => stateOf(await ports.catalog.view('recent', () => true), 'Mailbox'),
    get: async ({ ids, properties }) => {
      const view = await ports.catalog.view('recent');
      const mailboxes = await mailboxesOf(view, properties.includes('myRights'), ports);
      const wanted = ids === null ? [...mailboxes.values()] : ids.flatMap((id) => mailboxes.get(id) ?? []);
      return ok({ state: stateOf(view, 'Mailbox'), list: wanted.map((mailbox) => only(properties, mailbox)) });
    },
  };
}

type ShownMailbox = KnownMailbox & Partial<Pick<Mailbox, 'myRights'>>;

async function mailboxesOf(
  view: CatalogView,
  withRights: boolean,
  ports: MailboxPorts,
): Promise<ReadonlyMap<Id, ShownMailbox>> {
  const [known, entries, letters] = await Promise.all([
    knownMailboxes(view),
    view.mailboxes(),
    withRights ? ports.rights(view) : null,
  ]);
  const prefix = personalPrefix(entries.values());
  const mailboxes = new Map<Id, ShownMailbox>();
  for (const [key, mailbox] of known) {
    const entry = entries.get(key);
    const myRights = letters && entry && mailboxRights(entry, letters.get(key) ?? '', prefix);
    mailboxes.set(mailbox.id, myRights ? { ...mailbox, myRights } : mailbox);
  }
  return mailboxes;
}

function only(properties: readonly string[], mailbox: ShownMailbox): Some<Mailbox> {
  const shown: JsonObject & { id: Id } = { id: mailbox.id };
  for (const name of properties) shown[name] = mailbox[name as keyof ShownMailbox] ?? null;
  return shown;
}
