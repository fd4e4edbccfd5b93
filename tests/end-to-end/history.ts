import type { Random } from '../../functions/local/sample-mail/random.ts';
import { contentsLyingTwice } from './account-model.ts';
import type { ImapActor, ObservedMailbox, ObservedRow } from './imap-actor.ts';
import { type Letter, letter } from './letter.ts';

/** What the actor knows of a mailbox that can be selected. */
export type KnownMailbox = {
  /** Never the same for two mailboxes. */
  readonly number: number;
  /** UIDVALIDITY changed under it: its id no longer follows from what the server holds. */
  readonly renewed: boolean;
};

/** Somebody who does random things to an account, and knows what he did. */
export type RandomActor = {
  /**
   * Does so many things, and answers what they were. At most one of them concerns mailboxes: which of two mailboxes that change
   * their names at once is which cannot always be told.
   */
  readonly act: (times: number) => Promise<readonly string[]>;
  /** Takes a look at what others have done meanwhile: he knows only what he did himself. */
  readonly look: () => Promise<void>;
  /** Mailboxes that can be selected, by their full names. */
  readonly mailboxes: ReadonlyMap<string, KnownMailbox>;
  /** Contents that were delivered twice. */
  readonly deliveredTwice: ReadonlySet<string>;
  /** Contents of which two copies lay in one mailbox at some time. */
  readonly layTwice: ReadonlySet<string>;
};

type Sent = { readonly spec: Letter; readonly receivedAt: Date };
/** `touches`: the mailboxes in which something may be otherwise now; null: anything. */
type Done = { readonly what: string; readonly touches: readonly string[] | null };
/** null: there was nothing to do it with. */
type Act = () => Promise<Done | null>;
type Choices = readonly (readonly [weight: number, act: Act])[];

const names = ['Work', 'Play', 'Home', 'Bücher', 'A & B'];
const flags = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '$Forwarded', 'later'];
/** With fewer messages than this fewer are expunged. */
const messagesWanted = 20;
const firstArrival = Date.parse('2025-01-06T10:00:00Z');

/**
 * `identity`: what becomes of a mailbox under whose name another UIDVALIDITY appears. With ids of the server it is another
 * mailbox, with derived ones the same.
 */
export async function randomActor(
  actor: ImapActor,
  random: Random,
  identity: 'server' | 'derived',
): Promise<RandomActor> {
  let observed: readonly ObservedMailbox[] = await actor.observe();
  const mailboxes = new Map<string, KnownMailbox>();
  const deliveredTwice = new Set<string>();
  const layTwice = new Set<string>();
  let count = 0;

  const learn = () => {
    const selectable = new Set(observed.filter((mailbox) => mailbox.selectable).map(({ name }) => name));
    for (const name of mailboxes.keys()) if (!selectable.has(name)) mailboxes.delete(name);
    for (const name of selectable) if (!mailboxes.has(name)) mailboxes.set(name, { number: ++count, renewed: false });
    for (const token of contentsLyingTwice(observed)) layTwice.add(token);
  };
  learn();

  const onMessages = messageActions(actor, random, {
    observed: () => observed,
    mailboxes,
    onDeliveredTwice: (token) => deliveredTwice.add(token),
  });
  const onMailboxes = mailboxActions(actor, random, {
    observed: () => observed,
    mailboxes,
    onRenewed: (name) => {
      const known = mailboxes.get(name);
      if (known === undefined) return;
      mailboxes.set(name, identity === 'server' ? { number: ++count, renewed: false } : { ...known, renewed: true });
    },
  });

  return {
    mailboxes,
    deliveredTwice,
    layTwice,
    look: async () => {
      observed = await actor.observe();
      learn();
    },
    act: async (times) => {
      const said: string[] = [];
      let choices = random.chance(0.3) ? onMailboxes : onMessages;
      while (said.length < times) {
        const done = await weighted(random, choices)();
        if (done === null) continue;
        said.push(done.what);
        choices = onMessages;
        if (done.touches === null) observed = await actor.observe();
        else {
          const touched = new Map<string, readonly ObservedRow[]>();
          for (const name of done.touches) touched.set(name, await actor.rows(name));
          observed = observed.map((mailbox) => ({ ...mailbox, rows: touched.get(mailbox.name) ?? mailbox.rows }));
        }
        learn();
      }
      return said;
    },
  };
}

type MessageWorld = {
  readonly observed: () => readonly ObservedMailbox[];
  readonly mailboxes: ReadonlyMap<string, KnownMailbox>;
  readonly onDeliveredTwice: (token: string) => void;
};

function messageActions(actor: ImapActor, random: Random, world: MessageWorld): Choices {
  const sent = new Map<string, Sent>();
  const anySent = () => (sent.size === 0 ? null : random.pick([...sent.values()]));
  const newToken = () => `t${String(sent.size).padStart(5, '0')}`;
  const anyMailbox = () => random.pick([...world.mailboxes.keys()]);
  const anyFlags = () => flags.filter(() => random.chance(0.25));
  const countOfMessages = () => world.observed().reduce((sum, { rows }) => sum + rows.length, 0);

  const deliver = async ({ spec, receivedAt }: Sent, what: string): Promise<Done> => {
    if (sent.has(spec.token)) world.onDeliveredTwice(spec.token);
    sent.set(spec.token, { spec, receivedAt });
    const mailbox = anyMailbox();
    const some = anyFlags();
    await actor.deliver(mailbox, letter(spec), { flags: some, receivedAt });
    return { what: `${what} ${spec.token} to ${mailbox} (${some})`, touches: [mailbox] };
  };
  /** Does something with up to three messages of one mailbox. */
  const withMessages = async (
    act: (from: string, uids: readonly number[]) => Promise<Done | null>,
  ): Promise<Done | null> => {
    const full = world.observed().filter(({ rows }) => rows.length > 0);
    if (full.length === 0) return null;
    const { name, rows } = random.pick(full);
    const uids = new Set(Array.from({ length: random.between(1, 3) }, () => random.pick(rows).uid));
    return act(
      name,
      [...uids].sort((a, b) => a - b),
    );
  };

  const deliverNew: Act = async () => {
    const token = newToken();
    const answered = random.chance(0.5) ? anySent()?.spec : undefined;
    const answers = answered === undefined ? [] : [...(answered.answers ?? []), answered.claims ?? answered.token];
    const receivedAt = new Date(firstArrival + random.below(90 * 86_400) * 1_000);
    return deliver({ spec: { token, answers, lines: random.between(1, 9) }, receivedAt }, 'delivers');
  };
  const deliverAgain: Act = async () => {
    const again = anySent();
    return again && deliver(again, 'delivers again');
  };
  const forge: Act = async () => {
    const original = anySent();
    if (original === null) return null;
    const { spec, receivedAt } = original;
    const forged = { ...spec, token: newToken(), claims: spec.claims ?? spec.token };
    return deliver({ spec: forged, receivedAt }, `forges ${spec.token} as`);
  };
  const move: Act = () =>
    withMessages(async (from, uids) => {
      const to = anyMailbox();
      if (from === to) return null;
      await actor.move(from, uids, to);
      return { what: `moves ${from} ${uids} to ${to}`, touches: [from, to] };
    });
  const copy: Act = () =>
    withMessages(async (from, uids) => {
      const to = random.chance(0.2) ? from : anyMailbox();
      await actor.copy(from, uids, to);
      return { what: `copies ${from} ${uids} to ${to}`, touches: [to] };
    });
  const flag: Act = () =>
    withMessages(async (from, uids) => {
      const some = anyFlags();
      if (some.length === 0) return null;
      const verb = random.chance(0.6) ? 'flag' : 'unflag';
      await actor[verb](from, uids, some);
      return { what: `${verb}s ${from} ${uids} ${some}`, touches: [from] };
    });
  const markDeleted: Act = () =>
    withMessages(async (from, uids) => {
      const verb = random.chance(0.5) ? 'markDeleted' : 'undelete';
      await actor[verb](from, uids);
      return { what: `${verb} ${from} ${uids}`, touches: [from] };
    });
  const expunge: Act = () =>
    withMessages(async (from, uids) => {
      if (countOfMessages() < messagesWanted && random.chance(0.5)) return null;
      await actor.expunge(from, uids);
      return { what: `expunges ${from} ${uids}`, touches: [from] };
    });
  return [
    [6, deliverNew],
    [1, deliverAgain],
    [1, forge],
    [5, move],
    [3, copy],
    [6, flag],
    [3, markDeleted],
    [3, expunge],
  ];
}

type MailboxWorld = {
  readonly observed: () => readonly ObservedMailbox[];
  readonly mailboxes: Map<string, KnownMailbox>;
  readonly onRenewed: (name: string) => void;
};

function mailboxActions(actor: ImapActor, random: Random, { observed, mailboxes, onRenewed }: MailboxWorld): Choices {
  const freshName = (): string | null => {
    const taken = new Set(observed().map(({ name }) => name));
    const parents = ['', '', ...[...mailboxes.keys()].filter((name) => !name.includes('/') && name !== 'INBOX')];
    const name = [random.pick(parents), random.pick(names)].filter((part) => part !== '').join('/');
    return taken.has(name) ? null : name;
  };
  /** Does something with a mailbox of the actor's own making: some servers make those with a role again by themselves. */
  const withOwn = async (act: (name: string, hasChildren: boolean) => Promise<Done | null>): Promise<Done | null> => {
    const own = [...mailboxes.keys()].filter((name) => names.includes(name.split('/').at(-1) ?? ''));
    if (own.length === 0) return null;
    const name = random.pick(own);
    return act(
      name,
      observed().some((mailbox) => mailbox.name.startsWith(`${name}/`)),
    );
  };

  const create: Act = async () => {
    const name = freshName();
    if (name === null) return null;
    await actor.create(name);
    return { what: `creates ${name}`, touches: null };
  };
  const rename: Act = () =>
    withOwn(async (name) => {
      const to = freshName();
      if (to === null || to.startsWith(`${name}/`)) return null;
      await actor.rename(name, to);
      for (const [old, known] of [...mailboxes]) {
        if (old !== name && !old.startsWith(`${name}/`)) continue;
        mailboxes.delete(old);
        mailboxes.set(`${to}${old.slice(name.length)}`, known);
      }
      return { what: `renames ${name} to ${to}`, touches: null };
    });
  const remove: Act = () =>
    withOwn(async (name, hasChildren) => {
      if (hasChildren && !actor.removesAboveOthers) return null;
      await actor.remove(name);
      return { what: `removes ${name}`, touches: null };
    });
  const replace: Act = () =>
    withOwn(async (name, hasChildren) => {
      if (hasChildren) return null;
      await actor.remove(name);
      await actor.create(name);
      onRenewed(name);
      return { what: `removes and creates ${name}`, touches: null };
    });
  const recreate: Act = () =>
    withOwn(async (name, hasChildren) => {
      if (hasChildren) return null;
      await actor.recreate(name);
      onRenewed(name);
      return { what: `makes ${name} anew with the same messages`, touches: null };
    });
  const subscribe: Act = async () => {
    const name = random.pick([...mailboxes.keys()]);
    const verb = random.chance(0.5) ? 'subscribe' : 'unsubscribe';
    await actor[verb](name);
    return { what: `${verb}s ${name}`, touches: null };
  };
  return [
    [4, create],
    [3, rename],
    [1, remove],
    [1, replace],
    [1, recreate],
    [1, subscribe],
  ];
}

function weighted(random: Random, choices: Choices): Act {
  let left = random.below(choices.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, act] of choices) {
    left -= weight;
    if (left < 0) return act;
  }
  throw new Error('There is nothing to choose from');
}
