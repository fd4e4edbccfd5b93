import type { SurveyedMailbox } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { CanWriteMailboxes, MailboxFailure } from '../methods/Mailbox/writing.ts';
import { atom, list, mailbox } from './arguments.ts';
import { CommandRefused } from './failure.ts';
import { decodeName, encodeName } from './mailbox-name.ts';
import type { ImapSession } from './session.ts';
import { statusVector, survey } from './survey.ts';
import type { ChangeWithSession, UseSession } from './use.ts';

/**
 * Changing the mailboxes themselves, over sessions that `change` provides. Where the answer to a command is lost, LIST tells what
 * became of it; the command is not sent again.
 */
export function imapMailboxes(use: UseSession, change: ChangeWithSession): CanWriteMailboxes {
  const write = mailboxWriter(use, change);
  return {
    naming: () =>
      use(async (session) => {
        const [first] = (await session.namespaces()).personal;
        return { prefix: decodeName(first?.prefix ?? '', session.nameEncoding), delimiter: first?.delimiter ?? null };
      }),

    create: (name, role) =>
      write([name], {
        run: async (session, [wire]) => {
          if (role !== null && session.has('CREATE-SPECIAL-USE') && (await createFor(session, wire, role))) return;
          await session.exec('CREATE', [mailbox(wire)]);
        },
        outcome: (listed) => (listed.has(name) ? 'done' : 'not done'),
      }),

    rename: (from, to) =>
      write([from, to], {
        look: async (session) => {
          await session.unselect();
          return null;
        },
        run: async (session, [before, after]) => {
          await session.exec('RENAME', [mailbox(before), mailbox(after)]);
        },
        outcome: (listed) => {
          if (listed.has(from) === listed.has(to)) return 'unclear';
          return listed.has(to) ? 'done' : 'not done';
        },
      }),

    remove: (name, known) =>
      write([name], {
        look: async (session, [wire]) => {
          await session.unselect();
          if (known === null) return null;
          const now = await statusVector(session, wire);
          // Without a new UID and without one less, the messages are the same.
          const isSame =
            now?.uidValidity === known.uidValidity && now.uidNext === known.uidNext && now.messages === known.messages;
          return isSame ? null : 'changed';
        },
        run: async (session, [wire]) => {
          await session.exec('DELETE', [mailbox(wire)]);
        },
        // A mailbox with others below it becomes a mere node (RFC 3501 §6.3.4).
        outcome: (listed) => (listed.get(name)?.selectable === (known !== null) ? 'not done' : 'done'),
      }),

    subscribe: (names, wanted) =>
      write(names, {
        run: async (session, wires) => {
          const command = wanted ? 'SUBSCRIBE' : 'UNSUBSCRIBE';
          const flight = await Promise.allSettled(wires.map((wire) => session.exec(command, [mailbox(wire)])));
          for (const answer of flight) if (answer.status === 'rejected') throw answer.reason;
        },
        outcome: (listed) =>
          names.every((name) => (listed.get(name)?.subscribed ?? false) === wanted) ? 'done' : 'not done',
      }),
  };
}

/** What the mail server lists now, by decoded name. */
type Listed = ReadonlyMap<string, SurveyedMailbox>;

/** Names as on the wire, as many as there were decoded ones. */
type Wires<N extends readonly string[]> = { readonly [I in keyof N]: string };

type Work<N extends readonly string[]> = {
  /** Only reads; answers why not to begin. */
  readonly look?: (session: ImapSession, wires: Wires<N>) => Promise<MailboxFailure | null>;
  readonly run: (session: ImapSession, wires: Wires<N>) => Promise<void>;
  /** What a lost command did. */
  readonly outcome: (listed: Listed) => 'done' | 'not done' | 'unclear';
};

function mailboxWriter(use: UseSession, change: ChangeWithSession) {
  return async <const N extends readonly string[]>(names: N, work: Work<N>): Promise<MailboxFailure | null> => {
    let hasBegun = false;
    try {
      return await change(
        async (session) => {
          const wires = names.map((name) => encodeName(name, session.nameEncoding) ?? '') as Wires<N>;
          if (wires.includes('')) return { wires, objection: 'name' as const };
          return { wires, objection: (await work.look?.(session, wires)) ?? null };
        },
        async (session, { wires, objection }) => {
          if (objection !== null) return objection;
          hasBegun = true;
          await work.run(session, wires);
          return null;
        },
      );
    } catch (error) {
      if (!hasBegun || !(error instanceof Unavailable)) throw error;
      return error instanceof CommandRefused ? failureOf(error) : lookBack(use, work.outcome);
    }
  };
}

/** CREATE for a special use (RFC 6154 §3); false where the server takes no mailbox for that one. */
async function createFor(session: ImapSession, wire: string, role: string): Promise<boolean> {
  // The attributes are written with a capital letter.
  const attribute = `\\${role.charAt(0).toUpperCase()}${role.slice(1)}`;
  try {
    await session.exec('CREATE', [mailbox(wire), list(atom('USE'), list(atom(attribute)))]);
    return true;
  } catch (error) {
    if (error instanceof CommandRefused && (error.code === 'USEATTR' || error.status === 'BAD')) return false;
    throw error;
  }
}

/** What became of a command without an answer. */
async function lookBack(use: UseSession, outcome: Work<[]>['outcome']): Promise<MailboxFailure | null> {
  try {
    const listed = await use(survey);
    switch (outcome(new Map(listed.map((each) => [each.name, each])))) {
      case 'done':
        return null;
      case 'not done':
        return 'lost';
      case 'unclear':
        return 'unclear';
    }
  } catch (error) {
    if (error instanceof Unavailable) return 'unclear';
    throw error;
  }
}

function failureOf({ code, reason }: CommandRefused): MailboxFailure {
  if (code === 'HASCHILDREN') return 'hasChild';
  if (code === 'CANNOT') return 'name';
  switch (reason) {
    case 'quota':
    case 'limit':
      return 'overQuota';
    case 'rights':
      return 'forbidden';
    case 'exists':
      return 'exists';
    case 'missing':
      return 'missing';
    case 'size':
    case 'other':
      return 'refused';
  }
}
