// Blob/lookup (RFC 9404 §4.3)
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { arrayOf, quote, string } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { type Id, isId, type JsonObject } from '../../jmap/scalars.ts';
import { mailCapability } from '../capabilities.ts';
import { blobReference } from './blob-reference.ts';
import { type BlobPorts, blobFinder, type FoundBlob, type References } from './find.ts';

/** The types that can refer to blobs, with the capability that a request has to use for each. */
const lookupTypes: { readonly [typeName in keyof References]: string } = {
  Mailbox: mailCapability,
  Thread: mailCapability,
  Email: mailCapability,
};

/** For `supportedTypeNames` of the capability. */
export const supportedTypeNames: readonly string[] = Object.keys(lookupTypes);

/** What refers to each blob. A blob that does not exist is referred to by nothing, and looks like one that is not the user's. */
export const lookUpBlobs: AccountMethod<BlobPorts> = accountMethod(
  { typeNames: arrayOf(string), ids: arrayOf(blobReference) },
  async (args, ports: BlobPorts, { limits, using }) => {
    const typeNames = new Set(args.typeNames);
    for (const name of typeNames) {
      if (!isLookupType(name) || !using.has(lookupTypes[name])) {
        return refuse(methodError('unknownDataType', `/typeNames: ${quote(name)}`));
      }
    }
    const ids = new Set(args.ids);
    if (ids.size > limits.maxObjectsInGet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInGet} ids`));
    }
    const find = blobFinder(ports);
    const list: JsonObject[] = [];
    for (const id of ids) {
      const references = isId(id) ? await referencesTo(id, find) : null;
      const matchedIds: JsonObject = {};
      for (const name of typeNames) if (isLookupType(name)) matchedIds[name] = [...(references?.[name] ?? [])];
      list.push({ id, matchedIds });
    }
    return ok({ response: { accountId: args.accountId, list } });
  },
);

function isLookupType(name: string): name is keyof References {
  return Object.hasOwn(lookupTypes, name);
}

async function referencesTo(blobId: Id, find: (blobId: Id) => Promise<FoundBlob | null>): Promise<References | null> {
  const blob = await find(blobId);
  if (blob?.references == null || blob.depth <= 1) return blob?.references ?? null;
  // Whether there is such a part of a message within a message, only that message tells.
  const opened = await blob.open();
  await opened?.octets.cancel();
  return opened && blob.references;
}
