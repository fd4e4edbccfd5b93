import { type Bench, type Compared, compare } from './compare.ts';
import { openInbox, setKeyword, statePoll } from './requests.ts';

/**
 * Email/set of one keyword on a warm session, next to the same commands sent raw. What the raw client changed is seen before each
 * sample: what the opening sync has to read of others is measured elsewhere.
 */
export async function measureKeywordSet({
  postern,
  raw,
  samples,
}: Pick<Bench, 'postern' | 'raw' | 'samples'>): Promise<Compared> {
  const [mailboxes] = await postern.api([['Mailbox/query', { filter: { role: 'inbox' } }, 'inbox']]);
  const [inboxId] = Array.isArray(mailboxes?.ids) ? mailboxes.ids.map(String) : [];
  const [, query] = await postern.api(openInbox(inboxId ?? ''));
  const emailIds = Array.isArray(query?.ids) ? query.ids.map(String) : [];
  const { answer: uids } = await raw.openInbox();
  const turn = { ours: 0, theirs: 0 };
  const seeAll = { change: async () => void (await postern.api(statePoll)), deliver: async () => {}, close: () => {} };
  return compare(
    { outside: seeAll, samples },
    {
      prepare: () => {},
      ours: async () => {
        const { member, round } = inTurn(emailIds, turn.ours++);
        const measured = await postern.request(setKeyword(member, round % 2 === 0));
        const [set] = measured.answers;
        if (!Object.hasOwn(Object(set?.updated), member)) throw new Error('The keyword was not set');
        return measured;
      },
      theirs: () => {
        const { member, round } = inTurn(uids, turn.theirs++);
        return raw.setFlagged(member, round % 2 === 0);
      },
    },
  );
}

/** One after the other, round by round: so every call changes something. */
function inTurn<T>(members: readonly T[], turn: number): { readonly member: T; readonly round: number } {
  const member = members[turn % members.length];
  if (member === undefined) throw new Error('The inbox is empty');
  return { member, round: Math.floor(turn / members.length) };
}
