import type { ChangingCatalog } from '../../catalog/account.ts';
import type { Adopted, Span } from '../../catalog/adopt.ts';
import type { Email } from '../../catalog/email.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { nullIfUnavailable, ok, type Result, refuse, type SetError, Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { lookAnew } from '../look-anew.ts';
import { carryOut, type Deeds, type Scene } from './carry-out.ts';
import { heirsOf, inherited } from './heirs.ts';
import type { CanWriteMessages, WriteFailure } from './mail.ts';
import {
  isDivided,
  isEmptyWish,
  isExclusive,
  isFulfilled,
  needsCopy,
  restoringOf,
  undoingOf,
  type Wish,
  type Wished,
  withHidden,
  wouldBeNowhere,
} from './wish.ts';

/** How often wishes are carried out of which it is not known whether they hold, or that do not hold any more; after that they are only undone. */
const roundsMax = 5;

type Heritage = {
  readonly wishes: ReadonlyMap<Id, Wish>;
  readonly originals: ReadonlyMap<Id, Email>;
  /** Emails that are to be in a mailbox that is no more. */
  readonly gone: ReadonlySet<Id>;
};

/** What became of wishes, and of the catalog by them. */
export type Fulfilment = Span & { readonly outcomes: ReadonlyMap<Id, Result<null, SetError>> };

/**
 * Makes wishes come true. What the mail server says is done is done; where it does not say, or does not answer, the account is
 * looked at anew, and what does not hold yet is wished again. After an answer was lost nothing is copied, for an earlier copy may
 * still be under way: what is half done then is completed without copying, or else undone. To be in a mailbox that is no more
 * cannot come true, whoever bears its name by now; the others that bear the names of such mailboxes are left and cleared like them.
 *
 * Throws `Unavailable` only when nothing was changed, and `OutcomeUnknown` when it cannot be looked at.
 */
export async function fulfil(
  wishes: ReadonlyMap<Id, Wish>,
  start: CatalogView,
  { catalog, writing }: { readonly catalog: ChangingCatalog; readonly writing: CanWriteMessages },
): Promise<Fulfilment> {
  const outcomes = new Map<Id, Result<null, SetError>>();
  const found = await start.emails(wishes.keys());
  const canMove = await writing.canMove();
  let span: Span = { before: start, after: start, latest: start };
  let pending: readonly Id[] = [...wishes.keys()];
  /** Refused, and perhaps half done. */
  const half = new Map<Id, SetError>();
  let wasLost = false;

  for (let round = 1; ; round += 1) {
    const heritage = await inheritance();
    const { active, undoing } = await sorted(round, heritage);
    if (active.size + undoing.size === 0) return { ...span, outcomes };
    const mailboxes = await span.latest.mailboxes();
    const scene = { mailboxes, writing, canMove };
    const deeds = await carriedOut(new Map([...active, ...undoing]), heritage.originals, scene, round);
    if (deeds === null) {
      for (const id of active.keys()) outcomes.set(id, refuse(noAnswer));
      return { ...span, outcomes };
    }
    wasLost ||= deeds.isLost;
    for (const id of undoing.keys()) {
      const outcome = outcomes.get(id);
      if (outcome?.ok === false) half.set(id, outcome.error);
    }
    const now = await adopted(deeds);
    const undecided = new Set([...active.keys()].filter((id) => !isDecided(id, deeds, now?.isAttributed !== false)));
    const done = [...active].filter(([id]) => !undecided.has(id) && outcomes.get(id)?.ok);
    for (const id of await sharedAmong(done, now)) undecided.add(id);
    span = now === null ? span : joined(span, now);
    // Two who take from each other what they have just done may go on in step.
    if (undecided.size > 0 && round > 1) await writing.getOutOfStep();
    if (undecided.size > 0 || half.size > 0) span = { ...span, latest: await lookAnew(() => catalog.view('now')) };
    pending = [...undecided];
  }

  /** The wishes for Emails that are there, as they are to be understood now. */
  async function inheritance(): Promise<Heritage> {
    const heirs = await heirsOf(start, span.latest);
    const heritage = { wishes: new Map<Id, Wish>(), originals: new Map<Id, Email>(), gone: new Set<Id>() };
    for (const [id, asked] of wishes) {
      const email = found.get(id) ?? null;
      if (!existsInJmap(email)) continue;
      const { wish, original } = inherited(asked, email, heirs);
      heritage.wishes.set(id, wish);
      heritage.originals.set(id, original);
      if (asked.enter.some((key) => heirs.gone.has(key))) heritage.gone.add(id);
    }
    return heritage;
  }

  /** What is still to be done; of everything else the outcome is noted. */
  async function sorted(round: number, { wishes, originals, gone }: Heritage) {
    const isOver = round > roundsMax;
    const active = new Map<Id, Wished>();
    const undoing = new Map<Id, Wished>();
    const emails = await span.latest.emails([...pending, ...half.keys()]);
    for (const [id, error] of half) {
      half.delete(id);
      undo(id, error);
    }
    for (const id of pending) {
      const email = emails.get(id) ?? null;
      const [wish, original] = [wishes.get(id), originals.get(id)];
      if (wish === undefined || original === undefined) outcomes.set(id, refuse({ type: 'notFound' }));
      else if (isFulfilled(wish, email) && !gone.has(id)) outcomes.set(id, ok(null));
      else if (!existsInJmap(email) && isHidden(wish, email, original)) undo(id, noAnswer);
      // Who has flagged all that stays may be about to take the flag back, for the same reason for which we would.
      else if (!existsInJmap(email))
        outcomes.set(id, isDoneUnseen(wish, email) ? ok(null) : refuse({ type: 'notFound' }));
      else if (gone.has(id)) undo(id, errorOf('noTarget'));
      else if (wouldBeNowhere(wish, email)) undo(id, nowhere);
      else if (!isOver && !(wasLost && needsCopy({ wish, email }, canMove))) active.set(id, { wish, email });
      else undo(id, wasLost ? noAnswer : notDone);
    }
    return { active, undoing };

    function isDoneUnseen(wish: Wish, email: Email | null): boolean {
      return email !== null && isFulfilled(wish, withHidden(wish, email));
    }

    /** Whether what is left of it may be hidden by a removal of ours that was lost in the midst. */
    function isHidden(wish: Wish, email: Email | null, original: Email): email is Email {
      return wasLost && email !== null && !isEmptyWish(restoringOf(wish, email, original));
    }

    /** Refuses it, and takes back what is done of it by now. */
    function undo(id: Id, error: SetError): void {
      const [wish, email, original] = [wishes.get(id), emails.get(id), originals.get(id)];
      outcomes.set(id, refuse(error));
      if (wish === undefined || email === undefined || original === undefined) return;
      const back = { wish: (isHidden(wish, email, original) ? restoringOf : undoingOf)(wish, email, original), email };
      if (isEmptyWish(back.wish)) return;
      const canUndo = round <= roundsMax + 1 && !(wasLost && needsCopy(back, canMove));
      if (!canUndo) outcomes.set(id, refuse(halfDone(error)));
      else undoing.set(id, back);
    }
  }

  /** null: there is no way to the mail server any more, and nothing was sent. */
  async function carriedOut(
    wished: ReadonlyMap<Id, Wished>,
    originals: ReadonlyMap<Id, Email>,
    scene: Scene,
    round: number,
  ): Promise<Deeds | null> {
    try {
      return await carryOut(wished, originals, scene);
    } catch (error) {
      if (!(error instanceof Unavailable) || round === 1) throw error;
      return null;
    }
  }

  /** `canTell`: what the server told of its mailboxes is about those that the catalog knows. */
  function isDecided(id: Id, { failures, unsure, stuck }: Deeds, canTell: boolean): boolean {
    const failure = failures.get(id);
    if (failure !== undefined) {
      outcomes.set(id, refuse(errorOf(failure)));
      if (stuck.has(id)) half.set(id, errorOf(failure));
      return true;
    }
    if (unsure.has(id) || !canTell) return false;
    outcomes.set(id, ok(null));
    return true;
  }

  /**
   * Those of the Emails with which everything was done that are in mailboxes of others too, by what was committed before. Of two who move an
   * Email at the same moment, or of whom one destroys it, the server may do both: who commits later sees it, and is not ready before he has taken it out of the
   * mailboxes of the other. Of what could not be committed nobody knows.
   */
  async function sharedAmong(done: readonly (readonly [Id, Wished])[], now: Adopted | null): Promise<readonly Id[]> {
    const whole = done.filter(([, { wish }]) => isExclusive(wish));
    const emails = whole.length === 0 ? undefined : await now?.latest.emails(whole.map(([id]) => id));
    const isShared = (id: Id, wish: Wish) => emails === undefined || isDivided(wish, emails.get(id) ?? null);
    return whole.flatMap(([id, { wish }]) => (isShared(id, wish) ? [id] : []));
  }

  /** The catalog after the deeds. What the server told holds; where the catalog cannot be told of it, the next sync finds it. */
  async function adopted({ own }: Deeds): Promise<Adopted | null> {
    return own.mailboxes.size === 0 ? null : catalog.adopt(span.latest, own).catch(nullIfUnavailable);
  }
}

/** Two spans of own changes: one where they follow upon each other, else the first. Before anything was done, the second. */
export function joined(first: Span, second: Span): Span {
  if (first.latest === first.before) return second;
  const follows = isSameState(first.after, second.before);
  return follows ? { ...second, before: first.before } : { ...first, latest: second.latest };
}

function isSameState(a: CatalogView, b: CatalogView): boolean {
  return a.epoch === b.epoch && JSON.stringify(a.versions) === JSON.stringify(b.versions);
}

export const noAnswer: SetError = { type: 'serverUnavailable', description: 'the mail server did not answer' };
const nowhere: SetError = {
  ...{ type: 'invalidProperties', properties: ['mailboxIds'] },
  description: 'an Email has to be in a mailbox, and it is in no other one any more',
};
const notDone: SetError = { type: 'forbidden', description: 'the mail server accepted it, and did not do it' };

function halfDone(error: SetError): SetError {
  return { ...error, description: `${error.description}; a part of it is done and could not be undone` };
}

/** What a record is refused with. */
export function errorOf(failure: WriteFailure): SetError {
  return setErrors[failure];
}

const setErrors: Readonly<Record<WriteFailure, SetError>> = {
  forbidden: { type: 'forbidden', description: 'the mail server does not allow it' },
  refused: { type: 'forbidden', description: 'the mail server refused it' },
  overQuota: { type: 'overQuota', description: 'the mail server has no room for it' },
  tooLarge: { type: 'tooLarge', description: 'it is too large for the mail server' },
  tooManyKeywords: { type: 'tooManyKeywords', description: 'the mail server keeps no more keywords' },
  keyword: {
    ...{ type: 'invalidProperties', properties: ['keywords'] },
    description: 'the mailbox keeps no keyword of that name',
  },
  noTarget: {
    ...{ type: 'invalidProperties', properties: ['mailboxIds'] },
    description: 'the mail server has no such mailbox any more',
  },
  gone: { type: 'serverUnavailable', description: 'the mailbox is another one by now' },
  lost: { type: 'serverUnavailable', description: 'the mail server did not answer' },
};
