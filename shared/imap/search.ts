import { CannotSearch, MailboxUnseen, type UidRanges } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { CanSearchMessages, SortCriterion, TextCondition, TextQuestion } from '../methods/Email/mail.ts';
import { atom, type ImapArgument, list, string, uidSet } from './arguments.ts';
import { atOnce } from './at-once.ts';
import { isAt, unlessGone } from './at-place.ts';
import { CommandRefused, Throttled } from './failure.ts';
import { imapLimits } from './limits.ts';
import { encodeName } from './mailbox-name.ts';
import type { ImapSession } from './session.ts';
import { clipRanges, uidsIn } from './uid-ranges.ts';
import type { UseSession } from './use.ts';

type Search = CanSearchMessages['search'];
/** One search, in one mailbox. */
type Asked = { readonly mailbox: Parameters<Search>[0]; readonly questions: Parameters<Search>[1] };
type Answer = Awaited<ReturnType<Search>>;

/** SEARCH and SORT over sessions that `use` provides: one EXAMINE, unless the mailbox is open and the only one, and a command per question. */
export function imapSearch(use: UseSession): CanSearchMessages {
  let asked: Asked[] = [];
  let flight: Promise<readonly Answer[]> | null = null;
  const takeOff = async (): Promise<readonly Answer[]> => {
    await Promise.resolve();
    const all = asked;
    asked = [];
    flight = null;
    return use((session) => searchAll(session, all));
  };
  return {
    search: async (mailbox, questions) => {
      const place = asked.push({ mailbox, questions }) - 1;
      flight ??= takeOff();
      return (await flight)[place] ?? null;
    },
    sort: (mailbox, key, thenBy) =>
      use(async (session) => {
        const { name, uidValidity, uidNext } = mailbox;
        if (!session.has('SORT') || !(await isAt(session, { mailbox: name, uidValidity, uidNext }))) return null;
        await session.refresh();
        if (uidNext <= 1) return [];
        const sorted = unlessGone(sortBy(session, [{ key, isAscending: true }, ...thenBy], uidNext));
        return sorted.catch((error: unknown) => {
          if (session.isOpen && isRefusal(error)) return null;
          throw error;
        });
      }),
  };
}

/** Without waiting for one after the other, where the answers tell which they are. What is refused then is asked again: perhaps the mailbox has gone. */
async function searchAll(session: ImapSession, asked: readonly Asked[]): Promise<readonly Answer[]> {
  const alone = (one: Asked) => () => searchIn(session, one);
  if (!session.has('ESEARCH')) return inTurn(asked.map(alone));
  const found = await atOnce(asked.map((one) => searchInOneFlight(session, one, asked.length > 1)));
  return inTurn(found.map((one, place) => (one === 'refused' ? alone(asked[place] as Asked) : async () => one)));
}

async function searchIn(session: ImapSession, { mailbox, questions }: Asked): Promise<Answer> {
  const { name, uidValidity, uidNext, messages } = mailbox;
  if (!(await isAt(session, { mailbox: name, uidValidity, uidNext }))) return null;
  await session.refresh();
  const steps = questions.map((question) => () => searchFor(session, question, uidNext));
  const isTold = session.has('ESEARCH');
  const answers = await unlessGone(isTold ? atOnce(steps.map((step) => step())) : inTurn(steps));
  return messages !== null && session.hasLostMessages({ uidNext, messages }) ? null : answers;
}

/** The same in the flight of the EXAMINE, if the mailbox has to be opened. `isOneOfMany`: another one will be open. */
async function searchInOneFlight(
  session: ImapSession,
  asked: Asked,
  isOneOfMany: boolean,
): Promise<Answer | 'refused'> {
  const { name, uidValidity, uidNext, messages } = asked.mailbox;
  const wire = encodeName(name, session.nameEncoding);
  if (wire === null) return null;
  if (!isOneOfMany && (await session.isAt(wire, uidNext))) return searchIn(session, asked);
  const opened = await unlessGone(
    session.examineAndSearch(wire, (onOk) =>
      atOnce(asked.questions.map((question) => searchFor(session, question, uidNext, onOk))),
    ),
  );
  if (opened?.examined.uidValidity !== uidValidity) return null;
  const { answer } = opened;
  if (answer.status === 'rejected') {
    if (answer.reason instanceof CannotSearch) return 'refused';
    throw answer.reason;
  }
  return messages !== null && opened.hasLostMessages({ uidNext, messages }) ? null : answer.value;
}

async function inTurn<T>(steps: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const step of steps) results.push(await step());
  return results;
}

async function searchFor(
  session: ImapSession,
  question: TextQuestion,
  uidNext: number,
  onOk?: () => void,
): Promise<number[]> {
  if (uidNext <= 1) return [];
  const criteria = [atom('UID'), uidSet([[1, uidNext - 1]]), ...searchKeys(question).flatMap(({ words }) => words)];
  const charset = isAscii(question) ? undefined : 'UTF-8';
  try {
    return below(uidNext, await session.search(criteria, charset, onOk));
  } catch (error) {
    const refused = session.isOpen && isRefusal(error);
    const ofMore = refused ? new CannotSearch('the mail server refuses the search', { cause: error }) : null;
    throw cannotSearch(error, charset) ?? ofMore ?? error;
  }
}

/** RFC 9051 §6.4.4: a server need not know any charset but US-ASCII. */
function cannotSearch(error: unknown, charset: 'UTF-8' | undefined): CannotSearch | null {
  if (charset === undefined || !(error instanceof CommandRefused)) return null;
  const isOfCharset = error.code === 'BADCHARSET' || error.status === 'BAD';
  return isOfCharset ? new CannotSearch('the mail server looks for ASCII text only') : null;
}

/** Of a search or a sort that is too wide for them large providers say `[SERVERBUG]` or `[UNAVAILABLE]`, and go on to answer all else. */
function isRefusal(error: unknown): boolean {
  const isOfMore = error instanceof Throttled || error instanceof MailboxUnseen;
  return !isOfMore && error instanceof Unavailable;
}

function below(uidNext: number, found: UidRanges): number[] {
  return uidsIn(clipRanges(found, 1, uidNext - 1), imapLimits.mailboxMessagesMax);
}

/** One search key (RFC 9051 §6.4.4) with its arguments; `isPlain`: no operator. */
type SearchKey = { readonly words: readonly ImapArgument[]; readonly isPlain: boolean };

/** The keys that all have to match. */
function searchKeys(question: TextQuestion): SearchKey[] {
  if (question.operator === undefined) return question.condition.map(keyFor);
  switch (question.operator) {
    case 'AND':
      return question.conditions.flatMap(searchKeys);
    case 'OR':
      return [anyOf(question.conditions)];
    case 'NOT':
      return [{ words: [atom('NOT'), ...operand([anyOf(question.conditions)])], isPlain: false }];
  }
}

function anyOf([first, ...others]: readonly TextQuestion[]): SearchKey {
  if (first === undefined) return nothing;
  const keys = searchKeys(first);
  const [only, ...more] = keys;
  if (others.length > 0) {
    return { words: [atom('OR'), ...operand(keys), ...operand([anyOf(others)])], isPlain: false };
  }
  return only !== undefined && more.length === 0 ? only : { words: operand(keys), isPlain: true };
}

/** QUIRK(courier 5.0): an operator under another is BAD without parentheses. QUIRK(cyrus 3.6): so is a list in a list. */
function operand(keys: readonly SearchKey[]): readonly ImapArgument[] {
  const [first, ...others] = keys;
  if (first?.isPlain && others.length === 0) return first.words;
  return [list(...keys.flatMap(({ words }) => words))];
}

const nothing: SearchKey = { words: [atom('NOT'), atom('ALL')], isPlain: false };

function keyFor(condition: TextCondition): SearchKey {
  const words = wordsOf(condition);
  // NUL is in no message that IMAP can show (RFC 9051 §4.3), and in no command.
  if (words.some((word) => word.includes('\0'))) return nothing;
  return { words: [atom(searchKeyOf[condition.kind]), ...words.map((word) => string(word))], isPlain: true };
}

function wordsOf(condition: TextCondition): string[] {
  return condition.kind === 'header' ? [condition.name, condition.value ?? ''] : [condition.value];
}

function isAscii(question: TextQuestion): boolean {
  if (question.operator !== undefined) return question.conditions.every(isAscii);
  return question.condition.every((condition) => wordsOf(condition).every((word) => /^[\x00-\x7f]*$/.test(word)));
}

const searchKeyOf: Readonly<Record<TextCondition['kind'], string>> = {
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
