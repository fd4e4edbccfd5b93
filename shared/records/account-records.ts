import { createHash } from 'node:crypto';
import { type MethodError, OutcomeUnknown, ok, type Result, refuse, Unavailable } from '../jmap/errors.ts';
import type { Id, JsonObject, State } from '../jmap/scalars.ts';
import type { Changes } from '../jmap/verbs.ts';
import { type Collection, changesSince, type Edit, stateOf } from './collection.ts';
import { madeToFit } from './fit.ts';
import { unpackCommit } from './packed-collection.ts';
import type { RecordStore, StoredItem } from './store.ts';

/** A type of records that we keep for an account, because the mail server cannot. */
export type RecordKind<R extends JsonObject> = {
  /** What the protocol calls it. */
  readonly name: string;
  /** What every account has before anything was stored. */
  readonly initial?: ReadonlyMap<Id, R>;
  /** Those that may go where there is no room for others, the first ones first. */
  readonly expendable?: (records: ReadonlyMap<Id, R>) => readonly Id[];
};

/** The records of one kind, at one state. */
export type RecordsView<R extends JsonObject> = {
  readonly state: State;
  readonly records: ReadonlyMap<Id, R>;
  readonly changes: (sinceState: State, maxChanges: number | null) => Result<Changes, MethodError>;
};

/** The edits that somebody wants, which may be none, and what he wants to remember of them. */
export type Wanted<T> = {
  readonly edits: readonly Edit[];
  readonly answer: T;
  /** Records that go besides, for they have had their time. */
  readonly outlived?: readonly Id[];
  /** Octets that have to stay free for changes to come. */
  readonly spare?: number;
};
/** `before` → `after` holds these edits and nothing of other writers; what went to make room, or had had its time, is gone before. */
export type Changed<R extends JsonObject, T> = {
  readonly before: RecordsView<R>;
  readonly after: RecordsView<R>;
  readonly answer: T;
};

/** What we keep for one account. All of it throws `Unavailable` when the store cannot be asked. */
export type AccountRecords = {
  readonly view: <R extends JsonObject>(kind: RecordKind<R>) => Promise<RecordsView<R>>;
  /**
   * Asks for edits of the newest records and commits them all at once; asks again, with newer records, when another writer was
   * first. `full`: they would take more room than there is (RFC 8620 §5.3: `overQuota`); then nothing was changed. When it throws
   * `Unavailable`, nothing was changed; `OutcomeUnknown` is thrown when the store stopped answering in the midst of the commit.
   */
  readonly change: <R extends JsonObject, T>(
    kind: RecordKind<R>,
    wanted: (view: RecordsView<R>) => Wanted<T>,
  ) => Promise<Result<Changed<R, T>, 'full'>>;
};

/** Writers of one collection at the same time that one of them may lose to before he gives up. */
const racesMax = 30;
/** How many of the newest commits a collection names. */
const commitsRemembered = 8;

export function accountRecords(options: {
  readonly store: RecordStore;
  readonly account: string;
  /** A fresh unguessable string of `[a-z0-9]`. */
  readonly randomKey: () => string;
}): AccountRecords {
  const { store, account, randomKey } = options;

  async function read(kind: Stored): Promise<Read> {
    const item = await store.read(account, keyOf(kind));
    if (item === null) return { version: null, commits: [], collection: beginning(kind) };
    return { version: item.version, ...unpackCommit(item.bytes) };
  }

  /** False: another writer was first. */
  function write(kind: Stored, item: StoredItem, expectedVersion: number | null): Promise<boolean | 'unknown'> {
    return store.write(account, keyOf(kind), item, expectedVersion).catch((error: unknown) => {
      if (error instanceof Unavailable) return 'unknown';
      throw error;
    });
  }

  return {
    view: async <R extends JsonObject>(kind: RecordKind<R>) => viewOf<R>((await read(kind)).collection),

    change: async <R extends JsonObject, T>(
      kind: RecordKind<R>,
      wanted: (view: RecordsView<R>) => Wanted<T>,
    ): Promise<Result<Changed<R, T>, 'full'>> => {
      // What a write answers is not always the truth: its commit is looked for among the newest ones.
      const tried = new Map<string, Changed<R, T>>();
      let isInDoubt = false;
      for (let race = 0; race < racesMax; race += 1) {
        const { version, commits, collection } = await read(kind).catch((cause: unknown) => {
          throw isInDoubt && cause instanceof Unavailable ? new OutcomeUnknown(cause.message, { cause }) : cause;
        });
        const happened = commits.map((id) => tried.get(id)).find((changed) => changed !== undefined);
        if (happened !== undefined) return ok(happened);
        const before = viewOf<R>(collection);
        const { answer, ...wish } = wanted(before);
        if (wish.edits.length === 0) return ok({ before, after: before, answer });
        // What is stored for the first time begins a history of its own.
        const begun = version === null ? { ...collection, epoch: randomKey() } : collection;
        const commitId = randomKey();
        const fitting = madeToFit(begun, {
          ...wish,
          expendable: kind.expendable?.(before.records) ?? [],
          commits: [...commits, commitId].slice(-commitsRemembered),
        });
        if (fitting === null) return refuse('full');
        const { without, next, bytes } = fitting;
        const changed = { before: without === begun ? before : viewOf<R>(without), after: viewOf<R>(next), answer };
        tried.set(commitId, changed);
        const isWritten = await write(kind, { version: (version ?? 0) + 1, bytes, expiresAt: null }, version);
        if (isWritten === true) return ok(changed);
        // It stays in doubt: even a write that is refused may be refused because of an earlier one of ours.
        isInDoubt ||= isWritten === 'unknown';
      }
      if (isInDoubt) throw new OutcomeUnknown('the store does not say what it has written');
      throw new Unavailable('too many writers of the same records', { retryAfterSeconds: 1 });
    },
  };
}

/** `version`: of the item; null: there is none. */
type Read = { readonly version: number | null; readonly commits: readonly string[]; readonly collection: Collection };

type Stored = Pick<RecordKind<JsonObject>, 'name' | 'initial'>;

function keyOf({ name }: Stored): string {
  return `records/${name}`;
}

/** What there is before anything was stored. Its state names what it holds, for that may depend on the operator's settings. */
function beginning({ initial = new Map() }: Stored): Collection {
  const records = new Map([...initial].map(([id, value]) => [id, { created: 0, changed: 0, value }]));
  const digest = createHash('sha256')
    .update(JSON.stringify([...initial]))
    .digest('hex');
  const epoch = digest.slice(0, 12);
  return { epoch, version: 0, firstState: `${epoch}-0` as State, records, destroyed: [], toldFrom: 0 };
}

function viewOf<R extends JsonObject>(collection: Collection): RecordsView<R> {
  return {
    state: stateOf(collection),
    records: new Map([...collection.records].map(([id, { value }]) => [id, value as R])),
    changes: (sinceState, maxChanges) => changesSince(collection, sinceState, maxChanges),
  };
}
