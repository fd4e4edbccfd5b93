import { describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import type { Answer } from '../../../shared/jmap/method.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { parseMessage } from '../../../shared/message/parse-message.ts';
import { readReceipt } from '../../../shared/message/read-receipt.ts';
import { identity } from '../../../shared/methods/Identity/index.ts';
import { mdnSend } from '../../../shared/methods/MDN/send.ts';
import { contextFor } from '../context.ts';
import { callMethod, mailAccount } from '../mail-account.ts';
import { type Fate, fakeRelay, sendingPorts } from '../sending-account.ts';
import { asking, receipt } from './receipts.ts';

const displayed = { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' };
const setsKeyword = { '#k': { 'keywords/$mdnsent': true } };

function start({
  raws = [asking()],
  keywords = [],
  ...options
}: Parameters<typeof sendingPorts>[0] & {
  readonly raws?: readonly string[];
  readonly keywords?: readonly string[];
} = {}) {
  const server = fakeRelay();
  const own = sendingPorts({ relay: server.relay, now: () => Date.parse('2026-03-01T12:00:00Z'), ...options });
  const { ports } = mailAccount(raws);
  const catalog: typeof ports.catalog = {
    ...ports.catalog,
    view: async (freshness) => {
      const view = await ports.catalog.view(freshness);
      const emails: typeof view.emails = async (ids) =>
        new Map(
          [...(await view.emails(ids))].map(([id, email]) => {
            const rows = email.rows.map((row) => ({ ...row, keywords: [...keywords] }));
            return [id, { ...email, rows }];
          }),
        );
      return { ...view, emails };
    },
  };
  const search = { search: async () => null, sort: async () => null };
  const all = { ...ports, catalog, search, ...own };
  const call = async (args: JsonObject): Promise<Answer> => {
    const answer = await mdnSend.run({ accountId: 'a', identityId: 'Idefault', ...args }, all, contextFor(all));
    return answer.ok ? answer.value : { response: { error: answer.error } };
  };
  const send = (mdn: JsonObject, more: JsonObject = {}) =>
    call({
      send: { k: { forEmailId: 'e1', disposition: displayed, ...mdn } },
      onSuccessUpdateEmail: setsKeyword,
      ...more,
    });
  const refusal = async (mdn: JsonObject) =>
    ((await send(mdn)).response as { notSent: { k: JsonObject } | null }).notSent?.k;
  return { server, ports: all, call, send, refusal };
}

/** What was sent, read again. */
function sentIn(server: ReturnType<typeof fakeRelay>) {
  const octets = Buffer.from(server.sent.at(-1)?.text ?? '');
  const root = parseMessage(octets);
  const headers = new Map(root.headers?.map(({ name, value }) => [name.toLowerCase(), value.trim()]));
  return { root, headers, receipt: readReceipt({ octets, root }), text: octets.toString() };
}

describe('MDN/send (RFC 9007 §2.1)', () => {
  test('sends a receipt to whom the message names, from nobody, and has the Email marked', async () => {
    const { server, send } = start();
    const { response, implicit } = await send({
      subject: 'Read receipt for: World domination',
      textBody: 'This receipt shows that the email has been displayed.',
      reportingUA: 'joes-pc.cs.example.com; Foomail 97.1',
      extensionFields: { 'EXTENSION-EXAMPLE': 'example.com' },
    });
    expect(response).toEqual({
      accountId: 'a',
      sent: {
        k: {
          includeOriginalMessage: false,
          finalRecipient: 'rfc822; anna@example.com',
          originalMessageId: '<1@example.net>',
          originalRecipient: null,
          mdnGateway: null,
          error: null,
        },
      },
      notSent: null,
    });
    expect(implicit).toEqual([
      { name: 'Email/set', args: { accountId: 'a', update: { e1: { 'keywords/$mdnsent': true } } } },
    ]);
    expect(server.sent).toMatchObject([{ from: '', to: ['bob@example.net'] }]);
    const { headers, receipt: sent, root } = sentIn(server);
    expect(root.subParts.map(({ type }) => type)).toEqual(['text/plain', 'message/disposition-notification']);
    expect(headers.get('content-type')).toContain('report-type=disposition-notification');
    expect(Object.fromEntries(headers)).toMatchObject({
      from: 'anna@example.com',
      to: 'bob@example.net',
      date: 'Sun, 1 Mar 2026 12:00:00 +0000',
      'in-reply-to': '<1@example.net>',
      references: '<1@example.net>',
      'auto-submitted': 'auto-replied',
      'mime-version': '1.0',
    });
    expect(sent).toEqual({
      subject: 'Read receipt for: World domination',
      textBody: 'This receipt shows that the email has been displayed.',
      includesOriginal: false,
      reportingUA: 'joes-pc.cs.example.com; Foomail 97.1',
      mdnGateway: null,
      originalRecipient: null,
      finalRecipient: 'rfc822; anna@example.com',
      originalMessageId: '<1@example.net>',
      disposition: displayed,
      error: null,
      extensionFields: { 'EXTENSION-EXAMPLE': 'example.com' },
    });
  });

  test('says something where nothing was given, and tells what', async () => {
    const raws = [
      asking({ Subject: '=?utf-8?q?Gr=C3=B6=C3=9Fe?= "x"', 'Original-Recipient': 'rfc822;Anna@example.com' }),
    ];
    const { server, send } = start({ raws });
    const { response } = await send({});
    const k = (response.sent as { k: JsonObject }).k;
    expect(k).toMatchObject({
      subject: 'Read: Größe "x"',
      textBody: expect.stringContaining('was displayed'),
      originalRecipient: 'rfc822;Anna@example.com',
    });
    expect(sentIn(server).receipt).toMatchObject({ subject: k.subject, originalRecipient: k.originalRecipient });
    expect(sentIn(server).receipt?.textBody).toBe(k.textBody);
  });

  test.each<[string, string, JsonObject]>([
    ['is too long, and would be cut within a character', '=?utf-8?b?8J+YgPCfmIA=?= '.repeat(150), { type: 'deleted' }],
    ['has a byte order mark', 'a =?utf-8?q?=EF=BB=BFb?= =?utf-8?q?_=EF=BB=BF_c?=', {}],
    ['has what is no character', '=?utf-8?q?=EF=BF=BE_x?= =?utf-16be?b?2AA=?=', {}],
  ])('goes out for a message whose subject %s', async (_, subject, disposition) => {
    const { server, send } = start({ raws: [asking({ Subject: subject })] });
    const { response } = await send({ disposition: { ...displayed, ...disposition } });
    const k = (response.sent as { k: JsonObject }).k;
    expect(sentIn(server).receipt).toMatchObject({ subject: k.subject, textBody: k.textBody });
  });

  test('has the message in it that it is about, octet by octet, where that is wanted', async () => {
    const raws = [asking({ 'X-Long': 'x' }).replace('Hello', 'Hell\xf6 \n--b\nFrom me\n')];
    const { server, send } = start({ raws });
    await send({ includeOriginalMessage: true });
    const { text, root } = sentIn(server);
    expect(root.subParts.map(({ type }) => type)).toEqual([
      'text/plain',
      'message/disposition-notification',
      'message/rfc822',
    ]);
    expect(text).toContain((raws[0] ?? '').replaceAll('\n', '\r\n').replace('\xf6', '\ufffd'));
  });

  test('sends one for each Email and no second one, whatever became of the keyword', async () => {
    const { server, send, call } = start({ raws: [asking(), asking({ 'Message-ID': '<2@x>' })] });
    const mdn = (forEmailId: string) => ({ forEmailId, disposition: displayed });
    const { response, implicit } = await call({
      send: { a: mdn('e1'), b: mdn('e2'), c: mdn('e1') },
      onSuccessUpdateEmail: Object.fromEntries(
        ['#a', '#b', '#c'].map((name) => [name, { keywords: { $mdnsent: true } }]),
      ),
    });
    expect(Object.keys(response.sent as JsonObject)).toEqual(['a', 'b']);
    expect(response.notSent).toMatchObject({ c: { type: 'mdnAlreadySent' } });
    expect(implicit).toMatchObject([{ args: { update: { e1: {}, e2: {} } } }]);
    expect((await send({})).response).toMatchObject({ notSent: { k: { type: 'mdnAlreadySent' } } });
    expect(server.sent).toHaveLength(2);
  });

  test('sends none where the Email says that one was sent', async () => {
    const { server, refusal } = start({ keywords: ['$mdnsent'] });
    expect(await refusal({})).toMatchObject({ type: 'mdnAlreadySent' });
    expect(server.requests).toHaveLength(0);
  });

  test('of two that are sent at the same time one goes out', async () => {
    const { server, send } = start();
    const answers = await Promise.all([send({}), send({}), send({})]);
    expect(answers.filter(({ response }) => response.sent !== null)).toHaveLength(1);
    for (const { response } of answers) {
      if (response.sent === null) expect(response.notSent).toMatchObject({ k: { type: 'mdnAlreadySent' } });
    }
    expect(server.sent).toHaveLength(1);
  });

  test('one whose answer was lost counts as sent', async () => {
    const { server, send } = start();
    server.next({ kind: 'lost' });
    expect((await send({})).response).toMatchObject({ sent: { k: {} }, notSent: null });
    expect((await send({})).response).toMatchObject({ notSent: { k: { type: 'mdnAlreadySent' } } });
    expect(server.sent).toHaveLength(1);
  });

  const reply = { code: 550, text: '550 5.7.1 no' };
  test.each<[string, Fate, string]>([
    ['the recipients', { kind: 'refused', at: 'recipients', reply, recipients: [reply] }, 'invalidRecipients'],
    ['the message', { kind: 'refused', at: 'message', reply, recipients: [] }, 'forbiddenToSend'],
    ['its size', { kind: 'tooLarge', maxSize: 5 }, 'tooLarge'],
    ['the connection', new Unavailable('no connection'), 'serverUnavailable'],
  ])('one that the submission server refused can be sent again: %s', async (_, fate, type) => {
    const { server, send, refusal } = start();
    server.next(fate);
    expect(await refusal({})).toMatchObject({ type });
    const { response, implicit } = await send({});
    expect(response).toMatchObject({ notSent: null });
    expect(implicit).toHaveLength(1);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['no patch', { onSuccessUpdateEmail: null }, {}],
    ['a patch of another record', { onSuccessUpdateEmail: { '#x': { 'keywords/$mdnsent': true } } }, {}],
    ['another patch', { onSuccessUpdateEmail: { '#k': { 'keywords/$seen': true } } }, {}],
    ['one that takes it away', { onSuccessUpdateEmail: { '#k': { 'keywords/$mdnsent': null } } }, {}],
    ['an unknown Identity', { identityId: 'Inone' }, {}],
  ])('is refused with %s, and nothing is sent', async (_, more, mdn) => {
    const { server, send } = start();
    expect((await send(mdn, more)).response).toMatchObject({ error: { type: 'invalidArguments' } });
    expect(server.requests).toHaveLength(0);
  });

  test.each<[string, Record<string, string | null>, JsonObject, string]>([
    ['an Email that is not there', {}, { forEmailId: 'e9' }, 'notFound'],
    ['one that wants no receipt', { 'Disposition-Notification-To': null }, {}, 'notFound'],
    ['one that wants it at no address', { 'Disposition-Notification-To': 'nobody' }, {}, 'notFound'],
    [
      'one that asks for more than is known',
      { 'Disposition-Notification-Options': 'signed-receipt=required, pkcs7' },
      {},
      'forbidden',
    ],
    ['an address that is not the Identity', {}, { finalRecipient: 'rfc822; eve@example.com' }, 'forbiddenFrom'],
    ['a recipient that is none', {}, { finalRecipient: 'x400; /C=DE' }, 'forbiddenFrom'],
  ])('is refused for %s', async (_, fields, mdn, type) => {
    const { server, refusal } = start({ raws: [asking(fields)] });
    expect(await refusal(mdn)).toMatchObject({ type });
    expect(server.requests).toHaveLength(0);
  });

  test('is refused for a receipt', async () => {
    const raw = receipt().replace('Subject:', 'Disposition-Notification-To: bob@example.net\nSubject:');
    expect(await start({ raws: [raw] }).refusal({})).toMatchObject({ type: 'forbidden' });
  });

  test('goes out without the user being asked only to whom the message came from', async () => {
    const automatic = { disposition: { ...displayed, sendingMode: 'mdn-sent-automatically' } };
    const from = (path: string | null) => start({ raws: [asking({ 'Return-Path': path })] });
    expect(await from(null).refusal(automatic)).toMatchObject({ type: 'forbidden' });
    expect(await from('<eve@example.org>').refusal(automatic)).toMatchObject({ type: 'forbidden' });
    expect(await from('<Bob@EXAMPLE.net>').refusal(automatic)).toMatchObject({ type: 'forbidden' });
    expect(await from('<bob@EXAMPLE.net>').refusal(automatic)).toBeUndefined();
  });

  test.each<[string, JsonObject, string]>([
    ['a subject of several lines', { subject: 'a\r\nBcc: x@example.com' }, 'subject'],
    ['a subject that is not read again as it is', { subject: 'a \ufeffb' }, 'subject'],
    ['NUL in the text', { textBody: 'a\0' }, 'textBody'],
    ['a program of several lines', { reportingUA: 'a\r\nDisposition: x' }, 'reportingUA'],
    ['a program that is not US-ASCII', { reportingUA: 'Größe' }, 'reportingUA'],
    ['a recipient of several lines', { finalRecipient: 'rfc822; a@b.c\r\nX: y' }, 'finalRecipient'],
    ['an extension of several lines', { extensionFields: { 'X-A': 'a\r\nb' } }, 'extensionFields'],
    ['an extension with the name of another field', { extensionFields: { Disposition: 'a' } }, 'extensionFields'],
    ['an extension without a name', { extensionFields: { 'a\r\nb': 'a' } }, 'extensionFields'],
    ['what only the server sets', { originalMessageId: '<x@y>' }, 'originalMessageId'],
    ['another disposition', { disposition: { ...displayed, type: 'eaten' } }, 'disposition'],
    ['no Email', { forEmailId: null }, 'forEmailId'],
    ['a property of its own', { extension: {} }, 'extension'],
  ])('is refused with %s', async (_, mdn, property) => {
    const { server, refusal } = start();
    expect(await refusal(mdn)).toMatchObject({ type: 'invalidProperties', properties: [property] });
    expect(server.requests).toHaveLength(0);
  });

  test('whatever the message says, the receipt is one message to one address', async () => {
    const nasty = {
      Subject: '=?utf-8?q?a=0D=0ABcc=3A_x=40example=2Ecom?=',
      'Message-ID': '<a b"\\>',
      'Original-Recipient': 'rfc822; a (=?utf-8?q?=0D=0A?=)',
      'Disposition-Notification-To': '"x\\"\\, y" <bob@example.net>, <a@b>c>, =?utf-8?q?=0D=0A?= <"q q"@example.net>',
    };
    const { server, send } = start({ raws: [asking(nasty)] });
    await send({ includeOriginalMessage: true });
    const { headers, root } = sentIn(server);
    expect(headers.has('bcc')).toBe(false);
    expect(server.sent[0]?.to[0]).toBe('bob@example.net');
    expect(root.subParts).toHaveLength(3);
  });

  test('comes from an Identity of the user, with its name', async () => {
    const { server, ports, send } = start({ policy: { alsoFrom: ['sales@example.com'] } });
    const created = await callMethod(
      identity.methods.set,
      { create: { i: { name: 'Größe, Anna', email: 'sales@example.com' } } },
      ports,
    );
    const identityId = (created.created as { i: { id: string } }).i.id;
    await send({ finalRecipient: 'sales@example.com' }, { identityId });
    expect(sentIn(server).headers.get('from')).toContain('<sales@example.com>');
    expect(sentIn(server).receipt?.finalRecipient).toBe('rfc822; sales@example.com');
  });
});
