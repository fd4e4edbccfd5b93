import { describe, expect, test } from '@jest/globals';
import { createBlobOpener, type OpenBlobAccount } from '../../functions/http/blob-opener.ts';
import { byteRange } from '../../functions/http/byte-range.ts';
import { HttpError } from '../../functions/http/problem.ts';
import { type BlobStore, uploadId } from '../../shared/methods/Blob/uploads.ts';
import { mailAccount } from '../methods/mail-account.ts';
import { memoryBlobStore } from './memory-blob-store.ts';
import { alice, basic, streamOf, toyServer } from './toy-server.ts';

type Body = string | Buffer | ReadableStream<Uint8Array>;

const limitProblem = (limit: string, status: number) => ({
  type: 'urn:ietf:params:jmap:error:limit',
  limit,
  status,
});

/** A server that takes 1,000 octets at a time, and two uploads at once. */
function uploading(blobs: BlobStore = memoryBlobStore()) {
  const { ports } = mailAccount(['Subject: one\n\nHello.\n']);
  const openAccount: OpenBlobAccount = ({ accountId }) => ({
    ports: { ...ports, uploads: blobs(accountId) },
    close: async () => undefined,
  });
  const server = toyServer({ parts: { blobs, openBlob: createBlobOpener(openAccount) } });
  const account = async (headers = alice) => {
    const session = (await (await server.ask('/jmap/session', { headers })).json()) as { accounts: object };
    return Object.keys(session.accounts)[0] ?? '';
  };
  const upload = async (body: Body, headers: { [name: string]: string } = {}) =>
    server.ask(`/jmap/upload/${await account()}/`, {
      method: 'POST',
      headers: { ...alice, ...headers },
      body,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    });
  const download = async (blobId: string, headers: { [name: string]: string } = {}, method = 'GET') =>
    server.ask(`/jmap/download/${await account()}/${blobId}/x`, { method, headers: { ...alice, ...headers } });
  return { ...server, account, upload, download };
}

describe('an upload (RFC 8620 §6.1)', () => {
  test('is answered with its blob id, its type and its size, and can be downloaded', async () => {
    const { upload, download, account } = uploading();
    const response = await upload('Grüße', { 'Content-Type': 'text/plain; charset=utf-8' });
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    const { blobId, ...others } = (await response.json()) as { blobId: string };
    expect(others).toEqual({ accountId: await account(), type: 'text/plain; charset=utf-8', size: 7 });
    const back = await download(blobId);
    expect([back.status, await back.text()]).toEqual([200, 'Grüße']);
    expect(Object.fromEntries(back.headers)).toMatchObject({
      'content-length': '7',
      'accept-ranges': 'bytes',
      etag: `"${blobId}"`,
      'cache-control': 'private, immutable, max-age=31536000',
    });
  });

  test.each([[undefined], ['nonsense'], ['text/html; charset="\u00e4"']])('of type %s is octets', async (type) => {
    const { upload } = uploading();
    const response = await upload(Buffer.from('x'), type === undefined ? {} : { 'Content-Type': type });
    expect(await response.json()).toMatchObject({ type: 'application/octet-stream', size: 1 });
  });

  test('may be empty', async () => {
    expect(await (await uploading().upload('')).json()).toMatchObject({ size: 0 });
  });

  test.each<[string, () => Body]>([
    ['at once, where its header says so', () => 'x'.repeat(1_001)],
    [
      'as soon as it is, where nothing says so before',
      () => streamOf(...Array.from({ length: 11 }, () => 'x'.repeat(100))),
    ],
  ])('that is too large is refused %s', async (_, body) => {
    const { upload } = uploading();
    const response = await upload(body());
    expect(response.status).toBe(413);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject(limitProblem('maxSizeUpload', 413));
    expect((await upload('x'.repeat(1_000))).status).toBe(200);
  });

  test('that breaks off is kept neither in whole nor in part', async () => {
    let kept = 0;
    const memory = memoryBlobStore();
    const blobs: BlobStore = (accountId) => ({
      ...memory(accountId),
      put: async (octets) => {
        const blob = await memory(accountId).put(octets);
        kept += 1;
        return blob;
      },
    });
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('x')),
      pull: (controller) => controller.error(new Error('ECONNRESET')),
    });
    expect((await uploading(blobs).upload(body)).status).toBe(400);
    expect(kept).toBe(0);
  });

  test('is read only as fast as it is kept', async () => {
    let pulls = 0;
    let goOn = () => {};
    const resumed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let taken = () => {};
    const stalled = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const blobs: BlobStore = (accountId) => ({
      ...memoryBlobStore()(accountId),
      put: async (octets) => {
        let size = 0;
        for await (const chunk of octets) {
          size += chunk.byteLength;
          taken();
          await resumed;
        }
        return { id: uploadId(new Uint8Array(16)), size };
      },
    });
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulls += 1;
          if (pulls <= 100) controller.enqueue(new Uint8Array(10));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const uploaded = uploading(blobs).upload(body);
    await stalled;
    expect(pulls).toBeLessThan(5);
    goOn();
    expect(await (await uploaded).json()).toMatchObject({ size: 1_000 });
  });

  test('beyond the number that is allowed at once is refused, and room is made when one ends', async () => {
    const { upload } = uploading();
    const ends: (() => void)[] = [];
    const endless = () =>
      new ReadableStream<Uint8Array>({ start: (controller) => void ends.push(() => controller.close()) });
    const running = [upload(endless()), upload(endless())];
    await new Promise(setImmediate);
    const refused = await upload('x');
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject(limitProblem('maxConcurrentUpload', 429));
    for (const end of ends) end();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await upload('x')).status).toBe(200);
  });

  test('is for the account of the one who uploads, and for nobody else', async () => {
    const { ask, account, upload } = uploading();
    const { blobId } = (await (await upload('secret')).json()) as { blobId: string };
    const bob = basic('bob@example.com', 'hunter2');
    const foreign = await ask(`/jmap/upload/${await account()}/`, { method: 'POST', headers: bob, body: 'x' });
    expect(foreign.status).toBe(404);
    expect((await ask(`/jmap/download/${await account(bob)}/${blobId}/x`, { headers: bob })).status).toBe(404);
    expect((await ask(`/jmap/upload/${await account()}/`, { method: 'POST', body: 'x' })).status).toBe(401);
  });
});

describe('a part of an uploaded file', () => {
  const content = '0123456789';
  const parts: [string, string, string][] = [
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=-20', content, 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['BYTES=9-9', '9', 'bytes 9-9/10'],
  ];
  test.each(parts)('%s is %s', async (range, text, contentRange) => {
    const { upload, download } = uploading();
    const { blobId } = (await (await upload(content)).json()) as { blobId: string };
    const response = await download(blobId, { Range: range });
    expect([response.status, response.headers.get('Content-Range'), await response.text()]).toEqual([
      206,
      contentRange,
      text,
    ]);
    expect(response.headers.get('Content-Length')).toBe(String(text.length));
  });

  test.each([['bytes=10-'], ['bytes=99-100'], ['bytes=-0']])('%s is not there', async (range) => {
    const { upload, download } = uploading();
    const { blobId } = (await (await upload(content)).json()) as { blobId: string };
    const response = await download(blobId, { Range: range });
    expect([response.status, response.headers.get('Content-Range')]).toEqual([416, 'bytes */10']);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  });

  test.each([['bytes=0-1,3-4'], ['bytes=5-4'], ['bytes=-'], ['bytes=a-b'], ['lines=1-2'], ['bytes 0-1']])(
    '%s is answered with the whole',
    async (range) => {
      const { upload, download } = uploading();
      const { blobId } = (await (await upload(content)).json()) as { blobId: string };
      const response = await download(blobId, { Range: range });
      expect([response.status, response.headers.get('Content-Range'), await response.text()]).toEqual([
        200,
        null,
        content,
      ]);
    },
  );

  test('is given only of the blob that is meant, and only to GET', async () => {
    const { upload, download } = uploading();
    const { blobId } = (await (await upload(content)).json()) as { blobId: string };
    const Range = 'bytes=0-1';
    expect((await download(blobId, { Range, 'If-Range': `"${blobId}"` })).status).toBe(206);
    expect((await download(blobId, { Range, 'If-Range': '"other"' })).status).toBe(200);
    expect((await download(blobId, { Range }, 'HEAD')).status).toBe(200);
  });

  test.each(['GET', 'HEAD'])(
    'is not sent to who says in a %s that he has the blob, nor the rest of it',
    async (method) => {
      const { upload, download } = uploading();
      const { blobId } = (await (await upload(content)).json()) as { blobId: string };
      for (const tag of [`"${blobId}"`, `W/"other", W/"${blobId}"`, '*']) {
        const response = await download(blobId, { 'If-None-Match': tag, Range: 'bytes=10-' }, method);
        expect([tag, response.status, response.body]).toEqual([tag, 304, null]);
        expect(response.headers.get('ETag')).toBe(`"${blobId}"`);
      }
      expect((await download(blobId, { 'If-None-Match': `"other", ${blobId}` }, method)).status).toBe(200);
      expect((await download(blobId.replace(/.$/, 'z'), { 'If-None-Match': '*' }, method)).status).toBe(404);
    },
  );

  test('is not promised of a message', async () => {
    const response = await uploading().download('e1', { Range: 'bytes=0-1' });
    expect([response.status, response.headers.get('Accept-Ranges')]).toEqual([200, null]);
    expect(await response.text()).toContain('Hello.');
  });
});

test('an empty blob has no ranges', () => {
  expect(byteRange(null, 0)).toBeNull();
  expect(() => byteRange('bytes=0-', 0)).toThrow(HttpError);
  expect(() => byteRange('bytes=-5', 0)).toThrow(HttpError);
});
