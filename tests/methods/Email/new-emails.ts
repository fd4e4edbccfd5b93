import { accountCatalog, accountMemory } from '../../../shared/catalog/account.ts';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../../shared/catalog/storage/open.ts';
import type { AccountContext } from '../../../shared/jmap/method.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { email } from '../../../shared/methods/Email/index.ts';
import type { EmailSetPorts } from '../../../shared/methods/Email/set.ts';
import { type FakeOptions, fakeMailServer } from '../../catalog/fake-mail-server.ts';
import { type AppendingAbilities, appendingOf } from '../../in-memory/appending.ts';
import type { FailingPorts } from '../../in-memory/failing-ports.ts';
import { messagesOf, searchOf } from '../../in-memory/mail.ts';
import { mailboxesOf } from '../../in-memory/mailboxes.ts';
import { inMemoryUploads } from '../../in-memory/uploads.ts';
import { type WritingAbilities, writingOf } from '../../in-memory/writing.ts';
import { contextFor } from '../context.ts';
import { inMemoryScripts } from '../in-memory-scripts.ts';

export type AccountOptions = Partial<FakeOptions> &
  AppendingAbilities &
  WritingAbilities & {
    /** Puts something between the methods and the mail server. */
    readonly wrap?: FailingPorts['wrap'];
    /** Asked before each message that is put in. */
    readonly hasTime?: () => boolean;
  };

/** When everything in these tests happens. */
export const now = Date.parse('2026-01-01T00:00:00Z');

export type NewEmailsAccount = ReturnType<typeof newEmailsAccount>;

/** An account with the mailboxes INBOX, One and Two on a mail server in memory, and ways to call the methods of Email in it. */
export function newEmailsAccount(options: AccountOptions = {}, accountId = 'a' as Id) {
  let keys = 0;
  let clock = now;
  const surroundings = {
    now: () => clock,
    randomKey: () => `${accountId}key${(++keys).toString(36).padStart(12, '0')}`,
  };
  const mail = fakeMailServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived', ...options });
  for (const name of ['INBOX', 'One', 'Two']) mail.create(name);
  const store = createMemoryStore({ now: () => clock });
  const cache = createBlockCache({ maxBytes: 10_000_000 });
  const memory = accountMemory();
  const uploads = inMemoryUploads(surroundings.randomKey);
  const messages = messagesOf(mail);
  const { manager: scripts } = inMemoryScripts();

  /** What one request asks; each has a view of the catalog of its own. */
  const ports = (): EmailSetPorts => {
    const { wrap = (plain) => plain, hasTime = () => true } = options;
    const { source, ...ofMail } = wrap({
      ...{ source: mail.connect(), messages, search: searchOf(mail) },
      ...{ writing: writingOf(mail, options), appending: appendingOf(mail, options) },
      mailboxes: mailboxesOf(mail),
    });
    const catalog = accountCatalog({
      catalog: openCatalog({ store, account: accountId, surroundings, cache }),
      source: async () => source,
      surroundings,
      freshnessMs: 0,
      deadline: clock + 60_000,
      memory,
    });
    return { catalog, ...ofMail, beside: ofMail.messages, uploads, scripts, surroundings, hasTime };
  };
  const context = (): AccountContext<EmailSetPorts> => contextFor(ports());
  const call = async (
    verb: 'get' | 'set' | 'import' | 'copy' | 'changes' | 'parse',
    args: JsonObject,
    given: AccountContext<EmailSetPorts> = context(),
  ): Promise<JsonObject> => {
    const method = email.methods[verb] as typeof email.methods.set;
    const answer = await method.run({ accountId, ...args }, given.portsOf(accountId), given);
    return answer.ok ? answer.value.response : { error: answer.error };
  };
  const upload = async (octets: Uint8Array | string): Promise<string> => {
    async function* whole() {
      yield Buffer.from(octets);
    }
    return (await uploads.put(whole())).id;
  };
  /** Ids of mailboxes by name. */
  const mailboxes = async (): Promise<{ readonly [name: string]: Id }> => {
    const entries = [...(await (await ports().catalog.view('now')).mailboxes()).values()];
    return Object.fromEntries(entries.map(({ name, id }) => [name, id]));
  };
  const mailboxIds = async (...names: string[]): Promise<JsonObject> => {
    const ids = await mailboxes();
    return Object.fromEntries(names.map((name) => [ids[name] ?? 'none', true]));
  };
  /** How many messages there are in each mailbox that JMAP sees. */
  const counts = () =>
    Object.fromEntries(
      mail.names().map((name) => [name, mail.messages(name).filter(({ flags }) => !flags.has('\\Deleted')).length]),
    );
  /** Lets time pass: what is asked then is asked of the mail server. */
  const advanceClock = (ms: number) => {
    clock += ms;
  };
  return { accountId, mail, store, advanceClock, ports, context, call, upload, uploads, mailboxIds, counts };
}

/** The one record of a call that had to succeed. */
export function createdBy({ created, notCreated, error }: JsonObject): JsonObject & { id: Id } {
  const [record] = Object.values((created ?? {}) as { [creationId: string]: JsonObject & { id: Id } });
  if (record === undefined) throw new Error(`Refused: ${JSON.stringify(notCreated ?? error)}`);
  return record;
}

/** The SetError of a call that had to fail for its one record. */
export function refusedBy({ created, notCreated, error }: JsonObject): JsonObject {
  const [record] = Object.values((notCreated ?? {}) as { [creationId: string]: JsonObject });
  if (record === undefined) throw new Error(`Not refused: ${JSON.stringify(created ?? error)}`);
  return record;
}
