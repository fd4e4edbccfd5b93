import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { hostileKeywords, oddKeywords } from '../methods/Email/hostile-keywords.ts';
import type { TestServer, TestUser } from '../servers/servers.ts';
import { type Backend, backends, courierBackend, type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { type InterceptingProxy, type Moment, startInterceptingProxy } from './intercepting-proxy.ts';
import type { ChangesResponse, JmapClient } from './jmap-client.ts';

type Created = { readonly id: Id; readonly blobId: Id; readonly threadId: Id; readonly size: number };
type SetResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly created: { readonly [creationId: string]: Created } | null;
  readonly notCreated: { readonly [creationId: string]: JsonObject } | null;
};
type Mailboxes = ReadonlyMap<string, Id>;

const dovecotBackend = backends[0] as Backend;
const withoutCatenate: Backend = {
  ...{ ...dovecotBackend, title: 'Dovecot without CATENATE and UIDPLUS' },
  ignoreCapabilities: ['CATENATE', 'UIDPLUS'],
};

type BodyPart = { readonly partId: string; readonly blobId: string };

/** Waits until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20);
}

/** The date of which the answer says that it is not the one that was asked for. */
function receivedIn(created: Created & { readonly receivedAt?: string }) {
  return created.receivedAt === undefined ? {} : { receivedAt: created.receivedAt };
}

function partsOf(part: unknown): readonly BodyPart[] {
  return (part as { subParts: BodyPart[] }).subParts;
}

describe.each([...backends, courierBackend, withoutCatenate])('on $title', ({ start, ...backend }) => {
  let server: TestServer;
  let user: TestUser;
  let actor: ImapActor;
  let proxy: InterceptingProxy;
  let product: Product;
  let process: Process;
  let client: JmapClient;
  let mailboxes: Mailboxes;
  let prefix: string;
  beforeAll(async () => {
    server = await start();
    user = await server.freshUser();
    actor = await imapActor(server, user);
    prefix = backend.title === courierBackend.title ? 'INBOX.' : '';
    for (const name of ['One', 'Two', 'Käse & Brot']) await actor.create(`${prefix}${name}`);
    proxy = await startInterceptingProxy(server.imapPort);
    product = startProduct({ host: '127.0.0.1', imapPort: proxy.port }, backend);
    process = await product.startProcess();
    client = await process.client(user);
    const { list } = await client.get<{ id: Id; name: string }>('Mailbox', { ids: null });
    mailboxes = new Map(list.map(({ name, id }) => [name, id]));
  });
  afterAll(async () => {
    await product.stop();
    await proxy.stop();
    await actor.close();
  });

  const idOf = (name: string): Id => mailboxes.get(name) ?? ('none' as Id);
  const inMailboxes = (...names: string[]) => Object.fromEntries(names.map((name) => [idOf(name), true]));
  const create = (emails: { [creationId: string]: JsonObject }) =>
    client.one<SetResponse>('Email/set', { create: emails });
  /** How many messages with this subject another client sees in a mailbox. */
  const uidsWith = async (name: string, subject: string) => {
    const wanted = (await actor.uids(`${prefix}${name}`)).map((uid) => actor.source(`${prefix}${name}`, uid));
    return (await Promise.all(wanted)).filter((source) => source.includes(`Subject: ${subject}`)).length;
  };
  /** The one Email of a call, which has to be created. */
  const createdBy = ({ created, notCreated }: SetResponse): Created => {
    const [email] = Object.values(created ?? {});
    if (email === undefined) throw new Error(`Refused: ${JSON.stringify(notCreated)}`);
    return email;
  };
  const emailOf = async (id: Id, properties: string[]) => {
    const { list } = await client.get<JsonObject>('Email', { ids: [id], properties, fetchAllBodyValues: true });
    return list[0];
  };

  test('a date that the mail server keeps as another one is told', async () => {
    const receivedAt = '0001-01-01T00:00:00Z';
    const response = await create({ old: { mailboxIds: inMailboxes('One'), receivedAt } });
    // QUIRK(cyrus 3.6): it takes no such date.
    if (backend.title === 'Cyrus') {
      expect(response.notCreated?.old).toMatchObject({ type: 'forbidden' });
      return;
    }
    const created = createdBy(response);
    expect(await emailOf(created.id, ['receivedAt'])).toEqual({ id: created.id, receivedAt, ...receivedIn(created) });
    await client.one('Email/set', { destroy: [created.id] });
  });

  test('an Email is created with all that it is to have', async () => {
    const email = {
      mailboxIds: inMailboxes('One'),
      keywords: { $draft: true, $seen: true, custom: true },
      receivedAt: '2020-02-03T04:05:06Z',
      from: [{ name: 'Anna Öhm', email: 'anna@example.com' }],
      to: [{ name: null, email: 'robin@example.org' }],
      subject: 'Grüße aus Köln',
      textBody: [{ partId: 't', type: 'text/plain' }],
      bodyValues: { t: { value: 'Größe\n' } },
    };
    const response = await create({ k: email });
    const { oldState, newState } = response;
    const { id, blobId, threadId, size } = createdBy(response);
    expect(newState).not.toBe(oldState);
    const { textBody, bodyValues, ...plain } = email;
    const read = await emailOf(id, [...Object.keys(plain), 'id', 'blobId', 'threadId', 'size', 'bodyValues']);
    expect(read).toEqual({
      ...plain,
      id,
      blobId,
      threadId,
      size,
      bodyValues: { '1': { ...bodyValues.t, isEncodingProblem: false, isTruncated: false } },
    });
    const octets = Buffer.from(await (await client.download(blobId)).arrayBuffer());
    expect(octets.length).toBe(size);
    expect(await client.changes('Email', oldState)).toMatchObject({
      newState,
      created: [id],
      updated: [],
      destroyed: [],
    });
  });

  test('an Email in several mailboxes is one Email', async () => {
    const response = await create({
      k: { mailboxIds: inMailboxes('One', 'Two', 'Käse & Brot'), keywords: { $flagged: true }, subject: 'Three' },
    });
    const { oldState, newState } = response;
    const { id } = createdBy(response);
    expect(await emailOf(id, ['mailboxIds', 'keywords'])).toEqual({
      ...{ id, mailboxIds: inMailboxes('One', 'Two', 'Käse & Brot'), keywords: { $flagged: true } },
    });
    const changes: ChangesResponse = await client.changes('Email', oldState);
    expect(changes).toMatchObject({ newState, created: [id], updated: [], destroyed: [] });
  });

  test('everything that can be said of an Email is read again as it was said', async () => {
    // QUIRK(courier 5.0): it drops a CR that stands alone.
    const longLine = `${'x'.repeat(1_200)}${backend.title === courierBackend.title ? '' : '\r'}z`;
    const picture = await client.upload(Buffer.from('89504e470d0a1a0a', 'hex'));
    const inner = await client.upload(Buffer.from(`Subject: innér\n\nA medlar: mispel\n${longLine}\n`));
    const headers = {
      messageId: ['unique@example.com'],
      inReplyTo: ['a@example.com'],
      references: ['a@example.com', 'b@example.com'],
      sender: [{ name: 'Sender', email: 's@example.com' }],
      from: [{ name: 'Öhm, Anna', email: 'anna@example.com' }],
      to: [
        // QUIRK(cyrus 3.6): with `munge8bit`, its default, it puts an X for each such octet in a header.
        { name: 'Jürgen', email: backend.scheme === 'objectid' ? 'j@example.de' : 'jürgen@exämple.de' },
        { name: null, email: 'x@example.com' },
      ],
      cc: [{ name: '"quoted" \\ (c)', email: 'c@example.com' }],
      bcc: [{ name: null, email: 'hidden@example.com' }],
      replyTo: [{ name: 'R', email: 'r@example.com' }],
      subject: 'A long subject with Umläuten, 日本語 and 🎉, so long that it has to be folded somewhere',
      sentAt: '2014-10-30T14:12:00+08:00',
      'header:X-Text:asText': 'Überschrift',
      'header:X-Raw': ' raw\r\n\tand folded',
      'header:X-Many:asText:all': ['one', 'zwö'],
      'header:Resent-To:asGroupedAddresses': [
        { name: 'Team', addresses: [{ name: 'A', email: 'a@b.c' }] },
        { name: null, addresses: [{ name: null, email: 'd@e.f' }] },
      ],
      'header:List-Post:asURLs': ['mailto:list@example.com'],
      'header:Resent-Date:asDate': '2020-01-02T03:04:05Z',
    };
    // QUIRK(courier): its BODYSTRUCTURE ends before the language and the location.
    const tellsAll = backend.title !== courierBackend.title;
    const bodyStructure = {
      type: 'multipart/mixed',
      subParts: [
        {
          type: 'multipart/alternative',
          subParts: [
            { partId: 'a', type: 'text/plain' },
            { partId: 'b', type: 'text/html', ...(tellsAll ? { language: ['de'] } : {}) },
          ],
        },
        {
          ...{ blobId: picture, type: 'image/png', name: 'Größe „1“.png', disposition: 'inline' },
          ...{ cid: 'pic@example.com', ...(tellsAll ? { location: 'https://example.com/pic.png' } : {}) },
        },
        { blobId: inner, type: 'message/rfc822', disposition: 'attachment', name: 'inner.eml' },
      ],
    };
    const values = { a: { value: 'Größe\nFrom here on\n.\n' }, b: { value: `<p>${'long '.repeat(400)}</p>` } };
    const email = { ...headers, bodyStructure, bodyValues: values, mailboxIds: inMailboxes('One') };
    const { id } = createdBy(await create({ k: email }));
    const read = await emailOf(id, [...Object.keys(headers), 'bodyStructure', 'bodyValues']);
    expect(read).toMatchObject(headers);
    const { subParts: alternatives = [] } = bodyStructure.subParts[0] ?? {};
    const { blobId: _, ...pictureProperties } = { ...bodyStructure.subParts[1] } as JsonObject;
    expect(read?.bodyStructure).toMatchObject({
      type: 'multipart/mixed',
      subParts: [
        { type: 'multipart/alternative', subParts: alternatives.map(({ partId: __, ...rest }) => rest) },
        pictureProperties,
        { type: 'message/rfc822', disposition: 'attachment', name: 'inner.eml' },
      ],
    });
    const [texts, pictureRead, innerRead] = partsOf(read?.bodyStructure);
    const readValues = read?.bodyValues as { [partId: string]: { value: string } };
    expect(partsOf(texts).map(({ partId }) => readValues[partId]?.value)).toEqual([values.a.value, values.b.value]);
    const octetsOf = async (blobId: string) => Buffer.from(await (await client.download(blobId)).arrayBuffer());
    expect((await octetsOf(pictureRead?.blobId ?? '')).toString('hex')).toBe('89504e470d0a1a0a');
    // QUIRK(courier): the line break before a delimiter is to it part of an attached message.
    const innerText = (await octetsOf(innerRead?.blobId ?? '')).toString();
    expect(innerText.trimEnd()).toBe(`Subject: innér\r\n\r\nA medlar: mispel\r\n${longLine}`);
  });

  test('what is attached from other Emails is the same, and hardly goes over the wire', async () => {
    const large = Buffer.alloc(3_000_000);
    for (let at = 0; at < large.length; at++) large[at] = (at * 7919) % 251;
    const blobId = await client.upload(large);
    const attachments = [{ blobId, type: 'application/zip', name: 'a.zip' }];
    const original = createdBy(
      await create({ k: { mailboxIds: inMailboxes('Käse & Brot'), attachments, subject: 'large' } }),
    );
    const [attached] = ((await emailOf(original.id, ['attachments']))?.attachments ?? []) as [{ blobId: string }];

    const hasCatenate = backend.title !== withoutCatenate.title && backend.title !== courierBackend.title;
    const before = proxy.octets();
    const forwarded = createdBy(
      await create({
        k: {
          mailboxIds: inMailboxes('Two'),
          subject: 'Fwd',
          textBody: [{ partId: 't', type: 'text/plain' }],
          bodyValues: { t: { value: 'see below' } },
          attachments: [
            { blobId: attached.blobId, type: 'application/zip', name: 'b.zip' },
            { blobId: original.blobId, type: 'message/rfc822' },
          ],
        },
      }),
    );
    const after = proxy.octets();
    if (hasCatenate) {
      expect(after.sent - before.sent).toBeLessThan(20_000);
      expect(after.received - before.received).toBeLessThan(20_000);
    } else {
      expect(after.sent - before.sent).toBeGreaterThan(2 * large.length);
    }

    const parts = ((await emailOf(forwarded.id, ['attachments']))?.attachments ?? []) as { blobId: string }[];
    const octetsOf = async (part: string | undefined) =>
      Buffer.from(await (await client.download(part ?? '')).arrayBuffer());
    expect((await octetsOf(parts[0]?.blobId)).equals(large)).toBe(true);
    expect((await octetsOf(parts[1]?.blobId)).equals(await octetsOf(original.blobId))).toBe(true);
  });

  test('a draft is saved again with its attachment, in the mailbox in which the old one lies', async () => {
    const text = { partId: 't', type: 'text/plain' };
    const draft = (subject: string, blobId: string): JsonObject => ({
      ...{ mailboxIds: inMailboxes('One'), subject, textBody: [text], bodyValues: { t: { value: subject } } },
      attachments: [{ blobId, type: 'application/pdf', name: 'a.pdf' }],
    });
    const pdf = Buffer.from('%PDF-1.4 hello');
    const { id: old } = createdBy(await create({ k: draft('first', await client.upload(pdf)) }));
    const attachmentOf = async (id: Id): Promise<string> => {
      const [part] = ((await emailOf(id, ['attachments']))?.attachments ?? []) as BodyPart[];
      return part?.blobId ?? 'none';
    };
    const saved = await client.one<SetResponse & { destroyed: Id[] }>('Email/set', {
      create: { k: draft('second', await attachmentOf(old)) },
      destroy: [old],
    });
    const { id } = createdBy(saved);
    expect(saved.destroyed).toEqual([old]);
    const response = await client.download(await attachmentOf(id));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(pdf);
    await client.one('Email/set', { destroy: [id] });
  });

  test.each<[string, RegExp, Moment]>([
    ['before the message is announced', /^APPEND/, 'before'],
    ['in the midst of the message', /^fate/, 'before'],
    // The server says `+` before it takes the literal; what it says behind it is the answer.
    ['before the answer', /^APPEND/, 'half'],
    ['behind the answer', /^APPEND/, 'after'],
    ['when the copy is made', /^UID COPY/, 'before'],
    ['before the answer about the copy', /^UID COPY/, 'unanswered'],
  ])('a connection that ends %s leaves a message once or not at all', async (when, command, moment) => {
    const subject = `fate ${when}`;
    const bodyValues = { t: { value: 'x'.repeat(20_000) } };
    const textBody = [{ partId: 't', type: 'text/plain' }];
    const email = { mailboxIds: inMailboxes('One', 'Two'), subject, textBody, bodyValues };
    proxy.set({ command, nth: 1, moment, act: 'drop' });
    const response = await create({ k: email });
    expect(proxy.hasHappened()).toBe(true);
    proxy.set(null);
    product.advanceClock(10_000);
    const { ids } = await client.query('Email', { filter: { subject } });
    const [created] = Object.values(response.created ?? {});
    expect(ids).toEqual(created === undefined ? [] : [created.id]);
    if (created === undefined) expect(response.notCreated).toMatchObject({ k: { type: 'serverUnavailable' } });
    else expect(await emailOf(created.id, ['mailboxIds'])).toEqual({ id: created.id, mailboxIds: email.mailboxIds });
    const [one, two] = await Promise.all(['One', 'Two'].map((name) => uidsWith(name, subject)));
    expect([one, two]).toEqual(created === undefined ? [0, 0] : [1, 1]);
  });

  describe('a message that the mail server stores after the connection has ended', () => {
    const letterOf = (subject: string) => ({
      ...{ mailboxIds: inMailboxes('One'), subject, textBody: [{ partId: 't', type: 'text/plain' }] },
      bodyValues: { t: { value: 'Hello,\nthe rest comes later' } },
    });
    /** The server gets the end of the message, and with it the command, when `act` is done. */
    const holdBack = (act: () => Promise<void>) =>
      proxy.set({ command: /^rest comes later/, nth: 1, moment: 'late', act });

    test('is found if that is soon', async () => {
      const from = process.imap.commands.length;
      const looks = () => process.imap.commands.slice(from).filter((name) => name === 'EXAMINE').length;
      holdBack(() => until(() => looks() > 1));
      const { id } = createdBy(await create({ k: letterOf('soon') }));
      expect(await emailOf(id, ['subject'])).toEqual({ id, subject: 'soon' });
      expect(await uidsWith('One', 'soon')).toBe(1);
    });

    test('is refused, with the word that it may come, if that is later; and it comes as a change', async () => {
      let goOn = () => {};
      holdBack(() => new Promise((resolve) => (goOn = resolve)));
      const { notCreated, newState } = await create({ k: letterOf('later') });
      expect(notCreated).toMatchObject({
        k: { type: 'serverUnavailable', description: expect.stringMatching(/may still come/) },
      });
      goOn();
      await until(async () => (await uidsWith('One', 'later')) === 1);
      product.advanceClock(10_000);
      const { created } = await client.changes('Email', newState);
      expect(await Promise.all(created.map((id) => emailOf(id, ['subject'])))).toMatchObject([{ subject: 'later' }]);
    });
  });

  test('an import is the same message, with a date of its own', async () => {
    const octets = Buffer.from(
      'Received: from a by b; Tue, 3 Mar 2015 10:00:00 +0100\r\nReceived: from c by a; Mon, 2 Mar 2015 10:00:00 +0100\r\nMessage-ID: <imported@example.com>\r\nSubject: imported\r\n\r\nbody\r\n',
    );
    const blobId = await client.upload(octets);
    const first = { blobId, mailboxIds: inMailboxes('One'), keywords: { $seen: true } };
    const imported = await client.one<SetResponse>('Email/import', { emails: { k: first } });
    const { id, size } = createdBy(imported);
    expect(size).toBe(octets.length);
    expect(await emailOf(id, ['receivedAt', 'keywords', 'mailboxIds', 'subject', 'messageId'])).toEqual({
      ...{ id, receivedAt: '2015-03-03T09:00:00Z', keywords: { $seen: true }, mailboxIds: inMailboxes('One') },
      ...{ subject: 'imported', messageId: ['imported@example.com'] },
    });
    const again = { blobId, mailboxIds: inMailboxes('Two') };
    const { created, notCreated } = await client.one<SetResponse>('Email/import', { emails: { k: again } });
    // Where the id is the content's, it is the same Email.
    if (backend.scheme === 'xguid') expect(created?.k?.id).not.toBe(id);
    else expect(notCreated).toEqual({ k: { type: 'alreadyExists', existingId: id } });
    expect(await emailOf(id, ['mailboxIds'])).toEqual({ id, mailboxIds: inMailboxes('One') });
  });

  test('what is no keyword is refused before anything is sent, in what is created and in what is imported', async () => {
    const blobId = await client.upload(Buffer.from('Subject: hostile\r\n\r\nbody\r\n'));
    const each = (email: JsonObject) => {
      const emails = hostileKeywords.map((word) => ({
        ...email,
        mailboxIds: inMailboxes('One'),
        keywords: { $seen: true, [word]: true },
      }));
      return Object.fromEntries(emails.map((one, n) => [`k${n}`, one]));
    };
    process.imap.commands.length = 0;
    const calls = [
      await create(each({ subject: 'hostile' })),
      await client.one<SetResponse>('Email/import', { emails: each({ blobId }) }),
    ];
    for (const { created, notCreated } of calls) {
      expect(created).toBe(null);
      const refusals = Object.values(notCreated ?? {}).map(({ type, properties }) => [type, properties]);
      expect(refusals).toEqual(hostileKeywords.map(() => ['invalidProperties', ['keywords']]));
    }
    expect(process.imap.commands.filter((name) => /APPEND|STORE|COPY|MOVE|EXPUNGE/.test(name))).toEqual([]);
    expect(await uidsWith('One', 'hostile')).toBe(0);
  });

  test('whatever may be in a keyword is kept as it was given', async () => {
    // QUIRK(courier 5.0): it refuses some of these characters.
    const given = backend.title === courierBackend.title ? ['$', '$x'] : oddKeywords;
    const keywords = Object.fromEntries(given.map((word) => [word, true]));
    const mailboxIds = inMailboxes('One', 'Two');
    const { id } = createdBy(await create({ k: { subject: 'odd', mailboxIds, keywords } }));
    expect(await emailOf(id, ['keywords', 'mailboxIds'])).toEqual({ id, keywords, mailboxIds });
  });

  test('a draft is sent for by its creation id, and changed in the same call', async () => {
    const answers = await client.call([
      [
        'Email/set',
        {
          accountId: client.accountId,
          create: { k: { mailboxIds: inMailboxes('One'), subject: 'draft', keywords: { $draft: true } } },
          update: { '#k': { 'keywords/$seen': true } },
        },
        'a',
      ],
      ['Email/get', { accountId: client.accountId, ids: ['#k'], properties: ['keywords'] }, 'b'],
    ]);
    const response = answers[0]?.[1] as SetResponse & { updated: JsonObject };
    const { id } = createdBy(response);
    expect(response.updated).toEqual({ [id]: null });
    expect(await emailOf(id, ['keywords'])).toEqual({ id, keywords: { $draft: true, $seen: true } });
    const changes = await client.changes('Email', response.oldState);
    expect(changes).toMatchObject({ newState: response.newState, created: [id], updated: [], destroyed: [] });
  });
});
