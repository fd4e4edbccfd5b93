import { TooMuchAtOnce, type UidRanges } from '../catalog/source.ts';
import { cutUidSet, type ImapArgument } from './arguments.ts';
import { atOnce } from './at-once.ts';
import { isAt, type MailboxAt, unlessGone } from './at-place.ts';
import { CommandRefused } from './failure.ts';
import type { FetchRow } from './fetch-row.ts';
import { imapLimits } from './limits.ts';
import { encodeName } from './mailbox-name.ts';
import type { ImapValue } from './response.ts';
import type { ImapSession } from './session.ts';
import { rangesOf } from './uid-ranges.ts';

/** What may still be kept. `isPassed`: something was not. */
export type OctetBudget = { left: number; isPassed: boolean };

export function octetBudget(left: number): OctetBudget {
  return { left, isPassed: false };
}

/** Items by UID. */
export type Rows = ReadonlyMap<number, readonly ImapValue[]>;

/** Items that are wanted of messages. */
export type Fetch = { readonly uids: readonly number[]; readonly items: readonly ImapArgument[] };

/** What is wanted of one mailbox. */
export type Fetches = { readonly mailbox: MailboxAt; readonly fetches: readonly Fetch[] };

/**
 * The items of each message that is there; none where the mailbox was taken away meanwhile. A message that makes the server refuse is left out: the others are asked again
 * without it, by halves. Throws `TooMuchAtOnce` when the budget is passed; by then everything has come, and nothing was kept of the rest.
 */
export async function fetchRows(
  session: ImapSession,
  uids: readonly number[],
  items: readonly ImapArgument[],
  budget: OctetBudget = unlimited(),
): Promise<Rows> {
  const { rows, take } = rowsWithin(uids, budget);
  const ask = async (some: readonly number[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      await unlessGone(session.fetch(rangesOf(some), items, { rowsMax: some.length }, take));
    } catch (error) {
      if (!isOfOne(error)) throw error;
      if (some.length === 1) return;
      const half = some.length >> 1;
      await ask(some.slice(0, half));
      await ask(some.slice(half));
    }
  };
  await atOnce(
    setsOf(uids).map((set) => ask(uids.filter((uid) => set.some(([first, last]) => uid >= first && uid <= last)))),
  );
  checkBudget(budget);
  return rows;
}

/**
 * As `fetchRows`, in several mailboxes and without waiting for one after the other: each is opened in the flight, unless it is the one that is
 * open. For each mailbox what was wanted of it, in its order; null where it is not there under its UIDVALIDITY.
 */
export async function fetchAtOnce(
  session: ImapSession,
  all: readonly Fetches[],
  budget: OctetBudget = unlimited(),
): Promise<(readonly Rows[] | null)[]> {
  const open = await openAmong(session, all);
  // What is asked of the open one goes first, for the others leave it.
  const inOpen = open && fetchInOpen(session, open, budget);
  const flights = all.map((wanted) => (wanted === open && inOpen) || fetchOpening(session, wanted, budget));
  const found = await atOnce(flights);
  checkBudget(budget);
  const answers: (readonly Rows[] | null)[] = [];
  for (const [place, wanted] of all.entries()) {
    const rows = found[place] ?? null;
    answers.push(rows === 'refused' ? await fetchInTurn(session, wanted, budget) : rows);
  }
  return answers;
}

/** What is wanted of the mailbox that is open; null: it is none of them. */
async function openAmong(session: ImapSession, all: readonly Fetches[]): Promise<Fetches | null> {
  for (const wanted of all) {
    const { mailbox } = wanted;
    const wire = encodeName(mailbox.mailbox, session.nameEncoding);
    if (wire !== null && (await session.isAt(wire, mailbox.uidNext)) && (await isAt(session, mailbox))) return wanted;
  }
  return null;
}

/** `refused`: one of the messages may be the reason. All has been sent when it gives its promise. */
async function fetchInOpen(
  session: ImapSession,
  { fetches }: Fetches,
  budget: OctetBudget,
): Promise<readonly Rows[] | null | 'refused'> {
  const asked = fetches.map((wanted) => rowsOnce(session, wanted, budget));
  return unlessRefused(unlessGone(atOnce(asked)));
}

async function fetchOpening(
  session: ImapSession,
  { mailbox, fetches }: Fetches,
  budget: OctetBudget,
): Promise<readonly Rows[] | null | 'refused'> {
  const wire = encodeName(mailbox.mailbox, session.nameEncoding);
  if (wire === null) return null;
  const opening = session.examineAnd(wire, (isOpen) =>
    atOnce(fetches.map((wanted) => rowsOnce(session, wanted, budget, isOpen))),
  );
  const opened = await unlessGone(opening);
  if (opened?.examined.uidValidity !== mailbox.uidValidity) return null;
  const { answer } = opened;
  return answer.status === 'fulfilled' ? answer.value : unlessRefused(Promise.reject(answer.reason));
}

/** What was refused is asked again, message by message if it must be. */
async function fetchInTurn(
  session: ImapSession,
  { mailbox, fetches }: Fetches,
  budget: OctetBudget,
): Promise<readonly Rows[] | null> {
  if (!(await isAt(session, mailbox))) return null;
  const rows: Rows[] = [];
  for (const { uids, items } of fetches) rows.push(await fetchRows(session, uids, items, budget));
  return rows;
}

/** Throws where the server refuses a message; what has come until then does not count. */
async function rowsOnce(
  session: ImapSession,
  { uids, items }: Fetch,
  budget: OctetBudget,
  isOpen: () => boolean = () => true,
): Promise<Rows> {
  const { rows, take, giveBack } = rowsWithin(uids, budget);
  const takeOpen = (row: FetchRow) => {
    if (isOpen()) take(row);
  };
  try {
    await atOnce(setsOf(uids).map((set) => session.fetch(set, items, { rowsMax: uids.length }, takeOpen)));
  } catch (error) {
    giveBack();
    throw error;
  }
  return rows;
}

function rowsWithin(uids: readonly number[], budget: OctetBudget) {
  const rows = new Map<number, readonly ImapValue[]>();
  const wanted = new Set(uids);
  let octets = 0;
  const take = (row: FetchRow): void => {
    if (!wanted.has(row.uid)) return;
    const own = octetsIn(row.items);
    octets += own;
    budget.left -= own;
    if (budget.left >= 0) rows.set(row.uid, [...row.items, ...(rows.get(row.uid) ?? [])]);
    else budget.isPassed = true;
  };
  const giveBack = (): void => {
    budget.left += octets;
  };
  return { rows, take, giveBack };
}

async function unlessRefused<T>(asked: Promise<T>): Promise<T | 'refused'> {
  try {
    return await asked;
  } catch (error) {
    if (isOfOne(error)) return 'refused';
    throw error;
  }
}

/** Whether the server may have refused because of one of the messages. */
function isOfOne(error: unknown): boolean {
  return error instanceof CommandRefused && error.status === 'NO';
}

function setsOf(uids: readonly number[]): UidRanges[] {
  return cutUidSet(rangesOf(uids), imapLimits.messagesPerCommand);
}

function checkBudget({ isPassed }: OctetBudget): void {
  if (isPassed) throw new TooMuchAtOnce('The messages have too much in their headers and structures');
}

function unlimited(): OctetBudget {
  return octetBudget(Number.POSITIVE_INFINITY);
}

/** About how much memory values take. */
function octetsIn(values: readonly ImapValue[]): number {
  let octets = 0;
  for (const value of values) {
    if (value === null) continue;
    octets += typeof value === 'string' || value instanceof Uint8Array ? value.length : 16 + octetsIn(value);
  }
  return octets;
}
