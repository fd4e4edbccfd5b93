import type { AccountCatalog, Freshness } from '../../../shared/catalog/account.ts';
import type { Email, EmailRow } from '../../../shared/catalog/email.ts';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import type { AccountContext } from '../../../shared/jmap/method.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { standardQuery } from '../../../shared/jmap/standard/query.ts';
import { standardQueryChanges } from '../../../shared/jmap/standard/query-changes.ts';
import { parseMessage } from '../../../shared/message/parse-message.ts';
import type {
  CanReadMessages,
  CanSearchMessages,
  MessageFacts,
  MessageNeeds,
  Place,
} from '../../../shared/methods/Email/mail.ts';
import { canQueryEmails, emailQuery } from '../../../shared/methods/Email/query.ts';
import { canQueryChangesOfEmails } from '../../../shared/methods/Email/queryChanges.ts';
import type { EmailPorts } from '../../../shared/methods/Email/record.ts';
import { inMemoryView, type PlainAccount } from '../../catalog/query/in-memory-view.ts';

const id = (text: string) => text as Id;

/** A message of the account: its raw text, and where it lies. */
export type Message = Pick<Email, 'receivedAt'> & Partial<Email> & { readonly raw: string };

/** As `raw`: the message was expunged after the catalog's version. */
export const gone = '';

export type Calls = {
  views: Freshness[];
  read: MessageNeeds[];
  search: unknown[];
  sort: unknown[];
  remembered: [Id, boolean][];
};

/** An account with an inbox of these messages, e1 the first; UIDs count from 1. `search` and `sort` answer as told. */
export function account(
  messages: readonly Message[],
  answers: Partial<CanSearchMessages> = {},
): { readonly ports: EmailPorts; readonly calls: Calls; readonly view: CatalogView } {
  const calls: Calls = { views: [], read: [], search: [], sort: [], remembered: [] };
  const emails = messages.map((message, index): Email => {
    const row: EmailRow = { mailbox: 1, uid: index + 1, keywords: [], deleted: false };
    const facts = {
      id: id(`e${index + 1}`),
      threadId: id(`t${index + 1}`),
      size: 100,
      hasAttachment: null,
      rows: [row],
    };
    const { raw: _, ...given } = message;
    return { ...facts, ...given };
  });
  const plain: PlainAccount = { mailboxes: [{ key: 1, id: id('inbox') }], emails };
  const view = inMemoryView(plain);
  const catalog: AccountCatalog = {
    view: async (freshness) => {
      calls.views.push(freshness);
      return view;
    },
    remember: async ({ hasAttachment }) => {
      calls.remembered.push(...(hasAttachment ?? []));
    },
  };
  const read: CanReadMessages['read'] = async (places, needs) => {
    calls.read.push(needs);
    const facts = new Map<Place, MessageFacts>();
    for (const place of places) {
      const raw = messages[place.uid - 1]?.raw ?? gone;
      if (raw === gone) continue;
      const octets = new TextEncoder().encode(raw.replaceAll('\n', '\r\n'));
      facts.set(place, needs.structure ? { structure: parseMessage(octets) } : { headers: octets });
    }
    return facts;
  };
  return {
    calls,
    view,
    ports: {
      catalog,
      messages: { read, readSections: async () => new Map(), open: async () => null },
      search: {
        search: async (mailbox, questions) => {
          calls.search.push([mailbox, questions]);
          return answers.search ? answers.search(mailbox, questions) : questions.map(() => []);
        },
        sort: async (...args) => {
          calls.sort.push(args);
          return answers.sort ? answers.sort(...args) : null;
        },
      },
    },
  };
}

const methods = {
  'Email/query': standardQuery({ name: 'Email' }, { ...emailQuery, port: canQueryEmails }),
  'Email/queryChanges': standardQueryChanges({ name: 'Email' }, { ...emailQuery, port: canQueryChangesOfEmails }),
};

/** Calls a method as the dispatcher does, with the account named. */
export async function call(
  name: keyof typeof methods,
  args: Parameters<(typeof methods)['Email/query']['run']>[0],
  ports: EmailPorts,
) {
  return methods[name].run({ accountId: 'a1', ...args }, ports, context);
}

const unlimited = Number.MAX_SAFE_INTEGER;
const context: AccountContext<EmailPorts> = {
  capability: 'urn:ietf:params:jmap:mail',
  limits: {
    maxSizeUpload: unlimited,
    maxConcurrentUpload: unlimited,
    maxSizeRequest: unlimited,
    maxConcurrentRequests: unlimited,
    maxCallsInRequest: unlimited,
    maxObjectsInGet: unlimited,
    maxObjectsInSet: unlimited,
    collationAlgorithms: ['i;unicode-casemap', 'i;ascii-casemap'],
  },
  using: new Set(),
  createdIds: new Map(),
  accounts: new Map(),
  report: () => 'report',
  accountId: id('a1'),
  portsOf: () => {
    throw new Error('Could not open another account: there is none');
  },
};
