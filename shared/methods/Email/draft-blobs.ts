import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { BlobContent } from '../../message/compose/compose-message.ts';
import { blobParts, type Draft, type DraftBlob, isMessageType } from '../../message/compose/draft.ts';
import { type BlobContentPorts, type BlobReading, type BlobSource, blobReader } from './blob-contents.ts';
import { attachmentsOctetsMax } from './limits.ts';

/**
 * What the blobs of a draft are (RFC 8621 §4.6). Refused: `blobNotFound` with all that are missing; `tooLarge`; and `invalidProperties`, without
 * the names of the properties, for a blob that cannot be in a message as what it is said to be.
 */
export async function draftBlobs(
  draft: Draft,
  ports: BlobContentPorts,
  reading: BlobReading,
): Promise<Result<(part: DraftBlob) => BlobContent<BlobSource>, SetError>> {
  const contents = new Map<string, BlobContent<BlobSource>>();
  const notFound = new Set<Id>();
  const read = blobReader(ports, reading);
  let octets = 0;
  for (const part of blobParts(draft.root)) {
    const content = contents.get(keyOf(part)) ?? (await read(part.blobId, isMessageType(part.type)));
    if (content === null) {
      notFound.add(part.blobId);
      continue;
    }
    if (content === 'notAMessage') return refuse(notAMessage(part));
    contents.set(keyOf(part), content);
    octets += content.kind === 'encoded' ? Math.floor((content.size * 3) / 4) : content.size;
    if (octets > attachmentsOctetsMax) return refuse(tooLarge);
  }
  if (notFound.size > 0) return refuse({ type: 'blobNotFound', notFound: [...notFound] });
  return ok((part) => {
    const content = contents.get(keyOf(part));
    if (content === undefined)
      throw new Error(`Could not compose with the blob ${part.blobId}: it was never looked for`);
    return content;
  });
}

const tooLarge: SetError = { type: 'tooLarge', description: `the blobs are more than ${attachmentsOctetsMax} octets` };

function notAMessage({ blobId, type }: DraftBlob): SetError {
  const description = `the blob ${blobId} cannot be a part of type ${type}: it holds NUL`;
  return { type: 'invalidProperties', description };
}

/** A blob is in a message in one of two ways, and those are different pieces of it. */
function keyOf({ blobId, type }: DraftBlob): string {
  return `${isMessageType(type) ? 'message' : 'octets'} ${blobId}`;
}
