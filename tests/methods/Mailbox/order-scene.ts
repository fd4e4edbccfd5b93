import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import type { MailboxAbilities } from '../../in-memory/mailboxes.ts';
import { mailboxSetAccount } from './set-account.ts';

type Refusals = { readonly [id: string]: JsonObject } | null;
export type Answer = JsonObject & {
  readonly oldState: string;
  readonly newState: string;
  readonly created: { readonly [id: string]: JsonObject & { readonly id: Id } } | null;
  readonly updated: { readonly [id: string]: JsonObject | null } | null;
  readonly destroyed: readonly Id[] | null;
  readonly notCreated: Refusals;
  readonly notUpdated: Refusals;
  readonly notDestroyed: Refusals;
};

/** One call of Mailbox/set; `@` and a full name stands for the id of that mailbox. */
export type Call = {
  readonly create?: { readonly [id: string]: JsonObject };
  readonly update?: { readonly [name: string]: JsonObject };
  readonly destroy?: readonly string[];
};

/** An account with X, X/C, Y and Sent, and more, in which one message lies in each but Sent. */
export async function orderScene(abilities: MailboxAbilities = {}, more: readonly string[] = []) {
  const account = mailboxSetAccount(['X', 'X/C', 'Y', 'Sent', ...more], abilities);
  for (const name of ['X', 'X/C', 'Y', ...more]) account.deliver(name);
  const ids = await account.ids();
  const idOf = (name: string) => ids[name] as Id;
  const meant = (record: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(record).map(([property, value]) => {
        const isName = typeof value === 'string' && value.startsWith('@');
        return [property, isName ? idOf(value.slice(1)) : value];
      }),
    );
  const set = async ({ create = {}, update = {}, destroy = [] }: Call) => {
    const args = {
      create: Object.fromEntries(Object.entries(create).map(([id, record]) => [id, meant(record)])),
      update: Object.fromEntries(Object.entries(update).map(([name, patch]) => [idOf(name), meant(patch)])),
      destroy: destroy.map(idOf),
    };
    return (await account.call('set', { ...args, onDestroyRemoveEmails: true })) as Answer;
  };
  /** Full name → id, and how many messages lie there, on the server. */
  const messages = () => {
    const names = account.server.names().filter((name) => name !== 'INBOX');
    return Object.fromEntries(names.map((name) => [name, account.server.messages(name).length]));
  };
  return { ...account, idOf, set, messages };
}
