import type { Email } from '../../shared/catalog/email.ts';
import type { AccountMethod } from '../../shared/jmap/method.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { BlobPorts } from '../../shared/methods/Blob/find.ts';
import { noScripts } from '../../shared/methods/SieveScript/scripts.ts';
import { inMemoryView } from '../catalog/query/in-memory-view.ts';
import { memoryBlobStore } from '../functions/memory-blob-store.ts';
import { contextFor } from './context.ts';
import { inMemoryMail } from './in-memory-mail.ts';

/** An account with one mailbox of these messages: e1 is the first, and `null` is one that is gone. */
export function mailAccount(raws: readonly (string | null)[]) {
  const emails = raws.map(
    (raw, index): Email => ({
      id: `e${index + 1}` as Id,
      threadId: `t${index + 1}` as Id,
      receivedAt: 1_790_000_000 + index,
      size: raw === null ? 0 : Buffer.from(raw.replace(/\r?\n/g, '\r\n'), 'latin1').byteLength,
      hasAttachment: null,
      rows: [{ mailbox: 1, uid: index + 1, keywords: [], deleted: false }],
    }),
  );
  const view = inMemoryView({ mailboxes: [{ key: 1, id: 'm1' as Id }], emails });
  const mail = inMemoryMail({ 'mailbox 1': raws });
  /** How fresh the versions of the catalog were that were asked for. */
  const views: string[] = [];
  const ports: BlobPorts = {
    catalog: {
      view: async (freshness) => {
        views.push(freshness);
        return view;
      },
      remember: async () => undefined,
    },
    messages: mail,
    uploads: memoryBlobStore()('a' as Id),
    scripts: noScripts,
  };
  return { ports, asked: mail.asked, views };
}

/** Calls a method of the account `a`; its response, or `{ error }`. */
export async function callMethod<Ports>(
  method: AccountMethod<Ports>,
  args: JsonObject,
  ports: Ports,
  context = contextFor(ports),
): Promise<JsonObject> {
  const answer = await method.run({ accountId: 'a', ...args }, ports, context);
  return answer.ok ? answer.value.response : { error: answer.error };
}
