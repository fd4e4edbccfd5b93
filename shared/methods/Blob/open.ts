import type { AccountCatalog } from '../../catalog/account.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Id } from '../../jmap/scalars.ts';
import { decodeTransfer } from '../../message/decode-transfer.ts';
import { partBody } from '../../message/parse-message.ts';
import { findPart } from '../../message/section.ts';
import type { CanReadMessages } from '../Email/mail.ts';
import { parsedMessage } from '../Email/parsed-message.ts';
import { locateBlob, type MessageBlob } from './locate.ts';
import { collect, decoded, streamOf } from './octets.ts';

/** What opening a blob needs of the world. */
export type BlobPorts = { readonly catalog: AccountCatalog; readonly messages: CanReadMessages };

/** A blob's octets, decoded; whoever opens it reads them to their end, or cancels them. */
export type OpenedBlob = {
  readonly octets: ReadableStream<Uint8Array>;
  /** How many octets there are, where that is known before they are read. */
  readonly size: number | null;
  /** In how many messages within one another it lies; 0 for a blob that is part of none. */
  readonly depth: number;
};

/** Octets of a message that is read whole because a blob is a part of it. */
export const enclosingMessageOctetsMax = 50_000_000;

/**
 * Opens blobs one after the other (RFC 8620 §6.2): messages, their parts, and the parts of messages within those. Null
 * when there is no such blob. One that left its place meanwhile is looked up once more in a new version of the catalog.
 */
export function blobOpener({ catalog, messages }: BlobPorts): (blobId: Id) => Promise<OpenedBlob | null> {
  const recent = once(() => catalog.view('recent'));
  const newest = once(() => catalog.view('now'));
  const openIn = async (view: CatalogView, blobId: Id) => {
    const located = await locateBlob(blobId, view, messages);
    return located && openLocated(located, messages);
  };
  return async (blobId) => (await openIn(await recent(), blobId)) ?? openIn(await newest(), blobId);
}

/** Null when it is not at its place any more, or is no part of the message there. */
async function openLocated(located: MessageBlob, messages: CanReadMessages): Promise<OpenedBlob | null> {
  const { place, section, encoding, within } = located;
  const opened = await messages.open(place, section);
  if (opened === null) return null;
  const octets = encoding === '' ? opened.octets : decoded(opened.octets, encoding);
  const depth = (section === '' ? 0 : 1) + within.length;
  if (within.length === 0) return { octets, size: encoding === '' ? opened.size : null, depth };
  const whole = await collect(octets, enclosingMessageOctetsMax);
  const inner = whole && partWithin(whole, within);
  return inner && { octets: streamOf(inner), size: inner.byteLength, depth };
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
