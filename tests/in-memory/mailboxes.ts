import type { CanWriteMailboxes, MailboxFailure, Naming } from '../../shared/methods/Mailbox/writing.ts';
import type { FakeMailServer } from '../catalog/fake-mail-server.ts';

type Operation = 'create' | 'rename' | 'remove' | 'subscribe';

/** What the mail server in memory refuses, and what is told of it. */
export type MailboxAbilities = {
  readonly naming?: Naming;
  /** Why an operation is refused; asked before each. `lost` and `unclear` fail without an answer. */
  readonly refuses?: (operation: Operation, name: string, to: string | null) => MailboxFailure | null;
  /** Told of each operation. */
  readonly onOperation?: (operation: string) => void;
  /** Attributes of a mailbox that is created with a special use; absent: the server takes none. */
  readonly attributesFor?: (role: string) => readonly string[];
};

/** Changing the mailboxes of the mail server. Each call is one instant. */
export function mailboxesOf(server: FakeMailServer, abilities: MailboxAbilities = {}): CanWriteMailboxes {
  const { naming = { prefix: '', delimiter: '/' }, refuses = () => null, onOperation = () => {} } = abilities;
  const exists = (name: string) => server.names().includes(name);
  const below = (name: string) => server.names().filter((other) => other.startsWith(`${name}/`));
  const operation = (
    what: Operation,
    [name, to]: readonly [string, string?],
    act: () => MailboxFailure | null,
  ): MailboxFailure | null => {
    onOperation(`${what} ${name}${to === undefined ? '' : ` to ${to}`}`);
    return refuses(what, name, to ?? null) ?? act();
  };

  return {
    naming: async () => naming,
    create: async (name, role) =>
      operation('create', [name], () => {
        if (exists(name)) return 'exists';
        server.create(name, { attributes: role === null ? [] : (abilities.attributesFor?.(role) ?? []) });
        server.subscribe(name, false);
        return null;
      }),
    rename: async (from, to) =>
      operation('rename', [from, to], () => {
        if (!exists(from)) return 'missing';
        if (exists(to)) return 'exists';
        const subscribed = [from, ...below(from)];
        for (const name of subscribed) {
          const renamed = `${to}${name.slice(from.length)}`;
          server.rename(name, renamed);
          // Subscriptions are to names.
          server.subscribe(renamed, false);
        }
        return null;
      }),
    // Nothing can happen between the looks: it is one instant.
    remove: async (name, known) =>
      operation('remove', [name], () => {
        if (!exists(name)) return 'missing';
        const { uidValidity, uidNext, messages } = server.vector(name);
        const isSame =
          known === null ||
          (known.uidValidity === uidValidity && known.uidNext === uidNext && known.messages === messages);
        if (!isSame) return 'changed';
        if (below(name).length > 0) return 'hasChild';
        server.remove(name);
        return null;
      }),
    subscribe: async (names, wanted) =>
      operation('subscribe', [`${names.join(', ')}: ${wanted}`], () => {
        for (const name of names) if (exists(name)) server.subscribe(name, wanted);
        return null;
      }),
  };
}
