import { describe, expect, test } from '@jest/globals';
import type { CanGiveUrls, Place } from '../../../shared/methods/Email/mail.ts';
import { emailSubmission } from '../../../shared/methods/EmailSubmission/index.ts';
import type { SendQueue } from '../../../shared/methods/EmailSubmission/record.ts';
import type { RelayRequest, StoredMessage } from '../../../shared/methods/EmailSubmission/relay.ts';
import { storedOctetsMin } from '../../../shared/methods/EmailSubmission/stored-body.ts';
import { callMethod, mailAccount } from '../mail-account.ts';
import { fakeRelay, noUrls, sendingPorts, someUrls } from '../sending-account.ts';

const fields = [
  'From: Anna <anna@example.com>',
  'To: bob@example.com',
  'Subject: x',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@example.com>',
];
const line = `${'0123456789abcde'.repeat(4)}\r\n`;
const body = line.repeat(Math.ceil(storedOctetsMin / line.length));
const letter = (more: readonly string[] = [], text = body) => [...fields, ...more, '', text].join('\r\n');

/** Sends this message at once, or when `HOLDFOR` says; with what became of it, and how it was given to the server. */
async function send(
  raw: string,
  {
    urls = someUrls,
    parameters = null,
    queue = null,
    loses = false,
  }: { urls?: CanGiveUrls; parameters?: { HOLDFOR: string } | null; queue?: SendQueue | null; loses?: boolean } = {},
) {
  const server = fakeRelay();
  const { ports: mail } = mailAccount([raw]);
  const opened: Place[] = [];
  const messages = {
    ...mail.messages,
    open: async (place: Place, section: string) => {
      opened.push(place);
      return loses ? null : mail.messages.open(place, section);
    },
  };
  const given: RelayRequest['message'][] = [];
  const own = sendingPorts({
    urls,
    queue,
    maxSizeMessage: 200_000,
    relay: (request) => {
      given.push(request.message);
      return server.relay(request);
    },
  });
  const search = { search: async () => null, sort: async () => null };
  const ports = { ...mail, messages, search, ...own };
  const envelope = { mailFrom: { email: 'anna@example.com', parameters }, rcptTo: [{ email: 'bob@example.com' }] };
  const create = { k: { identityId: 'Idefault', emailId: 'e1', envelope } };
  const answer = await callMethod<typeof ports>(emailSubmission.methods.set, { create }, ports);
  return { answer, sent: server.sent, message: given[0], opened };
}
/** The message that was given to the server without having been read. */
function unread({ message }: Awaited<ReturnType<typeof send>>): StoredMessage {
  if (message === undefined || message instanceof Uint8Array) throw new Error('It was read');
  return message;
}
const headerOf = (stored: StoredMessage) => Buffer.from(stored.header).toString('latin1');

describe('a message that is sent at once', () => {
  test('need not be read, but for its header, where the server can fetch the body', async () => {
    const stored = unread(await send(letter()));
    expect(headerOf(stored)).toBe([...fields, '', ''].join('\r\n'));
    expect(stored.bodySize).toBe(body.length);
    expect(await stored.bodyUrl()).toContain('/m;UIDVALIDITY=1/;UID=1/;SECTION=TEXT;EXPIRE=');
    expect(Buffer.from(await stored.read()).toString('latin1')).toBe(letter());
  });

  test('tells nobody of the secret recipients, and has a Message-ID', async () => {
    const more = ['Bcc: secret@example.com,', ' other@example.com', 'Return-Path: <x@example.com>'];
    const raw = letter(more).replace(/^Message-ID.*\r\n/m, '');
    const stored = unread(await send(raw));
    expect(headerOf(stored)).toMatch(/^Message-ID: <[\da-f]{32}@example\.com>\r\nFrom: /);
    expect(headerOf(stored)).not.toMatch(/secret|other|Return-Path/);
    expect(Buffer.from(await stored.read()).toString('latin1')).toBe(headerOf(stored) + body);
  });

  test.each<[string, string]>([
    ['the body is small', letter([], body.slice(line.length))],
    ['only the header is large', letter([`X-Large: ${'x '.repeat(40_000)}`], 'x\r\n')],
    ['it is binary', letter(['Content-Transfer-Encoding: binary'])],
    ['its encoding is not known', letter(['Content-Transfer-Encoding: x-uuencode'])],
    [
      'a part of it is binary',
      letter(
        ['Content-Type: multipart/mixed; boundary=b'],
        `--b\r\n\r\nx\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n${body}\r\n--b--\r\n`,
      ),
    ],
    ['a CR in its header ends no line, or does', letter(['X-Odd: a\rBcc: secret@example.com'])],
  ])('is read where %s', async (_, raw) => {
    const { answer, message, sent } = await send(raw);
    expect(answer.created).toMatchObject({ k: {} });
    expect(message).toBeInstanceOf(Uint8Array);
    expect(sent).toHaveLength(1);
  });

  test('is read where the mail server gives no URLs', async () => {
    const { message, sent } = await send(letter(), { urls: noUrls });
    expect(message).toBeInstanceOf(Uint8Array);
    expect(sent).toHaveLength(1);
  });

  test.each(['7bit', '8bit', 'base64', 'quoted-printable'])('may be %s', async (encoding) => {
    unread(await send(letter([`Content-Transfer-Encoding: ${encoding}`])));
  });

  test.each([
    ['the From field', letter().replace('anna@', 'eve@'), { type: 'forbiddenFrom' }],
    ['a second From field', letter(['From: anna@example.com']), { type: 'invalidEmail', properties: ['from'] }],
    ['the size', letter([], body.repeat(4)), { type: 'tooLarge' }],
  ])('is looked at as every other one is: %s', async (_, raw, error) => {
    const { answer, message, opened } = await send(raw);
    expect(answer).toMatchObject({ notCreated: { k: error } });
    expect(message).toBeUndefined();
    expect(opened).toEqual([]);
  });

  test('is refused when the server did not fetch the body, and it is there no more', async () => {
    const { answer, sent } = await send(letter(), { loses: true });
    expect(answer).toMatchObject({ notCreated: { k: { type: 'invalidProperties', properties: ['emailId'] } } });
    expect(sent).toEqual([]);
  });
});

test('a message that is to be sent later is read', async () => {
  const held: string[] = [];
  const queue: SendQueue = {
    maxDelaySeconds: 3_600,
    hold: async (_, message) => void held.push(Buffer.from(message).toString('latin1')),
  };
  const { answer, message } = await send(letter(['Bcc: secret@example.com']), { parameters: { HOLDFOR: '60' }, queue });
  expect(answer.created).toMatchObject({ k: { undoStatus: 'pending' } });
  expect(message).toBeUndefined();
  expect(held).toEqual([letter()]);
});
