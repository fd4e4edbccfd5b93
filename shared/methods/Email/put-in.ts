import type { ChangingCatalog } from '../../catalog/account.ts';
import type { Span } from '../../catalog/adopt.ts';
import type { Email, MailboxKey } from '../../catalog/email.ts';
import { existsInJmap, flagOfKeyword } from '../../catalog/keywords.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import type { OwnChanges } from '../../catalog/own-changes.ts';
import type { CatalogView } from '../../catalog/view.ts';
import {
  nullIfUnavailable,
  OutcomeUnknown,
  ok,
  type Result,
  refuse,
  type SetError,
  Unavailable,
} from '../../jmap/errors.ts';
import { type Id, utcDate } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { lookAnew } from '../look-anew.ts';
import type { BlobReading } from './blob-contents.ts';
import { messageBlobId } from './blob-id.ts';
import { errorOf, fulfil, joined, noAnswer } from './fulfil.ts';
import { keywordsPerEmailMax, mailboxesPerEmailMax } from './limits.ts';
import type { Appended, AppendPiece, CanAppendMessages, CanWriteMessages } from './mail.ts';
import { ownLedger } from './own-ledger.ts';
import type { EmailRecord } from './record.ts';
import { isFulfilled, type Wish } from './wish.ts';

/** What putting messages into mailboxes needs of the world. */
export type PutInPorts = {
  readonly catalog: ChangingCatalog;
  readonly writing: CanWriteMessages;
  readonly appending: CanAppendMessages;
  /** Whether the request is still to be answered. */
  readonly hasTime: () => boolean;
};

/** A message that is to become an Email. */
export type NewEmail = {
  readonly mailboxIds: readonly string[];
  readonly keywords: readonly string[];
  readonly content: NewContent;
};

/** Where the octets of a message come from. */
export type NewContent = {
  /** Gets them ready to be sent; once more, when they could not be had in the way that was said before. */
  readonly read: (reading: BlobReading) => Promise<Result<ReadContent, SetError>>;
};

export type ReadContent = {
  readonly pieces: readonly AppendPiece[];
  /** The value of its Message-ID field, unfolded; '' where there is none. */
  readonly messageId: string;
  readonly size: number;
  /** In seconds since the epoch. */
  readonly receivedAt: number;
};

/** How often it is tried to remove a message that was not to be. */
const removalsMax = 3;

/** What became of new Emails, and of the catalog by them. */
export type PutIn = Span & { readonly results: ReadonlyMap<string, Result<Some<EmailRecord>, SetError>> };

/** A message that is in the first of its mailboxes. */
type Landed = {
  readonly creationId: string;
  readonly wish: Wish;
  readonly mailbox: MailboxEntry;
  readonly uid: number;
  /** As it was asked for, in seconds since the epoch. */
  readonly receivedAt: number;
};

/**
 * Puts messages into mailboxes, one after the other: each is sent once, and copied where it is to be in more than one. What the mail
 * server did not answer is looked for; nothing is sent again. Of an Email that does not become all that it is to be, what was put in
 * is removed again, and nothing else; and so is a message that turns out to be an Email which is there already (`alreadyExists`).
 * When the time of the request is up, no other one is begun: who is never answered sends all of them again.
 *
 * Throws `Unavailable` only when nothing was changed, and `OutcomeUnknown` when it cannot be seen what was.
 */
export async function putIn(
  records: ReadonlyMap<string, NewEmail>,
  start: CatalogView,
  ports: PutInPorts,
): Promise<PutIn> {
  const results = new Map<string, Result<Some<EmailRecord>, SetError>>();
  const mailboxes = await start.mailboxes();
  const entries = new Map(
    [...mailboxes.values()].filter(({ vector }) => vector).map((entry) => [entry.id as string, entry]),
  );
  const canTakeStored = records.size > 0 && (await ports.appending.canTakeStored());
  const ledger = ownLedger();
  const landed: Landed[] = [];
  /** The UID of the newest message of this call: what comes after it has a higher one. */
  const newest = new Map<MailboxKey, number>();

  for (const [creationId, email] of records) {
    if (!ports.hasTime()) {
      results.set(creationId, refuse(noTimeLeft));
      continue;
    }
    try {
      const put = await putOne(email);
      if (put.ok) landed.push({ creationId, ...put.value });
      else results.set(creationId, put);
    } catch (error) {
      if (error instanceof OutcomeUnknown || !(error instanceof Unavailable) || ledger.isEmpty()) throw error;
      results.set(creationId, refuse(noAnswer));
    }
  }
  if (ledger.isEmpty()) return { before: start, after: start, latest: start, results };

  let span = await adopted({ before: start, after: start, latest: start }, ledger.changes());
  const emails = await landedEmails(landed, span.latest);
  const known = await start.emails([...emails.values()].map(({ id }) => id));
  const wishes = new Map<Id, Wish>();
  const twins: Landed[] = [];
  for (const each of landed) {
    const email = emails.get(each);
    if (email === undefined) results.set(each.creationId, refuse(removedAtOnce));
    else if (existsInJmap(known.get(email.id) ?? null) || wishes.has(email.id)) twins.push(each);
    else wishes.set(email.id, each.wish);
  }
  await removeTwins();
  const refusals = await completeOrRemove();

  for (const each of landed) {
    const email = emails.get(each);
    if (email === undefined || results.has(each.creationId)) continue;
    const refusal = refusals.get(email.id);
    results.set(each.creationId, refusal === undefined ? ok(createdEmail(email, each)) : refuse(refusal));
  }
  return { ...span, results };

  async function putOne(email: NewEmail): Promise<Result<Omit<Landed, 'creationId'>, SetError>> {
    const targets = targetsOf(email, entries);
    if (!targets.ok) return targets;
    const [mailbox, ...others] = targets.value;
    const { keywords } = email;
    const wish: Wish = { enter: others.map(({ key }) => key), leave: [], set: keywords, unset: [] };
    for (const isMeasured of [false, true]) {
      const reading = { canTakeStored: canTakeStored && !isMeasured, isMeasured };
      const content = await email.content.read(reading);
      if (!content.ok) return content;
      const appended = await append(mailbox, keywords, content.value);
      if (appended.failure === 'unread' && !isMeasured) continue;
      const uid = await uidOf(mailbox, content.value, appended);
      if (!uid.ok) return uid;
      ledger.arrives(mailbox.key, uid.value, { emailId: null, keywords });
      newest.set(mailbox.key, uid.value);
      return ok({ wish, mailbox, uid: uid.value, receivedAt: content.value.receivedAt });
    }
    return refuse(noAnswer);
  }

  function append(
    { name, vector }: MailboxEntry,
    keywords: readonly string[],
    { pieces, receivedAt }: ReadContent,
  ): Promise<Appended> {
    const flags = keywords.map(flagOfKeyword);
    return ports.appending.append({ mailbox: name, uidValidity: vector?.uidValidity ?? 0, flags, receivedAt, pieces });
  }

  /** Where the message is now; a refusal where it is not. */
  async function uidOf(
    mailbox: MailboxEntry,
    { messageId, size, receivedAt }: ReadContent,
    { done, failure }: Appended,
  ): Promise<Result<number, SetError>> {
    if (failure === 'unread') return refuse(unread);
    if (failure !== null && failure !== 'lost') return refuse(errorOf(failure));
    ledger.touch(mailbox.key);
    const { uidValidity = 0, uidNext = 1 } = mailbox.vector ?? {};
    if (done !== null && done.uidValidity === uidValidity) return ok(done.uid);
    if (done !== null) {
      // A mailbox of the same name has taken the place of the one that was meant.
      await ports.writing.remove({ mailbox: mailbox.name, uidValidity: done.uidValidity, uids: [done.uid] });
      return refuse(errorOf('noTarget'));
    }
    const place = {
      mailbox: mailbox.name,
      uidValidity,
      uidFrom: Math.max(uidNext, (newest.get(mailbox.key) ?? 0) + 1),
    };
    const likeness = { messageId, receivedAt, size };
    const found = await lookAnew(() => ports.appending.findLike(place, likeness, failure === 'lost'));
    if (found === 'gone') return refuse(errorOf('gone'));
    return found === 'absent' ? refuse(failure === 'lost' ? notThereYet : removedAtOnce) : ok(found);
  }

  async function adopted(before: Span, own: OwnChanges): Promise<Span> {
    const now = await ports.catalog.adopt(before.latest, own).catch(nullIfUnavailable);
    if (now !== null) return joined(before, now);
    return { ...before, latest: await lookAnew(() => ports.catalog.view('now')) };
  }

  /** The mail server gave these the ids of Emails that were there before, or that another of these messages has become. */
  async function removeTwins(): Promise<void> {
    for (const twin of twins) {
      const existingId = emails.get(twin)?.id ?? '';
      results.set(twin.creationId, refuse({ type: 'alreadyExists', existingId }));
    }
    await removed(twins);
  }

  /**
   * Removes exactly these messages: what others have put in meanwhile may be the same Email. Answers those that are still there, or may
   * be.
   */
  async function removed(messages: readonly Landed[]): Promise<readonly Landed[]> {
    let left = messages;
    for (let attempt = 1; attempt <= removalsMax && left.length > 0; attempt += 1) {
      const removals = ownLedger();
      for (const { mailbox, uid } of left) {
        const place = { mailbox: mailbox.name, uidValidity: mailbox.vector?.uidValidity ?? 0, uids: [uid] };
        const done = await ports.writing.remove(place).catch(nullIfUnavailable);
        removals.touch(mailbox.key, [{ before: null, after: null }]);
        if (done?.failure === null) removals.leaves(mailbox.key, uid);
      }
      span = await adopted(span, removals.changes());
      const there = await landedEmails(left, span.latest);
      const boxes = await span.latest.mailboxes();
      left = left.filter((each) => {
        const { mailbox, uid } = each;
        // Under another UIDVALIDITY nobody knows which one it is.
        if (boxes.get(mailbox.key)?.vector?.uidValidity !== mailbox.vector?.uidValidity) return boxes.has(mailbox.key);
        const rows = there.get(each)?.rows ?? [];
        return rows.some((row) => row.mailbox === mailbox.key && row.uid === uid && !row.deleted);
      });
    }
    return left;
  }

  /** Makes the wishes come true that do not yet; those of an Email that is refused are taken back with it. */
  async function completeOrRemove(): Promise<ReadonlyMap<Id, SetError>> {
    const refused = new Map<Id, SetError>();
    const now = await span.latest.emails(wishes.keys());
    const open = new Map([...wishes].filter(([id, wish]) => !isFulfilled(wish, now.get(id) ?? null)));
    if (open.size === 0) return refused;
    const completed = await fulfil(open, span.latest, ports).catch(nullIfUnavailable);
    span =
      completed === null
        ? { ...span, latest: await lookAnew(() => ports.catalog.view('now')) }
        : joined(span, completed);
    const then = await span.latest.emails(open.keys());
    for (const [id, wish] of open) {
      const outcome = completed?.outcomes.get(id) ?? refuse(noAnswer);
      // It may have been done all the same.
      if (!outcome.ok && !isFulfilled(wish, then.get(id) ?? null)) refused.set(id, outcome.error);
    }
    if (refused.size === 0) return refused;
    // Copies have been taken back with the wish.
    const ours = new Map<Landed, Id>();
    for (const each of landed) {
      const email = emails.get(each);
      if (email !== undefined && refused.has(email.id) && !twins.includes(each)) ours.set(each, email.id);
    }
    const left = new Set(await removed([...ours.keys()]));
    for (const [each, id] of ours) {
      const error = refused.get(id);
      if (error === undefined || !left.has(each)) continue;
      refused.set(id, {
        ...error,
        description: `${error.description}; a part of it is there and could not be removed`,
      });
    }
    return refused;
  }
}

/** A UTCDate in seconds since the epoch; a fraction goes, and a leap second is the one before it. */
export function secondsOf(date: string): number {
  return Math.floor(Date.parse(date.replace(/:60(?=[.Z])/, ':59')) / 1000);
}

/** The mailboxes that an Email is to be in, in the order in which they were named. */
function targetsOf(
  { mailboxIds, keywords }: NewEmail,
  entries: ReadonlyMap<string, MailboxEntry>,
): Result<readonly [MailboxEntry, ...MailboxEntry[]], SetError> {
  const unknown = mailboxIds.filter((id) => !entries.has(id));
  const [first, ...others] = mailboxIds.flatMap((id) => entries.get(id) ?? []);
  if (unknown.length > 0 || first === undefined) {
    const description =
      unknown.length > 0 ? `no mailbox for Emails is "${unknown.join('", "')}"` : 'an Email has to be in a mailbox';
    return refuse({ type: 'invalidProperties', properties: ['mailboxIds'], description });
  }
  if (mailboxIds.length > mailboxesPerEmailMax) {
    return refuse({ type: 'tooManyMailboxes', description: `more than ${mailboxesPerEmailMax} mailboxes` });
  }
  if (keywords.length > keywordsPerEmailMax) {
    return refuse({ type: 'tooManyKeywords', description: `more than ${keywordsPerEmailMax} keywords` });
  }
  return ok([first, ...others]);
}

/** The Emails that the messages have become; those that are there no more are absent. */
async function landedEmails(landed: readonly Landed[], view: CatalogView): Promise<ReadonlyMap<Landed, Email>> {
  const ids = new Map<Landed, Id>();
  for (const mailbox of new Set(landed.map((each) => each.mailbox))) {
    const here = landed.filter((each) => each.mailbox === mailbox);
    const found = await view.emailIdsAt(
      mailbox.key,
      here.map(({ uid }) => uid),
    );
    for (const each of here) {
      const id = found.get(each.uid);
      if (id !== undefined) ids.set(each, id);
    }
  }
  const emails = await view.emails(new Set(ids.values()));
  return new Map(
    [...ids].flatMap(([each, id]) => {
      const email = emails.get(id);
      return email === undefined ? [] : [[each, email] as const];
    }),
  );
}

/**
 * What a client learns of a new Email (RFC 8621 §4.6, §4.8). Servers keep a date that is too far from
 * the present as another one.
 */
function createdEmail({ id, threadId, size, receivedAt }: Email, asked: Landed): Some<EmailRecord> {
  const created = { id, blobId: messageBlobId(id), threadId, size };
  return receivedAt === asked.receivedAt ? created : { ...created, receivedAt: utcDate(receivedAt * 1000) };
}

const unread: SetError = { type: 'serverUnavailable', description: 'a blob could not be read' };
const notThereYet: SetError = {
  type: 'serverUnavailable',
  description: 'the mail server did not answer, and the message is not there; it may still come',
};
const noTimeLeft: SetError = { type: 'serverUnavailable', description: 'there is no time left for it' };
const removedAtOnce: SetError = { type: 'notFound', description: 'it was removed as soon as it was there' };
