import type { Id } from '../../jmap/scalars.ts';
import type { MailboxKey } from '../email.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import type { Evaluation } from './evaluation.ts';
import { type DecidableTest, hasTest, isMutableTest, isThreadTest } from './filter.ts';
import { orderByCatalog } from './order.ts';
import { isHeaderComparator, isMutableComparator, isThreadComparator } from './sort.ts';
import type { Touched } from './touched.ts';
import { decide, type Truth } from './truth.ts';

/** How the results differ between two versions, without positions (RFC 8620 §5.6). */
export type Differences = {
  /** What may have been a result before, and is none now or may stand elsewhere. */
  readonly removed: ReadonlySet<Id>;
  /** Of those and of the new Emails, the ones that are results now; under `collapseThreads` some may not be. */
  readonly added: ReadonlySet<Id>;
  /** The Emails among both that exist. */
  readonly emails: ReadonlyMap<Id, Candidate>;
};

/**
 * Compares what is known of the touched Emails before with what they are now. Before, their mailboxes are known from
 * the log and all that never changes is as now, but not their keywords: what that leaves open may have been a result.
 * An Email that was not touched can be affected by others of its Thread only: by a thread-keyword filter or sort, or
 * because another one stands for the Thread now.
 */
export async function differencesOf(evaluation: Evaluation, touched: ReadonlyMap<Id, Touched>): Promise<Differences> {
  const { view, tests, comparators, collapseThreads, knowledge, mailboxes } = evaluation;
  const threadsMatter = hasTest(tests, isThreadTest) || comparators.some(isThreadComparator);
  const positionIsFixed = !comparators.some(isMutableComparator);

  const affected = new Map([...touched].filter(([, entry]) => !staysByLog(entry)));
  const threads = await membersOf(threadsMatter ? touched : collapseThreads ? affected : new Map());
  const present = await presentOf([...affected.keys(), ...[...threads.values()].flat()]);
  const matches = new Set((await knowledge.matching([...present.values()])).map(({ id }) => id));
  return collapseThreads ? differingThreads() : differingEmails();

  function differingEmails(): Differences {
    const removed = new Set<Id>();
    const added = new Set<Id>();
    for (const id of new Set([...affected.keys(), ...[...threads.values()].flat()])) {
      const before = wasMatch(id);
      const stays = before === true && matches.has(id) && (positionIsFixed || !(touched.has(id) || threadsMatter));
      if (stays) continue;
      if (before !== false) removed.add(id);
      if (matches.has(id)) added.add(id);
    }
    return { removed, added, emails: present };
  }

  async function differingThreads(): Promise<Differences> {
    const removed = new Set<Id>();
    const added = new Set<Id>();
    for (const members of threads.values()) {
      const before = await formerFirsts(members);
      const now = await firstsNow(members);
      if (before.isCertain && before.ids.join() === now.join()) continue;
      for (const id of before.ids) removed.add(id);
      for (const id of now) added.add(id);
    }
    return { removed, added, emails: present };
  }

  /** Which of these may have stood for their Thread. */
  async function formerFirsts(members: readonly Id[]): Promise<{ ids: readonly Id[]; isCertain: boolean }> {
    const gone = members.filter((id) => !present.has(id) && wasMatch(id) !== false);
    const others = members.filter((id) => present.has(id) && wasMatch(id) !== false);
    if (!positionIsFixed || comparators.some(isHeaderComparator))
      return { ids: [...gone, ...others], isCertain: false };
    const inOrder = await inCatalogOrder(others);
    const certain = inOrder.findIndex((id) => wasMatch(id) === true);
    const ids = [...gone, ...(certain < 0 ? inOrder : inOrder.slice(0, certain + 1))];
    return { ids, isCertain: ids.length === 0 || (ids.length === 1 && certain === 0) };
  }

  /** The one that stands for their Thread now; all that match when the order takes header fields. */
  async function firstsNow(members: readonly Id[]): Promise<readonly Id[]> {
    const matching = members.filter((id) => matches.has(id));
    if (comparators.some(isHeaderComparator)) return matching;
    return (await inCatalogOrder(matching)).slice(0, 1);
  }

  async function inCatalogOrder(ids: readonly Id[]): Promise<Id[]> {
    const candidates = ids.flatMap((id) => present.get(id) ?? []);
    return (await orderByCatalog(candidates, comparators, knowledge)).map(({ id }) => id);
  }

  /** Whether it matched before, as far as can be told. */
  function wasMatch(id: Id): Truth {
    const entry = touched.get(id);
    const candidate = present.get(id);
    if (entry === undefined) {
      if (candidate === undefined) return false;
      return decide(tests, (test) => (isThreadTest(test) ? undefined : knowledge.holds(test, candidate)));
    }
    if (entry.before.length === 0) return false;
    // A SEARCH that ran while the message was moved may have found it in neither place.
    const wasInPlace = entry.before.join() === entry.after.join();
    return decide(tests, (test) => {
      if (isMutableTest(test)) return heldIn(test, entry.before);
      return candidate && (wasInPlace || test.property !== 'texts') ? knowledge.holds(test, candidate) : undefined;
    });
  }

  /** The log alone shows that it is a result as before, or as little as before. */
  function staysByLog({ before, after }: Touched): boolean {
    const was = before.length === 0 ? false : decide(tests, (test) => heldIn(test, before));
    const is = after.length === 0 ? false : decide(tests, (test) => heldIn(test, after));
    return was !== undefined && was === is && (was === false || positionIsFixed);
  }

  /** What the mailboxes of an Email say about a test. One that is gone may have been the one that the test names. */
  function heldIn(test: DecidableTest, keys: readonly MailboxKey[]): Truth {
    switch (test.property) {
      case 'inMailbox':
        if (keys.some((key) => key === test.mailbox)) return true;
        return keys.every((key) => mailboxes.has(key)) ? false : undefined;
      case 'inMailboxOtherThan':
        if (keys.some((key) => mailboxes.has(key) && !test.mailboxes.has(key))) return true;
        return keys.every((key) => mailboxes.has(key)) ? false : undefined;
      default:
        return undefined;
    }
  }

  /** The Threads of these, with the Emails they have now and the touched ones they had. */
  async function membersOf(entries: ReadonlyMap<Id, Touched>): Promise<Map<Id, readonly Id[]>> {
    const ids = new Set([...entries.values()].map(({ threadId }) => threadId));
    if (ids.size === 0) return new Map();
    const now = await view.threadEmails(ids);
    const members = new Map([...ids].map((threadId) => [threadId, new Set(now.get(threadId))]));
    for (const [id, { threadId }] of touched) members.get(threadId)?.add(id);
    return new Map([...members].map(([threadId, set]) => [threadId, [...set]]));
  }

  async function presentOf(ids: Iterable<Id>): Promise<Map<Id, Candidate>> {
    const present = new Map<Id, Candidate>();
    for (const email of (await view.emails(new Set(ids))).values()) {
      const candidate = candidateOf(email);
      if (candidate !== undefined) present.set(email.id, candidate);
    }
    return present;
  }
}
