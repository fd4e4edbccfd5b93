import { describe, expect, test } from '@jest/globals';
import { type Random, seededRandom } from '../../functions/local/sample-mail/random.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type ExpectedEmail, expectedEmails, visibleRows } from './account-model.ts';
import { type Backend, backends, type Process, type Product, startProduct } from './harness.ts';
import { type RandomActor, randomActor } from './history.ts';
import { imapActor, type ObservedMailbox } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import {
  expectExactChanges,
  expectExactCounts,
  expectExactThreads,
  expectSamePaged,
  expectSameQueries,
} from './laws.ts';
import { namesOf, type Question, type Snapshot, takeSnapshot, types } from './snapshot.ts';

/** How many histories, and how long: see README.md. */
const firstSeed = Number(process.env.POSTERN_TEST_HISTORY_SEED ?? 1);
const seeds = Array.from({ length: Number(process.env.POSTERN_TEST_HISTORIES ?? 3) }, (_, index) => firstSeed + index);
const steps = Number(process.env.POSTERN_TEST_HISTORY_STEPS ?? 40);
const timeoutMs = 30_000 + seeds.length * steps * 2_000;

describe.each(backends)('$title: whatever another client does', (backend) => {
  test.each(seeds)('in history %i', (seed) => tell(backend, seed), timeoutMs);
});

async function tell(backend: Backend, seed: number): Promise<void> {
  const server = await backend.start();
  const user = await server.freshUser();
  const random = seededRandom(seed);
  const actor = await imapActor(server, user);
  const product = startProduct(server, backend);
  const said: string[] = [];
  try {
    const other = await randomActor(actor, random, backend.scheme === 'objectid' ? 'server' : 'derived');
    const witness = createWitness(backend, other);
    const clients = await processesOf(product, (process) => process.client(user));
    const questions = questionsAbout(await inboxOf(await clients.any(random)));
    let history: Snapshot[] = [];
    for (let step = 0; step < steps; step += 1) {
      if (step > 0) said.push(...(await other.act(random.between(1, 5))), `— ${step}`);
      if (random.chance(0.03)) {
        said.push('the table is lost');
        product.store.dropAccount(clients.accountId);
        history = [];
        witness.tableWasLost();
      }
      const client = await clients.any(random);
      await product.seeAll(client);
      const snapshot = await takeSnapshot(client, questions);
      history.push(snapshot);
      const isThorough = step % 5 === 0 || step === steps - 1;
      await witness.examine(snapshot, await actor.observe(), client, isThorough);
      expectExactCounts(snapshot);
      expectExactThreads(snapshot);
      const earlier = [...new Set([0, random.below(history.length), Math.max(0, history.length - 2)])];
      await expectExactChanges(client, history, isThorough ? [...history.keys()] : earlier, backend.hasModseqs);
      await expectSameQueries(client, history, questions, earlier);
      await expectSamePaged(client, random.pick(types), history[random.pick(earlier)], random.between(1, 4));
    }
  } catch (error) {
    if (error instanceof Error) error.message = `${said.join('\n')}\n\n${error.message}`;
    throw error;
  } finally {
    await actor.close();
    await product.stop();
  }
}

/** A warm process, another one, and now and then one that has never seen the account. */
async function processesOf(product: Product, clientOf: (process: Process) => Promise<JmapClient>) {
  const warm = await Promise.all([0, 1].map(async () => clientOf(await product.startProcess())));
  return {
    accountId: warm[0]?.accountId ?? '',
    any: async (random: Random) => (random.chance(0.2) ? clientOf(await product.startProcess()) : random.pick(warm)),
  };
}

async function inboxOf(client: JmapClient): Promise<Id> {
  const { ids } = await client.query('Mailbox', { filter: { role: 'inbox' } });
  return ids[0] ?? ('' as Id);
}

/** Asked again and again in one history. */
function questionsAbout(inbox: Id): Question[] {
  const newestFirst = [{ property: 'receivedAt', isAscending: false }];
  const inInbox = { inMailbox: inbox };
  return [
    { filter: inInbox, sort: newestFirst, collapseThreads: false },
    { filter: inInbox, sort: newestFirst, collapseThreads: true },
    { filter: { notKeyword: '$seen' }, sort: [{ property: 'size' }, ...newestFirst], collapseThreads: false },
    {
      filter: { someInThreadHaveKeyword: '$flagged' },
      sort: [{ property: 'hasKeyword', keyword: 'later' }, ...newestFirst],
      collapseThreads: true,
    },
  ];
}

/** Knows which id names what, and compares what JMAP shows with what lies on the server. */
function createWitness(backend: Backend, other: RandomActor) {
  const contentOf = new Map<Id, string>();
  const idOfContent = new Map<string, Id>();
  const idOfMailbox = new Map<number, Id>();
  let tableWasLost = false;

  /** Contents of which only the server could say how many Emails they are. */
  const isAmbiguous = (token: string): boolean => {
    if (backend.scheme === 'objectid') return false;
    return other.layTwice.has(token) || (backend.scheme === 'xguid' && other.deliveredTwice.has(token));
  };

  async function readContents(client: JmapClient, ids: readonly Id[]): Promise<void> {
    if (ids.length === 0) return;
    const property = 'header:X-Token:asText';
    const { list, notFound } = await client.get<{ id: Id; [property]: string }>('Email', {
      ids: [...ids],
      properties: [property],
    });
    expect(notFound).toEqual([]);
    for (const { id, [property]: token } of list) {
      // Messages of different content never share an id, now or ever.
      expect({ id, token }).toEqual({ id, token: contentOf.get(id) ?? token });
      contentOf.set(id, token);
    }
  }

  function expectEmails(snapshot: Snapshot, observed: readonly ObservedMailbox[]): void {
    const names = namesOf(snapshot.Mailbox);
    const shown = [...snapshot.Email.values()].map((email): ExpectedEmail & { id: Id; threadId: Id } => ({
      id: email.id,
      threadId: email.threadId,
      token: contentOf.get(email.id) ?? '',
      conversation: '',
      mailboxes: Object.keys(email.mailboxIds)
        .map((id) => names.get(id as Id) ?? id)
        .sort(),
      keywords: Object.keys(email.keywords).sort(),
      receivedAt: Date.parse(email.receivedAt) / 1000,
      size: email.size,
    }));
    const expected = expectedEmails(observed);
    const plain = shown.filter(({ token }) => !isAmbiguous(token));
    expect(plain.map(({ id: _, threadId: __, ...rest }) => rest).sort(byToken)).toEqual(
      [...expected.values()]
        .filter(({ token }) => !isAmbiguous(token))
        .map((email) => ({ ...email, conversation: '' }))
        .sort(byToken),
    );
    for (const { token, id } of plain) {
      expect({ token, id }).toEqual({ token, id: idOfContent.get(token) ?? id });
      idOfContent.set(token, id);
    }

    // Of contents that lie twice in a mailbox, each copy is in exactly one Email.
    const copies = (rows: readonly { token: string; mailbox: string }[]) =>
      rows
        .filter(({ token }) => isAmbiguous(token))
        .map(({ token, mailbox }) => `${token} in ${mailbox}`)
        .sort();
    expect(copies(shown.flatMap(({ token, mailboxes }) => mailboxes.map((mailbox) => ({ token, mailbox }))))).toEqual(
      copies(visibleRows(observed)),
    );

    // Emails are in one Thread exactly when they are of one conversation.
    const threads = new Map<string, Set<string>>();
    for (const { token, threadId } of shown) {
      const conversation = expected.get(token)?.conversation ?? '';
      threads.set(conversation, (threads.get(conversation) ?? new Set()).add(threadId));
    }
    expect([...threads.values()].map((ids) => ids.size).filter((size) => size !== 1)).toEqual([]);
    expect(new Set([...threads.values()].flatMap((ids) => [...ids])).size).toBe(threads.size);
  }

  function expectMailboxes(snapshot: Snapshot, observed: readonly ObservedMailbox[]): void {
    const idOfName = new Map([...namesOf(snapshot.Mailbox)].map(([id, name]) => [name, id]));
    const nodes = new Set(observed.map(({ name }) => name));
    for (const { name, subscribed } of observed.filter(({ selectable }) => selectable)) {
      const id = idOfName.get(name);
      const known = other.mailboxes.get(name);
      expect({ name, isShown: id !== undefined }).toEqual({ name, isShown: true });
      if (id === undefined || known === undefined) continue;
      const { isSubscribed } = snapshot.Mailbox.get(id) ?? {};
      // To imapflow INBOX is subscribed, whatever the server says.
      if (name !== 'INBOX') expect({ name, isSubscribed }).toEqual({ name, isSubscribed: subscribed });
      const mayDiffer = tableWasLost && known.renewed;
      const before = mayDiffer ? undefined : idOfMailbox.get(known.number);
      expect({ name, id }).toEqual({ name, id: before ?? id });
      idOfMailbox.set(known.number, id);
    }
    const isParent = (name: string) => [...nodes].some((node) => node.startsWith(`${name}/`));
    expect([...idOfName.keys()].filter((name) => !nodes.has(name) && !isParent(name))).toEqual([]);
    expect(new Set(idOfMailbox.values()).size).toBe(idOfMailbox.size);
    tableWasLost = false;
  }

  return {
    tableWasLost: () => {
      tableWasLost = true;
    },
    examine: async (
      snapshot: Snapshot,
      observed: readonly ObservedMailbox[],
      client: JmapClient,
      isThorough: boolean,
    ): Promise<void> => {
      const ids = [...snapshot.Email.keys()];
      await readContents(client, isThorough ? ids : ids.filter((id) => !contentOf.has(id)));
      expectEmails(snapshot, observed);
      expectMailboxes(snapshot, observed);
    },
  };
}

function byToken(one: { token: string }, other: { token: string }): number {
  return one.token < other.token ? -1 : 1;
}
