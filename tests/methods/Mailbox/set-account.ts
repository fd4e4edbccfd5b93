import { accountCatalog, accountMemory } from '../../../shared/catalog/account.ts';
import { rightsReader } from '../../../shared/catalog/rights.ts';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../../shared/catalog/storage/open.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailbox } from '../../../shared/methods/Mailbox/index.ts';
import { keptMailboxes } from '../../../shared/methods/Mailbox/kept.ts';
import type { MailboxSetPorts } from '../../../shared/methods/Mailbox/set.ts';
import { accountRecords } from '../../../shared/records/account-records.ts';
import { createMemoryRecordStore } from '../../../shared/records/memory-store.ts';
import { contentOf, type FakeEvent, fakeMailServer } from '../../catalog/fake-mail-server.ts';
import { type MailboxAbilities, mailboxesOf } from '../../in-memory/mailboxes.ts';
import { contextFor } from '../context.ts';
import { callMethod } from '../mail-account.ts';

/** An account on a mail server in memory, in which Mailboxes can be changed. */
export function mailboxSetAccount(
  names: readonly string[],
  abilities: MailboxAbilities = {},
  /** Told of each command that reads, before it is carried out. */
  before: (event: FakeEvent) => void = () => {},
) {
  const server = fakeMailServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived' });
  for (const name of ['INBOX', ...names]) server.create(name);
  let clock = 1_800_000_000_000;
  let keys = 0;
  const surroundings = { now: () => clock, randomKey: () => `key${(++keys).toString(36).padStart(12, '0')}` };
  const store = createMemoryStore(surroundings);
  const recordStore = createMemoryRecordStore(surroundings);
  const cache = createBlockCache({ maxBytes: 1_000_000 });
  const memory = accountMemory();
  /** Every change that the mail server was asked for. */
  const operations: string[] = [];
  /** How often the mail server was asked what there is, and how often from now on it does not tell. */
  const surveys = { count: 0, failures: 0 };

  const ports = (): MailboxSetPorts => {
    clock += 10_000;
    const plain = server.connect(before);
    const source = {
      ...plain,
      survey: async () => {
        surveys.count += 1;
        surveys.failures -= 1;
        if (surveys.failures >= 0) throw new Unavailable('the mail server does not answer');
        return plain.survey();
      },
    };
    const records = accountRecords({ store: recordStore, account: 'a', randomKey: surroundings.randomKey });
    const catalog = accountCatalog({
      catalog: openCatalog({ store, account: 'a', surroundings, cache }),
      source: async () => source,
      kept: keptMailboxes(records),
      ...{ surroundings, freshnessMs: 0, deadline: clock + 60_000, memory },
    });
    const rights = rightsReader({ source: async () => source, remember: catalog.remember, surroundings });
    const onOperation = (operation: string) => operations.push(operation);
    return { catalog, rights, records, surroundings, mailboxes: mailboxesOf(server, { ...abilities, onOperation }) };
  };

  const call = (verb: 'get' | 'set' | 'changes', args: JsonObject) => {
    const own = ports();
    return callMethod(mailbox.methods[verb], args, own, contextFor(own));
  };
  return {
    ...{ server, store, recordStore, operations, surveys },
    call,
    deliver: (name: string) => server.append(name, contentOf(), { internalDate: 1_767_261_600 }),
    /** The full names by id. */
    ids: async (): Promise<{ readonly [name: string]: Id }> => {
      const view = await ports().catalog.view('now');
      return Object.fromEntries([...(await view.mailboxes()).values()].map(({ id, name }) => [name, id]));
    },
    kept: async () => Object.fromEntries(await keptMailboxes(ports().records)()),
  };
}
