import type { MailboxVector } from '../../shared/catalog/mailbox.ts';
import type {
  Appearance,
  KnownMailbox,
  MailboxReading,
  MailSource,
  SurveyedMailbox,
} from '../../shared/catalog/source.ts';
import { MailboxGone, MailboxUnseen } from '../../shared/catalog/source.ts';
import { rangesOf } from '../../shared/catalog/uid-ranges.ts';
import type { IdentityScheme } from '../../shared/catalog/view.ts';

/** What a message is, wherever it lies. Two messages of equal content are byte-identical. */
export type FakeContent = {
  readonly messageId: string;
  readonly references: string;
  readonly inReplyTo: string;
  readonly date: string;
  readonly from: string;
  readonly received: string;
  readonly size: number;
  /** What a reader sees; no identity scheme may look at it. */
  readonly body: string;
};

/** One message in one mailbox. */
export type FakeMessage = {
  readonly uid: number;
  readonly content: FakeContent;
  /** Seconds since the epoch. */
  readonly internalDate: number;
  /** The same for all copies of one delivery, as EMAILID and X-GUID are. */
  readonly guid: string;
  flags: ReadonlySet<string>;
  modseq: number;
};

type FakeMailbox = {
  readonly mailboxId: string;
  uidValidity: number;
  uidNext: number;
  highestModseq: number;
  readonly messages: Map<number, FakeMessage>;
  /** UIDs that were expunged, with the mod-sequence of it. */
  readonly expunged: Map<number, number>;
  attributes: readonly string[];
  subscribed: boolean;
  selectable: boolean;
  /** NOMODSEQ (RFC 7162 §3.1.2.2). */
  noModseq: boolean;
  /** EXAMINE is refused, though LIST and STATUS are not. */
  refusesExamine: boolean;
  /** What is there for LIST only. */
  unseen: 'by EXAMINE' | 'by STATUS and EXAMINE' | null;
};

export type FakeOptions = {
  /** `qresync`: VANISHED and CHANGEDSINCE; `condstore`: CHANGEDSINCE only; `plain`: neither. */
  readonly tier: 'qresync' | 'condstore' | 'plain';
  readonly scheme: IdentityScheme;
  readonly threads: 'server' | 'derived';
  readonly delimiter?: string;
  /** Messages per batch of a reading. */
  readonly batch?: number;
};

/** What is about to happen on a connection; a test may change the mailboxes at this instant. */
export type FakeEvent = {
  readonly command: 'list' | 'status' | 'examine' | 'fetch' | 'search';
  readonly mailbox: string;
};

/**
 * A mail server in memory, as another client sees it: UIDs, UIDVALIDITY, mod-sequences, expunges, renames. Its `source` answers a
 * sync as shared/imap would from a server of the chosen abilities: every command sees the mailboxes as they are when it is carried
 * out, and a survey asks one mailbox after the other, so it is no snapshot.
 */
export type FakeMailServer = ReturnType<typeof fakeMailServer>;

export function fakeMailServer(options: FakeOptions) {
  const mailboxes = new Map<string, FakeMailbox>();
  const delimiter = options.delimiter ?? '/';
  let lastValidity = 1000;
  let lastGuid = 0;

  const mailbox = (name: string): FakeMailbox => {
    const found = mailboxes.get(name);
    if (found === undefined) throw new Error(`There is no mailbox "${name}"`);
    return found;
  };
  const nextModseq = (box: FakeMailbox): number => {
    box.highestModseq += 1;
    return box.highestModseq;
  };
  const put = (box: FakeMailbox, message: Omit<FakeMessage, 'uid' | 'modseq'>): number => {
    const uid = box.uidNext;
    box.uidNext += 1;
    box.messages.set(uid, { ...message, uid, modseq: nextModseq(box) });
    return uid;
  };

  /** What other clients do. Each call is one instant. */
  const actor = {
    create: (
      name: string,
      facts: Partial<Pick<FakeMailbox, 'attributes' | 'selectable' | 'uidValidity'>> = {},
    ): void => {
      if (mailboxes.has(name)) throw new Error(`Mailbox "${name}" exists`);
      lastValidity += 1;
      mailboxes.set(name, {
        mailboxId: `${lastValidity}box`,
        uidValidity: facts.uidValidity ?? lastValidity,
        uidNext: 1,
        highestModseq: 1_000_000,
        messages: new Map(),
        expunged: new Map(),
        attributes: facts.attributes ?? [],
        subscribed: true,
        selectable: facts.selectable ?? true,
        noModseq: false,
        refusesExamine: false,
        unseen: null,
      });
    },
    append: (
      name: string,
      content: FakeContent,
      { flags = [], internalDate }: { flags?: readonly string[]; internalDate: number },
    ): number => {
      lastGuid += 1;
      const guid = `${lastGuid.toString(16).padStart(8, '0')}f0`;
      return put(mailbox(name), { content, internalDate, guid, flags: new Set(flags) });
    },
    copy: (from: string, uid: number, to: string): number => {
      const message = mailbox(from).messages.get(uid);
      if (message === undefined) throw new Error(`There is no UID ${uid} in "${from}"`);
      return put(mailbox(to), message);
    },
    move: (from: string, uid: number, to: string): number => {
      const copied = actor.copy(from, uid, to);
      actor.expunge(from, uid);
      return copied;
    },
    expunge: (name: string, uid: number): void => {
      const box = mailbox(name);
      if (box.messages.delete(uid)) box.expunged.set(uid, nextModseq(box));
    },
    setFlags: (name: string, uid: number, flags: Iterable<string>): void => {
      const message = mailbox(name).messages.get(uid);
      if (message === undefined) return;
      message.flags = new Set(flags);
      message.modseq = nextModseq(mailbox(name));
    },
    rename: (from: string, to: string): void => {
      if (mailboxes.has(to)) throw new Error(`Mailbox "${to}" exists`);
      const box = mailbox(from);
      // As Cyrus does, which has MAILBOXIDs.
      if (options.scheme === 'objectid') nextModseq(box);
      mailboxes.set(to, box);
      mailboxes.delete(from);
    },
    remove: (name: string): void => {
      mailboxes.delete(name);
    },
    subscribe: (name: string, subscribed: boolean): void => {
      mailbox(name).subscribed = subscribed;
    },
    isSubscribed: (name: string): boolean => mailbox(name).subscribed,
    mark: (name: string, attributes: readonly string[]): void => {
      mailbox(name).attributes = attributes;
    },
    refuseExamine: (name: string, refuses: boolean): void => {
      mailbox(name).refusesExamine = refuses;
    },
    unsee: (name: string, unseen: FakeMailbox['unseen']): void => {
      mailbox(name).unseen = unseen;
    },
    /** As after a restored backup: the same messages under other UIDs. */
    resetUidValidity: (name: string): void => {
      const box = mailbox(name);
      lastValidity += 1;
      box.uidValidity = lastValidity;
      const messages = [...box.messages.values()].reverse();
      box.messages.clear();
      box.expunged.clear();
      box.uidNext = 1;
      for (const message of messages) put(box, message);
    },
    /** Mod-sequences start over far below, as after a lost index. */
    resetModseq: (name: string): void => {
      const box = mailbox(name);
      box.highestModseq -= 1000;
      box.expunged.clear();
      for (const message of box.messages.values()) message.modseq = box.highestModseq;
    },
    setNoModseq: (name: string, noModseq: boolean): void => {
      mailbox(name).noModseq = noModseq;
    },
    /** The server no longer knows which UIDs were expunged: it names all that are missing (RFC 7162 §3.2.5.2). */
    forgetExpunges: (name: string): void => {
      const box = mailbox(name);
      for (let uid = 1; uid < box.uidNext; uid += 1) {
        if (!box.messages.has(uid)) box.expunged.set(uid, box.highestModseq);
      }
    },
  };

  /** The next mailbox of a LIST that is on its way: one that is renamed meanwhile may be met twice, or not at all. */
  const nameAfter = (name: string) => [...mailboxes.keys()].sort().find((other) => other > name);

  const vectorOf = (box: FakeMailbox): MailboxVector => ({
    uidValidity: box.uidValidity,
    uidNext: box.uidNext,
    highestModseq: options.tier === 'plain' || box.noModseq ? null : String(box.highestModseq),
    messages: box.messages.size,
  });

  /** A connection. `before` is told of each command, and of each mailbox within one, at the instant before it is carried out. */
  const connect = (
    before: (event: FakeEvent) => void | Promise<void> = () => {},
  ): MailSource & { commands: string[] } => {
    const commands: string[] = [];
    let busy: string | null = null;
    const command = async <T>(what: string, carryOut: () => Promise<T>): Promise<T> => {
      if (busy !== null) throw new Error(`The connection is asked for ${what} while it is busy with ${busy}`);
      busy = what;
      commands.push(what);
      try {
        return await carryOut();
      } finally {
        busy = null;
      }
    };

    return {
      commands,
      scheme: async () => ({ scheme: options.scheme, threads: options.threads }),
      survey: () =>
        command('LIST', async () => {
          await before({ command: 'list', mailbox: '' });
          const survey: SurveyedMailbox[] = [];
          for (let name = nameAfter(''); name !== undefined; name = nameAfter(name)) {
            await before({ command: 'status', mailbox: name });
            const box = mailboxes.get(name);
            if (box === undefined) continue;
            const { selectable, attributes, subscribed } = box;
            // QUIRK(dovecot 2.3): STATUS does not know of NOMODSEQ.
            const told = vectorOf({ ...box, noModseq: false });
            const vector = selectable && box.unseen !== 'by STATUS and EXAMINE' ? told : null;
            survey.push({ name, delimiter, selectable, attributes, subscribed, vector });
          }
          return survey;
        }),
      mailboxIds: (names) =>
        command('STATUS MAILBOXID', async () => {
          if (options.scheme !== 'objectid') return null;
          return new Map(
            names.flatMap((name) => {
              const box = mailboxes.get(name);
              return box === undefined ? [] : [[name, box.mailboxId] as const];
            }),
          );
        }),
      read: (name, known) =>
        command(`EXAMINE ${name}`, async () => {
          await before({ command: 'examine', mailbox: name });
          const box = mailboxes.get(name);
          if (box === undefined || !box.selectable || box.refusesExamine)
            throw new MailboxGone(`Cannot open "${name}"`);
          if (box.unseen !== null) throw new MailboxUnseen(`Cannot see "${name}"`);
          return readingOf(name, box, known);
        }),
      readTogether: async (asked) => {
        const readings = new Map<string, MailboxReading>();
        for (const { name, told } of asked) {
          const reading = await command(`EXAMINE ${name}`, async () => {
            await before({ command: 'examine', mailbox: name });
            const box = mailboxes.get(name);
            const isRead =
              box?.selectable && !box.refusesExamine && box.unseen === null && box.uidNext === told.uidNext;
            return isRead ? readingOf(name, box, null) : null;
          });
          if (reading === null) continue;
          const batches = [];
          for await (const batch of reading.appeared) batches.push(batch);
          readings.set(name, { ...reading, appeared: inTurn(batches) });
        }
        return readings;
      },
      presentUids: (name) =>
        command(`UID SEARCH ${name}`, async () => {
          await before({ command: 'search', mailbox: name });
          return rangesOf(mailboxes.get(name)?.messages.keys() ?? []);
        }),
      rights: async () => null,
    };

    async function readingOf(name: string, box: FakeMailbox, known: KnownMailbox | null): Promise<MailboxReading> {
      const vector = vectorOf(box);
      const isRenewed = known !== null && known.vector.uidValidity !== box.uidValidity;
      const from = known === null || isRenewed ? 1 : known.vector.uidNext;
      const since = known?.vector.highestModseq ?? null;
      const seen = [...box.messages.values()].filter(({ uid }) => uid < from);
      const all = {
        vector,
        present: rangesOf(box.messages.keys()),
        vanished: [],
        appeared: appearing(name, from, vector),
      };
      const flagsOf = (messages: readonly FakeMessage[]) =>
        messages.map(({ uid, flags }) => ({ uid, flags: [...flags] }));

      if (known === null) return { ...all, kind: 'full', flags: [] };
      if (isRenewed) return { ...all, kind: 'renewed', flags: [] };
      if (since === null || vector.highestModseq === null) return { ...all, kind: 'full', flags: flagsOf(seen) };
      return {
        ...all,
        kind: 'delta',
        present: [],
        flags: flagsOf(seen.filter(({ modseq }) => modseq > Number(since))),
        vanished: rangesOf(
          options.tier === 'qresync'
            ? [...box.expunged].filter(([, modseq]) => modseq > Number(since)).map(([uid]) => uid)
            : await missingUids(box, known, seen.length),
        ),
      };
    }

    /** Without VANISHED: a UID SEARCH difference when counts disagree. */
    async function missingUids(box: FakeMailbox, known: KnownMailbox, seen: number): Promise<number[]> {
      if (seen === known.vector.messages) return [];
      return (await known.uids()).filter((uid) => !box.messages.has(uid));
    }

    async function* appearing(
      name: string,
      from: number,
      vector: MailboxVector,
    ): AsyncGenerator<readonly Appearance[]> {
      const size = options.batch ?? 100;
      for (let first = from; first < vector.uidNext; first += size) {
        busy = `FETCH ${name}`;
        await before({ command: 'fetch', mailbox: name });
        const box = mailboxes.get(name);
        const batch: Appearance[] = [];
        for (let uid = first; uid < Math.min(first + size, vector.uidNext); uid += 1) {
          const message = box?.uidValidity === vector.uidValidity ? box.messages.get(uid) : undefined;
          if (message !== undefined) batch.push(appearanceOf(message));
        }
        busy = null;
        if (batch.length > 0) yield batch;
      }
    }
  };

  const appearanceOf = ({ uid, content, internalDate, guid, flags }: FakeMessage): Appearance => {
    const { messageId, references, inReplyTo, date, from, received, size } = content;
    const needsFields = options.threads === 'derived' || options.scheme === 'digest';
    const serverThread = /<[^>]+>/.exec(references)?.[0] ?? messageId;
    return {
      uid,
      flags: [...flags, '\\Recent'],
      internalDate,
      size,
      serverEmailId: options.scheme === 'digest' ? null : guid,
      serverThreadId: options.threads === 'server' ? `T${serverThread.replace(/[^A-Za-z0-9]/g, '')}` : null,
      messageId: needsFields ? messageId : '',
      references: needsFields ? references : '',
      inReplyTo: needsFields ? inReplyTo : '',
      digestFields: options.scheme === 'digest' ? { date, from, received: received.slice(0, 512) } : null,
    };
  };

  return {
    ...actor,
    connect,
    names: (): string[] => [...mailboxes.keys()].sort(),
    messages: (name: string): FakeMessage[] => [...mailbox(name).messages.values()],
    uidValidity: (name: string): number => mailbox(name).uidValidity,
    vector: (name: string): MailboxVector => vectorOf(mailbox(name)),
    mailboxId: (name: string): string => mailbox(name).mailboxId,
  };
}

let made = 0;

/** A message that no other is equal to, unless told so. */
export function contentOf(given: Partial<FakeContent> = {}): FakeContent {
  made += 1;
  return {
    messageId: `<m${made}@example.org>`,
    references: '',
    inReplyTo: '',
    date: 'Thu, 01 Jan 2026 10:00:00 +0000',
    from: 'Alice <alice@example.org>',
    received: `from mx by mail.example.net with LMTP id ${made}queue`,
    size: 1000,
    body: `body ${made}`,
    ...given,
  };
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
