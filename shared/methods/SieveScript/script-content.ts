import { isUtf8 } from 'node:buffer';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import { type Id, isId } from '../../jmap/scalars.ts';
import { type BlobPorts, blobFinder } from '../Blob/find.ts';
import { collect } from '../Blob/octets.ts';
import type { ScriptRefusal } from './scripts.ts';

/** The octets of a blob that is to be a script: UTF-8, at least one character (RFC 9661 §2.2). */
export async function scriptContent(blobId: Id, ports: BlobPorts): Promise<Result<Uint8Array, SetError>> {
  const blob = isId(blobId) ? await blobFinder(ports)(blobId) : null;
  const opened = await blob?.open();
  if (opened == null) return refuse({ type: 'blobNotFound', notFound: [blobId] });
  const { maxSizeScript } = ports.scripts.limits;
  const octets = await collect(opened.octets, maxSizeScript);
  if (octets === null) return refuse(tooLarge(maxSizeScript));
  if (octets.byteLength === 0) return refuse({ type: 'invalidSieve', description: 'the script is empty' });
  if (!isUtf8(octets)) return refuse({ type: 'invalidSieve', description: 'the script is no UTF-8' });
  return ok(octets);
}

/** That a script has more octets than it may have (RFC 9661 §2.4). */
export function tooLarge(maxSizeScript: number): SetError {
  return { type: 'tooLarge', description: `more than ${maxSizeScript} octets` };
}

/** What the mail server says, as the SetErrors of RFC 9661 §2.4 and RFC 8620 §5.3 have it. */
export function setErrorOf({ reason, description }: ScriptRefusal): SetError {
  switch (reason) {
    case 'invalid':
      return { type: 'invalidSieve', description };
    case 'isActive':
      return { type: 'sieveIsActive', description };
    case 'badName':
      return { type: 'invalidProperties', properties: ['name'], description };
    case 'refused':
      return { type: 'forbidden', description };
    case 'unknown':
      return { type: 'serverUnavailable', description };
    case 'notFound':
    case 'alreadyExists':
    case 'tooLarge':
    case 'overQuota':
      return { type: reason, description };
  }
}
