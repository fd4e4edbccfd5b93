import type { AccountCatalog } from '../../catalog/account.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import type { Id } from '../../jmap/scalars.ts';
import { isMultipart, type Part } from '../../message/part.ts';
import { type MessageBlob, messageBlobsOf } from '../Email/blob-id.ts';
import type { CanReadMessages, OpenedSection } from '../Email/mail.ts';
import { placesOf } from '../Email/places.ts';

/** What opening a blob needs of the world. */
export type BlobPorts = { readonly catalog: AccountCatalog; readonly messages: CanReadMessages };

/** A blob's octets as they are stored, and the transfer encoding they have to be decoded from; `''` for none. */
export type OpenedBlob = OpenedSection & { readonly encoding: string };

/**
 * Opens a message or one of its parts for download (RFC 8620 §6.2); null when there is no such blob. A message that left its
 * place meanwhile is looked up once more in a new version of the catalog.
 */
export async function openBlob(blobId: Id, ports: BlobPorts): Promise<OpenedBlob | null> {
  return (await openIn('recent', blobId, ports)) ?? openIn('now', blobId, ports);
}

async function openIn(freshness: 'recent' | 'now', blobId: Id, ports: BlobPorts): Promise<OpenedBlob | null> {
  const view = await ports.catalog.view(freshness);
  const readings = messageBlobsOf(blobId);
  const emails = await view.emails(readings.map(({ emailId }) => emailId));
  const blob = readings.find(({ emailId }) => existsInJmap(emails.get(emailId) ?? null));
  const email = blob && emails.get(blob.emailId);
  if (blob === undefined || email === undefined) return null;

  const place = placesOf([email], await view.mailboxes()).get(email.id);
  if (place === undefined) return null;
  const section = await sectionOf(blob, place, ports.messages);
  if (section === null) return null;
  const opened = await ports.messages.open(place, section.section);
  return opened && { ...opened, encoding: section.encoding };
}

async function sectionOf(
  { partId }: MessageBlob,
  place: Parameters<CanReadMessages['open']>[0],
  messages: CanReadMessages,
): Promise<{ section: string; encoding: string } | null> {
  if (partId === null) return { section: '', encoding: '' };
  const facts = await messages.read([place], { headers: 'none', structure: true, preview: false });
  const structure = facts.get(place)?.structure;
  const part = structure && findPart(structure, partId);
  return part ? { section: partId, encoding: part.encoding } : null;
}

function findPart(part: Part, partId: string): Part | undefined {
  if (!isMultipart(part)) return part.partId === partId ? part : undefined;
  for (const child of part.subParts) {
    const found = findPart(child, partId);
    if (found) return found;
  }
  return undefined;
}
