import { expect } from '@jest/globals';
import type { Random } from '../../functions/local/sample-mail/random.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
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

  return {
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

/** RFC 8620 §5.6. */
export function applied(ids: readonly Id[], { removed, added }: QueryChangesResponse): Id[] {
  const gone = new Set(removed);
  const now = ids.filter((id) => !gone.has(id));
  for (const { id, index } of added) now.splice(index, 0, id);
  return now;
}
