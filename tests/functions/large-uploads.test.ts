import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type JmapClient, jmapClient } from '../end-to-end/jmap-client.ts';
import { dovecot, type TestUser } from '../servers/servers.ts';

const megabyte = 1_000_000;
/** The largest file that may be uploaded (RFC 8620 §2 `maxSizeUpload`). */
const largest = 50 * megabyte;
/** How much more memory its upload and download may take. */
const growthMax = 20 * megabyte;

let folder: string;
let child: ChildProcess;
let client: JmapClient;
let headers: { Authorization: string };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-uploads-'));
  const server = await dovecot();
  const user: TestUser = await server.freshUser();
  const imap = ['--imap', `${server.host}:${server.imapPort}`];
  child = spawn(process.execPath, ['functions/local/start.mjs', '--port', '0', '--data', folder, ...imap], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.once('close', () => reject(new Error(`The local server does not start: ${output}`)));
    child.stdout?.on('data', (data) => {
      output += data;
      if (output.includes('Ctrl-C stops it.')) resolve(/http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '');
    });
  });
  client = await jmapClient(url, user);
  headers = { Authorization: `Basic ${btoa(`${user.user}:${user.password}`)}` };
}, 60_000);
afterAll(async () => {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  await rm(folder, { recursive: true });
});

/** The most memory that the server has had until now, in octets. */
async function peakOctets(): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** A file that is made while it is sent, and the digest of what was made. */
function fileOf(octets: number): { body: ReadableStream<Uint8Array>; digest: () => string } {
  const hash = createHash('sha256');
  let made = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (made === octets) return controller.close();
      const chunk = Buffer.alloc(Math.min(100_000, octets - made), made / 100_000);
      hash.update(chunk);
      made += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { body, digest: () => hash.digest('base64') };
}

async function upload(octets: number): Promise<{ blobId: string; digest: string }> {
  const { body, digest } = fileOf(octets);
  const url = client.session.uploadUrl.replace('{accountId}', client.accountId);
  const response = await fetch(url, { method: 'POST', headers, body, duplex: 'half' });
  const answer = (await response.json()) as { blobId: string; size: number };
  expect([response.ok, answer.size]).toEqual([true, octets]);
  return { blobId: answer.blobId, digest: digest() };
}

async function digestOf(blobId: string): Promise<string> {
  const hash = createHash('sha256');
  const { body } = await client.download(blobId);
  for await (const chunk of body as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('base64');
}

test('the local server takes and gives the largest files without holding them in memory', async () => {
  // What comes first takes what every upload does.
  for (let count = 0; count < 3; count += 1) await digestOf((await upload(10 * megabyte)).blobId);
  const before = await peakOctets();
  const { blobId, digest } = await upload(largest);
  expect(await digestOf(blobId)).toBe(digest);
  const { accountId } = client;
  const properties = ['digest:sha-256', 'size'];
  const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:blob'];
  const [got] = await client.call([['Blob/get', { accountId, ids: [blobId], properties }, '0']], using);
  expect(got?.[1]).toMatchObject({ list: [{ 'digest:sha-256': digest, size: largest }] });
  expect((await peakOctets()) - before).toBeLessThan(growthMax);
});
