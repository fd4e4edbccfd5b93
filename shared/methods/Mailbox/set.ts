// Mailbox/set (RFC 8621 §2.5)

import { stateOf } from '../../catalog/changes.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { boolean, withDefault } from '../../jmap/grammar.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { CanSetTogether } from '../../jmap/verbs.ts';
import { changeMailboxes } from './changing.ts';
import type { StructurePorts } from './deeds.ts';
import { canGetMailboxes } from './get.ts';
import { ownStates } from './own-states.ts';
import type { Mailbox, MailboxPorts } from './record.ts';

/** What Mailbox/set needs of the world. */
export type MailboxSetPorts = MailboxPorts & StructurePorts;

export const mailboxSetArguments = { onDestroyRemoveEmails: withDefault(boolean, false) };
type Arguments = { readonly onDestroyRemoveEmails: boolean };

/** Each step starts from the version that the one before left, the first from what is there when the call begins. */
export function canSetMailboxes(ports: MailboxSetPorts): CanSetTogether<Mailbox, Arguments> {
  let known: CatalogView | null = null;
  const latest = async (): Promise<CatalogView> => {
    known ??= await ports.catalog.view('now');
    return known;
  };

  return {
    latestState: async () => {
      known = await ports.catalog.view('now');
      return stateOf(known, 'Mailbox');
    },
    current: async (ids, properties) => {
      const request = { ids, properties: [...new Set(['id', ...properties])], args: {}, maxObjects: ids.length };
      const got = await canGetMailboxes(ports).get(request);
      return new Map(got.ok ? got.value.list.map((mailbox) => [mailbox.id, mailbox]) : []);
    },
    setTogether: async (changes, args) => {
      const { results, ...adopted } = await changeMailboxes(changes, args, await latest(), ports);
      known = adopted.latest;
      // A client has the id of a new one from the response.
      const named = [...results].flatMap(([id, result]) => (result.ok ? [(result.value?.id ?? id) as Id] : []));
      return { ...(await ownStates(adopted, new Set(named))), results };
    },
  };
}
