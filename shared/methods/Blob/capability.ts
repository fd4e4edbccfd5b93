import type { JsonObject } from '../../jmap/scalars.ts';
import type { CoreCapability } from '../../jmap/session.ts';
import { supportedDigestAlgorithms } from './get.ts';
import { supportedTypeNames } from './lookup.ts';
import { maxDataSources } from './record.ts';

/** What `urn:ietf:params:jmap:blob` is in an account's `accountCapabilities` (RFC 9404 §3.1). */
export function blobAccountCapability({ maxSizeUpload }: CoreCapability): JsonObject {
  return {
    maxSizeBlobSet: maxSizeUpload,
    maxDataSources,
    supportedTypeNames: [...supportedTypeNames],
    supportedDigestAlgorithms: [...supportedDigestAlgorithms],
  };
}
