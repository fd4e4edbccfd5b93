// Blob/copy (RFC 8620 §6.3)
import { methodError, ok, refuse, type SetError } from '../../jmap/errors.ts';
import { arrayOf, id } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { type Id, isId } from '../../jmap/scalars.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import { blobReference } from './blob-reference.ts';
import { type BlobPorts, blobFinder } from './find.ts';
import { keepBlob, keepEach } from './keep.ts';

/** Blobs of another account of the user, kept in this one as if they had been uploaded. */
export const copyBlobs: AccountMethod<BlobPorts> = accountMethod(
  { fromAccountId: id, blobIds: arrayOf(blobReference) },
  async (args, ports: BlobPorts, { limits, accounts, portsOf }) => {
    const { accountId, fromAccountId } = args;
    if (fromAccountId === accountId) {
      return refuse(methodError('invalidArguments', '/fromAccountId: is the account to copy to'));
    }
    if (!accounts.has(fromAccountId)) return refuse(methodError('fromAccountNotFound'));
    const blobIds = new Set(args.blobIds);
    if (blobIds.size > limits.maxObjectsInSet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} blobs`));
    }
    const find = blobFinder(portsOf(fromAccountId));
    const results = await keepEach(blobIds.entries(), async (blobId) => {
      const blob = isId(blobId) ? await find(blobId) : null;
      const opened = blob && (await blob.open());
      return opened ? keepBlob(opened.octets, ports.uploads, limits.maxSizeUpload) : refuse({ type: 'notFound' });
    });
    const copied = new Map<string, Id>();
    const notCopied = new Map<string, SetError>();
    for (const [blobId, result] of results) {
      if (result.ok) copied.set(blobId, result.value.id);
      else notCopied.set(blobId, result.error);
    }
    return ok({
      response: { fromAccountId, accountId, copied: mapOrNull(copied), notCopied: mapOrNull(notCopied) },
    });
  },
);
