import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { compose } from '../../functions/compose.ts';
import { accountIdOf } from '../../functions/http/authenticate.ts';
import type { MailAccount } from '../../functions/local/append-messages.ts';
import { startServer } from '../../functions/local/server.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { createMemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import { readConfig } from '../../shared/config.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { memoryBlobStore } from '../functions/memory-blob-store.ts';
import { tableName } from './store.ts';

export type Call = readonly [name: string, args: JsonObject, callId: string];

/** What the work on a request was, besides the time it took. */
export type Counts = {
  /** After login and ENABLE. */
  readonly imapCommands: readonly string[];
  readonly connections: number;
  /** Sum of ConsumedCapacity. */
  readonly storeUnits: number;
  /** Calls of the store. */
  readonly storeReads: number;
  readonly storeWrites: number;
};

/** Postern with its HTTP server, and a client with one connection to it. */
export type RunningPostern = {
  /** Sends the calls in one request; `accountId` is filled in. Throws when one of them fails. */
  readonly api: (calls: readonly Call[]) => Promise<readonly JsonObject[]>;
  /** What was counted since the last time. */
  readonly counts: () => Counts;
  readonly stop: () => Promise<void>;
};

export type PosternOptions = {
  readonly account: MailAccount;
  readonly storeEndpoint: string;
  /** Keeps the catalog in this process instead: what is measured then is without the store's time. */
  readonly storeInMemory?: boolean;
  /** Part of the account id: another one has a catalog of its own. */
  readonly providerName?: string;
  /** Accounts that the process indexes before it is ready; of a process of its own alone. */
  readonly indexedBefore?: number;
  /** Milliseconds for which an answer of the mail server is new enough. */
  readonly freshnessMs?: number;
};

/** What is deployed, on this machine. */
export async function startPostern(options: PosternOptions): Promise<RunningPostern> {
  const { account, storeEndpoint, storeInMemory = false, freshnessMs = 0 } = options;
  const client = new DynamoDBClient({ endpoint: storeEndpoint, ...localStoreAccess });
  let counted = nothingCounted();
  const onDynamodb = dynamodbCatalogStore({
    client,
    tableName,
    now: () => Date.now(),
    onCapacity: ({ kind, units }) => {
      counted.storeUnits += units;
      counted[kind === 'read' ? 'storeReads' : 'storeWrites'] += 1;
    },
  });
  const store = storeInMemory ? createMemoryStore({ now: () => Date.now() }) : onDynamodb;
  const provider = providerOf(options);
  const config = readConfig(
    ['--log', 'silent', '--freshness-ms', String(freshnessMs), '--request-timeout-seconds', '900'],
    {},
  );
  const postern = compose(config, {
    providers: [provider],
    store,
    blobs: memoryBlobStore(),
    records: createMemoryRecordStore({ now: Date.now }),
    writeLog: () => {},
    observer: {
      onConnect: () => {
        counted.connections += 1;
      },
      onCommand: (name) => {
        counted.imapCommands.push(name);
      },
    },
  });
  const server = await startServer(postern.app, { host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const accountId = accountIdOf({ provider, user: account.user });

  return {
    api: async (calls) => {
      const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'];
      const methodCalls = calls.map(([name, args, callId]) => [name, { accountId, ...args }, callId]);
      const answer = await post(`${server.url}/jmap/api`, agent, account, JSON.stringify({ using, methodCalls }));
      const { methodResponses } = JSON.parse(answer) as { methodResponses: Call[] };
      return methodResponses.map(([name, args]) => {
        if (name === 'error') throw new Error(`A call failed: ${JSON.stringify(args)}`);
        return args;
      });
    },
    counts: () => {
      const taken = counted;
      counted = nothingCounted();
      return taken;
    },
    stop: async () => {
      agent.destroy();
      await server.stop();
      await postern.close();
      client.destroy();
    },
  };
}

export function providerOf({ account, providerName = 'bench' }: PosternOptions): Provider {
  const imap = { host: account.host, port: account.imapPort, tls: 'plaintext', ca: null } as const;
  return singleProvider(providerName, { imap, smtp: null, sieve: null });
}

function nothingCounted() {
  return { imapCommands: [] as string[], connections: 0, storeUnits: 0, storeReads: 0, storeWrites: 0 };
}

async function post(url: string, agent: Agent, { user, password }: MailAccount, body: string): Promise<string> {
  const headers = {
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  };
  const sent = request(url, { method: 'POST', agent, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${text}`);
  return text;
}
