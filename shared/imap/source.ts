import { type Foreseen, MailboxGone, type MailSource } from '../catalog/source.ts';
import { atom, mailbox } from './arguments.ts';
import type { ImapServer } from './endpoint.ts';
import { CommandRefused } from './failure.ts';
import { chooseScheme } from './identity-scheme.ts';
import { encodeName } from './mailbox-name.ts';
import { readMailbox, readTogether, sinceOf } from './read-mailbox.ts';
import { type ImapValue, listOf, textOf } from './response.ts';
import { type ImapSession, isName } from './session.ts';
import { survey } from './survey.ts';
import type { UseSession } from './use.ts';

/** What the catalog asks of the mail server, over sessions that `use` provides. */
export function imapSource(use: UseSession, server: Pick<ImapServer, 'forbiddenIdentitySchemes'>): MailSource {
  /** UIDVALIDITY of mailboxes by wire name, as of their last reading. */
  const readLast = new Map<string, number>();
  return {
    scheme: () => use((session) => chooseScheme(session, server.forbiddenIdentitySchemes)),
    survey: (foreseen) =>
      use((session) => survey(session, foreseen === undefined ? {} : { openNext: foreseen.then(openerOf) })),
    mailboxIds: (names) =>
      use((session) => (session.has('OBJECTID') ? mailboxIds(session, names) : Promise.resolve(null))),
    rights: (names) => use((session) => (session.has('ACL') ? rights(session, names) : Promise.resolve(null))),
    read: async (name, known, facts, told) => {
      const wire = await use(async (session) => wireOf(session, name));
      const reading = await readMailbox(use, wire, known, facts, told);
      readLast.set(wire, reading.vector.uidValidity);
      return reading;
    },
    readTogether: async (mailboxes, facts) => {
      const wires = await use(async ({ nameEncoding }) => mailboxes.map(({ name }) => encodeName(name, nameEncoding)));
      const asked = mailboxes.flatMap(({ name, told }, index) => {
        const wire = wires[index];
        return wire ? [{ name, wire, told }] : [];
      });
      const readings = await readTogether(use, asked, facts);
      for (const [wire, { vector }] of readings) readLast.set(wire, vector.uidValidity);
      return new Map(
        asked.flatMap(({ name, wire }) => {
          const reading = readings.get(wire);
          return reading === undefined ? [] : [[name, reading] as const];
        }),
      );
    },
    presentUids: (name) =>
      use(async (session) => {
        const wire = wireOf(session, name);
        const uidValidity = readLast.get(wire);
        if (uidValidity === undefined || !(await session.examineAgain(wire, uidValidity, 1))) {
          throw new MailboxGone('The mailbox was replaced');
        }
        await session.refresh();
        return session.search([atom('ALL')]);
      }),
  };
}

/** Opens the mailbox that is foreseen as `readMailbox` would. */
function openerOf(foreseen: Foreseen | null) {
  if (foreseen === null) return null;
  const { name, vector, forChanges } = foreseen;
  return async (session: ImapSession): Promise<void> => {
    const wire = encodeName(name, session.nameEncoding);
    if (wire !== null) await session.openAhead(forChanges ? 'SELECT' : 'EXAMINE', wire, sinceOf(vector));
  };
}

function wireOf(session: ImapSession, name: string): string {
  const wire = encodeName(name, session.nameEncoding);
  if (wire === null) throw new MailboxGone('No mailbox can have this name');
  return wire;
}

/**
 * QUIRK(cyrus 3.6): STATUS with MAILBOXID among other items may answer garbage; alone it is right. One that is no object
 * identifier (RFC 8474 §7) is left out.
 */
async function mailboxIds(session: ImapSession, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return answers(session, names, async (wire) => {
    const [item, value] = (await session.status(wire, ['MAILBOXID'])) ?? [];
    const id = textOf(item)?.toUpperCase() === 'MAILBOXID' ? textOf(listOf(value)[0]) : null;
    return id !== null && /^[A-Za-z0-9_-]{1,255}$/.test(id) ? id : null;
  });
}

async function rights(session: ImapSession, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return answers(session, names, async (wire) => {
    let letters: ImapValue | undefined;
    try {
      await session.exec('MYRIGHTS', [mailbox(wire)], {
        onData: ({ name, values }) => {
          if (name === 'MYRIGHTS' && isName(values[0], wire)) letters = values[1];
        },
        isOfCommand: () => session.isUnseen(wire),
      });
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
    }
    return textOf(letters);
  });
}

/** Asks for each mailbox without waiting for the one before; those without an answer are absent. */
async function answers(
  session: ImapSession,
  names: readonly string[],
  ask: (wire: string) => Promise<string | null>,
): Promise<ReadonlyMap<string, string>> {
  await session.refresh();
  const found = new Map<string, string>();
  await Promise.all(
    names.map(async (name) => {
      const wire = encodeName(name, session.nameEncoding);
      const answer = wire === null ? null : await ask(wire);
      if (answer !== null) found.set(name, answer);
    }),
  );
  return found;
}
