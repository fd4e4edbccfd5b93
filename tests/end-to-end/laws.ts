import { expect } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { countsOf } from './account-model.ts';
import {
  answerOf,
  type ChangesResponse,
  type Invocation,
  type JmapClient,
  type QueryChangesResponse,
} from './jmap-client.ts';
import { applied } from './mirror.ts';
import { type MailboxRecord, type Question, type Snapshot, type Type, touchedBetween, types } from './snapshot.ts';

/** What must hold between the snapshots of one account, oldest first, whatever happened between them. */

const callsInRequest = 60;
const countProperties = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'];

/**
 * `/changes` from those earlier states, or from every one, names what was created, updated and destroyed since, and nothing else.
 * `isSeenAtOnce` false: what happened between two snapshots was seen piece by piece, so that a change and its undoing may be told.
 */
export async function expectExactChanges(
  client: JmapClient,
  history: readonly Snapshot[],
  earlier: readonly number[] = [...history.keys()],
  isSeenAtOnce = true,
): Promise<void> {
  const questions = types.flatMap((type) => earlier.map((since) => ({ type, since })));
  const answers = await inBatches(
    client,
    questions.map(({ type, since }) => [`${type}/changes`, { sinceState: history[since]?.states[type] ?? '' }]),
  );
  const told = questions.map(({ type, since }, index) => ({
    ...{ type, since },
    ...comparable(answerOf<ChangesResponse>(`${type}/changes`, answers[index])),
  }));
  if (isSeenAtOnce) {
    expect(told).toEqual(questions.map(({ type, since }) => ({ type, since, ...netChanges(history, type, since) })));
    return;
  }
  const last = history.at(-1);
  for (const { type, since, ...changes } of told) {
    const before = history[since];
    if (before !== undefined && last !== undefined) expectLeadsTo(before, last, type, changes);
  }
}

/** The changes name all that differs between the two, and what they call updated exists in both. */
export function expectLeadsTo(
  earlier: Snapshot,
  last: Snapshot,
  type: Type,
  changes: Pick<ChangesResponse, 'newState' | 'created' | 'updated' | 'destroyed'>,
): void {
  const [before, after] = [earlier[type], last[type]];
  expect(changes.newState).toBe(last.states[type]);
  expect([...changes.created].sort()).toEqual([...after.keys()].filter((id) => !before.has(id)).sort());
  expect([...changes.destroyed].sort()).toEqual([...before.keys()].filter((id) => !after.has(id)).sort());
  expect(changes.updated.filter((id) => !before.has(id) || !after.has(id))).toEqual([]);
  const told = new Set(changes.updated);
  for (const id of touchedBetween(earlier, last, type)) {
    if (before.has(id) && after.has(id)) expect({ type, id, isTold: told.has(id) }).toEqual({ type, id, isTold: true });
  }
}

/** `/changes` in small pages arrives at the same net result as at once. */
export async function expectSamePaged(
  client: JmapClient,
  type: Type,
  since: Snapshot | undefined,
  maxChanges: number,
): Promise<void> {
  const pages: ChangesResponse[] = [];
  let state = since?.states[type] ?? '';
  do {
    const page = await client.changes(type, state, maxChanges);
    expect(page.oldState).toBe(state);
    const ids = [...page.created, ...page.updated, ...page.destroyed];
    expect(ids.length).toBeLessThanOrEqual(maxChanges);
    if (page.hasMoreChanges) expect([ids.length > 0, page.newState !== state]).toEqual([true, true]);
    pages.push(page);
    state = page.newState;
  } while (pages.at(-1)?.hasMoreChanges === true);
  const whole = await client.changes(type, since?.states[type] ?? '');
  const { newState, created, updated, destroyed } = comparable(whole);
  expect({
    newState: state,
    created: pages.flatMap((page) => page.created).sort(),
    updated: pages.flatMap((page) => page.updated).sort(),
    destroyed: pages.flatMap((page) => page.destroyed).sort(),
  }).toEqual({ newState, created, updated, destroyed });
}

/** queryChanges from the given earlier answers, applied to them (RFC 8620 §5.6), gives the answers of the last snapshot. */
export async function expectSameQueries(
  client: JmapClient,
  history: readonly Snapshot[],
  questions: readonly Question[],
  earlier: readonly number[],
): Promise<void> {
  const asked = questions.flatMap((question, index) => earlier.map((since) => ({ question, index, since })));
  const answers = await inBatches(
    client,
    asked.map(({ question, index, since }) => [
      'Email/queryChanges',
      { ...question, sinceQueryState: history[since]?.answers[index]?.queryState ?? '', calculateTotal: true },
    ]),
  );
  const now = history.at(-1)?.answers ?? [];
  const results = asked.map(({ index, since }, at) => {
    const changes = answerOf<QueryChangesResponse>('Email/queryChanges', answers[at]);
    const { newQueryState, total } = changes;
    return { since, index, newQueryState, total, ids: applied(history[since]?.answers[index]?.ids ?? [], changes) };
  });
  expect(results).toEqual(
    asked.map(({ index, since }) => {
      const ids = now[index]?.ids ?? [];
      return { since, index, newQueryState: now[index]?.queryState, total: ids.length, ids };
    }),
  );
}

/** The counts of every mailbox are what counting all Emails anew gives. */
export function expectExactCounts(snapshot: Snapshot): void {
  const emails = [...snapshot.Email.values()].map(({ threadId, mailboxIds, keywords }) => ({
    ...{ threadId, mailboxIds: Object.keys(mailboxIds), keywords: Object.keys(keywords) },
  }));
  const mailboxes = [...snapshot.Mailbox.values()];
  const trash = mailboxes.find(({ role }) => role === 'trash')?.id ?? null;
  const shown = mailboxes.map(({ id, name, totalEmails, unreadEmails, totalThreads, unreadThreads }) => ({
    ...{ id, name, totalEmails, unreadEmails, totalThreads, unreadThreads },
  }));
  expect(shown).toEqual(mailboxes.map(({ id, name }) => ({ id, name, ...countsOf(id, emails, trash) })));
}

/** Every Thread is the set of Emails that say they are in it, the oldest first (RFC 8621 §3). */
export function expectExactThreads(snapshot: Snapshot): void {
  const members = new Map<Id, Id[]>();
  for (const { id, threadId } of snapshot.Email.values()) members.set(threadId, [...(members.get(threadId) ?? []), id]);
  expect([...snapshot.Thread.keys()].sort()).toEqual([...members.keys()].sort());
  for (const { id, emailIds } of snapshot.Thread.values()) {
    expect([...emailIds].sort()).toEqual(members.get(id)?.sort());
    const dates = emailIds.map((emailId) => snapshot.Email.get(emailId)?.receivedAt ?? '');
    expect(dates).toEqual([...dates].sort());
  }
}

type Net = ReturnType<typeof comparable>;

/** What `/changes` since a snapshot has to say: all that was touched on the way, by where it existed at its ends. */
function netChanges(history: readonly Snapshot[], type: Type, since: number): Net {
  const last = history.length - 1;
  const touched = new Set<Id>();
  /** Of which more than the counts of a mailbox differed. */
  const altered = new Set<Id>();
  for (let step = since; step < last; step += 1) {
    const [before, after] = [history[step], history[step + 1]];
    if (before === undefined || after === undefined) continue;
    for (const id of touchedBetween(before, after, type)) {
      touched.add(id);
      if (!differsInCountsOnly(before.Mailbox.get(id), after.Mailbox.get(id))) altered.add(id);
    }
  }
  const existed = (id: Id) => history[since]?.[type].has(id) === true;
  const exists = (id: Id) => history[last]?.[type].has(id) === true;
  const all = [...touched].sort();
  const net = all.filter((id) => existed(id) || exists(id));
  const countsOnly = net.length > 0 && net.every((id) => !altered.has(id));
  return {
    newState: history[last]?.states[type] ?? '',
    hasMoreChanges: false,
    created: all.filter((id) => !existed(id) && exists(id)),
    updated: all.filter((id) => existed(id) && exists(id)),
    destroyed: all.filter((id) => existed(id) && !exists(id)),
    ...(type === 'Mailbox' ? { updatedProperties: countsOnly ? countProperties : null } : {}),
  };
}

function differsInCountsOnly(before: MailboxRecord | undefined, after: MailboxRecord | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const zero = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
  return JSON.stringify({ ...before, ...zero }) === JSON.stringify({ ...after, ...zero });
}

/** The order of the ids is the server's own affair. */
function comparable({ newState, hasMoreChanges, created, updated, destroyed, updatedProperties }: ChangesResponse) {
  return {
    ...{ newState, hasMoreChanges },
    created: [...created].sort(),
    updated: [...updated].sort(),
    destroyed: [...destroyed].sort(),
    ...(updatedProperties === undefined ? {} : { updatedProperties }),
  };
}

async function inBatches(
  client: JmapClient,
  calls: readonly (readonly [name: string, args: Invocation[1]])[],
): Promise<Invocation[]> {
  const responses: Invocation[] = [];
  for (let at = 0; at < calls.length; at += callsInRequest) {
    const batch = calls.slice(at, at + callsInRequest);
    const { accountId } = client;
    responses.push(
      ...(await client.call(batch.map(([name, args], index) => [name, { accountId, ...args }, `${index}`]))),
    );
  }
  return responses;
}
