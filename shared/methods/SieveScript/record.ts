import { boolean, id, narrowed, nullable, reference, string } from '../../jmap/grammar.ts';
import { isNetUnicodeName } from '../../jmap/net-unicode.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { AccountRecords } from '../../records/account-records.ts';
import type { BlobPorts } from '../Blob/find.ts';

/** For `maxSizeScriptName` of the capability: octets of UTF-8. */
export const scriptNameOctetsMax = 512;

/** What a SieveScript needs of the world. */
export type SieveScriptPorts = BlobPorts & { readonly records: AccountRecords };

const scriptName = narrowed(string, (name) => {
  if (!isNetUnicodeName(name)) return 'expected Net-Unicode on one line';
  return Buffer.byteLength(name) > scriptNameOctetsMax ? `expected at most ${scriptNameOctetsMax} octets` : undefined;
});

/** A SieveScript (RFC 9661 §2.1). */
export const sieveScriptType = recordType('SieveScript', {
  id: serverSet(id),
  name: nullable(scriptName),
  blobId: reference,
  isActive: serverSet(boolean),
});

export type SieveScript = RecordOf<typeof sieveScriptType>;
