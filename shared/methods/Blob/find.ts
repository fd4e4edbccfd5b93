import type { AccountCatalog } from '../../catalog/account.ts';
import type { Id } from '../../jmap/scalars.ts';
import { decodeTransfer } from '../../message/decode-transfer.ts';
import { partBody } from '../../message/parse-message.ts';
import { findPart } from '../../message/section.ts';
import { readingsOf } from '../Email/blob-id.ts';
import type { CanReadMessages } from '../Email/mail.ts';
import { parsedMessage } from '../Email/parsed-message.ts';
import type { CanManageScripts } from '../SieveScript/scripts.ts';
import { locateBlob, type MessageBlob } from './locate.ts';
import { collect, decoded, streamOf } from './octets.ts';
import { isScriptBlobId, scriptBlobId } from './script-blob.ts';
import { isUploadId, type Slice, type UploadedBlobs } from './uploads.ts';

/** What finding a blob needs of the world. */
export type BlobPorts = {
  readonly catalog: AccountCatalog;
  readonly messages: CanReadMessages;
  readonly uploads: UploadedBlobs;
  readonly scripts: CanManageScripts;
};

/** A blob that exists. */
export type FoundBlob = {
  /** How many octets it has, where that is known without reading them. */
  readonly size: number | null;
  /** In how many messages within one another it lies; 0 for a blob that is part of none. */
  readonly depth: number;
  /** The objects that it can be found by; null for an uploaded file or a script, to which none of these types refers. */
  readonly references: References | null;
  /** Null when it is gone by now. Whoever opens it reads it to its end, or cancels it. */
  readonly open: () => Promise<OpenedBlob | null>;
  /** Opens a stretch of it; null for a blob that cannot be read but from its beginning. */
  readonly openSlice: ((slice: Slice) => Promise<ReadableStream<Uint8Array> | null>) | null;
};

/** Ids of the objects that refer to a blob, by type. */
export type References = {
  readonly Mailbox: readonly Id[];
  readonly Thread: readonly Id[];
  readonly Email: readonly Id[];
};

/** A blob's octets, decoded, and how many they are where that is known before they are read. */
export type OpenedBlob = { readonly octets: ReadableStream<Uint8Array>; readonly size: number | null };

/** Octets of a message, or of an uploaded file, that is read whole because a blob is a part of it. */
export const enclosingMessageOctetsMax = 50_000_000;

/**
 * Finds blobs one after the other: messages, their parts, uploaded files, Sieve scripts, and the parts of messages within any of those.
 * Null when there is no such blob. What is not at its place is looked up once more in a new version of the catalog.
 */
export function blobFinder(ports: BlobPorts): (blobId: Id) => Promise<FoundBlob | null> {
  const { catalog, messages } = ports;
  const recent = once(() => catalog.view('recent'));
  const newest = once(() => catalog.view('now'));

  const findMessage = async (blobId: Id): Promise<FoundBlob | null> => {
    const first = await locateBlob(blobId, await recent(), messages);
    const located = first ?? (await locateBlob(blobId, await newest(), messages));
    if (located === null) return null;
    const reopen = async () => {
      const again = first && (await locateBlob(blobId, await newest(), messages));
      return again && openLocated(again, messages);
    };
    return {
      size: located.within.length === 0 ? located.size : null,
      references: located.references,
      depth: (located.section === '' ? 0 : 1) + located.within.length,
      open: async () => (await openLocated(located, messages)) ?? reopen(),
      openSlice: null,
    };
  };

  const findScript = async (blobId: Id): Promise<FoundBlob | null> => {
    if (!isScriptBlobId(blobId)) return null;
    const script = (await ports.scripts.readAll()).find(({ octets }) => scriptBlobId(octets) === blobId);
    return script ? scriptAsBlob(script.octets) : null;
  };

  return async (blobId) =>
    (await findUpload(blobId, ports.uploads)) ?? (await findScript(blobId)) ?? findMessage(blobId);
}

function scriptAsBlob(octets: Uint8Array): FoundBlob {
  return {
    size: octets.byteLength,
    depth: 0,
    references: null,
    open: async () => ({ octets: streamOf(octets), size: octets.byteLength }),
    openSlice: async ({ offset, length }) => streamOf(octets.subarray(offset, offset + length)),
  };
}

async function findUpload(blobId: Id, uploads: UploadedBlobs): Promise<FoundBlob | null> {
  const reading = readingsOf(blobId).find(({ root }) => isUploadId(root));
  if (reading === undefined) return null;
  const { root, path } = reading;
  const size = await uploads.size(root);
  if (size === null) return null;
  const open = async () => {
    const octets = await uploads.open(root);
    return octets && (path.length === 0 ? { octets, size } : openWithin(octets, path));
  };
  if (path.length > 0) return { size: null, depth: path.length, references: null, open, openSlice: null };
  return { size, depth: 0, references: null, open, openSlice: (slice) => uploads.open(root, slice) };
}

/** Null when it is not at its place any more, or is no part of the message there. */
async function openLocated(located: MessageBlob, messages: CanReadMessages): Promise<OpenedBlob | null> {
  const { place, section, encoding, within } = located;
  const opened = await messages.open(place, section);
  if (opened === null) return null;
  const octets = encoding === '' ? opened.octets : decoded(opened.octets, encoding);
  if (within.length > 0) return openWithin(octets, within);
  return { octets, size: encoding === '' ? opened.size : null };
}

async function openWithin(octets: ReadableStream<Uint8Array>, path: readonly string[]): Promise<OpenedBlob | null> {
  const message = await collect(octets, enclosingMessageOctetsMax);
  const part = message && partWithin(message, path);
  return part && { octets: streamOf(part), size: part.byteLength };
}

/** The part at the end of a path of part numbers, each in the message that the one before it is. */
function partWithin(message: Uint8Array, [partId, ...deeper]: readonly string[]): Uint8Array | null {
  if (partId === undefined) return message;
  const root = parsedMessage(message)?.root;
  const part = root && findPart(root, partId);
  if (part?.partId !== partId) return null;
  return partWithin(decodeTransfer(partBody(message, part), part.encoding), deeper);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
