import type { SurveyedMailbox } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { CanWriteMailboxes, MailboxContent, MailboxFailure } from '../methods/Mailbox/writing.ts';
import { atom, list, mailbox } from './arguments.ts';
import { CommandRefused } from './failure.ts';
import { decodeName, encodeName } from './mailbox-name.ts';
import type { ImapSession } from './session.ts';
import { survey } from './survey.ts';
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

    rename: (from, to, known = null) =>
      renamed(write, from, to, async (session, wire) => {
        const objection = known && (await objectionTo(session, wire, from, known));
        return objection === 'hasChild' ? null : objection;
      }),

    remove: async (name, known, aside) => {
      if (known === null || aside === null) return deleted(write, name, known);
      const failure = await renamed(write, name, aside, (session, wire) => objectionTo(session, wire, name, known));
      if (failure === 'missing' || failure === 'lost' || failure === 'unclear') return failure;
      if (failure === 'changed' || failure === 'hasChild') return failure;
      // What cannot be renamed may be deleted all the same; then mail that comes right behind the look goes with it.
      if (failure !== null) return deleted(write, name, known);
      // Some servers give a mailbox another UIDVALIDITY with its name; under the old one it had the right one a moment ago.
      const outcome = await settled(() => deleted(write, aside, { ...known, uidValidity: null }));
      if (outcome === null) return null;
      const back = await settled(() => renamed(write, aside, name));
      return outcome === 'missing' || (outcome === 'unclear' && back === null) ? 'lost' : outcome;
    },

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

type MailboxWriter = ReturnType<typeof mailboxWriter>;

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

/** Renames a mailbox, unless `look` says why not. */
function renamed(
  write: MailboxWriter,
  from: string,
  to: string,
  look: (session: ImapSession, wire: string) => Promise<MailboxFailure | null> = async () => null,
): Promise<MailboxFailure | null> {
  return write([from, to], {
    look: async (session, [wire]) => {
      await session.unselect();
      return look(session, wire);
    },
    run: async (session, [before, after]) => {
      await session.exec('RENAME', [mailbox(before), mailbox(after)]);
    },
    outcome: (listed) => {
      if (listed.has(from) === listed.has(to)) return 'unclear';
      return listed.has(to) ? 'done' : 'not done';
    },
  });
}

/** Deletes a mailbox that holds what it was known to hold; null: a node that cannot be selected. */
function deleted(write: MailboxWriter, name: string, known: MailboxContent | null): Promise<MailboxFailure | null> {
  return write([name], {
    look: async (session, [wire]) => {
      await session.unselect();
      return objectionTo(session, wire, name, known);
    },
    run: async (session, [wire]) => {
      await session.exec('DELETE', [mailbox(wire)]);
    },
    // A mailbox with others below it becomes a mere node (RFC 3501 §6.3.4).
    outcome: (listed) => (listed.get(name)?.selectable === (known !== null) ? 'not done' : 'done'),
  });
}

/** Why a mailbox must not be deleted: it holds something else than it was known to, or may, or others are below it. */
async function objectionTo(
  session: ImapSession,
  wire: string,
  name: string,
  known: MailboxContent | null,
): Promise<'changed' | 'hasChild' | null> {
  const listed = await survey(session, { start: wire });
  const now = listed.find((each) => each.name === name);
  // One that could not be read is shown as a node; nobody knows what it holds.
  if (known === null) return now?.selectable ? 'changed' : null;
  const delimiter = now?.delimiter ?? null;
  // Without a new UID and without one less, the messages are the same.
  const isSame =
    now?.vector?.uidValidity === (known.uidValidity ?? now?.vector?.uidValidity) &&
    now?.vector?.uidNext === known.uidNext &&
    now.vector.messages === known.messages;
  if (!isSame) return 'changed';
  const isBelow = (each: SurveyedMailbox) => delimiter !== null && each.name.startsWith(`${name}${delimiter}`);
  return listed.some(isBelow) ? 'hasChild' : null;
}

/** After something was done, a failure is told and not thrown. */
async function settled(act: () => Promise<MailboxFailure | null>): Promise<MailboxFailure | null> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Unavailable) return 'lost';
    throw error;
  }
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
    case 'expunged':
    case 'unseen':
    case 'other':
      return 'refused';
  }
}
