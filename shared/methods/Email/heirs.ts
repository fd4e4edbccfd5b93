import type { Email, MailboxKey } from '../../catalog/email.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Wish } from './wish.ts';

/** What has become of the mailboxes of an earlier view. */
export type Heirs = {
  /** The keys of those that are there no more. */
  readonly gone: ReadonlySet<MailboxKey>;
  /** For keys that mean nothing now, or another mailbox: the one it has now, or else that of the new mailbox of its name. */
  readonly keys: ReadonlyMap<MailboxKey, MailboxKey>;
};

type Mailboxes = Pick<CatalogView, 'mailboxes'>;

/**
 * A mailbox that is deleted and made anew under its name is another one where the server says so (MAILBOXID). It is named to the
 * server by its name, so what was put into it is in its heir, and what was in it may be there too.
 */
export async function heirsOf(earlier: Mailboxes, latest: Mailboxes): Promise<Heirs> {
  const gone = new Set<MailboxKey>();
  const keys = new Map<MailboxKey, MailboxKey>();
  if (earlier === latest) return { gone, keys };
  const before = [...(await earlier.mailboxes()).values()];
  const after = [...(await latest.mailboxes()).values()].filter(({ selectable }) => selectable);
  const idsBefore = new Set(before.map(({ id }) => id));
  const byId = new Map(after.map(({ id, key }) => [id, key]));
  const newByName = new Map(after.filter(({ id }) => !idsBefore.has(id)).map(({ name, key }) => [name, key]));
  for (const { key, id, name } of before) {
    if (!byId.has(id)) gone.add(key);
    const now = byId.get(id) ?? newByName.get(name);
    if (now !== undefined && now !== key) keys.set(key, now);
  }
  return { gone, keys };
}

/** The wish, and the Email of which it was made, as if the mailboxes had always been their heirs. */
export function inherited(wish: Wish, original: Email, { keys }: Heirs): { wish: Wish; original: Email } {
  if (keys.size === 0) return { wish, original };
  const now = (key: MailboxKey) => keys.get(key) ?? key;
  const { enter, leave } = wish;
  return {
    wish: { ...wish, enter: enter.map(now), leave: leave === 'all' ? leave : leave.map(now) },
    original: { ...original, rows: original.rows.map((row) => ({ ...row, mailbox: now(row.mailbox) })) },
  };
}
