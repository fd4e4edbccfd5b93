import type { Call } from './postern.ts';

const shownProperties = [
  ...['id', 'threadId', 'mailboxIds', 'keywords', 'from', 'to', 'subject', 'receivedAt', 'size'],
  ...['preview', 'hasAttachment'],
];

/** What a client sends to show the mailboxes and the top of the inbox. */
export function openInbox(inboxId: string): readonly Call[] {
  const query = {
    filter: { inMailbox: inboxId },
    sort: [{ property: 'receivedAt', isAscending: false }],
    limit: 50,
    collapseThreads: true,
    calculateTotal: true,
  };
  return [
    ...everyMailbox,
    ['Email/query', query, 'query'],
    ['Email/get', { '#ids': idsOf('query', 'Email/query', '/ids'), properties: shownProperties }, 'emails'],
  ];
}

/** All mailboxes with their counts. */
export const everyMailbox: readonly Call[] = [['Mailbox/get', { ids: null }, 'mailboxes']];

/** Looks for a word in all mailboxes. */
export function searchEverywhere(word: string): readonly Call[] {
  return [['Email/query', { filter: { text: word } }, 'query']];
}

/** Fifty messages that lie in many mailboxes, as a list shows them. */
export function messagesAllOver(inboxId: string): readonly Call[] {
  const query = { filter: { inMailboxOtherThan: [inboxId] }, sort: [{ property: 'size' }], limit: 50 };
  return [
    ['Email/query', query, 'query'],
    ['Email/get', { '#ids': idsOf('query', 'Email/query', '/ids'), properties: shownProperties }, 'emails'],
  ];
}

/** Everything of one message, with all its text. */
export function fullMessage(emailId: string): readonly Call[] {
  return [['Email/get', { ids: [emailId], fetchAllBodyValues: true }, 'email']];
}

/** What is new since a state, and what a list shows of it. */
export function whatIsNew(sinceState: string): readonly Call[] {
  return [
    ['Email/changes', { sinceState }, 'changes'],
    ['Email/get', { '#ids': idsOf('changes', 'Email/changes', '/created'), properties: shownProperties }, 'emails'],
  ];
}

/** Sets or takes away a keyword that nobody else uses. */
export function setKeyword(emailId: string, isSet: boolean): readonly Call[] {
  return [['Email/set', { update: { [emailId]: { 'keywords/postern-bench': isSet || null } } }, 'set']];
}

/** Asks for the state of the Emails, and nothing else. */
export const statePoll: readonly Call[] = [['Email/get', { ids: [], properties: ['id'] }, 'state']];

function idsOf(resultOf: string, name: string, path: string) {
  return { resultOf, name, path };
}
