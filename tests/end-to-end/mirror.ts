import { expect } from '@jest/globals';
import type { Random } from '../../functions/local/sample-mail/random.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { ChangesResponse, JmapClient, QueryChangesResponse } from './jmap-client.ts';
import {
  type EmailRecord,
  emailProperties,
  type MailboxRecord,
  type Question,
  type Snapshot,
  type ThreadRecord,
  type Type,
  takeSnapshot,
  types,
} from './snapshot.ts';

/** A client's own copy of an account, as a real client keeps one. */
export type Mirror = {
  /** Brings the copy up to date by `/changes`, `/get` of what they name, and `/queryChanges`, and by nothing else. */
  readonly refresh: (client: JmapClient) => Promise<void>;
  /**
   * Changes or destroys an Email as it is in the copy; says what. Where nothing else happened since the state of the copy, the copy takes over
   * what was done along with the new state, and asks for nothing (RFC 8620 §5.3).
   */
  readonly act: (client: JmapClient) => Promise<string>;
  /** What the client was told that it has destroyed. */
  readonly destroyed: ReadonlySet<Id>;
  /** The copy, to be compared with what a client sees that reads everything anew. */
  readonly copy: () => Copy;
};

export type Copy = Pick<Snapshot, Type> & {
  readonly states: Snapshot['states'];
  readonly results: readonly (readonly Id[])[];
};

/** What a look at the whole account says of the same things. */
export function copyOf({ states, Email, Thread, Mailbox, answers }: Snapshot): Copy {
  return { states, Email, Thread, Mailbox, results: answers.map(({ ids }) => ids) };
}

/** Reads the account once; from then on the copy lives on changes, which it asks for in pages of any size. */
export async function startMirror(client: JmapClient, questions: readonly Question[], random: Random): Promise<Mirror> {
  const first = await takeSnapshot(client, questions);
  const states = { ...first.states };
  const records = {
    Email: new Map<Id, EmailRecord>(first.Email),
    Thread: new Map<Id, ThreadRecord>(first.Thread),
    Mailbox: new Map<Id, MailboxRecord>(first.Mailbox),
  };
  const destroyed = new Set<Id>();
  const lists = first.answers.map(({ ids, queryState }) => ({ ids: [...ids], queryState }));

  async function refreshType(asked: JmapClient, type: Type): Promise<void> {
    let page: ChangesResponse;
    do {
      const maxChanges = random.chance(0.5) ? random.between(1, 6) : undefined;
      page = await asked.changes(type, states[type], maxChanges);
      const { created, updated, destroyed, updatedProperties = null } = page;
      for (const id of destroyed)
        expect({ type, destroyed: records[type].delete(id) }).toEqual({ type, destroyed: true });
      for (const id of created)
        expect({ type, id, wasThere: records[type].has(id) }).toEqual({ type, id, wasThere: false });
      for (const id of updated)
        expect({ type, id, wasThere: records[type].has(id) }).toEqual({ type, id, wasThere: true });
      await fetchInto(asked, type, created, null);
      await fetchInto(asked, type, updated, updatedProperties);
      states[type] = page.newState;
    } while (page.hasMoreChanges);
  }

  /** Of what is gone already by the time it is fetched, a later page or refresh tells. */
  async function fetchInto(
    asked: JmapClient,
    type: Type,
    ids: readonly Id[],
    only: readonly string[] | null,
  ): Promise<void> {
    if (ids.length === 0) return;
    const properties = only ?? (type === 'Email' ? emailProperties : null);
    const got = await asked.get<EmailRecord & ThreadRecord & MailboxRecord>(type, {
      ids: [...ids],
      properties: properties && [...properties],
    });
    const known: Map<Id, object> = records[type];
    for (const record of got.list)
      known.set(record.id, only === null ? record : { ...known.get(record.id), ...record });
    // As a client has to keep what it was told exists, until it is told otherwise.
    for (const id of got.notFound) if (!known.has(id)) known.set(id, { id });
  }

  /** What can be done to one Email, and the Email it makes; null: none. */
  function anyChange({ keywords, mailboxIds, ...rest }: EmailRecord): {
    patch: JsonObject;
    changed: EmailRecord | null;
  } {
    const keyword = random.pick(['$seen', '$flagged', '$answered', 'later']);
    const mailbox = random.pick([...records.Mailbox.keys()]);
    const isIn = mailboxIds[mailbox] === true;
    const others = without(mailboxIds, mailbox);
    switch (random.below(4)) {
      case 0:
        return {
          patch: { [`keywords/${keyword}`]: true },
          changed: { ...rest, mailboxIds, keywords: { ...keywords, [keyword]: true } },
        };
      case 1:
        return {
          patch: { [`keywords/${keyword}`]: null },
          changed: { ...rest, mailboxIds, keywords: without(keywords, keyword) },
        };
      case 2:
        return {
          patch: { mailboxIds: { [mailbox]: true } },
          changed: { ...rest, keywords, mailboxIds: { [mailbox]: true } },
        };
      default:
        return isIn && Object.keys(others).length > 0
          ? { patch: { [`mailboxIds/${mailbox}`]: null }, changed: { ...rest, keywords, mailboxIds: others } }
          : {
              patch: { [`mailboxIds/${mailbox}`]: true },
              changed: { ...rest, keywords, mailboxIds: { ...mailboxIds, [mailbox]: true } },
            };
    }
  }

  return {
    destroyed,
    act: async (asked) => {
      const email = records.Email.size === 0 ? null : random.pick([...records.Email.values()]);
      if (email === null) return 'finds nothing to change';
      const { id } = email;
      const isDestroyed = random.chance(0.1);
      const { patch, changed } = isDestroyed ? { patch: null, changed: null } : anyChange(email);
      const args: JsonObject = patch === null ? { destroy: [id] } : { update: { [id]: patch } };
      const response = await asked.one<SetResponse>('Email/set', args);
      const { oldState, newState, updated, notUpdated, notDestroyed } = response;
      const error = notUpdated?.[id] ?? notDestroyed?.[id];
      if (error === undefined && isDestroyed) destroyed.add(id);
      if (error !== undefined) expect(errorsOfTheLate).toContain(error.type);
      if (oldState === states.Email) {
        states.Email = newState;
        if (error === undefined && changed === null) records.Email.delete(id);
        else if (error === undefined && changed !== null) records.Email.set(id, { ...changed, ...updated?.[id] });
      }
      return `sets ${JSON.stringify(args)}: ${error?.type ?? 'done'}${oldState === newState ? '' : ', adopted'}`;
    },
    refresh: async (asked) => {
      for (const type of types) await refreshType(asked, type);
      for (const [index, list] of lists.entries()) {
        const args = { ...questions[index], sinceQueryState: list.queryState, calculateTotal: true };
        const changes = await asked.one<QueryChangesResponse>('Email/queryChanges', args);
        list.ids = applied(list.ids, changes);
        list.queryState = changes.newQueryState;
        expect(changes.total).toBe(list.ids.length);
      }
    },
    copy: () => ({ states: { ...states }, ...records, results: lists.map(({ ids }) => ids) }),
  };
}

type SetResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly updated: { readonly [id: string]: Partial<EmailRecord> | null } | null;
  readonly notUpdated: { readonly [id: string]: { readonly type: string } } | null;
  readonly notDestroyed: { readonly [id: string]: { readonly type: string } } | null;
};

/** What is said to a client whose copy is not up to date: the Email is gone, or the mailbox that it is to go to. */
const errorsOfTheLate = ['notFound', 'invalidProperties'];

function without(set: { readonly [name: string]: true }, name: string): { readonly [name: string]: true } {
  const { [name]: _, ...others } = set;
  return others;
}

/** RFC 8620 §5.6. */
export function applied(ids: readonly Id[], { removed, added }: QueryChangesResponse): Id[] {
  const gone = new Set(removed);
  const now = ids.filter((id) => !gone.has(id));
  for (const { id, index } of added) now.splice(index, 0, id);
  return now;
}
