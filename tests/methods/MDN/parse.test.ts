import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import type { BlobPorts } from '../../../shared/methods/Blob/find.ts';
import { mdnParse } from '../../../shared/methods/MDN/parse.ts';
import { callMethod, mailAccount } from '../mail-account.ts';
import { asking, receipt } from './receipts.ts';

const parse = (raws: readonly string[], blobIds: readonly string[]): Promise<JsonObject> =>
  callMethod<BlobPorts>(mdnParse, { blobIds: [...blobIds] }, mailAccount(raws).ports);

describe('MDN/parse (RFC 9007 §2.2)', () => {
  test('shows what a receipt says, every property of it', async () => {
    expect(await parse([receipt()], ['e1'])).toEqual({
      accountId: 'a',
      parsed: {
        e1: {
          forEmailId: null,
          subject: 'Gelesen: Größe',
          textBody: 'Größe wurde gelesen.\n',
          includeOriginalMessage: false,
          reportingUA: null,
          disposition: { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' },
          mdnGateway: null,
          originalRecipient: null,
          finalRecipient: 'rfc822; bob@example.net',
          originalMessageId: '<1@example.com>',
          error: null,
          extensionFields: null,
        },
      },
      notParsable: null,
      notFound: null,
    });
  });

  const original = `Content-Type: message/rfc822\n\n${asking()}`;
  test.each<[string, Parameters<typeof receipt>[0], JsonObject]>([
    ['holds the message it is about', { more: original }, { includeOriginalMessage: true }],
    [
      'holds the header of it only',
      { more: 'Content-Type: text/rfc822-headers\n\nSubject: x\n' },
      { includeOriginalMessage: false },
    ],
    ['is encoded', { encoding: 'base64' }, { finalRecipient: 'rfc822; bob@example.net' }],
    ['does not say what kind of report it is', { type: 'multipart/report' }, { originalMessageId: '<1@example.com>' }],
  ])('reads one that %s', async (_, options, expected) => {
    expect(await parse([receipt(options)], ['e1'])).toMatchObject({ parsed: { e1: expected } });
  });

  test.each<[string, string]>([
    ['another message', asking()],
    ['a report of another kind', receipt().replaceAll('disposition-notification', 'delivery-status')],
    ['one that does not say what happened', receipt({ notification: 'Final-Recipient: rfc822; bob@example.net' })],
    ['one outside of a report', receipt({ type: 'multipart/mixed' })],
  ])('says of %s that it is none', async (_, raw) => {
    expect(await parse([raw], ['e1'])).toMatchObject({ parsed: null, notParsable: ['e1'], notFound: null });
  });

  test('tells those that are not there from those that are none, each once', async () => {
    const answer = await parse([receipt(), asking()], ['e1', 'e2', 'e2', 'e9', 'e1-1', '#x']);
    expect(answer).toMatchObject({ notParsable: ['e2', 'e1-1'], notFound: ['e9', '#x'] });
    expect(Object.keys(answer.parsed as JsonObject)).toEqual(['e1']);
  });

  test('takes a receipt within another message, and an uploaded one', async () => {
    const outer = `Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n${receipt()}\n--o--\n`;
    expect(await parse([outer], ['e1-1'])).toMatchObject({ parsed: { 'e1-1': { subject: 'Gelesen: Größe' } } });
    const { ports } = mailAccount([]);
    async function* whole() {
      yield Buffer.from(receipt().replaceAll('\n', '\r\n'));
    }
    const { id } = await ports.uploads.put(whole());
    expect(await callMethod<BlobPorts>(mdnParse, { blobIds: [id] }, ports)).toMatchObject({ parsed: { [id]: {} } });
  });

  test('refuses more than it takes at once', async () => {
    const ids = Array.from({ length: 501 }, (_, index) => `e${index}`);
    expect(await parse([], ids)).toMatchObject({ error: { type: 'requestTooLarge' } });
  });
});
