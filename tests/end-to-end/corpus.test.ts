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
import { courier, cyrus, dovecot } from '../servers/servers.ts';
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
  ['Courier', courier],
] as const)('the corpus on %s', (name, startServer) => {
  const taken = corpus.filter(({ refusedBy }) => !refusedBy.includes(name));
  const refused = corpus.filter(({ refusedBy }) => refusedBy.includes(name));
  /** What the server makes of octets that it does not change in any other way: Courier ends the last line. */
  const kept = (octets: Buffer) =>
    name === 'Courier' && octets.at(-1) !== 0x0a ? Buffer.concat([octets, Buffer.from('\r\n')]) : octets;
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
    const changed = delivered.filter(({ message, stored }) => !stored.equals(kept(message.octets)));
    expect(changed.map(({ message }) => message.name).sort()).toEqual(
      taken.filter(({ changedBy }) => changedBy.includes(name)).map((message) => message.name),
    );
  });

  test('has the Email properties that the stored octets mean, but where the server is known to read them otherwise', () => {
    for (const { message, email, stored } of delivered) {
      expect([...email.preview].length).toBeLessThanOrEqual(256);
      expect(parseJson(JSON.stringify(email))).toEqual(email);
      const shown = { name: message.name, ...contentOf(email) };
      if (name in message.readOtherwiseBy) {
        expect(shown).not.toEqual({ name: message.name, ...meant(stored) });
        continue;
      }
      expect(shown).toEqual({ name: message.name, ...meant(stored) });
      // Dovecot makes its own previews.
      if (name !== 'Dovecot') expect([message.name, email.preview]).toEqual([message.name, emailOf(stored).preview]);
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

  test('is parsed as the stored octets mean, however the server reads them', async () => {
    for (let at = 0; at < delivered.length; at += 100) {
      const page = delivered.slice(at, at + 100);
      const blobIds = page.map(({ email }) => email.blobId);
      const args = { blobIds, properties: contentProperties, bodyProperties, fetchAllBodyValues: true };
      const { parsed } = await client.one<{ parsed: { [id: Id]: Content } }>('Email/parse', args);
      for (const { message, email, stored } of page) {
        const content = parsed[email.blobId];
        const expected = beginsWithField.test(stored.toString('latin1')) ? meant(stored) : null;
        expect({ name: message.name, content: content ? contentOf(content) : null }).toEqual({
          name: message.name,
          content: expected,
        });
      }
    }
  }, 180_000);
});

/** What `Email/parse` takes for a message: see docs/silence.md. */
const beginsWithField = /^(?:\xef\xbb\xbf)?(?:From [^\n]*\n)?[!-9;-~]+[ \t]*:/;

/** What an Email of these octets shows. */
function meant(stored: Buffer): JsonObject {
  const { preview: _, properties, ...content } = emailOf(stored);
  return { ...properties, ...content } as unknown as JsonObject;
}

/** What an Email shows, but its preview and the ids of blobs; lists of parts as part ids. */
function contentOf(email: Content): JsonObject {
  const names = (list: unknown) => (list as BodyPart[]).map(({ partId }) => partId);
  return {
    ...Object.fromEntries(contentProperties.filter((name) => name !== 'preview').map((name) => [name, email[name]])),
    ...{ textBody: names(email.textBody), htmlBody: names(email.htmlBody), attachments: names(email.attachments) },
    bodyStructure: withoutBlobs(email.bodyStructure),
  } as JsonObject;
}

/** Also without the size of a multipart, which §4.1.4 leaves open. */
function withoutBlobs({ blobId: _, size, subParts, ...part }: BodyPart): JsonObject {
  return subParts ? { ...part, subParts: subParts.map(withoutBlobs) } : { ...part, size };
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
