import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { appendMessages } from '../../functions/local/append-messages.ts';
import { sampleMailbox } from '../../functions/local/sample-mail/sample-mailbox.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { bodyParts, hasAttachment } from '../../shared/message/body-structure.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { decodeTransfer } from '../../shared/message/decode-transfer.ts';
import { convenienceProperties, headerPropertyValue, parseHeaderProperty } from '../../shared/message/header-form.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { isMultipart, type Part } from '../../shared/message/part.ts';
import { preview, previewParts } from '../../shared/message/preview.ts';
import { cyrus, dovecot } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import type { JmapClient } from './jmap-client.ts';

const now = new Date('2025-06-30T12:00:00Z');
const messages = sampleMailbox({ seed: 1, now });

/** Some of every form that §4.1.2 has. */
const headerProperties = [
  'header:Subject:asText',
  'header:From:asGroupedAddresses',
  'header:To:asAddresses:all',
  'header:Received:asRaw:all',
  'header:List-Unsubscribe:asURLs',
  'header:References:asMessageIds',
  'header:Date:asDate',
  'header:Content-Type',
  'header:X-Nothing:asText',
];
const properties = [
  ...['size', 'receivedAt', 'headers', 'hasAttachment', 'preview', 'bodyStructure', 'bodyValues'],
  ...['textBody', 'htmlBody', 'attachments', 'keywords', 'blobId'],
  ...convenienceProperties.keys(),
  ...headerProperties,
];
const bodyProperties = [
  ...['partId', 'blobId', 'size', 'name', 'type', 'charset', 'disposition', 'cid', 'language', 'location', 'headers'],
  'header:Content-Description:asText',
];

type BodyPart = JsonObject & { partId: string | null; blobId: Id | null; size: number; subParts?: BodyPart[] };
type Email = JsonObject & { id: Id; blobId: Id; bodyStructure: BodyPart; preview: string };

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
] as const)('the sample mailbox on %s', (name, startServer) => {
  let product: Product;
  let client: JmapClient;
  const emails: { readonly email: Email; readonly raw: Buffer }[] = [];

  beforeAll(async () => {
    const server = await startServer();
    const user = await server.freshUser();
    await appendMessages({ host: server.host, imapPort: server.imapPort, ...user }, messages);
    product = startProduct(server);
    client = await (await product.startProcess()).client(user);
    const unclaimed = new Map(messages.map(({ raw, receivedAt }) => [keyOf(raw, receivedAt.toISOString()), raw]));
    const { ids } = await client.query('Email', {});
    for (let at = 0; at < ids.length; at += 100) {
      const args = { ids: ids.slice(at, at + 100), properties, bodyProperties, fetchAllBodyValues: true };
      const { list } = await client.get<Email>('Email', args);
      for (const email of list) {
        const key = `${email.size} ${email.receivedAt} ${(email.messageId as string[]).join()}`;
        const raw = unclaimed.get(key);
        unclaimed.delete(key);
        if (raw === undefined) throw new Error(`Nobody delivered ${key}`);
        emails.push({ email, raw });
      }
    }
  }, 60_000);
  afterAll(() => product.stop());

  test('is there, every message once', () => {
    expect(emails.length).toBe(messages.length);
  });

  test('has the properties that its octets have', () => {
    for (const { email, raw } of emails) {
      const { id: _, blobId: __, receivedAt: ___, keywords: ____, preview: shown, ...rest } = email;
      const { preview: made, ...expected } = expectedEmail(raw);
      expect(withoutBlobs(rest)).toEqual(withoutBlobs(expected));
      expect(shown.length).toBeLessThanOrEqual(256);
      // Dovecot's own previews are others, but of the same text.
      if (name === 'Dovecot') expect(shown === '').toBe(made === '');
      else expect(shown).toBe(made);
    }
  });

  test('tells the size of every part, exactly where nothing is encoded', () => {
    for (const { email, raw } of emails) {
      const exact = new Map(partsIn(parseMessage(raw)).map((part) => [part.partId, part]));
      for (const { partId, size } of shownParts(email.bodyStructure)) {
        const part = exact.get(partId);
        if (part === undefined || isMultipart(part)) continue;
        const excess = size - (part.size ?? Number.NaN);
        const allowed =
          part.encoding === 'base64'
            ? 2
            : part.encoding === 'quoted-printable'
              ? part.encodedSize - (part.size ?? 0)
              : 0;
        expect({ partId, size, isRight: excess >= 0 && excess <= allowed }).toEqual({ partId, size, isRight: true });
      }
    }
  });

  test('is downloaded octet by octet, whole and in parts', async () => {
    const kinds = new Set<string>();
    for (const { email, raw } of emails) {
      const root = parseMessage(raw);
      const leaves = new Map(partsIn(root).map((part) => [part.partId, part]));
      const isNew = [...leaves.values()].filter(({ type, encoding, charset }) => {
        const kind = `${type} ${encoding} ${charset}`;
        return kinds.size < kinds.add(kind).size;
      });
      if (isNew.length === 0) continue;
      expect(await octetsOf(client, email.blobId)).toEqual(raw);
      for (const { partId, blobId } of shownParts(email.bodyStructure)) {
        const part = leaves.get(partId);
        if (part === undefined || blobId === null) continue;
        const decoded = Buffer.from(decodeTransfer(partBody(raw, part), part.encoding));
        expect({ partId, octets: await octetsOf(client, blobId) }).toEqual({ partId, octets: decoded });
      }
    }
    expect(kinds.size).toBeGreaterThan(15);
  });

  test('has a text in full where nobody limits it, and cut to whole characters where somebody does', async () => {
    const foreign = emails
      .filter(({ raw }) => /charset="?(?!utf-8|us-ascii)/i.test(raw.toString('latin1')))
      .slice(0, 20);
    expect(foreign.length).toBeGreaterThan(3);
    const ids = foreign.map(({ email }) => email.id);
    const args = { ids, properties: ['bodyValues'], fetchTextBodyValues: true, maxBodyValueBytes: 41 };
    const { list } = await client.get<{ id: Id; bodyValues: { [partId: string]: JsonObject } }>('Email', args);
    for (const { id, bodyValues } of list) {
      const raw = foreign.find(({ email }) => email.id === id)?.raw ?? Buffer.alloc(0);
      const root = parseMessage(raw);
      const expected = bodyParts(root).textBody.filter(({ type }) => type.startsWith('text/'));
      expect(bodyValues).toEqual(
        Object.fromEntries(
          expected.map((part) => [part.partId, bodyValue(part, partBody(raw, part), { maxBodyValueBytes: 41 })]),
        ),
      );
    }
  });
});

function keyOf(raw: Buffer, receivedAt: string): string {
  const { headers = [] } = parseMessage(raw);
  const property = convenienceProperties.get('messageId');
  const ids = property && headerPropertyValue(headers, property);
  return `${raw.length} ${receivedAt.replace(/\.\d+/, '')} ${String(ids)}`;
}

/** What RFC 8621 §4.1 says of a message, from its octets alone. */
function expectedEmail(raw: Buffer): JsonObject & { preview: string } {
  const root = parseMessage(raw);
  const headers = root.headers ?? [];
  const email: JsonObject = {};
  for (const [name, property] of convenienceProperties) email[name] = headerPropertyValue(headers, property) as string;
  for (const name of headerProperties) {
    const parsed = parseHeaderProperty(name);
    if (parsed.ok) email[name] = headerPropertyValue(headers, parsed.value) as string;
  }
  const texts = partsIn(root).filter(({ type }) => type.startsWith('text/'));
  const { textBody, htmlBody, attachments } = bodyParts(root);
  return {
    ...email,
    size: raw.length,
    headers: headers.map((header) => ({ ...header })),
    hasAttachment: hasAttachment(root),
    bodyStructure: expectedPart(root, true),
    textBody: textBody.map((part) => expectedPart(part, false)),
    htmlBody: htmlBody.map((part) => expectedPart(part, false)),
    attachments: attachments.map((part) => expectedPart(part, false)),
    bodyValues: Object.fromEntries(
      texts.map((part) => [part.partId, { ...bodyValue(part, partBody(raw, part), { maxBodyValueBytes: 0 }) }]),
    ),
    preview:
      previewParts(root)
        .map((part) => preview(part, partBody(raw, part)))
        .find((text) => text !== '') ?? '',
  };
}

function expectedPart(part: Part, isNested: boolean): JsonObject {
  const { partId, name, type, charset, disposition, cid, language, location, headers = [] } = part;
  const description = parseHeaderProperty('header:Content-Description:asText');
  return {
    ...{ partId, name, type, charset, disposition, cid, location },
    language: language === null ? null : [...language],
    headers: headers.map((header) => ({ ...header })),
    'header:Content-Description:asText': description.ok
      ? (headerPropertyValue(headers, description.value) as string)
      : null,
    ...(isNested && isMultipart(part) ? { subParts: part.subParts.map((child) => expectedPart(child, true)) } : {}),
  };
}

/** Blobs and sizes of parts are looked at by themselves. */
function withoutBlobs(email: JsonObject): unknown {
  const { size, ...rest } = email;
  const text = JSON.stringify(rest, (key, value: unknown) => (key === 'blobId' || key === 'size' ? undefined : value));
  return { size, ...(JSON.parse(text) as JsonObject) };
}

function partsIn(part: Part): Part[] {
  return isMultipart(part) ? part.subParts.flatMap(partsIn) : [part];
}

function shownParts(part: BodyPart): BodyPart[] {
  return part.subParts ? part.subParts.flatMap(shownParts) : [part];
}

async function octetsOf(client: JmapClient, blobId: Id): Promise<Buffer> {
  return Buffer.from(await (await client.download(blobId)).arrayBuffer());
}
