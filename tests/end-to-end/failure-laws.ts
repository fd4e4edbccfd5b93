import { expect } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { expectedEmails } from './account-model.ts';
import type { ObservedMailbox } from './imap-actor.ts';
import type { Invocation, JmapClient } from './jmap-client.ts';
import { expectExactChanges, expectExactCounts, expectExactThreads, expectSameQueries } from './laws.ts';
import { namesOf, type Question, type Snapshot, types } from './snapshot.ts';

const newestFirst = [{ property: 'receivedAt', isAscending: false }];
/** Asked again and again. */
export const questions: readonly Question[] = [
  { filter: { notKeyword: '$seen' }, sort: newestFirst, collapseThreads: true },
  { filter: null, sort: newestFirst, collapseThreads: false },
];

/** One request of everything: metadata, content, a text search, changes. */
export function callsSince({ accountId }: JmapClient, since: Snapshot | undefined): Invocation[] {
  const ids = { resultOf: 'all', name: 'Email/query', path: '/ids' };
  const threadIds = { resultOf: 'Email', name: 'Email/get', path: '/list/*/threadId' };
  const changes = types.map((type): Invocation => {
    return [`${type}/changes`, { accountId, sinceState: since?.states[type] ?? 'none' }, `${type} changes`];
  });
  return [
    ['Mailbox/get', { accountId }, 'Mailbox'],
    ['Email/query', { accountId }, 'all'],
    ['Email/get', { accountId, '#ids': ids, properties: ['subject', 'preview', 'threadId'] }, 'Email'],
    ['Thread/get', { accountId, '#ids': threadIds }, 'Thread'],
    ['Email/query', { accountId, filter: { text: 'say' }, sort: [{ property: 'subject' }] }, 'text'],
    ['SearchSnippet/get', { accountId, filter: { body: 'say' }, '#emailIds': ids }, 'snippets'],
    ...changes,
    ['Core/echo', {}, 'end'],
  ];
}

/** Every call has one answer, in order; `isQuiet`: none is an error but about a state that never was. */
export function expectEachAnswered(
  calls: readonly Invocation[],
  responses: readonly Invocation[],
  isQuiet: boolean,
): void {
  const allowed = ['cannotCalculateChanges', ...(isQuiet ? [] : ['serverUnavailable', 'invalidResultReference'])];
  const told = responses.map(([name, args, callId], index) => {
    const isAllowed = name === 'error' && allowed.includes(String(args.type));
    return [isAllowed ? calls[index]?.[0] : `${name} ${args.type ?? ''}`.trim(), callId];
  });
  expect(told).toEqual(calls.map(([name, , callId]) => [name, callId]));
}

/** What the client sees is what lies on the mail server; it agrees with itself and with all that was seen before. */
export async function expectRight(
  mailboxes: readonly ObservedMailbox[],
  client: JmapClient,
  history: readonly Snapshot[],
  earlier: readonly number[] = [...history.keys()],
  isSeenAtOnce = true,
): Promise<void> {
  const snapshot = history.at(-1);
  if (snapshot === undefined) throw new Error('Nothing was seen yet');
  const names = namesOf(snapshot.Mailbox);
  const property = 'header:X-Token:asText';
  const { list } = await client.get<{ id: Id; [property]: string }>('Email', {
    ids: [...snapshot.Email.keys()],
    properties: [property],
  });
  const shown = list.map(({ id, [property]: token }) => {
    const email = snapshot.Email.get(id);
    const mailboxes = Object.keys(email?.mailboxIds ?? {}).map((mailbox) => names.get(mailbox as Id));
    return {
      token,
      size: email?.size,
      mailboxes: mailboxes.sort(),
      keywords: Object.keys(email?.keywords ?? {}).sort(),
    };
  });
  const lies = [...expectedEmails(mailboxes).values()].map(({ token, size, mailboxes, keywords }) => {
    return { token, size, mailboxes, keywords };
  });
  expect(shown.sort(byToken)).toEqual(lies.sort(byToken));
  expect([...names.values()].sort()).toEqual(mailboxes.map(({ name }) => name).sort());
  expectExactCounts(snapshot);
  expectExactThreads(snapshot);
  await expectExactChanges(client, history, earlier, isSeenAtOnce);
  await expectSameQueries(client, history, questions, earlier);
}

function byToken(one: { token: string }, other: { token: string }): number {
  return one.token < other.token ? -1 : 1;
}
