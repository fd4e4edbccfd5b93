import { createHash } from 'node:crypto';
import type { Id } from '../../jmap/scalars.ts';

/** The blob id of a Sieve script (RFC 9661 §2.2): equal octets, equal id. No other blob has one of this form. */
export function scriptBlobId(octets: Uint8Array): Id {
  return `s${createHash('sha256').update(octets).digest('hex').slice(0, 40)}` as Id;
}

/** Whether a blob id has the form of one that was given to a script. */
export function isScriptBlobId(blobId: string): boolean {
  return /^s[0-9a-f]{40}$/.test(blobId);
}
