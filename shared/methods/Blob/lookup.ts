// Blob/lookup (RFC 9404 §4.3)
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { arrayOf, quote, string } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { type Id, isId, type JsonObject } from '../../jmap/scalars.ts';
import { mailCapability, sieveCapability } from '../capabilities.ts';
import { knownScripts } from '../SieveScript/known-scripts.ts';
import type { SieveScriptPorts } from '../SieveScript/record.ts';
import { blobReference } from './blob-reference.ts';
import { blobFinder, type FoundBlob, type References } from './find.ts';
import { isScriptBlobId } from './script-blob.ts';

type LookupType = keyof References | 'SieveScript';

/** The types that can refer to blobs, with the capability that a request has to use for each. */
const lookupTypes: { readonly [typeName in LookupType]: string } = {
  Mailbox: mailCapability,
  Thread: mailCapability,
  Email: mailCapability,
  SieveScript: sieveCapability,
};

/** For `supportedTypeNames`: the types of those capabilities that the account has. */
export function supportedTypeNames(has: (capability: string) => boolean): string[] {
  return Object.entries(lookupTypes).flatMap(([name, capability]) => (has(capability) ? [name] : []));
}

/** What refers to each blob. A blob that does not exist is referred to by nothing, and looks like one that is not the user's. */
export const lookUpBlobs: AccountMethod<SieveScriptPorts> = accountMethod(
  { typeNames: arrayOf(string), ids: arrayOf(blobReference) },
  async (args, ports: SieveScriptPorts, { limits, using }) => {
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
    const isAskedForScripts = typeNames.has('SieveScript') && [...ids].some(isScriptBlobId);
    const scripts = isAskedForScripts ? await knownScripts(ports) : [];
    const list: JsonObject[] = [];
    for (const id of ids) {
      const references: { readonly [typeName: string]: readonly Id[] } = isScriptBlobId(id)
        ? { SieveScript: scripts.filter(({ blobId }) => blobId === id).map((script) => script.id) }
        : ((isId(id) ? await referencesTo(id, find) : null) ?? {});
      const matchedIds: JsonObject = {};
      for (const name of typeNames) matchedIds[name] = [...(references[name] ?? [])];
      list.push({ id, matchedIds });
    }
    return ok({ response: { accountId: args.accountId, list } });
  },
);

function isLookupType(name: string): name is LookupType {
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
