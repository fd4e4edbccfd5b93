import type {
  CanWriteMailboxes,
  MailboxContent,
  MailboxFailure,
  Naming,
} from '../../shared/methods/Mailbox/writing.ts';
import type { FakeMailServer } from '../catalog/fake-mail-server.ts';

type Operation = 'create' | 'rename' | 'remove' | 'subscribe';

/** What the mail server in memory refuses, and what is told of it. */
export type MailboxAbilities = {
  readonly naming?: Naming;
  /** Why an operation is refused; asked before each. `lost` and `unclear` fail without an answer. */
  readonly refuses?: (operation: Operation, name: string, to: string | null) => MailboxFailure | null;
  /** Whether an operation is said to be done, and is not; asked before each. */
  readonly pretends?: (operation: Operation, name: string) => boolean;
  /** Told of each operation. */
  readonly onOperation?: (operation: string) => void;
  /** Attributes of a mailbox that is created with a special use; absent: the server takes none. */
  readonly attributesFor?: (role: string) => readonly string[];
};

/** Names that are subscribed to and that no mailbox has: subscriptions are to names. */
const orphans = new WeakMap<FakeMailServer, Set<string>>();

/** Changing the mailboxes of the mail server. Each call is one instant. */
export function mailboxesOf(server: FakeMailServer, abilities: MailboxAbilities = {}): CanWriteMailboxes {
  const { naming = { prefix: '', delimiter: '/' }, refuses = () => null, onOperation = () => {} } = abilities;
  const exists = (name: string) => server.names().includes(name);
  const below = (name: string) => server.names().filter((other) => other.startsWith(`${name}/`));
  const orphaned = orphans.get(server) ?? new Set();
  orphans.set(server, orphaned);
  /** A mailbox has come to have this name. */
  const named = (name: string) => server.subscribe(name, orphaned.delete(name));
  const holds = (name: string, known: MailboxContent) => {
    const { uidValidity, uidNext, messages } = server.vector(name);
    const isOld = (known.uidValidity ?? uidValidity) === uidValidity;
    return isOld && known.uidNext === uidNext && known.messages === messages;
  };
  const operation = (
    what: Operation,
    [name, to]: readonly [string, string?],
    act: () => MailboxFailure | null,
  ): MailboxFailure | null => {
    onOperation(`${what} ${name}${to === undefined ? '' : ` to ${to}`}`);
    const failure = refuses(what, name, to ?? null);
    return failure !== null || abilities.pretends?.(what, name) ? failure : act();
  };

  return {
    naming: async () => naming,
    create: async (name, role) =>
      operation('create', [name], () => {
        if (exists(name)) return 'exists';
        server.create(name, { attributes: role === null ? [] : (abilities.attributesFor?.(role) ?? []) });
        named(name);
        return null;
      }),
    rename: async (from, to, known = null) =>
      operation('rename', [from, to], () => {
        if (!exists(from)) return 'missing';
        if (known !== null && !holds(from, known)) return 'changed';
        if (exists(to)) return 'exists';
        for (const name of [from, ...below(from)]) {
          const renamed = `${to}${name.slice(from.length)}`;
          if (server.isSubscribed(name)) orphaned.add(name);
          server.rename(name, renamed);
          named(renamed);
        }
        return null;
      }),
    // Nothing can happen between the looks: it is one instant.
    remove: async (name, known) =>
      operation('remove', [name], () => {
        if (!exists(name)) return 'missing';
        if (known !== null && !holds(name, known)) return 'changed';
        if (below(name).length > 0) return 'hasChild';
        if (server.isSubscribed(name)) orphaned.add(name);
        server.remove(name);
        return null;
      }),
    subscribe: async (names, wanted) =>
      operation('subscribe', [`${names.join(', ')}: ${wanted}`], () => {
        for (const name of names) {
          if (exists(name)) server.subscribe(name, wanted);
          else if (wanted) orphaned.add(name);
          else orphaned.delete(name);
        }
        return null;
      }),
  };
}
