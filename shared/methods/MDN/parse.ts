// MDN/parse (RFC 9007 §2.2)
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { arrayOf } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { type Id, isId, type JsonObject } from '../../jmap/scalars.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import { type ReadReceipt, readReceipt } from '../../message/read-receipt.ts';
import { blobReference } from '../Blob/blob-reference.ts';
import { type BlobPorts, blobFinder, type FoundBlob } from '../Blob/find.ts';
import { collect } from '../Blob/octets.ts';
import { blobDepthMax } from '../Email/blob-id.ts';
import { parsedMessage } from '../Email/parsed-message.ts';
import { emailWithMessageId } from './find-email.ts';
import type { ParsedMdn } from './record.ts';

/** Octets of the messages that one call may have parsed, and of each. */
export const parseLimits = { octetsMax: 100_000_000, octetsOfEachMax: 20_000_000 } as const;

/** Any blob as an MDN: a message of type multipart/report with a disposition notification in it. */
export const mdnParse: AccountMethod<BlobPorts> = accountMethod(
  { blobIds: arrayOf(blobReference) },
  async (args, ports: BlobPorts, { limits }) => {
    const blobIds = new Set(args.blobIds);
    if (blobIds.size > limits.maxObjectsInGet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInGet} blobs`));
    }
    const find = blobFinder(ports);
    const parsed = new Map<string, JsonObject>();
    const notParsable: string[] = [];
    const notFound: string[] = [];
    let octetsLeft: number = parseLimits.octetsMax;
    for (const blobId of blobIds) {
      const blob = isId(blobId) ? await find(blobId) : null;
      const octets = blob && (await octetsOf(blob));
      if (octets === null) {
        notFound.push(blobId);
        continue;
      }
      octetsLeft -= octets === 'tooLarge' ? 0 : octets.byteLength;
      if (octetsLeft < 0) return refuse(methodError('requestTooLarge', `more than ${parseLimits.octetsMax} octets`));
      const message = octets === 'tooLarge' ? null : parsedMessage(octets);
      const receipt = message && readReceipt(message);
      if (receipt === null) notParsable.push(blobId);
      else parsed.set(blobId, await shown(receipt, ports));
    }
    return ok({
      response: {
        accountId: args.accountId,
        parsed: mapOrNull(parsed),
        notParsable: notParsable.length === 0 ? null : notParsable,
        notFound: notFound.length === 0 ? null : notFound,
      },
    });
  },
);

/** Null when the blob is not there after all. */
async function octetsOf({ depth, open }: FoundBlob): Promise<Uint8Array | 'tooLarge' | null> {
  const opened = await open();
  if (opened === null) return null;
  return (await collect(opened.octets, depth < blobDepthMax ? parseLimits.octetsOfEachMax : 0)) ?? 'tooLarge';
}

async function shown({ includesOriginal, ...receipt }: ReadReceipt, ports: BlobPorts): Promise<JsonObject> {
  const { originalMessageId, error, disposition, extensionFields } = receipt;
  const forEmailId: Id | null =
    originalMessageId === null
      ? null
      : await emailWithMessageId(originalMessageId, await ports.catalog.view('recent'), ports.messages);
  const mdn: ParsedMdn = {
    ...receipt,
    forEmailId,
    includeOriginalMessage: includesOriginal,
    disposition: { ...disposition },
    error: error && [...error],
    extensionFields: extensionFields && { ...extensionFields },
  };
  return { ...mdn };
}
