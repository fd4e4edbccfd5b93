import { accountCatalog, accountMemory } from '../../shared/catalog/account.ts';
import { messageIdHash, threadIdOf } from '../../shared/catalog/ids.ts';
import { existsInJmap } from '../../shared/catalog/keywords.ts';
import type { Catalog, CatalogView, CommitOutcome, IdentityScheme } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import {
  contentOf,
  type FakeContent,
  type FakeMailServer,
  type FakeMessage,
  type FakeOptions,
  fakeMailServer,
} from './fake-mail-server.ts';
import { fail, holdsWhatServerHolds, same } from './server-laws.ts';
import { changingTypes, followChanges, type Snapshot, snapshotOf } from './snapshot.ts';

/** What a history runs on: a catalog, and ways to damage it. */
export type HistoryStore = {
  readonly catalog: Catalog;
  readonly loseAll: () => void;
  readonly loseBlock: () => void;
};

export type HistoryOptions = FakeOptions & {
  readonly seed: number;
  readonly steps: number;
  /** Other clients and a second process act in the middle of a sync. */
  readonly racing: boolean;
  readonly store: HistoryStore;
};

/** The same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822507) + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489909) >>> 0;
    return mixed % below;
  };
}

/**
 * Plays a random history of what other clients do to an account, syncs after every few actions, and checks the laws of identity
 * against the server and from every earlier state. Throws at the first that is broken.
 */
export async function playHistory(options: HistoryOptions): Promise<void> {
  const random = randomOf(options.seed);
  const server = fakeMailServer({ ...options, batch: 7 });
  const world = worldOf(server, random, options.scheme);
  const laws = lawsOf(server, world, options);
  for (const name of ['INBOX', 'Sent', 'Trash', 'Work']) world.create(name);
  for (let count = 0; count < 12; count += 1) world.act();

  /** Percent of the commands of a racing sync before which something happens. */
  const disturbance = [3, 8, 20][options.seed % 3] ?? 0;
  let clock = 1_000_000_000;
  const surroundings = { now: () => (clock += 10) };
  const processes = [accountMemory(), accountMemory()].map((memory) => {
    const interfere = () => {
      if (options.racing && random(100) < disturbance) world.act();
    };
    return accountCatalog({
      catalog: laws.watch(options.store.catalog),
      source: async () => server.connect(interfere),
      surroundings,
      freshnessMs: 0,
      deadline: Number.POSITIVE_INFINITY,
      memory,
    });
  });
  const [first, second] = processes;
  if (first === undefined || second === undefined) throw new Error('Two processes are needed');
  const quiet = accountCatalog({
    catalog: laws.watch(options.store.catalog),
    source: async () => server.connect(),
    surroundings,
    freshnessMs: 0,
    deadline: Number.POSITIVE_INFINITY,
    memory: accountMemory(),
  });

  for (let step = 0; step < options.steps; step += 1) {
    try {
      const accident = random(200);
      if (accident === 0) options.store.loseAll();
      if (accident <= 1) laws.newStart();
      if (accident === 1) {
        options.store.loseBlock();
        laws.damaged();
      }
      for (let count = 1 + random(5); count > 0; count -= 1) world.act();
      if (options.racing) await Promise.all([first.view('now'), second.view('now')].map(untilQuiet));
      // Where there are no mod-sequences flags are exact after a while only, and a few mailboxes at a time.
      clock += 1_000_000;
      for (let syncs = 0; syncs < 2; syncs += 1) await quiet.view('now');
      const check = async () => laws.check(await quiet.view('now'), step % 20 === 19 || step === options.steps - 1);
      await check().catch((error: unknown) => (laws.isMissingBlocks(error) ? check() : Promise.reject(error)));
    } catch (error) {
      throw new Error(`seed ${options.seed}, step ${step}: ${error instanceof Error ? error.stack : error}`);
    }
  }
}

/** A sync that is disturbed again and again may give up; nothing else may go wrong. */
async function untilQuiet(view: Promise<unknown>): Promise<void> {
  try {
    await view;
  } catch (error) {
    if (!(error instanceof Error) || !/changes faster/.test(error.message)) throw error;
  }
}

/** The other clients. `act` does one thing; what cannot be done is passed over. */
function worldOf(server: FakeMailServer, random: (below: number) => number, scheme: IdentityScheme) {
  /** Contents that lay twice in one mailbox at some time: their ids may be swapped among themselves. */
  const doubled = new Set<FakeContent>();
  /** Mailboxes, by MAILBOXID, of which nothing tells which they are where there is no such id; see `noteRenumbered`. */
  const renumbered = new Set<string>();
  /** Mailboxes, by MAILBOXID, when everything was seen, and those made since then that got another name. */
  let known = new Set<string>();
  const renamed = new Set<string>();
  let isOneRenumbered = false;
  /** Messages without `\\Deleted` of which nothing tells yet that they have lost it: no mod-sequence does. */
  const unread = new Set<FakeMessage>();
  const sent: FakeContent[] = [];
  let clock = 1_700_000_000;
  let names = 0;

  const one = <T>(from: readonly T[]): T | undefined => from[random(from.length || 1)];
  const anyMailbox = () => one(server.names()) ?? 'INBOX';
  const anyMessage = () => {
    const mailbox = anyMailbox();
    const message = one(server.messages(mailbox));
    return message === undefined ? undefined : { mailbox, message };
  };
  const noteDoubles = (name: string) => {
    const seen = new Set<FakeContent>();
    for (const { content } of server.messages(name)) {
      if (seen.has(content)) doubled.add(content);
      seen.add(content);
    }
  };
  const flagSets = [[], ['\\Seen'], ['\\Seen', '\\Flagged'], ['$Junk'], ['\\Draft'], ['\\Seen', '\\Answered', 'Work']];

  const deliver = () => {
    clock += random(3);
    const parent = random(2) === 0 ? undefined : one(sent);
    const content = contentOf(
      parent && {
        references: `${parent.references} ${parent.messageId}`.trim(),
        inReplyTo: parent.messageId,
      },
    );
    sent.push(content);
    server.append(random(3) === 0 ? anyMailbox() : 'INBOX', content, {
      internalDate: clock,
      flags: one(flagSets) ?? [],
    });
  };
  /** A stranger sends a message with everything of another that a sender can choose. */
  const forge = () => {
    const original = one(sent);
    if (original === undefined) return;
    const { body: _body, received: _received, ...chosen } = original;
    const forged = contentOf(chosen);
    server.append(anyMailbox(), forged, { internalDate: clock });
  };
  const setFlags = (mailbox: string, message: FakeMessage, flags: readonly string[]) => {
    const isUndeleted = message.flags.has('\\Deleted') && !flags.includes('\\Deleted');
    if (isUndeleted && server.vector(mailbox).highestModseq === null) unread.add(message);
    server.setFlags(mailbox, message.uid, flags);
  };
  const flag = () => {
    const any = anyMessage();
    if (any !== undefined) setFlags(any.mailbox, any.message, one(flagSets) ?? []);
  };
  const remove = () => {
    const any = anyMessage();
    if (any !== undefined) server.setFlags(any.mailbox, any.message.uid, [...any.message.flags, '\\Deleted']);
  };
  const undelete = () => {
    const any = anyMessage();
    const flags = [...(any?.message.flags ?? [])].filter((name) => name !== '\\Deleted');
    if (any !== undefined) setFlags(any.mailbox, any.message, flags);
  };
  const expunge = () => {
    const any = anyMessage();
    if (any !== undefined) server.expunge(any.mailbox, any.message.uid);
  };
  const move = () => {
    const any = anyMessage();
    const to = anyMailbox();
    if (any === undefined || to === any.mailbox) return;
    server.move(any.mailbox, any.message.uid, to);
    noteDoubles(to);
  };
  const copy = () => {
    const any = anyMessage();
    const to = anyMailbox();
    if (any === undefined) return;
    server.copy(any.mailbox, any.message.uid, to);
    noteDoubles(to);
  };
  /** As clients without MOVE do it. */
  const classicMove = () => {
    const any = anyMessage();
    const to = anyMailbox();
    if (any === undefined || to === any.mailbox) return;
    server.copy(any.mailbox, any.message.uid, to);
    server.setFlags(any.mailbox, any.message.uid, [...any.message.flags, '\\Deleted']);
    noteDoubles(to);
  };
  const freshName = () => {
    names += 1;
    return `Folder ${names}`;
  };
  /** Where MAILBOXIDs tell them apart, mailboxes made in one second may have one UIDVALIDITY: so it is on Cyrus. */
  const create = (name: string) => {
    const isShared = scheme === 'objectid' && random(2) === 0;
    server.create(name, isShared ? { uidValidity: 1_000 } : {});
  };
  const createOne = () => {
    if (server.names().length < 9) create(freshName());
  };
  const noteRenamed = (name: string) => {
    const id = server.mailboxId(name);
    if (known.has(id)) return;
    renamed.add(id);
    if (isOneRenumbered) renumbered.add(id);
  };
  /**
   * A mailbox has another UIDVALIDITY, or was made anew under its name, which looks like that: and so does one that was never seen,
   * and goes by its name before it is.
   */
  const noteRenumbered = (name: string) => {
    isOneRenumbered = true;
    for (const id of [server.mailboxId(name), ...renamed]) renumbered.add(id);
  };
  const ownMailbox = () => one(server.names().filter((name) => name !== 'INBOX'));
  const rename = () => {
    const from = ownMailbox();
    if (from === undefined) return;
    const to = random(4) === 0 ? `Work/${freshName()}` : freshName();
    server.rename(from, to);
    noteRenamed(to);
  };
  const swapNames = () => {
    const [a, b] = [ownMailbox(), ownMailbox()];
    if (a === undefined || b === undefined || a === b) return;
    server.rename(a, 'swapping');
    server.rename(b, a);
    server.rename('swapping', b);
    noteRenamed(a);
    noteRenamed(b);
  };
  const recreate = () => {
    const name = ownMailbox();
    if (name === undefined) return;
    server.remove(name);
    if (random(2) !== 0) return;
    server.create(name);
    noteRenumbered(name);
  };
  const subscribe = () => {
    const name = ownMailbox();
    if (name !== undefined) server.subscribe(name, random(2) === 0);
  };
  const mark = () => {
    const name = ownMailbox();
    if (name !== undefined) server.mark(name, random(2) === 0 ? [] : ['\\Trash']);
  };
  const renumber = () => {
    const name = anyMailbox();
    noteRenumbered(name);
    server.resetUidValidity(name);
  };
  const forgetModseq = () => server.resetModseq(anyMailbox());
  const noModseq = () => server.setNoModseq(anyMailbox(), random(2) === 0);
  const forgetExpunges = () => server.forgetExpunges(anyMailbox());

  const actions: readonly (readonly [weight: number, act: () => void])[] = [
    [30, deliver],
    [4, forge],
    [20, flag],
    [6, remove],
    [6, undelete],
    [10, expunge],
    [20, move],
    [8, classicMove],
    [12, copy],
    [2, createOne],
    [2, rename],
    [1, swapNames],
    [1, recreate],
    [2, subscribe],
    [1, mark],
    [1, renumber],
    [1, forgetModseq],
    [1, noModseq],
    [1, forgetExpunges],
  ];
  const sum = actions.reduce((total, [weight]) => total + weight, 0);
  const perform = () => {
    if (server.names().reduce((total, name) => total + server.messages(name).length, 0) > 80) return expunge();
    let left = random(sum);
    for (const [weight, act] of actions) {
      if (left < weight) return act();
      left -= weight;
    }
  };
  /** What was seen somewhere without `\\Deleted`, with the number of the act since which it always was. */
  let present = new Map<FakeContent, number>();
  let acts = 0;
  return {
    create,
    doubled,
    renumbered,
    acts: () => acts,
    presentSince: (content: FakeContent): number => present.get(content) ?? Number.POSITIVE_INFINITY,
    /** All flags were read, and what each mailbox is called. */
    seen: () => {
      unread.clear();
      renamed.clear();
      isOneRenumbered = false;
      known = new Set(server.names().map((name) => server.mailboxId(name)));
    },
    act: () => {
      perform();
      acts += 1;
      const lying = server
        .names()
        .flatMap((name) => server.messages(name))
        .filter((message) => !message.flags.has('\\Deleted') && !unread.has(message));
      present = new Map(lying.map(({ content }) => [content, present.get(content) ?? acts]));
    },
  };
}

/** What has to hold between one sync and the next, whatever happened. */
function lawsOf(server: FakeMailServer, world: ReturnType<typeof worldOf>, { store, threads }: HistoryOptions) {
  const contents = new Map<Id, FakeContent>();
  const ids = new Map<FakeContent, Id>();
  const mailboxIds = new Map<string, Id>();
  const keys = new Map<string, Id>();
  let actsSeen = 0;
  let snapshots: Snapshot[] = [];
  let commits = 0;
  let epoch: string | null = null;
  let mayStartAnew = false;

  const checkIds = async (view: CatalogView) => {
    const keys = new Map([...(await view.mailboxes()).values()].map(({ name, key }) => [name, key]));
    for (const name of server.names()) {
      const key = keys.get(name) ?? fail(`no mailbox ${name}`);
      const at = await view.emailIdsAt(
        key,
        server.messages(name).map(({ uid }) => uid),
      );
      const emails = await view.emails(at.values());
      for (const { uid, content } of server.messages(name)) {
        const id = at.get(uid) ?? fail(`no Email at ${name} ${uid}`);
        const holder = contents.get(id) ?? content;
        if (holder.body !== content.body) fail(`Email ${id} is both "${holder.body}" and "${content.body}"`);
        contents.set(id, content);
        if (!world.doubled.has(content)) same(id, ids.get(content) ?? id, `id of "${content.body}" at ${name} ${uid}`);
        ids.set(content, id);
        if (threads === 'derived') same(emails.get(id)?.threadId, rootThreadOf(content), `thread of "${content.body}"`);
      }
    }
  };

  /** A Mailbox id stays through renames, and through the loss of the catalog. */
  const checkMailboxIds = async (view: CatalogView) => {
    for (const { name, id } of (await view.mailboxes()).values()) {
      const mailbox = server.mailboxId(name);
      // Such ids last as long as the catalog.
      const mayChange = view.scheme !== 'objectid' && world.renumbered.has(mailbox);
      if (!mayChange) same(id, mailboxIds.get(mailbox) ?? id, `id of mailbox "${name}"`);
      mailboxIds.set(mailbox, id);
    }
  };

  /** No version in between, however torn the answers it was made from, may miss what never left the server. */
  const checkPresence = async (view: CatalogView) => {
    // While an account is indexed, what moves from a mailbox that is not read yet to one that is comes with the version after that.
    if (view.provisional || (mayStartAnew && view.epoch !== epoch)) return;
    const lasting = [...ids].filter(
      ([content]) => !world.doubled.has(content) && world.presentSince(content) <= actsSeen,
    );
    const emails = await view.emails(lasting.map(([, id]) => id));
    for (const [content, id] of lasting) {
      if (!existsInJmap(emails.get(id) ?? null)) fail(`version ${view.version} misses "${content.body}"`);
    }
  };

  /** A key names one mailbox for the whole epoch: the log speaks of mailboxes by key. */
  const checkKeys = async ({ epoch, version, mailboxes }: CatalogView) => {
    for (const { key, id } of (await mailboxes()).values()) {
      const name = `${epoch} ${key}`;
      same(id, keys.get(name) ?? id, `mailbox ${key} in version ${version}`);
      keys.set(name, id);
    }
  };

  const watched = async (outcome: Promise<CommitOutcome>): Promise<CommitOutcome> => {
    commits += 1;
    const result = await outcome;
    if (result.kind === 'committed') {
      await checkPresence(result.view);
      await checkKeys(result.view);
    }
    return result;
  };

  const newStart = () => {
    snapshots = [];
    actsSeen = 0;
  };

  return {
    /** Looks at each commit. */
    watch: (catalog: Catalog): Catalog => ({
      ...catalog,
      create: (...args) => watched(catalog.create(...args)),
      commit: (...args) => watched(catalog.commit(...args)),
    }),
    newStart,
    /** Blocks are gone: whenever one is missed, the account is indexed anew, once. */
    damaged: () => {
      mayStartAnew = true;
    },
    isMissingBlocks: (error: unknown) =>
      mayStartAnew && error instanceof Error && /has to be indexed again/.test(error.message),
    check: async (view: CatalogView, fromEveryState: boolean) => {
      if (view.provisional) fail('first contact did not end');
      if (mayStartAnew && view.epoch !== epoch) {
        mayStartAnew = false;
        newStart();
      }
      epoch = view.epoch;
      await holdsWhatServerHolds(view, server);
      await checkIds(view);
      await checkMailboxIds(view);
      world.seen();
      actsSeen = world.acts();

      const now = await snapshotOf(view);
      const before = snapshots.at(-1);
      if (before !== undefined) {
        same(now.epoch, before.epoch, 'epoch');
        for (const type of changingTypes) {
          if (now.versions[type] < before.versions[type]) fail(`the state of ${type} went back`);
          const isEqual =
            JSON.stringify([...now.records[type]].sort()) === JSON.stringify([...before.records[type]].sort());
          if (now.states[type] === before.states[type] && !isEqual) fail(`${type} changed under one state`);
        }
      }
      for (const [age, old] of snapshots.toReversed().entries()) {
        if (age >= 3 && !fromEveryState) break;
        const maxChanges = age < 3 ? 1 + (snapshots.length % 4) : 40;
        for (const type of changingTypes) {
          await followChanges(view, now, old, type, null);
          await followChanges(view, now, old, type, maxChanges);
        }
      }
      snapshots.push(now);

      const commitsBefore = commits;
      const again = await accountCatalog({
        catalog: { ...store.catalog, commit: async () => fail('an unchanged account was written') },
        source: async () => server.connect(),
        surroundings: { now: () => 0 },
        freshnessMs: 0,
        deadline: Number.POSITIVE_INFINITY,
        memory: accountMemory(),
      }).view('now');
      same([again.epoch, again.version, commits], [view.epoch, view.version, commitsBefore], 'unchanged account');
    },
  };
}

/** References are complete in these histories, so the thread is that of the root. */
function rootThreadOf({ references, messageId }: FakeContent): Id {
  const root = /<([^>]+)>/.exec(references || messageId)?.[1] ?? '';
  return threadIdOf(messageIdHash(root));
}
