// Mailbox/set (RFC 8621 §2.5)

import { stateOf } from '../../catalog/changes.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { boolean, withDefault } from '../../jmap/grammar.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { SetPort } from '../../jmap/standard/set.ts';
import type { Step } from '../../jmap/verbs.ts';
import { createMailboxes } from './creation.ts';
import type { StructurePorts, StructureStep } from './deeds.ts';
import { destroyMailboxes } from './destruction.ts';
import { canGetMailboxes } from './get.ts';
import { ownStates } from './own-states.ts';
import type { Mailbox, MailboxPorts } from './record.ts';
import { updateMailboxes } from './revision.ts';

/** What Mailbox/set needs of the world. */
export type MailboxSetPorts = MailboxPorts & StructurePorts;

export const mailboxSetArguments = { onDestroyRemoveEmails: withDefault(boolean, false) };
type Arguments = { readonly onDestroyRemoveEmails: boolean };

/** Each step starts from the version that the one before left, the first from what is there when the call begins. */
export function canSetMailboxes(ports: MailboxSetPorts): SetPort<Mailbox, Arguments, false> {
  let known: CatalogView | null = null;
  const latest = async (): Promise<CatalogView> => {
    known ??= await ports.catalog.view('now');
    return known;
  };
  /** `names`: under which a record is in the response: a client has its id from there. */
  const step = async <K extends string, T>(
    { results, ...adopted }: StructureStep<K, T>,
    idOf: (name: K, value: T) => Id,
  ): Promise<Step<K, T>> => {
    known = adopted.latest;
    const named = [...results].flatMap(([name, result]) => (result.ok ? [idOf(name, result.value)] : []));
    return { ...(await ownStates(adopted, new Set(named))), results };
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
    create: async (records) => step(await createMailboxes(records, await latest(), ports), (_, { id }) => id),
    update: async (revisions) => step(await updateMailboxes(revisions, await latest(), ports), (id) => id as Id),
    destroy: async (ids, args) => step(await destroyMailboxes(ids, args, await latest(), ports), (id) => id as Id),
  };
}
