import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { Counts } from './account-model.ts';
import { answerOf, type GetResponse, type Invocation, type JmapClient, type QueryResponse } from './jmap-client.ts';

export type EmailRecord = {
  readonly id: Id;
  readonly threadId: Id;
  readonly mailboxIds: { readonly [id: string]: true };
  readonly keywords: { readonly [keyword: string]: true };
  readonly receivedAt: string;
  readonly size: number;
};
export type ThreadRecord = { readonly id: Id; readonly emailIds: readonly Id[] };
export type MailboxRecord = Counts & {
  readonly id: Id;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: string | null;
  readonly isSubscribed: boolean;
};

export const types = ['Email', 'Thread', 'Mailbox'] as const;
export type Type = (typeof types)[number];

/** Everything a client can see of an account at one moment, without the contents of messages. */
export type Snapshot = {
  readonly states: { readonly [T in Type]: string };
  readonly Email: ReadonlyMap<Id, EmailRecord>;
  readonly Thread: ReadonlyMap<Id, ThreadRecord>;
  readonly Mailbox: ReadonlyMap<Id, MailboxRecord>;
  /** The answers to the questions, in their order. */
  readonly answers: readonly QueryResponse[];
};

/** Arguments of Email/query. */
export type Question = {
  readonly filter: JsonObject | null;
  readonly sort: JsonObject[];
  readonly collapseThreads: boolean;
};

export const emailProperties = ['threadId', 'mailboxIds', 'keywords', 'receivedAt', 'size'];

/** Reads the account in one request, so that all of it is of one moment. */
export async function takeSnapshot(client: JmapClient, questions: readonly Question[]): Promise<Snapshot> {
  const { accountId } = client;
  const reference = (resultOf: string, name: string, path: string) => ({ resultOf, name, path });
  const calls: Invocation[] = [
    ['Mailbox/get', { accountId }, 'mailboxes'],
    ['Email/query', { accountId, calculateTotal: true }, 'all'],
    [
      'Email/get',
      {
        accountId,
        '#ids': reference('all', 'Email/query', '/ids'),
        properties: emailProperties,
      },
      'emails',
    ],
    ['Thread/get', { accountId, '#ids': reference('emails', 'Email/get', '/list/*/threadId') }, 'threads'],
    ...questions.map((question, index): Invocation => ['Email/query', { accountId, ...question }, `q${index}`]),
  ];
  const responses = await client.call(calls);
  const answer = <T>(index: number): T => answerOf<T>(String(calls[index]?.[2]), responses[index]);
  const mailboxes = answer<GetResponse<MailboxRecord>>(0);
  const emails = answer<GetResponse<EmailRecord>>(2);
  const threads = answer<GetResponse<ThreadRecord>>(3);
  return {
    states: { Email: emails.state, Thread: threads.state, Mailbox: mailboxes.state },
    Email: byId(emails),
    Thread: byId(threads),
    Mailbox: byId(mailboxes),
    answers: questions.map((_, index) => answer<QueryResponse>(4 + index)),
  };
}

function byId<R extends { readonly id: Id }>({ list }: GetResponse<R>): ReadonlyMap<Id, R> {
  return new Map(list.map((record) => [record.id, record]));
}

/** The full name of each mailbox on the server, by id. */
export function namesOf(mailboxes: Snapshot['Mailbox']): ReadonlyMap<Id, string> {
  const nameOf = ({ name, parentId, role }: MailboxRecord): string => {
    if (role === 'inbox') return 'INBOX';
    const parent = parentId === null ? undefined : mailboxes.get(parentId);
    return parent === undefined ? name : `${nameOf(parent)}/${name}`;
  };
  return new Map([...mailboxes.values()].map((mailbox) => [mailbox.id, nameOf(mailbox)]));
}

/** The Mailbox of that full name. */
export function mailboxNamed(snapshot: Snapshot, name: string): MailboxRecord {
  for (const [id, fullName] of namesOf(snapshot.Mailbox)) {
    const mailbox = snapshot.Mailbox.get(id);
    if (fullName === name && mailbox !== undefined) return mailbox;
  }
  throw new Error(
    `There is no mailbox ${JSON.stringify(name)} among ${[...namesOf(snapshot.Mailbox).values()].join(', ')}`,
  );
}

/** Ids of the records that are not the same in both, or in one of them only. */
export function touchedBetween(before: Snapshot, after: Snapshot, type: Type): ReadonlySet<Id> {
  const touched = new Set<Id>();
  for (const id of new Set([...before[type].keys(), ...after[type].keys()])) {
    if (canonical(before[type].get(id)) !== canonical(after[type].get(id))) touched.add(id);
  }
  return touched;
}

/** Records are compared with those of every earlier moment. */
const canonicals = new WeakMap<object, string>();

/** JSON with the members of every object in the order of their names. */
function canonical(value: object | undefined): string | undefined {
  if (value === undefined) return undefined;
  const known = canonicals.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
  canonicals.set(value, text);
  return text;
}
