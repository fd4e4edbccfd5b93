import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { appendMessages } from '../../functions/local/append-messages.ts';
import { parseJson } from '../../shared/jmap/json.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { decodeTransfer } from '../../shared/message/decode-transfer.ts';
import { convenienceProperties } from '../../shared/message/header-form.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { otherClient } from '../imap/rig.ts';
import { emailOf } from '../message/email-of.ts';
import { leaves } from '../message/outline.ts';
import { type CorpusMessage, readCorpus } from '../message/read-corpus.ts';
import { cyrus, dovecot } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import type { JmapClient } from './jmap-client.ts';

const bodyProperties = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
];
const contentProperties = [
  ...['hasAttachment', 'preview', 'bodyStructure', 'bodyValues', 'textBody', 'htmlBody', 'attachments'],
  ...convenienceProperties.keys(),
];

type BodyPart = JsonObject & {
  partId: string | null;
  blobId: Id | null;
  size: number;
  type: string;
  charset: string | null;
  subParts?: BodyPart[];
};
type Content = JsonObject & {
  bodyStructure: BodyPart;
  bodyValues: { [partId: string]: { value: string; isEncodingProblem: boolean; isTruncated: boolean } };
  preview: string;
};
type Email = Content & { id: Id; blobId: Id; receivedAt: string };
/** A message of the corpus on the server: the Email of it, and the octets that the server has. */
type Delivered = { readonly message: CorpusMessage; readonly email: Email; readonly stored: Buffer };

const corpus = readCorpus();
const receivedAt = (index: number) => new Date(Date.UTC(2026, 0, 1) + index * 1000);

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
] as const)('the corpus on %s', (name, startServer) => {
  const taken = corpus.filter(({ refusedBy }) => !refusedBy.includes(name));
  const refused = corpus.filter(({ refusedBy }) => refusedBy.includes(name));
  const delivered: Delivered[] = [];
  let product: Product;
  let client: JmapClient;

  beforeAll(async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const append = (messages: readonly CorpusMessage[]) =>
      appendMessages(
        { host: server.host, imapPort: server.imapPort, ...user },
        messages.map(({ octets: raw }, index) => ({
          mailbox: ['INBOX'],
          flags: [],
          receivedAt: receivedAt(index),
          raw,
        })),
      );
    await append(taken);
    for (const message of refused) await expect(append([message])).rejects.toThrow('The IMAP server refused');
    const stored = new Map<number, Buffer>();
    const other = await otherClient(server, user);
    await other.mailboxOpen('INBOX');
    for await (const { seq, source } of other.fetch('1:*', { source: true })) if (source) stored.set(seq - 1, source);
    await other.logout();
    product = startProduct(server);
    client = await (await product.startProcess()).client(user);
    const properties = ['blobId', 'receivedAt', ...contentProperties];
    const { ids } = await client.query('Email', {});
    for (let at = 0; at < ids.length; at += 100) {
      const args = { ids: ids.slice(at, at + 100), properties, bodyProperties, fetchAllBodyValues: true };
      const { list } = await client.get<Email>('Email', args);
      for (const email of list) {
        const index = (Date.parse(email.receivedAt) - receivedAt(0).getTime()) / 1000;
        const message = taken[index];
        if (message === undefined) throw new Error(`Nobody delivered ${email.receivedAt}`);
        delivered.push({ message, email, stored: stored.get(index) ?? Buffer.alloc(0) });
      }
    }
  }, 180_000);
  afterAll(() => product?.stop());

  test('is there, every message once, as it was sent', () => {
    expect(delivered.map(({ message }) => message.name).sort()).toEqual(taken.map((message) => message.name));
    const changed = delivered.filter(({ message, stored }) => !stored.equals(message.octets));
    expect(changed.map(({ message }) => message.name).sort()).toEqual(
      taken.filter(({ changedBy }) => changedBy.includes(name)).map((message) => message.name),
    );
  });

  test('has the Email properties that the stored octets mean', () => {
    for (const { message, email, stored } of delivered) {
      expect([...email.preview].length).toBeLessThanOrEqual(256);
      expect(parseJson(JSON.stringify(email))).toEqual(email);
      if (name in message.readOtherwiseBy) continue;
      const { preview, properties, ...content } = emailOf(stored);
      expect({ name: message.name, ...contentOf(email) }).toEqual({
        name: message.name,
        ...properties,
        ...content,
        bodyStructure: withoutSizes(content.bodyStructure),
      });
      // Dovecot makes its own previews.
      if (name !== 'Dovecot') expect([message.name, email.preview]).toEqual([message.name, preview]);
    }
  });

  test('is downloaded octet by octet in parts, which hold what the Email promised', async () => {
    const bodies = new Set<string>();
    const ofNewBodies = delivered.filter(({ stored }) => {
      const root = parseMessage(stored);
      const body = JSON.stringify([root.type, root.encoding, partBody(stored, root).toString()]);
      return bodies.size < bodies.add(body).size;
    });
    expect(ofNewBodies.length).toBeGreaterThan(100);
    await inTurns(ofNewBodies, async ({ message, email, stored }) => {
      expect((await octetsOf(client, email.blobId)).equals(stored)).toBe(true);
      const blobs = await Promise.all(
        shownLeaves(email.bodyStructure).map(async (part) => {
          const octets = part.blobId === null ? null : await octetsOf(client, part.blobId);
          return { message: message.name, ...part, octets };
        }),
      );
      const sizes = blobs.map(({ partId, size }) => [message.name, partId, size]);
      expect(sizes).toEqual(blobs.map(({ partId, octets }) => [message.name, partId, octets?.length]));
      for (const { partId, type, charset, octets } of blobs) {
        if (!type.startsWith('text/') || octets === null || partId === null) continue;
        const { value } = bodyValue({ type, charset, encoding: 'binary' }, octets, { maxBodyValueBytes: 0 });
        expect([message.name, email.bodyValues[partId]?.value]).toEqual([message.name, value]);
      }
      if (name in message.readOtherwiseBy) return;
      const expected = leaves(parseMessage(stored)).map((part) => ({
        ...{ message: message.name, partId: part.partId },
        octets: decodeTransfer(partBody(stored, part), part.encoding).toString('latin1'),
      }));
      expect(
        blobs.map(({ message, partId, octets }) => ({ message, partId, octets: octets?.toString('latin1') })),
      ).toEqual(expected);
    });
  }, 180_000);

  test('is the same when it is parsed', async () => {
    const emails = delivered.filter(({ message }) => !(name in message.readOtherwiseBy)).map(({ email }) => email);
    for (let at = 0; at < emails.length; at += 100) {
      const blobIds = emails.slice(at, at + 100).map(({ blobId }) => blobId);
      const args = { blobIds, properties: contentProperties, bodyProperties, fetchAllBodyValues: true };
      const { parsed } = await client.one<{ parsed: { [id: Id]: Content } }>('Email/parse', args);
      for (const email of emails.slice(at, at + 100)) {
        const content = parsed[email.blobId];
        // What begins with no field is no message to Email/parse.
        if (content) expect(contentOf(email)).toEqual(contentOf(content));
      }
      expect(Object.keys(parsed).length).toBeGreaterThan(blobIds.length * 0.8);
    }
  }, 180_000);
});

/** What Email/get and Email/parse have in common. Sizes and previews are looked at by themselves. */
function contentOf(email: Content): JsonObject {
  const names = (list: unknown) => (list as BodyPart[]).map(({ partId }) => partId);
  return {
    ...Object.fromEntries(contentProperties.filter((name) => name !== 'preview').map((name) => [name, email[name]])),
    ...{ textBody: names(email.textBody), htmlBody: names(email.htmlBody), attachments: names(email.attachments) },
    bodyStructure: withoutSizes(email.bodyStructure),
  } as JsonObject;
}

function withoutSizes(part: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(part, (key, value: unknown) => (key === 'size' || key === 'blobId' ? undefined : value)),
  ) as JsonObject;
}

function shownLeaves(part: BodyPart): BodyPart[] {
  return part.subParts ? part.subParts.flatMap(shownLeaves) : [part];
}

async function octetsOf(client: JmapClient, blobId: Id): Promise<Buffer> {
  return Buffer.from(await (await client.download(blobId)).arrayBuffer());
}

/** A few at a time, as a client may. */
async function inTurns<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...items.entries()];
  const turn = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await act(next[1]);
  };
  await Promise.all([turn(), turn(), turn()]);
  return results;
}
