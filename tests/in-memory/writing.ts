import type { Glimpse } from '../../shared/catalog/own-changes.ts';
import type { CanWriteMessages, Messages, Place, WriteFailure, Written } from '../../shared/methods/Email/mail.ts';
import type { FakeMailServer } from '../catalog/fake-mail-server.ts';

/** What the mail server in memory can do, and what it refuses. */
export type WritingAbilities = {
  /** MOVE; without it messages are copied and expunged. */
  readonly move?: boolean;
  /** UIDPLUS: UIDs of copies are told, and single messages can be expunged. */
  readonly uidPlus?: boolean;
  /** Why an operation is refused; asked before each. */
  readonly refuses?: (
    operation: 'flag' | 'copy' | 'move' | 'remove',
    mailbox: string,
    target: string | null,
  ) => WriteFailure | null;
  /** Told of each operation. */
  readonly onOperation?: (operation: string) => void;
};

/** Changing the messages of the mail server. Each call is one instant. */
export function writingOf(server: FakeMailServer, abilities: WritingAbilities = {}): CanWriteMessages {
  const { move = true, uidPlus = true, refuses = () => null, onOperation = () => {} } = abilities;

  /** Does something to each message that is there; it tells of the mailbox before and after. */
  const operation = <T>(
    name: 'flag' | 'copy' | 'move' | 'remove',
    { mailbox, uidValidity, uids }: Messages,
    target: string | null,
    done: T,
    act: (uid: number) => void,
  ): Written<T> => {
    onOperation(`${name} ${uids.length} in ${mailbox}${target === null ? '' : ` to ${target}`}`);
    const isThere = (box: string) => server.names().includes(box);
    if (!isThere(mailbox) || server.uidValidity(mailbox) !== uidValidity)
      return { done, failure: 'gone', glimpses: [] };
    const refusal = refuses(name, mailbox, target) ?? (target !== null && !isThere(target) ? 'noTarget' : null);
    if (refusal !== null) return { done, failure: refusal, glimpses: [{ before: null, after: null }] };
    const before = server.vector(mailbox);
    const present = new Set(server.messages(mailbox).map(({ uid }) => uid));
    for (const uid of uids) if (present.has(uid)) act(uid);
    const glimpse: Glimpse = { before, after: before.highestModseq === null ? null : server.vector(mailbox) };
    return { done, failure: null, glimpses: [glimpse] };
  };
  const flagsOf = (mailbox: string, uid: number) =>
    server.messages(mailbox).find((message) => message.uid === uid)?.flags ?? new Set<string>();

  return {
    canMove: async () => move,
    getOutOfStep: async () => {},
    flag: async (messages, sign, flags) => {
      const done = new Map<number, readonly string[]>();
      return operation('flag', messages, null, done, (uid) => {
        const now = new Map([...flagsOf(messages.mailbox, uid)].map((flag) => [flag.toLowerCase(), flag]));
        for (const flag of flags) {
          if (sign === 'add') now.set(flag.toLowerCase(), flag);
          else now.delete(flag.toLowerCase());
        }
        server.setFlags(messages.mailbox, uid, now.values());
        done.set(uid, [...now.values()]);
      });
    },
    transfer: async (kind, messages, { mailbox: target, uidValidity }) => {
      const done = new Map<number, number>();
      return operation(kind, messages, target, done, (uid) => {
        const there = server[kind](messages.mailbox, uid, target);
        if (uidPlus && server.uidValidity(target) === uidValidity) done.set(uid, there);
      });
    },
    remove: async (messages, copies = new Map()) => {
      const done = new Set<number>();
      const kept = new Set<number>();
      const isThere = ({ mailbox, uidValidity, uid }: Place) =>
        server.names().includes(mailbox) &&
        server.uidValidity(mailbox) === uidValidity &&
        server.messages(mailbox).some((message) => message.uid === uid && !message.flags.has('\\Deleted'));
      const removed = operation('remove', messages, null, done, (uid) => {
        const others = copies.get(uid);
        if (others !== undefined && !others.some(isThere)) {
          kept.add(uid);
          return;
        }
        done.add(uid);
        if (uidPlus) server.expunge(messages.mailbox, uid);
        else server.setFlags(messages.mailbox, uid, [...flagsOf(messages.mailbox, uid), '\\Deleted']);
      });
      return { ...removed, kept };
    },
  };
}
