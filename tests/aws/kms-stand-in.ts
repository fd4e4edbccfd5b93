import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A KMS on loopback, as far as a vault needs it: it speaks the protocol of the real one, and keeps to the encryption context. */
export type KmsStandIn = {
  readonly endpoint: string;
  /** Operations that were asked for, with their encryption contexts. */
  readonly calls: { readonly operation: string; readonly context: { [name: string]: string } }[];
  readonly stop: () => Promise<void>;
};

export async function startKms(): Promise<KmsStandIn> {
  const keys = new Map<string, { readonly plain: string; readonly keyId: string; readonly context: string }>();
  const calls: { operation: string; context: { [name: string]: string } }[] = [];
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body = (await json(request)) as {
      KeyId: string;
      CiphertextBlob?: string;
      EncryptionContext?: { [name: string]: string };
    };
    const context = body.EncryptionContext ?? {};
    calls.push({ operation, context });
    const sorted = JSON.stringify(Object.entries(context).sort());
    const answer = (status: number, content: object) => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(content));
    };
    if (operation === 'GenerateDataKey') {
      const [plain, blob] = [randomBytes(32).toString('base64'), randomBytes(100).toString('base64')];
      keys.set(blob, { plain, keyId: body.KeyId, context: sorted });
      return answer(200, { KeyId: body.KeyId, Plaintext: plain, CiphertextBlob: blob });
    }
    const known = keys.get(body.CiphertextBlob ?? '');
    if (known === undefined || known.context !== sorted) return answer(400, { __type: 'InvalidCiphertextException' });
    if (known.keyId !== body.KeyId) return answer(400, { __type: 'IncorrectKeyException' });
    return answer(200, { KeyId: known.keyId, Plaintext: known.plain });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
