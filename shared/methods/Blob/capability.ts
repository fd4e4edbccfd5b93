import type { JsonObject } from '../../jmap/scalars.ts';
import type { CoreCapability } from '../../jmap/session.ts';
import { supportedDigestAlgorithms } from './get.ts';
import { supportedTypeNames } from './lookup.ts';
import { maxDataSources } from './record.ts';

/** What `urn:ietf:params:jmap:blob` is in an account's `accountCapabilities` (RFC 9404 §3.1), beside its other ones. */
export function blobAccountCapability(
  { maxSizeUpload }: CoreCapability,
  others: { readonly [capability: string]: JsonObject },
): JsonObject {
  return {
    maxSizeBlobSet: maxSizeUpload,
    maxDataSources,
    supportedTypeNames: supportedTypeNames((capability) => capability in others),
    supportedDigestAlgorithms: [...supportedDigestAlgorithms],
  };
}
