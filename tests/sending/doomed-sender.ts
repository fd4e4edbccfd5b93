import { readFileSync } from 'node:fs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openFolderOutbox } from '../../functions/local/folder-outbox.ts';
import { openKeyFileVault } from '../../functions/local/key-file-vault.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import type { Endpoint } from '../../shared/endpoint.ts';
import { singleProvider } from '../../shared/providers.ts';
import { noUrls, someUrls } from '../methods/sending-account.ts';
import { createSender, type Sender } from './sender.ts';

/** Where everything is that outlives a process. */
export type DoomedSetup = {
  readonly storeEndpoint: string;
  readonly tableName: string;
  readonly folder: string;
  readonly smtp: Endpoint;
  readonly savesSent: boolean;
  readonly bodyOctets: number;
  /** Whether the submission server may fetch the body by its URL. */
  readonly byUrl: boolean;
};

/** What a sender has done outside of its process: something, or heard the reply to the end of a message. */
export type Step = 'call' | 'reply';

/** Where the provider notes the Message-IDs of the copies that it saves, a line each. */
export const savedFile = (folder: string) => `${folder}/saved`;

/** A sender with the real adapters. `onStep`: after each call that leaves the process. */
export async function startDoomedSender(
  { tableName, folder, smtp, savesSent, bodyOctets, byUrl }: DoomedSetup,
  { client, now, onStep }: { client: DynamoDBClient; now: () => number; onStep: (step: Step) => void },
): Promise<Sender> {
  const stepping =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const result = await call(...args);
      onStep('call');
      return result;
    };
  const inner = dynamodbRecordStore({ client, tableName, now });
  const folderOutbox = await openFolderOutbox(`${folder}/outbox`);
  const provider = singleProvider('test', { imap: smtp, smtp, sieve: null });
  return createSender({
    store: {
      read: stepping(inner.read),
      list: inner.list,
      write: stepping(inner.write),
      remove: stepping(inner.remove),
    },
    outbox: {
      put: stepping(folderOutbox.put),
      get: stepping(folderOutbox.get),
      remove: stepping(folderOutbox.remove),
    },
    vault: await openKeyFileVault({ file: `${folder}/keys.json`, now }),
    providers: [{ ...provider, sending: { ...provider.sending, savesSent } }],
    ...{ now, bodyOctets },
    urls: byUrl ? { ...someUrls, urlOf: stepping(someUrls.urlOf) } : noUrls,
    saved: () => readFileSync(savedFile(folder), 'utf8').match(/.+/g) ?? [],
    around: (relay) => async (request) => {
      const outcome = await relay({ ...request, beforeEnd: stepping(request.beforeEnd) });
      onStep('reply');
      return outcome;
    },
  });
}
