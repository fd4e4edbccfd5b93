import type { Buffer } from 'node:buffer';
import type { MailboxVector } from '../catalog/mailbox.ts';
import {
  type Appearances,
  type KnownMailbox,
  MailboxGone,
  type MailboxReading,
  MailboxUnseen,
  type UidRanges,
} from '../catalog/source.ts';
import {
  appearanceItems,
  appearanceOf,
  flagsOf,
  type IdentityFacts,
  threadFieldsOf,
  threadItems,
} from './appearance.ts';
import { AppearanceRows } from './appearance-columns.ts';
import { AppearanceReader } from './appearance-reader.ts';
import { atom, cutUidSet, type ImapArgument, uidSet, uidSetsOf } from './arguments.ts';
import type { Examined } from './examine-answer.ts';
import { type FetchRow, fetchItem } from './fetch-row.ts';
import { imapLimits } from './limits.ts';
import { Pace } from './pace.ts';
import type { ImapSession, Since } from './session.ts';
import { clipRanges, countUids, normalizeRanges, outside, rangesOf } from './uid-ranges.ts';
import type { UseSession } from './use.ts';

const batchMax = imapLimits.appearancesPerCommand;
/** New messages that are asked for before the mailbox is open: if there are others by then, all are asked for again. */
const newInFlightMax = 100;
/** Batches that are asked for, or have come, while one is worked on: each may take a megabyte. */
const waitingMax = 8;

/**
 * Reads one mailbox (`wire`: its name on the wire): by QRESYNC or CONDSTORE (RFC 7162) where the known mod-sequence still
 * counts, else by comparing all UIDs and flags. New messages are read below the UIDNEXT of the EXAMINE that began it all. `told`: what the
 * server told of it before; then few messages are asked for without waiting for the EXAMINE.
 */
export async function readMailbox(
  use: UseSession,
  wire: string,
  known: KnownMailbox | null,
  facts: IdentityFacts,
  told: MailboxVector | null = null,
): Promise<MailboxReading> {
  return use(async (session) => {
    const closed: Closed = { session, use, wire, facts };
    if (known === null && told !== null && isSmall(told)) return readSmall(closed, told);
    const tier = await session.syncTier();
    const mailbox = known === null ? await opened(closed) : await openedSince(closed, known.vector, told);
    const { examined } = mailbox;
    if (!known || known.vector.uidValidity !== examined.uidValidity) {
      return readAll(mailbox, known ? 'renewed' : 'full');
    }
    if (tier === 'none' || !continues(known, examined)) return compareAll(mailbox, known);
    return tier === 'qresync' ? readVanished(mailbox, known) : readChangedSince(mailbox, known);
  });
}

/** From where changes are asked for; undefined: the mailbox has no mod-sequences. */
export function sinceOf({ uidValidity, highestModseq }: MailboxVector): Since | undefined {
  return highestModseq === null ? undefined : { uidValidity, modseq: highestModseq };
}

type Closed = {
  readonly session: ImapSession;
  readonly use: UseSession;
  readonly wire: string;
  readonly facts: IdentityFacts;
};

/** `appeared`: the messages that were not known, where they came in the flight of the EXAMINE. */
type Opened = Closed & { readonly examined: Examined; readonly appeared: AppearanceAnswer | null };

async function opened(mailbox: Closed, since?: Since): Promise<Opened> {
  return { ...mailbox, examined: await mailbox.session.examine(mailbox.wire, since), appeared: null };
}

/** Asks for few new messages in the flight of the EXAMINE, unless the mailbox has been opened ahead. */
async function openedSince(mailbox: Closed, known: MailboxVector, told: MailboxVector | null): Promise<Opened> {
  const since = sinceOf(known);
  if (told === null || !hasFewNew(known, told) || mailbox.session.isOpenedAhead(mailbox.wire, since)) {
    return opened(mailbox, since);
  }
  const { examined, answer } = await readInOneFlight(mailbox, known.uidNext, told, since);
  return { ...mailbox, examined, appeared: examined.uidValidity === known.uidValidity ? answer : null };
}

/** Whether the server told of messages that were not known, and not of many. */
function hasFewNew(known: MailboxVector, told: MailboxVector): boolean {
  if (told.uidValidity !== known.uidValidity || told.messages === 0) return false;
  return told.uidNext > known.uidNext && told.uidNext - known.uidNext <= newInFlightMax;
}

/** Whether the server's count of changes goes on from the known one. */
function continues({ vector }: KnownMailbox, { highestModseq, uidNext }: Examined): boolean {
  if (vector.highestModseq === null || highestModseq === null) return false;
  return BigInt(highestModseq) >= BigInt(vector.highestModseq) && uidNext >= vector.uidNext;
}

/** Whether few messages are below UIDNEXT, but some. */
function isSmall({ uidNext, messages }: MailboxVector): boolean {
  return messages > 0 && (uidNext - 1 <= batchMax || messages <= batchMax);
}

/**
 * Reads small mailboxes one behind the other, without waiting for any: by name on the wire, those that are what the server `told` of them. The
 * others cannot be opened, have changed since, or take more than that to be read.
 */
export async function readTogether(
  use: UseSession,
  mailboxes: readonly { readonly wire: string; readonly told: MailboxVector }[],
  facts: IdentityFacts,
): Promise<ReadonlyMap<string, MailboxReading>> {
  const readings = new Map<string, MailboxReading>();
  await use(async (session) => {
    const flights = mailboxes.map(async ({ wire, told }) => {
      const mailbox = { session, use, wire, facts };
      const { examined, answer } = await readInOneFlight(mailbox, 1, told);
      const batch = answer?.wholeRows() ?? null;
      if (batch !== null) readings.set(wire, wholeReading({ ...mailbox, examined, appeared: null }, batch));
    });
    for (const flight of await Promise.allSettled(flights)) {
      // What was read before something broke is not read again.
      if (flight.status === 'rejected' && readings.size === 0 && !isNotThere(flight.reason)) throw flight.reason;
    }
  });
  return readings;
}

function isNotThere(error: unknown): boolean {
  return error instanceof MailboxGone || error instanceof MailboxUnseen;
}

/** All of a mailbox in one flight, unless it has become another one since the server told of it. */
async function readSmall(mailbox: Closed, told: MailboxVector): Promise<MailboxReading> {
  const { examined, answer } = await readInOneFlight(mailbox, 1, told);
  const opened = { ...mailbox, examined, appeared: null };
  return answer === null ? readAll(opened, 'full') : wholeReading(opened, await answer.rows(mailbox.session));
}

/** The messages from `firstUid` on. `answer` is null where the mailbox has another UIDNEXT than was told, or the server did not answer. */
async function readInOneFlight(
  { session, wire, facts }: Closed,
  firstUid: number,
  { uidNext }: MailboxVector,
  since?: Since,
): Promise<{ readonly examined: Examined; readonly answer: AppearanceAnswer | null }> {
  const answer = new AppearanceAnswer(facts, [[firstUid, uidNext - 1]]);
  const options = { rowsMax: batchMax, takeOctets: answer.takeOctets };
  const { examined, refusal } = await session.examineAndFetch(
    wire,
    answer.uids,
    appearanceItems(facts),
    options,
    answer.take,
    since,
  );
  return { examined, answer: refusal === null && examined.uidNext === uidNext ? answer : null };
}

function wholeReading(opened: Opened, batch: AppearanceRows): MailboxReading {
  const { present, batches } = inOneBatch(batch);
  return { ...reading(opened), kind: 'full', present, appeared: batches };
}

async function readAll(mailbox: Opened, kind: 'full' | 'renewed'): Promise<MailboxReading> {
  const appeared = await readAppeared(mailbox, 1);
  return { ...reading(mailbox), kind, present: appeared.present, appeared: appeared.batches };
}

/** QRESYNC: the EXAMINE has told everything about known messages. */
async function readVanished(mailbox: Opened, known: KnownMailbox): Promise<MailboxReading> {
  const { vanished, changed, uidNext } = mailbox.examined;
  const appeared = await readAppeared(mailbox, known.vector.uidNext);
  return {
    ...reading(mailbox),
    kind: 'delta',
    vanished: clipRanges(vanished, 1, uidNext - 1),
    flags: flagsOfRows(changed, known.vector.uidNext),
    appeared: appeared.batches,
  };
}

/** CONDSTORE: changed flags are asked for; whether something is gone shows in the count, and then in a comparison of UIDs. */
async function readChangedSince(mailbox: Opened, known: KnownMailbox): Promise<MailboxReading> {
  const { session, examined } = mailbox;
  const { vector } = known;
  const flags =
    examined.highestModseq === vector.highestModseq ? [] : await readFlags(session, known, vector.highestModseq ?? '0');
  const appeared = await readAppeared(mailbox, vector.uidNext);
  const isComplete = vector.messages + countUids(appeared.present) === examined.exists;
  const vanished = isComplete ? [] : rangesOf(outside(await known.uids(), await searchAll(session)));
  return { ...reading(mailbox), kind: 'delta', vanished, flags, appeared: appeared.batches };
}

/** Without mod-sequences: every known message is looked at. */
async function compareAll(mailbox: Opened, known: KnownMailbox): Promise<MailboxReading> {
  const flags = mailbox.examined.exists === 0 ? [] : await readFlags(mailbox.session, known, null);
  const appeared = await readAppeared(mailbox, known.vector.uidNext);
  const present = normalizeRanges([...rangesOf(flags.map(({ uid }) => uid)), ...appeared.present]);
  return { ...reading(mailbox), kind: 'full', present, flags, appeared: appeared.batches };
}

function reading({ examined }: Opened): Omit<MailboxReading, 'kind' | 'appeared'> {
  const { uidValidity, uidNext, highestModseq, exists } = examined;
  return { vector: { uidValidity, uidNext, highestModseq, messages: exists }, vanished: [], present: [], flags: [] };
}

type FlagsOfUid = { readonly uid: number; readonly flags: readonly string[] };

async function readFlags(
  session: ImapSession,
  known: KnownMailbox,
  changedSince: string | null,
): Promise<FlagsOfUid[]> {
  const { uidNext } = known.vector;
  if (uidNext <= 1) return [];
  const found = new Map<number, readonly string[]>();
  const share = sharedFlags();
  await session.fetch(
    [[1, uidNext - 1]],
    [atom('UID'), atom('FLAGS')],
    { rowsMax: imapLimits.mailboxMessagesMax, ...(changedSince === null ? {} : { changedSince }) },
    ({ uid, items }) => {
      if (uid < uidNext) found.set(uid, share(flagsOf(fetchItem(items, 'FLAGS'))));
    },
  );
  return [...found].sort(([a], [b]) => a - b).map(([uid, flags]) => ({ uid, flags }));
}

function flagsOfRows(rows: Examined['changed'], uidNext: number): FlagsOfUid[] {
  const share = sharedFlags();
  const known = new Map(
    rows.filter(({ uid }) => uid < uidNext).map(({ uid, items }) => [uid, share(flagsOf(fetchItem(items, 'FLAGS')))]),
  );
  return [...known].map(([uid, flags]) => ({ uid, flags }));
}

/** Many messages have few different lists of flags. */
function sharedFlags(): (flags: readonly string[]) => readonly string[] {
  const lists = new Map<string, readonly string[]>();
  return (flags) => {
    const key = flags.join(' ');
    const list = lists.get(key);
    if (list) return list;
    lists.set(key, flags);
    return flags;
  };
}

type Appeared = { readonly present: UidRanges; readonly batches: AsyncIterable<Appearances> };

/**
 * The messages from `firstUid` to below UIDNEXT. Few are read at once; of many the UIDs are found out first, and then some batches
 * ahead of the one that is being worked on.
 */
async function readAppeared(mailbox: Opened, firstUid: number): Promise<Appeared> {
  const { session, examined } = mailbox;
  const lastUid = examined.uidNext - 1;
  if (firstUid > lastUid || examined.exists === 0) return { present: [], batches: inBatches([]) };
  if (mailbox.appeared !== null) return inOneBatch(await mailbox.appeared.rows(session));
  if (lastUid - firstUid < batchMax || (firstUid === 1 && examined.exists <= batchMax)) {
    const { facts } = mailbox;
    const { answered, rows } = fetchBatch(session, [[firstUid, lastUid]], facts, new AppearanceRows(facts));
    const [batch] = await Promise.all([rows, answered]);
    return inOneBatch(batch);
  }
  const present = await presentUids(mailbox, firstUid, lastUid);
  return { present, batches: readBatches(mailbox, present) };
}

async function presentUids({ session, examined }: Opened, firstUid: number, lastUid: number): Promise<UidRanges> {
  // Where none was ever removed, their number tells all of them.
  if (firstUid === 1 && examined.exists === lastUid) return [[firstUid, lastUid]];
  const all = firstUid === 1 ? [atom('ALL')] : [atom('UID'), uidSet([[firstUid, lastUid]])];
  return clipRanges(await session.search(all), firstUid, lastUid);
}

function inOneBatch(batch: AppearanceRows): Appeared {
  return { present: rangesOf(batch.uids()), batches: inBatches(batch.length > 0 ? [batch] : []) };
}

async function* inBatches(batches: readonly Appearances[]): AsyncGenerator<Appearances> {
  yield* batches;
}

async function* readBatches(mailbox: Opened, uids: UidRanges): AsyncGenerator<Appearances> {
  const { use, wire, examined, facts } = mailbox;
  const pace = new Pace(Date.now);
  const sets = uidSetsOf(uids, () => pace.next());
  // One more is being worked on.
  const rows = Array.from({ length: waitingMax + 1 }, () => new AppearanceRows(facts));
  let asked = 0;
  /** Asked for and not handed over yet, in their order. */
  const waiting: Batch[] = [];
  const unanswered = new Set<Promise<void>>();
  let askedOf: ImapSession | null = null;
  const ask = (session: ImapSession, set: UidRanges, found: AppearanceRows): void => {
    const batch = fetchBatch(session, set, facts, found);
    waiting.push(batch);
    unanswered.add(batch.answered);
    // Waited for in their turn; until then a failure has nobody to tell.
    batch.rows.then(
      () => pace.told(batch.messages),
      () => {},
    );
    batch.answered.then(
      () => unanswered.delete(batch.answered),
      () => {},
    );
  };
  const askAhead = (session: ImapSession): void => {
    if (session !== askedOf) {
      // The one before has ended, with all that it was asked.
      unanswered.clear();
      for (const batch of waiting.splice(0)) ask(session, batch.uids, batch.found);
      askedOf = session;
    }
    while (waiting.length < waitingMax) {
      const messages = waiting.reduce((sum, batch) => sum + batch.messages, 0);
      const set = messages + pace.next() <= pace.inAll() ? sets.next().value : undefined;
      if (!set) break;
      ask(session, set, rows[asked++ % rows.length] as AppearanceRows);
    }
  };
  const next = () =>
    use(async (session) => {
      if (!(await session.examineAgain(wire, examined.uidValidity, examined.uidNext)))
        throw new MailboxGone('The mailbox was replaced');
      askAhead(session);
      const batch = await waiting[0]?.rows;
      // A command may still be refused when all its messages have come.
      if (batch === undefined) await Promise.all(unanswered);
      waiting.shift();
      // What is to be done with the batch may take the process for a while.
      askAhead(session);
      return batch;
    });
  try {
    for (let batch = await next(); batch !== undefined; batch = await next()) {
      if (batch.length > 0) yield batch;
    }
  } finally {
    await Promise.allSettled([...unanswered, ...waiting.map((batch) => batch.rows)]);
  }
}

/** Messages that were asked for by one command. */
type Batch = {
  readonly uids: UidRanges;
  readonly messages: number;
  readonly found: AppearanceRows;
  /**
   * All that came, in UID order, as soon as none is missing. QUIRK(dovecot 2.3): it says of no command that it is complete before it has
   * answered the others that it has begun.
   */
  readonly rows: Promise<AppearanceRows>;
  /** The tagged answer. */
  readonly answered: Promise<void>;
};

/** `found`: what they are put into, for what is in it now is of no use any more. */
function fetchBatch(session: ImapSession, uids: UidRanges, facts: IdentityFacts, found: AppearanceRows): Batch {
  const answer = new AppearanceAnswer(facts, uids, found);
  const options = { rowsMax: batchMax, takeOctets: answer.takeOctets };
  const answered = session.fetch(uids, appearanceItems(facts), options, answer.take);
  const told = facts.threads === 'server' ? answered : Promise.race([answer.whole, answered]);
  const rows = told.then(() => answer.rows(session));
  return { uids, messages: countUids(uids), found, rows, answered };
}

/** Takes the answer to a FETCH of `appearanceItems`. */
class AppearanceAnswer {
  readonly uids: UidRanges;
  /**
   * Resolves when all messages have been told of, each with all that was asked; what comes then is not taken. Of a server that tells of
   * them in another order, or not of all, only the tagged answer says so.
   */
  readonly whole: Promise<void>;
  readonly #facts: IdentityFacts;
  readonly #itemsAsked: number;
  readonly #found: AppearanceRows;
  readonly #reader: AppearanceReader;
  /** The message that is to be told of next: its range, and its place in it. */
  #range = 0;
  #place = 0;
  #becomeWhole = (): void => {};

  constructor(facts: IdentityFacts, uids: UidRanges, found = new AppearanceRows(facts)) {
    this.uids = uids;
    this.whole = new Promise((resolve) => {
      this.#becomeWhole = resolve;
    });
    this.#facts = facts;
    this.#itemsAsked = appearanceItems(facts).length;
    this.#found = found;
    this.#reader = new AppearanceReader(facts);
    found.clear();
  }

  readonly takeOctets = (bytes: Buffer, start: number, end: number): boolean => {
    if (this.#isWhole || !this.#reader.read(bytes, start, end) || !this.#isAskedFor(this.#reader.uid)) return false;
    this.#reader.addTo(this.#found);
    this.#note(this.#reader.uid, this.#reader.items);
    return true;
  };

  readonly take = (row: FetchRow): void => {
    if (this.#isWhole || !this.#isAskedFor(row.uid)) return;
    const appearance = appearanceOf(row, this.#facts);
    if (appearance === null) return;
    this.#found.addOther(appearance);
    this.#note(row.uid, row.items.length / 2);
  };

  /** All that came, in UID order; null where more has to be asked for, as `rows` does. */
  wholeRows(): AppearanceRows | null {
    this.#found.sort();
    return this.#facts.threads === 'server' && namelessIn(this.#found).size > 0 ? null : this.#found;
  }

  /** All that came, in UID order. */
  async rows(session: ImapSession): Promise<AppearanceRows> {
    this.#found.sort();
    if (this.#facts.threads === 'server') await addThreadFields(session, this.#found);
    return this.#found;
  }

  get #isWhole(): boolean {
    return this.#range === this.uids.length;
  }

  #note(uid: number, items: number): void {
    const [first, last] = this.uids[this.#range] as UidRanges[number];
    if (uid !== first + this.#place || items < this.#itemsAsked) return;
    this.#place += 1;
    if (uid < last) return;
    this.#range += 1;
    this.#place = 0;
    if (this.#isWhole) this.#becomeWhole();
  }

  #isAskedFor(uid: number): boolean {
    return uid >= (this.uids[0]?.[0] ?? 0) && uid <= (this.uids.at(-1)?.[1] ?? 0);
  }
}

/** The places of messages whose thread the server does not name, by UID. */
function namelessIn(found: AppearanceRows): ReadonlyMap<number, number> {
  const nameless = new Map<number, number>();
  for (let place = 0; place < found.length; place++) {
    const appearance = found.at(place);
    if (appearance?.serverThreadId === null) nameless.set(appearance.uid, place);
  }
  return nameless;
}

/** For messages whose thread the server does not name: what it is derived from. */
async function addThreadFields(session: ImapSession, found: AppearanceRows): Promise<void> {
  const nameless = namelessIn(found);
  const items: ImapArgument[] = threadItems();
  for (const uids of cutUidSet(rangesOf([...nameless.keys()]), batchMax)) {
    await session.fetch(uids, items, { rowsMax: batchMax }, (row) => {
      const place = nameless.get(row.uid);
      const appearance = place === undefined ? undefined : found.at(place);
      if (place !== undefined && appearance) found.replace(place, { ...appearance, ...threadFieldsOf(row) });
    });
  }
}

async function searchAll(session: ImapSession): Promise<UidRanges> {
  await session.refresh();
  return session.search([atom('ALL')]);
}
