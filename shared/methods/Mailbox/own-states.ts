import type { Span } from '../../catalog/adopt.ts';
import { stateOf } from '../../catalog/changes.ts';
import type { Id, State } from '../../jmap/scalars.ts';

/**
 * The states that a call of ours led from and to, as far as its response names what changed. A Mailbox that is another one
 * because of it (a role passed on to it, its Threads are read now) is told by the next /changes: the newer state would hide it.
 */
export async function ownStates(
  { before, after }: Pick<Span, 'before' | 'after'>,
  named: ReadonlySet<Id>,
): Promise<{ readonly oldState: State; readonly newState: State }> {
  const since = before.versions.Mailbox;
  let reached = since;
  read: for await (const batch of after.log('Mailbox', since)) {
    for (const { id, version } of batch) {
      if (!named.has(id)) break read;
      reached = version;
    }
  }
  const { epoch, versions } = after;
  return {
    oldState: stateOf(before, 'Mailbox'),
    newState: stateOf({ epoch, versions: { ...versions, Mailbox: reached } }, 'Mailbox'),
  };
}
