import type { Id } from '../jmap/scalars.ts';
import type { MailboxKey } from './email.ts';
import type { MailboxEntry } from './mailbox.ts';
import { mailboxNames } from './mailbox-names.ts';
import { formerName, setAsideAt } from './set-aside.ts';

/** The roles given out (RFC 8621 §2, IANA "IMAP Mailbox Name Attributes"), in the order in which mailboxes are chosen for them. */
export const roles = ['inbox', 'drafts', 'sent', 'trash', 'junk', 'archive', 'memos', 'scheduled', 'snoozed'] as const;
export type Role = (typeof roles)[number];

/** What of a mailbox follows from its name and from the other mailboxes. */
export type MailboxPlace = {
  /** The last part of the name. */
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: Role | null;
};

type Named = Pick<MailboxEntry, 'key' | 'id' | 'name' | 'delimiter' | 'selectable' | 'attributes' | 'kept'>;

/** The place of every mailbox in the tree, and its role. */
export function mailboxPlaces(mailboxes: Iterable<Named>): ReadonlyMap<MailboxKey, MailboxPlace> {
  const all = [...mailboxes];
  const prefix = personalPrefix(all);
  const paths = new Map(all.map((mailbox) => [mailbox.key, pathOf(mailbox, prefix)]));
  const byPath = new Map(all.map((mailbox) => [pathKey(paths.get(mailbox.key) ?? []), mailbox]));
  const displaced = displacedAmong(all, paths, byPath);
  const chosen = rolesOf(all, paths);

  const places = new Map<MailboxKey, MailboxPlace>();
  for (const mailbox of all) {
    const path = paths.get(mailbox.key) ?? [mailbox.name];
    const role = chosen.get(mailbox.key) ?? null;
    // A parent that the server does not list is no Mailbox: its name stays in front of the child's.
    let depth = path.length - 1;
    let parent: Named | undefined;
    for (; depth > 0; depth -= 1) {
      parent = byPath.get(pathKey(path.slice(0, depth)));
      if (parent !== undefined) break;
    }
    const shown = () => {
      if (isPlain.test(mailbox.name)) return path.slice(depth).join(mailbox.delimiter ?? '');
      const isTaken = byPath.has(pathKey(path.map(composed)));
      const whole = (isTaken ? path : path.map(composed)).slice(depth).join(mailbox.delimiter ?? '');
      return whole.replace(unshowable, '\ufffd');
    };
    const name = role === 'inbox' ? 'Inbox' : displaced.has(mailbox.key) ? formerName(shown()) : shown();
    places.set(mailbox.key, { name, parentId: parent?.id ?? null, role });
  }
  return places;
}

/** Mailboxes that are set aside, and go by their former names: one for each name that no other has. */
function displacedAmong(
  mailboxes: readonly Named[],
  paths: ReadonlyMap<MailboxKey, readonly string[]>,
  byPath: ReadonlyMap<string, Named>,
): ReadonlySet<MailboxKey> {
  const byFormerPath = new Map<string, MailboxKey>();
  for (const { key, name } of mailboxes) {
    if (setAsideAt(name) === null) continue;
    const path = paths.get(key) ?? [];
    const former = pathKey([...path.slice(0, -1), formerName(path.at(-1) ?? '')]);
    if (!byPath.has(former) && !byFormerPath.has(former)) byFormerPath.set(former, key);
  }
  return new Set(byFormerPath.values());
}

/** Whether every place is the same among both: nothing that `mailboxPlaces` looks at is another object. */
export function haveSamePlaces(a: ReadonlyMap<MailboxKey, Named>, b: ReadonlyMap<MailboxKey, Named>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, one] of a) {
    const other = b.get(key);
    const isSame =
      one === other ||
      (one.name === other?.name &&
        one.id === other.id &&
        one.delimiter === other.delimiter &&
        one.selectable === other.selectable &&
        one.attributes === other.attributes &&
        one.kept === other.kept);
    if (!isSame) return false;
  }
  return true;
}

/** A name that is in Net-Unicode already, as most are. */
const isPlain = /^[\x20-\x7e]*$/;

/** A name in Net-Unicode (RFC 8621 §2, RFC 5198 §2), unless another mailbox has that one already. */
function composed(name: string): string {
  return name.normalize('NFC');
}

/** What neither Net-Unicode nor I-JSON has room for, and the mark of names that are no Unicode. */
const unshowable = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]|^\ufeff/gu;

/** Names hold no NUL (RFC 9051 §4.3). */
function pathKey(path: readonly string[]): string {
  return path.length === 1 ? (path[0] ?? '') : path.join('\0');
}

/** The key of the mailbox with that role; undefined where none has it. */
export function mailboxWithRole(mailboxes: Iterable<Named>, role: Role): MailboxKey | undefined {
  for (const [key, place] of mailboxPlaces(mailboxes)) if (place.role === role) return key;
  return undefined;
}

/** The inbox, whose name servers spell as they like (RFC 3501 §5.1). */
export function isInbox(name: string): boolean {
  return name.length === 5 && name.toUpperCase() === 'INBOX';
}

/** Shows what other mailboxes hold (RFC 6154 `\All`, `\Flagged`, RFC 8457 `\Important`): never indexed. */
export function isVirtual(attributes: readonly string[]): boolean {
  return attributes.some((attribute) => virtualAttributes.has(attribute.toLowerCase()));
}

const virtualAttributes: ReadonlySet<string> = new Set(['\\all', '\\flagged', '\\important']);

/**
 * The prefix of a server that keeps every mailbox below the inbox (`INBOX.` on Courier): it is no part of the tree.
 * Empty when there is none.
 */
export function personalPrefix(mailboxes: Iterable<Pick<Named, 'name' | 'delimiter'>>): string {
  let prefix: string | null = null;
  for (const { name, delimiter } of mailboxes) {
    if (isInbox(name)) continue;
    if (prefix === null && delimiter === null) return '';
    prefix ??= `INBOX${delimiter}`;
    if (!name.toUpperCase().startsWith(prefix)) return '';
  }
  return prefix ?? '';
}

/** The parts of a mailbox name, without the personal prefix; the inbox is always `INBOX`. */
export function pathOf({ name, delimiter }: Pick<Named, 'name' | 'delimiter'>, prefix: string): readonly string[] {
  if (isInbox(name)) return ['INBOX'];
  const rest = prefix !== '' && name.toUpperCase().startsWith(prefix) ? name.slice(prefix.length) : name;
  const parts = delimiter === null ? [rest] : partsOf(rest, delimiter);
  if (parts.length === 1) return isInbox(rest) ? ['INBOX', rest] : [rest];
  return isInbox(parts[0] ?? '') ? ['INBOX', ...parts.slice(1)] : parts;
}

/** QUIRK: servers on plain folders list some with a delimiter at the end: `Mail/`. No part of a path is without a name. */
function partsOf(name: string, delimiter: string): string[] {
  const [first = '', ...others] = name.split(delimiter);
  const parts = [first];
  for (const part of others) {
    if (part !== '' && parts.at(-1) !== '') parts.push(part);
    else parts[parts.length - 1] += `${delimiter}${part}`;
  }
  return parts;
}

/**
 * Which mailbox has which role: each at most one, and no role twice. What was kept decides, then the server's attributes (RFC 6154).
 * Only a role that no mailbox claims goes by the name, to a mailbox at the top, directly below the inbox or below a bracketed node
 * such as `[Gmail]`. Of several the one nearest to the top wins, then the one whose name stands first in the table, then by name.
 */
function rolesOf(
  mailboxes: readonly Named[],
  paths: ReadonlyMap<MailboxKey, readonly string[]>,
): ReadonlyMap<MailboxKey, Role> {
  const chosen = new Map<MailboxKey, Role>();
  const depthOf = ({ mailbox }: Candidate) => paths.get(mailbox.key)?.length ?? 0;
  const choose = (role: Role, candidates: readonly Candidate[]): void => {
    const free = candidates.filter(({ mailbox }) => !chosen.has(mailbox.key));
    free.sort((a, b) => depthOf(a) - depthOf(b) || a.rank - b.rank || (a.mailbox.name < b.mailbox.name ? -1 : 1));
    const [best] = free;
    if (best !== undefined) chosen.set(best.mailbox.key, role);
  };
  const claims = { kept: new Map<Role, Candidate[]>(), said: new Map<Role, Candidate[]>() };
  const unsaid: Named[] = [];
  const inboxes: Candidate[] = [];
  for (const mailbox of mailboxes) {
    if (!mailbox.selectable) continue;
    if (isInbox(mailbox.name)) inboxes.push({ mailbox, rank: 0 });
    const kept = mailbox.kept?.role ?? null;
    if (kept !== null) {
      if (kept !== 'none') add(claims.kept, kept, { mailbox, rank: 0 });
    } else {
      unsaid.push(mailbox);
      for (const attribute of mailbox.attributes) {
        const role = roleOfAttribute.get(attribute);
        if (role !== undefined) add(claims.said, role, { mailbox, rank: 0 });
      }
    }
  }
  choose('inbox', inboxes);
  const claimed = new Set<Role>(['inbox']);
  for (const byRole of [claims.kept, claims.said]) {
    for (const role of roles) {
      const candidates = claimed.has(role) ? undefined : byRole.get(role);
      if (candidates === undefined) continue;
      claimed.add(role);
      choose(role, candidates);
    }
  }
  if (namedRoles.every((role) => claimed.has(role))) return chosen;
  const named = new Map<Role, Candidate[]>();
  for (const mailbox of unsaid) {
    const telling = tellingName(paths.get(mailbox.key) ?? []);
    if (telling === null) continue;
    for (const { role, rank } of rolesOfName.get(folded(formerName(telling))) ?? [])
      add(named, role, { mailbox, rank });
  }
  for (const role of namedRoles) if (!claimed.has(role)) choose(role, named.get(role) ?? []);
  return chosen;
}

/** A mailbox that may have a role; those with a lower rank come first. */
type Candidate = { readonly mailbox: Named; readonly rank: number };

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

const roleOfAttribute = new Map(roles.map((role) => [`\\${role}`, role]));

/** The name that may tell a role; null for a mailbox that lies too deep. */
function tellingName([top = '', below, ...deeper]: readonly string[]): string | null {
  if (below === undefined) return top;
  const isNested = deeper.length === 0 && (top === 'INBOX' || /^\[.+\]$/.test(top));
  return isNested ? below : null;
}

/** A name as the table spells it. */
function folded(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
}

const namedRoles = Object.keys(mailboxNames) as (keyof typeof mailboxNames)[];

/** By name as it is folded: the roles that it tells, and at which place of the table. */
const rolesOfName = new Map<string, { readonly role: Role; readonly rank: number }[]>();
for (const role of namedRoles) {
  for (const [rank, name] of mailboxNames[role].entries()) add(rolesOfName, folded(name), { role, rank });
}
