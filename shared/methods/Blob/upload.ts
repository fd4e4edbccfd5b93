// Blob/upload (RFC 9404 §4.1)
import { methodError, ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import { anyObject, creationId, mapOf, quote } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import type { Id, JsonObject, State } from '../../jmap/scalars.ts';
import { createAll } from '../../jmap/standard/create.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import { stepsFrom } from '../../jmap/standard/steps.ts';
import type { CanCreate, Some } from '../../jmap/verbs.ts';
import { type BlobPorts, blobFinder, type FoundBlob } from './find.ts';
import { BadSource, keepBlob, keepEach } from './keep.ts';
import { type BlobRecord, blobType, type DataSource } from './record.ts';
import { openStretch } from './stretch.ts';

/** Blobs have no state. */
const noState = '' as State;

/**
 * Blobs from text, base64 and pieces of other blobs. They may refer to each other by creation ids, in any order. A blob that
 * nothing refers to is no part of the account's data, so that this is possible in a read-only account.
 */
export const uploadBlobs: AccountMethod<BlobPorts> = accountMethod(
  { create: mapOf(creationId, anyObject) },
  async (args, ports: BlobPorts, { limits, createdIds, report }) => {
    const create = new Map(Object.entries(args.create));
    if (create.size > limits.maxObjectsInSet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} blobs`));
    }
    // The engine makes sure that the records are what the port expects.
    const port = canCreateBlobs(ports, limits.maxSizeUpload) as unknown as CanCreate<JsonObject>;
    const steps = stepsFrom(noState, report);
    const outcomes = await createAll(blobType, create, port, {}, createdIds, steps);
    const created = new Map([...outcomes.done].map(([creationId, { response }]) => [creationId, response]));
    const response = {
      accountId: args.accountId,
      created: mapOrNull(created),
      notCreated: mapOrNull(outcomes.refused),
    };
    return ok({ response, doubt: steps.doubt() });
  },
);

function canCreateBlobs(ports: BlobPorts, sizeMax: number): CanCreate<BlobRecord> {
  const find = blobFinder(ports);
  return {
    latestState: async () => noState,
    create: async (records) => {
      const kept = await keepEach(records, ({ data }) => keepBlob(joined(data, find), ports.uploads, sizeMax));
      const results = new Map<string, Result<Some<BlobRecord>, SetError>>();
      for (const [creationId, result] of kept) {
        const type = records.get(creationId)?.type ?? null;
        results.set(creationId, result.ok ? ok({ ...result.value, type }) : result);
      }
      return { oldState: noState, newState: noState, results };
    },
  };
}

type Find = (blobId: Id) => Promise<FoundBlob | null>;

/** The octets of the sources one after the other. Throws `BadSource` where they cannot be had in full. */
async function* joined(sources: readonly DataSource[], find: Find): AsyncGenerator<Uint8Array> {
  for (const source of sources) {
    if (source.blobId !== null) yield* stretchOf(source.blobId, source, find);
    else if (source['data:asText'] !== null) yield Buffer.from(source['data:asText'], 'utf8');
    else if (source['data:asBase64'] !== null) yield Buffer.from(source['data:asBase64'], 'base64');
  }
}

async function* stretchOf(blobId: Id, { offset, length }: DataSource, find: Find): AsyncGenerator<Uint8Array> {
  const stretch = { offset: offset ?? 0, length };
  const blob = await find(blobId);
  const opened = blob && (await openStretch(blob, stretch, length === null));
  if (opened === null) throw new BadSource(`there is no blob ${quote(blobId)}`);
  let octets = 0;
  for await (const chunk of opened.octets) {
    octets += chunk.byteLength;
    yield chunk;
  }
  const isWhole = length === null ? stretch.offset <= (opened.size() ?? 0) : octets === length;
  if (!isWhole) throw new BadSource(`the blob ${quote(blobId)} ends before that`);
}
