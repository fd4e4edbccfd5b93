import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { blob } from '../../../shared/methods/Blob/index.ts';
import { blobCapability, mailCapability } from '../../../shared/methods/capabilities.ts';
import type { SieveScriptPorts } from '../../../shared/methods/SieveScript/record.ts';
import { accountRecords } from '../../../shared/records/account-records.ts';
import { createMemoryRecordStore } from '../../../shared/records/memory-store.ts';
import { contextFor } from '../context.ts';
import { callMethod, mailAccount } from '../mail-account.ts';

/** Binary octets: every value, and no UTF-8. */
export const picture = Buffer.from(Uint8Array.from({ length: 3_000 }, (_, index) => (index * 7) % 256));

const wrapped = (octets: Buffer) => (octets.toString('base64').match(/.{1,76}/g) ?? []).join('\n');

/** Part 1: quoted-printable text; 2: a picture; 3: a message with one text part; 4: text as it is. */
export const letter = `Subject: Letter
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

caf=C3=A9
--b
Content-Type: image/png
Content-Transfer-Encoding: base64

${wrapped(picture)}
--b
Content-Type: message/rfc822

Subject: Inner

Inner text.
--b
Content-Type: text/plain

As it is.
--b--
`;

/** The octets of the letter as the mail server has them. */
export const letterOctets = Buffer.from(letter.replaceAll('\n', '\r\n'));

type BlobMethod = keyof typeof blob.methods;

/** An account with these messages, and a way to call the methods of Blob, all in one request. */
export function blobAccount(raws: readonly (string | null)[] = [letter]) {
  const { ports: mail, asked, views } = mailAccount(raws);
  const store = createMemoryRecordStore({ now: () => 0 });
  const ports: SieveScriptPorts = { ...mail, records: accountRecords({ store, account: 'a', randomKey: () => 'key' }) };
  const context = { ...contextFor(ports), using: new Set([mailCapability, blobCapability]) };
  const call = (verb: BlobMethod, args: JsonObject) =>
    callMethod<SieveScriptPorts>(blob.methods[verb], args, ports, context);
  /** Keeps these octets as an uploaded file; answers its id. */
  const upload = async (octets: Buffer) => {
    async function* whole() {
      yield octets;
    }
    return (await ports.uploads.put(whole())).id;
  };
  return { ports, asked, views, context, call, upload };
}
