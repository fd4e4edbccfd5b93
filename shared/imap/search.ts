import type { CanSearchMessages, SortCriterion, TextCondition } from '../methods/Email/mail.ts';
import { atom, list, string, uidSet } from './arguments.ts';
import { isAt, unlessGone } from './at-place.ts';
import { imapLimits } from './limits.ts';
import type { ImapSession } from './session.ts';
import { clipRanges, uidsIn } from './uid-ranges.ts';
import type { UseSession } from './use.ts';

/** SEARCH and SORT over sessions that `use` provides: one EXAMINE, unless the mailbox is open, and a command per question. */
export function imapSearch(use: UseSession): CanSearchMessages {
  return {
    search: (mailbox, conditions) =>
      use(async (session) => {
        const { name, uidValidity, uidNext } = mailbox;
        if (!(await isAt(session, { mailbox: name, uidValidity, uidNext }))) return null;
        await session.refresh();
        const answers = conditions.map((condition) => () => searchFor(session, condition, uidNext));
        return unlessGone(session.has('ESEARCH') ? Promise.all(answers.map((answer) => answer())) : inTurn(answers));
      }),
    sort: (mailbox, key, thenBy) =>
      use(async (session) => {
        const { name, uidValidity, uidNext } = mailbox;
        if (!session.has('SORT') || !(await isAt(session, { mailbox: name, uidValidity, uidNext }))) return null;
        await session.refresh();
        return uidNext <= 1 ? [] : unlessGone(sortBy(session, [{ key, isAscending: true }, ...thenBy], uidNext));
      }),
  };
}

async function inTurn<T>(steps: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const step of steps) results.push(await step());
  return results;
}

async function searchFor(session: ImapSession, condition: TextCondition, uidNext: number): Promise<number[]> {
  const words = condition.kind === 'header' ? [condition.name, condition.value ?? ''] : [condition.value];
  // NUL is in no message that IMAP can show (RFC 9051 §4.3), and in no command.
  if (uidNext <= 1 || words.some((word) => word.includes('\0'))) return [];
  const criteria = [
    atom('UID'),
    uidSet([[1, uidNext - 1]]),
    atom(searchKeys[condition.kind]),
    ...words.map((word) => string(word)),
  ];
  const isAscii = words.every((word) => /^[\x01-\x7f]*$/.test(word));
  const found = await (isAscii ? session.search(criteria) : session.search(criteria, 'UTF-8'));
  return uidsIn(clipRanges(found, 1, uidNext - 1), imapLimits.mailboxMessagesMax);
}

const searchKeys: Readonly<Record<TextCondition['kind'], string>> = {
  text: 'TEXT',
  from: 'FROM',
  to: 'TO',
  cc: 'CC',
  bcc: 'BCC',
  subject: 'SUBJECT',
  body: 'BODY',
  header: 'HEADER',
};

async function sortBy(session: ImapSession, criteria: readonly SortCriterion[], uidNext: number): Promise<number[]> {
  const keys = criteria.flatMap(({ key, isAscending }) => [
    ...(isAscending ? [] : [atom('REVERSE')]),
    atom(sortKey(key, session.has('SORT=DISPLAY'))),
  ]);
  const sorted = new Set<number>();
  const parameters = [list(...keys), atom('UTF-8'), atom('UID'), uidSet([[1, uidNext - 1]])];
  await session.ask('UID SORT', parameters, {
    onData: ({ name, values }) => {
      if (name !== 'SORT') return;
      for (const value of values) {
        const uid = Number(value);
        if (Number.isInteger(uid) && uid >= 1 && uid < uidNext) sorted.add(uid);
      }
    },
  });
  return [...sorted];
}

/** RFC 5957 sorts addresses by what is shown of them, as RFC 8621 §4.4.2 asks; FROM and TO go by the address alone. */
function sortKey(key: SortCriterion['key'], byDisplay: boolean): string {
  switch (key) {
    case 'from':
      return byDisplay ? 'DISPLAYFROM' : 'FROM';
    case 'to':
      return byDisplay ? 'DISPLAYTO' : 'TO';
    case 'subject':
      return 'SUBJECT';
    case 'sentAt':
      return 'DATE';
    case 'receivedAt':
      return 'ARRIVAL';
    case 'size':
      return 'SIZE';
  }
}
