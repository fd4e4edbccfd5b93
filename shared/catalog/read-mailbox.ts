import { followedBy, type MailboxDelta, rowsAfter, vectorOf } from './delta.ts';
import type { MailboxKey, Row } from './email.ts';
import { keywordsOfFlags } from './keywords.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import type { Appearance, KnownMailbox, MailboxReading, MailSource, UidRanges } from './source.ts';
import { hasUid, spanOf, uidsIn } from './uid-ranges.ts';
import type { CatalogView } from './view.ts';

/** More than this part of a mailbox is believed to have vanished only when UID SEARCH says so too … */
const vanishedShareUnconfirmedMax = 1 / 4;
/** … unless the rows are so few that it is nothing unusual. */
const vanishedRowsUnconfirmedMax = 20;
/** Vanished ranges that span at most so many UIDs are looked up one by one, wider ones compared with all rows. */
const uidsLookedUpMax = 1_000;

/** What a survey showed of a mailbox. The reading has to be of the same one: another may have its name by now. */
export type Expected = { readonly uidValidity: number | null; readonly mailboxId: string | null };

/** A mailbox as the catalog has it. */
export type Base = { readonly view: CatalogView; readonly entry: MailboxEntry };

/**
 * Asked after each batch whether to take over what was read so far, so that a large mailbox need not be held in memory. Gives
 * the base that has it, or null when it is too little to bother yet; the part must not be kept then.
 */
export type TakeOver = (base: Base, part: MailboxDelta) => Promise<Base | null>;

/**
 * Reads one mailbox and gives what changed since its entry, with what an `earlier` reading of the same sync brought. No
 * mod-sequence that went back is trusted, and rows that then do not number the mailbox's EXISTS are settled by UID SEARCH.
 * Throws what the source throws. `told`: as `MailSource.read` has it.
 */
export async function readMailbox(
  source: MailSource,
  start: Base,
  {
    expected,
    earlier,
    takeOver,
    told = null,
  }: { expected?: Expected; earlier?: MailboxDelta | undefined; takeOver?: TakeOver; told?: MailboxVector | null } = {},
): Promise<{ readonly base: Base; readonly delta: MailboxDelta }> {
  const known = earlier?.vector ?? vectorOf(start.entry);
  const reading = await openMailbox(source, start, known, { earlier, told });
  await expectMailbox(reading, start.entry.name, expected);
  let delta = await beginningOf(reading, start, known, earlier);
  const mayTakeOver = takeOver !== undefined && earlier === undefined && !delta.renewed;

  let base = start;
  const appeared = new Map<number, Appearance>();
  for await (const batch of reading.appeared) {
    for (const appearance of batch) appeared.set(appearance.uid, appearance);
    const last = batch.at(-1);
    if (last === undefined || !mayTakeOver) continue;
    const part = partOf(base.entry, { ...delta, appeared }, last.uid + 1);
    const taken = await takeOver(base, part);
    if (taken === null) continue;
    base = taken;
    delta = await beginningOf(reading, base, known, earlier);
    appeared.clear();
  }

  const whole = { ...delta, appeared };
  const total = earlier === undefined ? whole : followedBy(earlier, whole);
  return { base, delta: await settled(source, base, total) };
}

/** The mailbox that was opened is not the one that the survey showed under its name. */
export class MailboxReplaced extends Error {
  override readonly name = 'MailboxReplaced';
}

/** Ends the reading and throws `MailboxReplaced` when it is of another mailbox than the survey showed. */
export async function expectMailbox(reading: MailboxReading, name: string, expected?: Expected): Promise<void> {
  if (expected === undefined || isExpected(reading, expected)) return;
  await ended(reading);
  throw new MailboxReplaced(`Another mailbox is called "${name}" by now`);
}

function isExpected({ vector, mailboxId }: MailboxReading, expected: Expected): boolean {
  const isSameId = mailboxId === undefined || expected.mailboxId === null || mailboxId === expected.mailboxId;
  return isSameId && (expected.uidValidity === null || expected.uidValidity === vector.uidValidity);
}

/** An open reading has to be ended before the source is asked for anything else. */
async function ended(reading: MailboxReading): Promise<void> {
  for await (const _ of reading.appeared) break;
}

/** EXAMINE; once more without mod-sequences where the server forgot them or they went back, as if new where UIDNEXT did. */
async function openMailbox(
  source: MailSource,
  { view, entry }: Base,
  vector: MailboxVector | null,
  { earlier, told }: { readonly earlier: MailboxDelta | undefined; readonly told: MailboxVector | null },
): Promise<MailboxReading> {
  if (vector === null || vector.uidNext === 1) return source.read(entry.name, null, view, told);
  const uids = () => knownUids(view, entry.key, earlier);
  const known: KnownMailbox = { vector, uids };
  const reading = await source.read(entry.name, known, view, told);
  const startsAnew = reading.kind !== 'renewed' && reading.vector.uidNext < vector.uidNext;
  const forgets = reading.kind === 'delta' && wentBack(vector.highestModseq, reading.vector.highestModseq);
  if (!startsAnew && !forgets) return reading;
  await ended(reading);
  // QUIRK: a server that gives every mailbox the same UIDVALIDITY shows a recreated one by its lower UIDNEXT only.
  if (startsAnew) return { ...(await source.read(entry.name, null, view)), kind: 'renewed' };
  return source.read(entry.name, { vector: { ...vector, highestModseq: null }, uids }, view);
}

function wentBack(before: string | null, after: string | null): boolean {
  return before !== null && (after === null || BigInt(after) < BigInt(before));
}

/** What the reading says of known rows; nothing has appeared yet. */
async function beginningOf(
  reading: MailboxReading,
  { view, entry }: Base,
  known: MailboxVector | null,
  earlier: MailboxDelta | undefined,
): Promise<MailboxDelta> {
  const nothing = {
    vector: reading.vector,
    renewed: known !== null && reading.kind === 'renewed',
    flagsRead: reading.kind === 'delta' ? ('changed' as const) : ('all' as const),
    gone: new Set<number>(),
    flags: new Map<number, readonly string[]>(),
    appeared: new Map<number, Appearance>(),
    complete: true,
  };
  if (known === null || nothing.renewed) return nothing;
  const flags = new Map(reading.flags.map(({ uid, flags }) => [uid, flags]));
  if (reading.kind === 'delta') {
    return { ...nothing, gone: await knownAmong(reading.vanished, view, entry.key, earlier), flags };
  }
  return { ...nothing, ...(await differences(reading.present, flags, view, entry.key, earlier)) };
}

/** What can be committed before the end of a reading: all it said of known rows, and the messages that appeared up to a UID. */
function partOf(entry: MailboxEntry, delta: MailboxDelta, uidNext: number): MailboxDelta {
  const vector = { ...delta.vector, uidNext, messages: rowsAfter(entry, delta) };
  return { ...delta, vector, complete: false };
}

/**
 * The delta with rows that are really there: UID SEARCH decides when they do not number EXISTS (a message was expunged while
 * the mailbox was read, or an answer was wrong), and when a large part seems to have vanished.
 */
async function settled(source: MailSource, base: Base, delta: MailboxDelta): Promise<MailboxDelta> {
  const before = vectorOf(base.entry)?.messages ?? 0;
  const vanishedMax = Math.max(vanishedRowsUnconfirmedMax, before * vanishedShareUnconfirmedMax);
  const rows = rowsAfter(base.entry, delta);
  if (rows === delta.vector.messages && delta.gone.size <= vanishedMax) return delta;

  const present = await source.presentUids(base.entry.name);
  const knownRows = delta.renewed ? [] : await knownUids(base.view, base.entry.key, undefined);
  const gone = new Set(knownRows.filter((uid) => !hasUid(present, uid)));
  const appeared = new Map([...delta.appeared].filter(([uid]) => hasUid(present, uid)));
  const exact = counted(base.entry, { ...delta, gone, appeared });

  let presentBelowNext = 0;
  for (const uid of uidsIn(present)) if (uid < delta.vector.uidNext) presentBelowNext += 1;
  if (exact.vector.messages === presentBelowNext) return exact;
  return readAnew(source, base);
}

/** Reads the mailbox as if it had never been read: messages are there that no reading has named. */
async function readAnew(source: MailSource, { view, entry }: Base): Promise<MailboxDelta> {
  const reading = await source.read(entry.name, null, view);
  const appeared = new Map<number, Appearance>();
  for await (const batch of reading.appeared) for (const appearance of batch) appeared.set(appearance.uid, appearance);
  return counted(entry, {
    vector: reading.vector,
    renewed: vectorOf(entry) !== null,
    flagsRead: 'all',
    gone: new Set(),
    flags: new Map(),
    appeared,
    complete: true,
  });
}

/** The delta with the number of its rows in the vector, whatever EXISTS was. */
function counted(entry: MailboxEntry, delta: MailboxDelta): MailboxDelta {
  return { ...delta, vector: { ...delta.vector, messages: rowsAfter(entry, delta) } };
}

/** The known UIDs that lie in the ranges. */
async function knownAmong(
  ranges: UidRanges,
  view: CatalogView,
  mailbox: MailboxKey,
  earlier: MailboxDelta | undefined,
): Promise<Set<number>> {
  if (ranges.length === 0) return new Set();
  if (earlier !== undefined || spanOf(ranges) > uidsLookedUpMax) {
    return new Set((await knownUids(view, mailbox, earlier)).filter((uid) => hasUid(ranges, uid)));
  }
  return new Set((await view.emailIdsAt(mailbox, uidsIn(ranges))).keys());
}

/** Every known row against a whole list of UIDs and flags: which are gone, and which differ. */
async function differences(
  present: UidRanges,
  flags: ReadonlyMap<number, readonly string[]>,
  view: CatalogView,
  mailbox: MailboxKey,
  earlier: MailboxDelta | undefined,
): Promise<{ gone: Set<number>; flags: Map<number, readonly string[]> }> {
  const gone = new Set<number>();
  const changed = new Map<number, readonly string[]>();
  const compare = (uid: number, differs: (now: readonly string[]) => boolean) => {
    if (!hasUid(present, uid)) gone.add(uid);
    const now = flags.get(uid);
    if (now !== undefined && differs(now)) changed.set(uid, now);
  };
  if (earlier?.renewed !== true) {
    for await (const row of rowsIn(view, mailbox)) {
      if (earlier?.gone.has(row.uid) === true) continue;
      compare(row.uid, (now) => earlier?.flags.has(row.uid) === true || differsFrom(row, now));
    }
  }
  for (const uid of earlier?.appeared.keys() ?? []) compare(uid, () => true);
  return { gone, flags: changed };
}

function differsFrom(row: Row, flags: readonly string[]): boolean {
  const now = keywordsOfFlags(flags);
  return now.deleted !== row.deleted || now.keywords.join(' ') !== row.keywords.join(' ');
}

/** The UIDs of a mailbox after an earlier delta, ascending. */
async function knownUids(view: CatalogView, mailbox: MailboxKey, earlier: MailboxDelta | undefined): Promise<number[]> {
  const uids: number[] = [];
  if (earlier?.renewed !== true) {
    for await (const { uid } of rowsIn(view, mailbox)) if (earlier?.gone.has(uid) !== true) uids.push(uid);
  }
  for (const uid of earlier?.appeared.keys() ?? []) uids.push(uid);
  return uids.sort((a, b) => a - b);
}

/** All rows of a mailbox in UID order, a block at a time. */
export async function* rowsIn(view: CatalogView, mailbox: MailboxKey): AsyncGenerator<Row> {
  for (const block of await view.rowBlocks(mailbox)) yield* await block.rows();
}
