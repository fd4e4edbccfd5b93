import type { Id } from '../../jmap/scalars.ts';
import type { MailboxKey } from '../email.ts';
import type { MailboxEntry } from '../mailbox.ts';
import { CannotSearch, MailboxGone } from '../source.ts';
import type { CatalogView } from '../view.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import { allTests, type DecidableTest, type EmailTests, hasTest, isPlacementTest, isThreadTest } from './filter.ts';
import type { QuerySources, SearchQuestion } from './sources.ts';
import { decide, type Truth } from './truth.ts';

/** What one query has found out so far. It asks for more only when a candidate cannot be decided without. */
export type Knowledge = {
  /** How many texts a SEARCH for this filter looks for. */
  readonly searchTerms: number;
  /** Whether the test holds, as far as is known. */
  readonly holds: (test: DecidableTest, candidate: Candidate) => Truth;
  /**
   * Those of the candidates that match the filter, in the same order. Cheap knowledge is tried first: the catalog's
   * rows, whole Emails, whole Threads; then SEARCH, and last the structure of messages.
   */
  readonly matching: (candidates: readonly Candidate[]) => Promise<Candidate[]>;
  /** The same Emails, each with all its rows; those that do not exist any more are left out. */
  readonly whole: (candidates: readonly Candidate[]) => Promise<Candidate[]>;
  /** Makes `keywordsInThread` known for these Threads. */
  readonly learnThreads: (threadIds: Iterable<Id>) => Promise<void>;
  /** The keywords of each Email of the Thread; undefined: not learnt. */
  readonly keywordsInThread: (threadId: Id) => readonly (readonly string[])[] | undefined;
};

/** Knows nothing yet but what the view's rows say. Where the server cannot search, no more than `readToMatchMax` Emails are read instead. */
export function newKnowledge(
  view: CatalogView,
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  tests: EmailTests,
  sources: Pick<QuerySources, 'search' | 'match' | 'attachments'>,
  readToMatchMax: number,
): Knowledge {
  const needsPlacement = hasTest(tests, isPlacementTest);
  const needsThreads = hasTest(tests, isThreadTest);
  const needsAttachments = hasTest(tests, (test) => test.property === 'hasAttachment');
  const questions = [...allTests(tests)].flatMap((test) => (test.property === 'texts' ? test.question : []));

  const threads = new Map<Id, readonly (readonly string[])[]>();
  const attachments = new Map<Id, boolean>();
  /** By mailbox, the UIDs that answer each question. */
  const found = new Map<MailboxKey, ReadonlyMap<SearchQuestion, ReadonlySet<number>>>();
  /** By Email, the questions that it was read for and answers. */
  const matched = new Map<Id, ReadonlySet<SearchQuestion>>();
  let cannotSearch: CannotSearch | null = null;

  return {
    searchTerms: questions.reduce((sum, question) => sum + countTerms(question), 0),
    holds,
    matching,
    whole,
    learnThreads,
    keywordsInThread: (threadId) => threads.get(threadId),
  };

  async function matching(candidates: readonly Candidate[]): Promise<Candidate[]> {
    // A candidate may be replaced by its whole Email, so the order is kept by index.
    const current: (Candidate | undefined)[] = [...candidates];
    const truths = current.map(truthOf);
    let open = truths.flatMap((truth, index) => (truth === undefined ? [index] : []));

    if (needsPlacement)
      await settle(async (undecided) => {
        const wholes = new Map((await whole(undecided)).map((candidate) => [candidate.id, candidate]));
        for (const index of open) {
          const candidate = current[index];
          current[index] = candidate && wholes.get(candidate.id);
        }
      });
    if (needsThreads) await settle((undecided) => learnThreads(undecided.map(({ threadId }) => threadId)));
    if (questions.length > 0) await settle(learnTexts);
    if (needsAttachments) await settle(learnAttachments);
    return current.filter(
      (candidate, index): candidate is Candidate => truths[index] === true && candidate !== undefined,
    );

    async function settle(learn: (undecided: readonly Candidate[]) => Promise<void>): Promise<void> {
      if (open.length === 0) return;
      await learn(open.map((index) => current[index]).filter((candidate) => candidate !== undefined));
      for (const index of open) truths[index] = truthOf(current[index]);
      open = open.filter((index) => truths[index] === undefined);
    }
  }

  function truthOf(candidate: Candidate | undefined): Truth {
    return candidate === undefined ? false : decide(tests, (test) => holds(test, candidate));
  }

  function holds(test: DecidableTest, candidate: Candidate): Truth {
    switch (test.property) {
      case 'inMailbox':
        if (candidate.places.some(({ mailbox }) => mailbox === test.mailbox)) return true;
        return candidate.whole || test.mailbox === undefined ? false : undefined;
      case 'inMailboxOtherThan':
        if (candidate.places.some(({ mailbox }) => !test.mailboxes.has(mailbox))) return true;
        return candidate.whole ? false : undefined;
      case 'before':
        return candidate.receivedAt < test.value;
      case 'after':
        return candidate.receivedAt >= test.value;
      case 'minSize':
        return candidate.size >= test.value;
      case 'maxSize':
        return candidate.size < test.value;
      case 'hasKeyword':
        return candidate.whole ? candidate.keywords.includes(test.keyword) : undefined;
      case 'notKeyword':
        return candidate.whole ? !candidate.keywords.includes(test.keyword) : undefined;
      case 'allInThreadHaveKeyword':
        return threads.get(candidate.threadId)?.every((keywords) => keywords.includes(test.keyword));
      case 'someInThreadHaveKeyword':
        return threads.get(candidate.threadId)?.some((keywords) => keywords.includes(test.keyword));
      case 'noneInThreadHaveKeyword':
        return threads.get(candidate.threadId)?.every((keywords) => !keywords.includes(test.keyword));
      case 'hasAttachment': {
        const has = candidate.hasAttachment ?? attachments.get(candidate.id);
        return has === undefined ? undefined : has === test.value;
      }
      case 'texts':
        return textsFound(test.question, candidate);
    }
  }

  /** The text is the same in every row, so any mailbox that was searched can tell. */
  function textsFound(question: SearchQuestion, candidate: Candidate): Truth {
    const answered = matched.get(candidate.id);
    if (answered !== undefined) return answered.has(question);
    for (const { mailbox, uid } of candidate.places) {
      const answers = found.get(mailbox);
      if (answers !== undefined) return answers.get(question)?.has(uid) === true;
    }
    return undefined;
  }

  async function whole(candidates: readonly Candidate[]): Promise<Candidate[]> {
    const partial = candidates.filter((candidate) => !candidate.whole).map(({ id }) => id);
    if (partial.length === 0) return [...candidates];
    const emails = await view.emails(partial);
    return candidates.flatMap((candidate) => {
      if (candidate.whole) return candidate;
      const email = emails.get(candidate.id);
      return (email && candidateOf(email)) ?? [];
    });
  }

  async function learnThreads(threadIds: Iterable<Id>): Promise<void> {
    const unknown = new Set([...threadIds].filter((threadId) => !threads.has(threadId)));
    if (unknown.size === 0) return;
    const members = await view.threadEmails(unknown);
    const emails = await view.emails([...members.values()].flat());
    for (const threadId of unknown) {
      const candidates = (members.get(threadId) ?? [])
        .map((id) => emails.get(id))
        .map((email) => email && candidateOf(email));
      threads.set(
        threadId,
        candidates.flatMap((candidate) => (candidate ? [candidate.keywords] : [])),
      );
    }
  }

  async function learnTexts(undecided: readonly Candidate[]): Promise<void> {
    if (cannotSearch === null) {
      try {
        return await search(undecided);
      } catch (error) {
        if (!(error instanceof CannotSearch)) throw error;
        cannotSearch = error;
      }
    }
    if (matched.size + undecided.length > readToMatchMax) {
      if (cannotSearch.cause !== undefined) throw cannotSearch.cause;
      throw new CannotSearch(`${cannotSearch.message}, and more than ${readToMatchMax} Emails would have to be read`);
    }
    const answers = await sources.match(
      undecided.map(({ id }) => id),
      questions,
    );
    for (const { id } of undecided) {
      // A message that has gone meanwhile says nothing to anybody.
      matched.set(id, new Set(questions.filter((_, index) => answers.get(id)?.[index] === true)));
    }
  }

  /** One SEARCH for each mailbox that is needed so that every candidate is in one that was searched. */
  async function search(undecided: readonly Candidate[]): Promise<void> {
    const needed = new Map<MailboxKey, MailboxEntry>();
    const unsearched = undecided.filter(({ places }) => !places.some(({ mailbox }) => found.has(mailbox)));
    for (const { places } of unsearched.toSorted((a, b) => a.places.length - b.places.length)) {
      if (places.some(({ mailbox }) => needed.has(mailbox))) continue;
      const mailbox = places[0] && mailboxes.get(places[0].mailbox);
      if (mailbox !== undefined) needed.set(mailbox.key, mailbox);
    }
    for (const group of groupsOf([...needed.values()])) await Promise.all(group.map(searchIn));
  }

  async function searchIn(mailbox: MailboxEntry): Promise<void> {
    const answers = await sources.search(mailbox, questions);
    if (answers === null) throw new MailboxGone(mailbox.name);
    found.set(mailbox.key, new Map(questions.map((question, index) => [question, new Set(answers[index])])));
  }

  async function learnAttachments(undecided: readonly Candidate[]): Promise<void> {
    const answers = await sources.attachments(undecided.map(({ id }) => id));
    // A message that has gone meanwhile shows no attachment to anybody.
    for (const { id } of undecided) attachments.set(id, answers.get(id) ?? false);
  }
}

/** Mailboxes that are searched together, and their messages: they have to be waited for, also when the time of the request is up. */
const together = { mailboxesMax: 16, messagesMax: 2_000 };

function groupsOf(mailboxes: readonly MailboxEntry[]): MailboxEntry[][] {
  const groups: MailboxEntry[][] = [];
  let messages = 0;
  for (const mailbox of mailboxes) {
    const own = mailbox.vector?.messages ?? 0;
    messages += own;
    const last = groups.at(-1);
    if (last === undefined || last.length === together.mailboxesMax || messages > together.messagesMax) {
      groups.push([mailbox]);
      messages = own;
    } else last.push(mailbox);
  }
  return groups;
}

function countTerms(question: SearchQuestion): number {
  if (question.operator === undefined) return question.condition.length;
  return question.conditions.reduce((sum, inner) => sum + countTerms(inner), 0);
}
