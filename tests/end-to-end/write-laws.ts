import { expect } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { ObservedMailbox } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { namesOf, type Snapshot } from './snapshot.ts';

/** What the laws look at in the answer to Email/set. */
export type SetResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly updated: { readonly [id: string]: null } | null;
  readonly destroyed: readonly Id[] | null;
  readonly notUpdated: { readonly [id: string]: JsonObject } | null;
};

/** What is to become of each letter: where it is to lie, and whether it is to be flagged. */
const wishes = {
  moved: { before: ['Source'], after: ['Target'], isFlagged: true },
  copied: { before: ['Source'], after: ['Later', 'Source'], isFlagged: false },
  gathered: { before: ['Other', 'Source'], after: ['Target'], isFlagged: true },
  flagged: { before: ['Source'], after: ['Source'], isFlagged: true },
  destroyed: { before: ['Source'], after: [], isFlagged: false },
} as const;
export type Token = keyof typeof wishes;
/** The letters in Source; `gathered` lies in Other too. */
export const tokens = Object.keys(wishes) as Token[];
export const mailboxes = ['Source', 'Target', 'Other', 'Later'];

export type IdOf = (token: Token) => Id;

export async function idsOfTokens(client: JmapClient, { Email }: Snapshot): Promise<IdOf> {
  const property = 'header:X-Token:asText';
  const ids = [...Email.keys()];
  const { list } = await client.get<{ id: Id; [property]: Token }>('Email', { ids, properties: [property] });
  const idOf = new Map(list.map(({ id, [property]: token }) => [token, id]));
  return (token) => idOf.get(token) ?? ('none' as Id);
}

/** The arguments of Email/set for all wishes at once. */
export function everyWish(id: IdOf, { Mailbox }: Snapshot): JsonObject {
  const boxes = new Map([...namesOf(Mailbox)].map(([boxId, name]) => [name, boxId]));
  const update: JsonObject = {};
  for (const token of tokens) {
    const { after, isFlagged } = wishes[token];
    if (after.length === 0) continue;
    const mailboxIds = Object.fromEntries(after.map((name) => [boxes.get(name) ?? name, true]));
    update[id(token)] = { mailboxIds, ...(isFlagged ? { 'keywords/$flagged': true } : {}) };
  }
  return { update, destroy: [id('destroyed')] };
}

/**
 * Each letter is in the source or in the target, or where it `mayBeHalf` in both: never in neither, never twice in one mailbox; and
 * what is reported holds. What is flagged `\\Deleted` is gone for JMAP.
 */
export function expectNothingLost(
  observed: readonly ObservedMailbox[],
  response: SetResponse,
  id: IdOf,
  { mayBeHalf }: { readonly mayBeHalf: boolean },
): void {
  for (const token of tokens) {
    const { before, after, isFlagged } = wishes[token];
    const copies = observed.flatMap(({ name, rows }) =>
      rows
        .filter((row) => row.token === token && !row.flags.includes('\\Deleted'))
        .map(({ flags }) => ({ name, flags })),
    );
    const where = String(copies.map(({ name }) => name).sort());
    const has = (flagged: boolean) => copies.every(({ flags }) => flags.includes('\\Flagged') === flagged);
    const isReported = token === 'destroyed' ? response.destroyed !== null : id(token) in (response.updated ?? {});
    const isDone = where === String(after) && has(isFlagged);
    const isUndone = where === String(before) && has(false);
    const isHalf = mayBeHalf && where === String([...new Set([...before, ...after])].sort());
    const state = isDone ? 'done' : isUndone ? 'undone' : isHalf ? 'half' : `in ${where}`;
    const allowed = isReported ? 'done' : expect.stringMatching(/^(?:done|undone|half)$/);
    expect({ token, isReported, state }).toEqual({ token, isReported, state: allowed });
  }
}
