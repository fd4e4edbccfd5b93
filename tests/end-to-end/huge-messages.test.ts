import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { decodeTransfer } from '../../shared/message/decode-transfer.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { otherClient } from '../imap/rig.ts';
import { emailOf } from '../message/email-of.ts';
import { type HugeMessage, hugeMessages } from '../message/huge-messages.ts';
import { leaves } from '../message/outline.ts';
import { courier, cyrus, dovecot } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import type { JmapClient } from './jmap-client.ts';

type BodyPart = { partId: string | null; blobId: Id; size: number; type: string; subParts?: BodyPart[] };
type Content = {
  blobId: Id;
  subject: string | null;
  bodyStructure: BodyPart;
  bodyValues: { [partId: string]: { value: string } };
};

const properties = ['blobId', 'subject', 'bodyStructure', 'bodyValues'];
const asked = { properties, bodyProperties: ['partId', 'blobId', 'size', 'type'], fetchAllBodyValues: true };

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
  ['Courier', courier],
] as const)('on %s, a message of', (name, startServer) => {
  const octetsOf = new Map<HugeMessage, Buffer>();
  const messages = hugeMessages();
  let product: Product;
  let client: JmapClient;
  let ids: readonly Id[];

  beforeAll(async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const other = await otherClient(server, user);
    for (const [index, { octets }] of messages.entries()) {
      await other.append('INBOX', octets, [], new Date(Date.UTC(2026, 0, 1) + index * 1000));
    }
    await other.mailboxOpen('INBOX');
    // Courier keeps 300 parts of a message, and ends its last line.
    for await (const { seq, source = Buffer.alloc(0) } of other.fetch('1:*', { source: true })) {
      octetsOf.set(messages[seq - 1] as HugeMessage, source);
    }
    await other.logout();
    product = startProduct(server);
    client = await (await product.startProcess()).client(user);
    ({ ids } = await client.query('Email', { sort: [{ property: 'receivedAt' }] }));
  }, 120_000);
  afterAll(() => product?.stop());

  test.each(messages.map((message, index) => [message.name, message, index] as const))(
    '%s is shown, parsed and downloaded',
    async (_, message, index) => {
      const stored = octetsOf.get(message) ?? Buffer.alloc(0);
      const { properties: meant, bodyStructure, bodyValues } = emailOf(stored);
      const parts = leaves(parseMessage(stored));
      const { list } = await client.get<Content>('Email', { ids: [ids[index] ?? ''], ...asked });
      const shown = list[0] as Content;
      const args = { blobIds: [shown.blobId], ...asked };
      const { parsed } = await client.one<{ parsed: { [blobId: string]: Content } }>('Email/parse', args);

      expect(parsed[shown.blobId]?.subject).toBe(meant.subject);
      if (!message.subjectOtherwiseBy?.includes(name)) expect(shown.subject).toBe(meant.subject);
      for (const content of [shown, parsed[shown.blobId] as Content]) {
        // Compared as texts: so many objects are compared slowly.
        expect(JSON.stringify(outline(content.bodyStructure))).toBe(JSON.stringify(outline(bodyStructure as BodyPart)));
        expect(Object.keys(content.bodyValues)).toEqual(Object.keys(bodyValues));
        expect(JSON.stringify(content.bodyValues)).toBe(JSON.stringify(bodyValues));
      }
      const blobs = leavesOf(shown.bodyStructure);
      for (const at of new Set([0, blobs.length >> 1, blobs.length - 1])) {
        const part = parts[at];
        const octets = Buffer.from(await (await client.download(blobs[at]?.blobId ?? '')).arrayBuffer());
        expect(part && octets.equals(decodeTransfer(partBody(stored, part), part.encoding))).toBe(true);
      }
    },
    120_000,
  );
});

function outline({ partId, type, size, subParts }: BodyPart): object {
  return subParts ? { type, subParts: subParts.map(outline) } : { partId, type, size };
}

function leavesOf(part: BodyPart): BodyPart[] {
  return part.subParts ? part.subParts.flatMap(leavesOf) : [part];
}
