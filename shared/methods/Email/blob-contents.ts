import type { CatalogView } from '../../catalog/view.ts';
import { Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { leaves } from '../../message/body-structure.ts';
import type { BlobContent } from '../../message/compose/compose-message.ts';
import { crlfLines, surveyLines } from '../../message/compose/crlf-lines.ts';
import { type IdentityEncoding, widest } from '../../message/compose/identity-encoding.ts';
import { type BlobPorts, blobFinder, enclosingMessageOctetsMax } from '../Blob/find.ts';
import { locateBlob, type MessageBlob } from '../Blob/locate.ts';
import { collect, decoded, streamOf } from '../Blob/octets.ts';
import { isUploadId } from '../Blob/uploads.ts';
import type { CanReadMessages, MessageFacts, Place } from './mail.ts';

/** Where the octets of a blob are to be had, as they stand in the message but for base64. */
export type BlobSource = {
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
  /** The section of a message on the mail server that holds exactly these octets; null: there is none. */
  readonly stored: { readonly place: Place; readonly section: string } | null;
};

/** Where blobs are looked for that are to be in a message. */
export type BlobContentPorts = BlobPorts & {
  /** Reading messages on a connection of its own, while the other one is in use. */
  readonly beside: CanReadMessages;
};

/** How blobs are read. */
export type BlobReading = {
  /** Sections of messages can be taken from where they are. */
  readonly canTakeStored: boolean;
  /** Sizes that the mail server tells are not believed: what is to be sent is read once before. */
  readonly isMeasured: boolean;
};

/** What lies on the mail server and is not larger is read at once: that needs no other connection. */
export const readAtOnceOctetsMax = 1_000_000;

/** A blob as it comes into a message: null where there is none of this id, `notAMessage` for one that cannot be sent as a message. */
export type ReadBlob = (blobId: Id, isMessage: boolean) => Promise<BlobContent<BlobSource> | 'notAMessage' | null>;

/** Reads blobs: what has to be known of them before they can be sent, and where they are. */
export function blobReader(ports: BlobContentPorts, reading: BlobReading): ReadBlob {
  const find = finder(ports);
  return async (blobId, isMessage) => {
    const blob = await find(blobId);
    if (blob?.kind === 'stored') return storedContent(blob.located, isMessage, ports, reading);
    return blob && freeContent(blob, isMessage);
  };
}

/** A blob: a message on the mail server or a section of one; or octets that are elsewhere, or at hand. */
type Found =
  | { readonly kind: 'stored'; readonly located: MessageBlob }
  | { readonly kind: 'free'; readonly size: number; readonly open: () => Promise<AsyncIterable<Uint8Array>> };

function finder(ports: BlobContentPorts): (blobId: Id) => Promise<Found | null> {
  const { catalog, uploads } = ports;
  const messages = eachStructureOnce(ports.messages);
  const find = blobFinder(ports);
  const locate = async (blobId: Id, view: Promise<CatalogView>) => locateBlob(blobId, await view, messages);
  return async (blobId) => {
    if (isUploadId(blobId)) {
      const size = await uploads.size(blobId);
      return size === null ? null : { kind: 'free', size, open: () => present(uploads.open(blobId)) };
    }
    const located = (await locate(blobId, catalog.view('recent'))) ?? (await locate(blobId, catalog.view('now')));
    if (located !== null && located.within.length === 0) return { kind: 'stored', located };
    const opened = await (await find(blobId))?.open();
    const octets = opened && (await collect(opened.octets, enclosingMessageOctetsMax));
    return octets ? atHand(octets) : null;
  };
}

/** Several blobs may be parts of one message: its structure is read once. */
function eachStructureOnce(messages: CanReadMessages): CanReadMessages {
  const structures = new Map<string, MessageFacts | undefined>();
  return {
    ...messages,
    read: async (places, needs) => {
      const [place, ...others] = places;
      if (place === undefined || others.length > 0 || needs.headers !== 'none') return messages.read(places, needs);
      const key = `${place.uidValidity} ${place.uid} ${place.mailbox}`;
      if (!structures.has(key)) structures.set(key, (await messages.read(places, needs)).get(place));
      const facts = structures.get(key);
      return new Map(facts === undefined ? [] : [[place, facts]]);
    },
  };
}

function atHand(octets: Uint8Array): Extract<Found, { kind: 'free' }> {
  return { kind: 'free', size: octets.byteLength, open: async () => streamOf(octets) };
}

/** Thrown while a message is sent: something that was there is there no more. */
async function present<T>(opening: Promise<T | null>): Promise<T> {
  const opened = await opening;
  if (opened === null) throw new Unavailable('A blob was removed while it was read');
  return opened;
}

async function freeContent(
  { size, open }: Extract<Found, { kind: 'free' }>,
  isMessage: boolean,
): Promise<BlobContent<BlobSource> | 'notAMessage'> {
  if (!isMessage) return { kind: 'octets', size, source: { open, stored: null } };
  const lines = await surveyLines(await open());
  if (lines.hasNul) return 'notAMessage';
  const source = { open: async () => crlfLines(await open()), stored: null };
  return { kind: 'message', size: lines.size, encoding: lines.encoding, source };
}

async function storedContent(
  located: MessageBlob,
  isMessage: boolean,
  ports: BlobContentPorts,
  reading: BlobReading,
): Promise<BlobContent<BlobSource> | 'notAMessage' | null> {
  const { place, section, encoding } = located;
  const isEncoded = encoding === 'base64' || encoding === 'quoted-printable';
  if (isMessage && isEncoded) {
    // Against RFC 2045 §6.4, but it happens.
    const opened = await ports.messages.open(place, section);
    const octets = opened && (await collect(decoded(opened.octets, encoding), enclosingMessageOctetsMax));
    return octets && freeContent(atHand(octets), true);
  }
  const stays = isMessage || isEncoded;
  const raw = await rawSection(located, ports, { ...reading, canTakeStored: reading.canTakeStored && stays });
  if (raw === null) return null;
  if (isEncoded) return { kind: 'encoded', encoding, ...raw };
  if (!isMessage) return { kind: 'octets', ...raw };
  return { kind: 'message', encoding: await identityOf(located, ports.messages), ...raw };
}

/** The octets of a section as they are stored, and how many they are. */
async function rawSection(
  { place, section, encodedSize }: MessageBlob,
  { messages, beside }: BlobContentPorts,
  { canTakeStored, isMeasured }: BlobReading,
): Promise<{ readonly size: number; readonly source: BlobSource } | null> {
  if (canTakeStored) return { size: encodedSize, source: { open: openBeside, stored: { place, section } } };
  if (encodedSize <= readAtOnceOctetsMax) {
    const request = { place, section };
    const octets = (await messages.readSections([request])).get(request);
    return octets === undefined
      ? null
      : { size: octets.byteLength, source: { open: async () => streamOf(octets), stored: null } };
  }
  const size = isMeasured ? await measured(messages, place, section) : encodedSize;
  return size === null ? null : { size, source: { open: openBeside, stored: null } };

  async function openBeside(): Promise<AsyncIterable<Uint8Array>> {
    return (await present(beside.open(place, section))).octets;
  }
}

/** How many octets a section really has; null where it is not there. */
export async function measured(messages: CanReadMessages, place: Place, section: string): Promise<number | null> {
  const opened = await messages.open(place, section);
  if (opened === null) return null;
  let size = 0;
  for await (const chunk of opened.octets) size += chunk.byteLength;
  return size;
}

/** What a message on the mail server is, or one that is a part of it, as far as its header and its parts say. */
async function identityOf(
  { place, section, encoding }: MessageBlob,
  messages: CanReadMessages,
): Promise<IdentityEncoding> {
  if (section !== '') return identityIn(encoding);
  const { headers, structure } =
    (await messages.read([place], { headers: 'all', structure: true, preview: false })).get(place) ?? {};
  const isAscii = headers !== undefined && structure !== undefined && headers.every((octet) => octet <= 0x7f);
  const parts = structure === undefined ? [] : leaves(structure).map((part) => identityIn(part.encoding));
  return widest([isAscii ? '7bit' : '8bit', ...parts]);
}

function identityIn(encoding: string): IdentityEncoding {
  return encoding === '8bit' || encoding === 'binary' ? encoding : '7bit';
}
