import { describe, expect, test } from '@jest/globals';
import type { Email } from '../../../shared/catalog/email.ts';
import { TooMuchAtOnce } from '../../../shared/catalog/source.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import type { Part } from '../../../shared/message/part.ts';
import { bodyOctetsMax } from '../../../shared/methods/Email/body-values.ts';
import { email as emailDataType } from '../../../shared/methods/Email/index.ts';
import type { EmailPorts } from '../../../shared/methods/Email/record.ts';
import { inMemoryView } from '../../catalog/query/in-memory-view.ts';
import { contextFor } from '../context.ts';
import { inMemoryMail } from '../in-memory-mail.ts';

const plain = `From: "J. Doe" <j@example.org>
To: Team: a@example.org, b@example.org;
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Mon, 2 Nov 2026 10:11:12 +0100
Message-ID: <1@example.org>
X-Tag: one
X-Tag: two

Hello there.
How are you?
`;

const rich = `From: a@example.org
Subject: rich
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

caf=C3=A9 au lait
--a
Content-Type: text/html
X-Note: html

<p>caf&eacute; <b>au lait</b></p>
--a--
--m
Content-Type: application/pdf; name=bill.pdf
Content-Disposition: attachment; filename=bill.pdf
Content-Transfer-Encoding: base64

aGVsbG8=
--m--
`;

const id = (text: string) => text as Id;

function emailAt(uid: number, given: Partial<Email> = {}): Email {
  return {
    id: id(`e${uid}`),
    threadId: id('t1'),
    receivedAt: 1_790_000_000,
    size: 321,
    hasAttachment: null,
    rows: [{ mailbox: 1, uid, keywords: ['$seen'], deleted: false }],
    ...given,
  };
}

function account(raws: readonly (string | null)[], emails: readonly Email[], previews: Record<number, string> = {}) {
  const mailboxes = [1, 2].map((key) => ({ key, id: id(`m${key}`) }));
  const mail = inMemoryMail({ 'mailbox 1': raws, 'mailbox 2': raws }, { previews });
  const views: string[] = [];
  const view = inMemoryView({ mailboxes, emails });
  const ports: EmailPorts = {
    catalog: {
      view: async (freshness) => {
        views.push(freshness);
        return view;
      },
      remember: async () => undefined,
    },
    messages: mail,
    search: { search: async () => null, sort: async () => null },
  };
  const get = async (args: JsonObject) => {
    const answer = await emailDataType.methods.get.run({ accountId: 'a', ...args }, ports, contextFor(ports));
    return answer.ok ? answer.value.response : { error: answer.error };
  };
  const one = async (args: JsonObject) => ((await get(args)) as { list: JsonObject[] }).list[0];
  return { get, one, ports, asked: mail.asked, views };
}

describe('Email/get (RFC 8621 §4.2)', () => {
  test('metadata comes from the catalog and asks nothing of the server', async () => {
    const { one, asked } = account([plain], [emailAt(1)]);
    const properties = ['blobId', 'threadId', 'mailboxIds', 'keywords', 'size', 'receivedAt'];
    expect(await one({ ids: ['e1'], properties })).toEqual({
      id: 'e1',
      blobId: 'e1',
      threadId: 't1',
      mailboxIds: { m1: true },
      keywords: { $seen: true },
      size: 321,
      receivedAt: '2026-09-21T14:13:20Z',
    });
    expect(asked.reads).toEqual([]);
  });

  test('only the header fields that the properties need are asked for', async () => {
    const { one, asked } = account([plain], [emailAt(1)]);
    expect(await one({ ids: ['e1'], properties: ['subject', 'from', 'header:x-TAG:asText:all'] })).toEqual({
      id: 'e1',
      subject: 'Grüße',
      from: [{ name: 'J. Doe', email: 'j@example.org' }],
      'header:x-TAG:asText:all': ['one', 'two'],
    });
    expect(asked.reads.map(({ needs }) => needs)).toEqual([
      { headers: ['subject', 'from', 'x-tag'], structure: false, preview: false },
    ]);
    expect(asked.sections).toEqual([]);
  });

  const forms: [string, unknown][] = [
    [
      'to',
      [
        { name: null, email: 'a@example.org' },
        { name: null, email: 'b@example.org' },
      ],
    ],
    [
      'header:To:asGroupedAddresses',
      [
        {
          name: 'Team',
          addresses: [
            { name: null, email: 'a@example.org' },
            { name: null, email: 'b@example.org' },
          ],
        },
      ],
    ],
    ['sentAt', '2026-11-02T10:11:12+01:00'],
    ['messageId', ['1@example.org']],
    ['inReplyTo', null],
    ['header:X-Tag', ' two'],
    ['header:X-None', null],
    ['header:X-None:all', []],
  ];
  test.each(forms)('%s has its form', async (property, value) => {
    const { one } = account([plain], [emailAt(1)]);
    expect(await one({ ids: ['e1'], properties: [property] })).toEqual({ id: 'e1', [property]: value });
  });

  test('headers are all fields in raw form and in order', async () => {
    const { one } = account([plain], [emailAt(1)]);
    const shown = (await one({ ids: ['e1'], properties: ['headers'] })) as { headers: { name: string }[] };
    expect(shown.headers.map(({ name }) => name)).toEqual([
      'From',
      'To',
      'Subject',
      'Date',
      'Message-ID',
      'X-Tag',
      'X-Tag',
    ]);
    expect(shown.headers.at(-1)).toEqual({ name: 'X-Tag', value: ' two' });
  });

  test('the body is told as structure and as lists, each part with its blob', async () => {
    const { one } = account([rich], [emailAt(1)]);
    const bodyProperties = ['partId', 'blobId', 'type', 'name'];
    const text = { partId: '1.1', blobId: 'e1-1_1', type: 'text/plain', name: null };
    const html = { partId: '1.2', blobId: 'e1-1_2', type: 'text/html', name: null };
    const pdf = { partId: '2', blobId: 'e1-2', type: 'application/pdf', name: 'bill.pdf' };
    const properties = ['bodyStructure', 'textBody', 'htmlBody', 'attachments', 'hasAttachment'];
    expect(await one({ ids: ['e1'], properties, bodyProperties })).toEqual({
      id: 'e1',
      textBody: [text],
      htmlBody: [html],
      attachments: [pdf],
      hasAttachment: true,
      bodyStructure: {
        partId: null,
        blobId: null,
        type: 'multipart/mixed',
        name: null,
        subParts: [
          { partId: null, blobId: null, type: 'multipart/alternative', name: null, subParts: [text, html] },
          pdf,
        ],
      },
    });
  });

  test('header fields of body parts are read only when asked for', async () => {
    const { one, asked } = account([rich], [emailAt(1)]);
    const shown = await one({
      ids: ['e1'],
      properties: ['htmlBody'],
      bodyProperties: ['partId', 'header:X-Note:asText', 'headers'],
    });
    expect(shown?.htmlBody).toEqual([
      {
        partId: '1.2',
        'header:X-Note:asText': 'html',
        headers: [
          { name: 'Content-Type', value: ' text/html' },
          { name: 'X-Note', value: ' html' },
        ],
      },
    ]);
    expect(asked.sections.length).toBeGreaterThan(0);
  });

  describe('the size of a part is what a download of it has', () => {
    const inLines = (octets: number, length = 76) =>
      (
        Buffer.alloc(octets, 'x')
          .toString('base64')
          .match(new RegExp(`.{1,${length}}`, 'g')) ?? []
      ).join('\n');
    const part = (encoding: string, body: string, type = 'application/pdf') =>
      `--m\nContent-Type: ${type}\nContent-Disposition: attachment\nContent-Transfer-Encoding: ${encoding}\n\n${body}\n`;
    const mixed = (...parts: string[]) =>
      `From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n${parts.join('')}--m--\n`;
    const sizesOf = (parts: unknown) => (parts as { size: number }[]).map(({ size }) => size);

    test('of a large one only the end is read, unless its lines differ', async () => {
      const uneven = `${inLines(3_000)}\n${inLines(57)}`;
      const raw = mixed(part('base64', inLines(100_001)), part('base64', uneven), part('7bit', 'x'.repeat(500)));
      const { one, asked } = account([raw], [emailAt(1)]);
      const shown = await one({ ids: ['e1'], properties: ['attachments'], bodyProperties: ['size'] });
      expect(sizesOf(shown?.attachments)).toEqual([100_001, 3_057, 500]);
      expect(asked.sections.map(({ section, from, maxOctets }) => [section, from !== undefined, maxOctets])).toEqual([
        ['1', true, 2_048],
        ['2', true, 2_048],
        ['2', false, undefined],
      ]);
    });

    test('of a text the whole body is read, once with its value', async () => {
      const { one, asked } = account([rich], [emailAt(1)]);
      const shown = await one({
        ids: ['e1'],
        properties: ['textBody', 'attachments', 'bodyValues'],
        bodyProperties: ['size'],
        fetchTextBodyValues: true,
      });
      expect([sizesOf(shown?.textBody), sizesOf(shown?.attachments)]).toEqual([[13], [5]]);
      expect(shown?.bodyValues).toMatchObject({ '1.1': { value: 'caf\u00e9 au lait' } });
      expect(asked.sections.map(({ section }) => section)).toEqual(['1.1', '2']);
    });

    test('of parts that are not shown, or are shown without it, nothing is read', async () => {
      const { one, asked } = account([rich], [emailAt(1)]);
      await one({ ids: ['e1'], properties: ['bodyStructure', 'textBody'], bodyProperties: ['partId'] });
      expect(asked.sections).toEqual([]);
      await one({ ids: ['e1'], properties: ['htmlBody'], bodyProperties: ['size'] });
      expect(asked.sections).toEqual([]);
    });

    test('of what is too large to be read for it, and whose end does not tell, it is an estimate', async () => {
      const long = 'x'.repeat(4_200_000);
      const { one, asked } = account([mixed(part('quoted-printable', long), part('base64', long))], [emailAt(1)]);
      const shown = await one({ ids: ['e1'], properties: ['attachments'], bodyProperties: ['size'] });
      expect(sizesOf(shown?.attachments)[0]).toBe(4_200_000);
      expect(asked.sections.map(({ section, maxOctets }) => [section, maxOctets])).toEqual([['2', 2_048]]);
    });

    const text = `${'=41'.repeat(25)}=\n`.repeat(13_000);
    const many = Array.from({ length: 20 }, () => mixed(part('quoted-printable', text, 'text/plain')));
    const manyAt = many.map((_, index) => emailAt(index + 1));

    test('many are read a few megabytes at a time', async () => {
      const { get, ports } = account(many, manyAt);
      const { readSections } = ports.messages;
      const flights: number[] = [];
      const counted: typeof readSections = (requests) => {
        flights.push(requests.length);
        return readSections(requests);
      };
      Object.assign(ports.messages, { readSections: counted });
      const { list } = (await get({ ids: null, properties: ['attachments'], bodyProperties: ['size'] })) as {
        list: { attachments: unknown }[];
      };
      expect(list).toHaveLength(20);
      for (const { attachments } of list) expect(sizesOf(attachments)).toEqual([325_000]);
      expect(flights).toEqual([8, 8, 4]);
    });

    test('what is read for its value is not read again, however many there are', async () => {
      const { get, asked } = account(many, manyAt);
      const { list } = (await get({
        ids: null,
        properties: ['attachments', 'bodyValues'],
        bodyProperties: ['size'],
        fetchAllBodyValues: true,
      })) as { list: { attachments: unknown }[] };
      for (const { attachments } of list) expect(sizesOf(attachments)).toEqual([325_000]);
      expect(asked.sections).toHaveLength(20);
    });

    test('a value that is too long is cut off and says so, and the size is that of all', async () => {
      const { one, ports } = account([mixed(part('base64', inLines(3_000), 'text/plain'))], [emailAt(1)]);
      const lines = 600_000;
      const encodedSize = lines * 78 - 2;
      const { read } = ports.messages;
      const large = (structure: Part): Part => ({
        ...structure,
        subParts: structure.subParts.map((each) => ({ ...each, encodedSize })),
      });
      const end = Buffer.from(inLines(57 * 30).replaceAll('\n', '\r\n')).subarray(-2_048);
      Object.assign(ports.messages, {
        read: async (...args: Parameters<typeof read>) => {
          const facts = await read(...args);
          return new Map(
            [...facts].map(([place, { structure, ...more }]) => [
              place,
              structure ? { ...more, structure: large(structure) } : more,
            ]),
          );
        },
        // No server tells more than so much of a section.
        readSections: async (requests: readonly { from?: number }[]) =>
          new Map(requests.map((request) => [request, request.from ? end : Buffer.alloc(bodyOctetsMax, 'eHh4')])),
      });
      const shown = await one({
        ids: ['e1'],
        properties: ['attachments', 'bodyValues'],
        bodyProperties: ['size'],
        fetchAllBodyValues: true,
      });
      expect(sizesOf(shown?.attachments)).toEqual([lines * 57]);
      expect(shown?.bodyValues).toMatchObject({ '1': { isTruncated: true } });
    });
  });

  const values: [JsonObject, unknown][] = [
    [{}, {}],
    [{ fetchTextBodyValues: true }, { '1.1': 'café au lait' }],
    [{ fetchHTMLBodyValues: true }, { '1.2': '<p>caf&eacute; <b>au lait</b></p>' }],
    [{ fetchAllBodyValues: true }, { '1.1': 'café au lait', '1.2': '<p>caf&eacute; <b>au lait</b></p>' }],
    [{ fetchTextBodyValues: true, maxBodyValueBytes: 4 }, { '1.1': 'caf' }],
  ];
  test.each(values)('bodyValues with %j hold the asked text parts', async (args, expected) => {
    const { one } = account([rich], [emailAt(1)]);
    const shown = (await one({ ids: ['e1'], properties: ['bodyValues'], ...args })) as {
      bodyValues: Record<string, { value: string; isTruncated: boolean; isEncodingProblem: boolean }>;
    };
    const texts = Object.entries(shown.bodyValues).map(([partId, { value }]) => [partId, value]);
    expect(Object.fromEntries(texts)).toEqual(expected);
    for (const value of Object.values(shown.bodyValues)) {
      expect(value).toMatchObject({ isEncodingProblem: false, isTruncated: 'maxBodyValueBytes' in args });
    }
  });

  test('the preview is the server’s where it has one, and is made from the text otherwise', async () => {
    const { get } = account([plain, rich], [emailAt(1), emailAt(2)], { 2: 'from the server' });
    expect(await get({ ids: ['e1', 'e2'], properties: ['preview'] })).toMatchObject({
      list: [
        { id: 'e1', preview: 'Hello there. How are you?' },
        { id: 'e2', preview: 'from the server' },
      ],
    });
  });

  test('a remembered hasAttachment asks nothing', async () => {
    const { one, asked } = account([rich], [emailAt(1, { hasAttachment: true })]);
    expect(await one({ ids: ['e1'], properties: ['hasAttachment'] })).toEqual({ id: 'e1', hasAttachment: true });
    expect(asked.reads).toEqual([]);
  });

  test('an Email in two mailboxes is read once, where the others are', async () => {
    const rows = [1, 2].map((mailbox) => ({ mailbox, uid: 1, keywords: [], deleted: false }));
    const other = emailAt(2, { rows: [{ mailbox: 2, uid: 2, keywords: [], deleted: false }] });
    const { get, asked } = account([plain, rich], [emailAt(1, { rows }), other]);
    await get({ ids: ['e1', 'e2'], properties: ['subject', 'mailboxIds'] });
    expect(asked.reads.flatMap(({ places }) => places.map(({ mailbox }) => mailbox))).toEqual([
      'mailbox 2',
      'mailbox 2',
    ]);
  });

  test('ids that name nothing, and Emails that are flagged \\Deleted everywhere, are notFound', async () => {
    const deleted = emailAt(2, { rows: [{ mailbox: 1, uid: 2, keywords: [], deleted: true }] });
    const { get } = account([plain, plain], [emailAt(1), deleted]);
    expect(await get({ ids: ['e1', 'e2', 'e3'], properties: ['id'] })).toMatchObject({
      list: [{ id: 'e1' }],
      notFound: ['e2', 'e3'],
    });
  });

  test('a message that is not at its place makes the catalog look again before it is notFound', async () => {
    const { get, views } = account([null, plain], [emailAt(1), emailAt(2)]);
    expect(await get({ ids: ['e1', 'e2'], properties: ['subject'] })).toMatchObject({
      list: [{ id: 'e2' }],
      notFound: ['e1'],
    });
    expect(views).toEqual(['recent', 'now']);
  });

  test('what was read is not read again when the catalog has to look again', async () => {
    const { get, asked } = account([null, plain], [emailAt(1), emailAt(2)]);
    await get({ ids: ['e1', 'e2'], properties: ['subject'] });
    expect(asked.reads.map(({ places }) => places.map(({ uid }) => uid))).toEqual([[1, 2], [1]]);
  });

  test('headers and structures that would fill the memory are requestTooLarge', async () => {
    const { get, ports } = account([plain], [emailAt(1)]);
    const read = async () => {
      throw new TooMuchAtOnce('too much');
    };
    Object.assign(ports, { messages: { ...ports.messages, read } });
    expect(await get({ ids: ['e1'], properties: ['headers'] })).toMatchObject({ error: { type: 'requestTooLarge' } });
  });

  test('body values that would fill the memory are requestTooLarge before they are read', async () => {
    const { get, ports, asked } = account([plain, plain], [emailAt(1), emailAt(2)]);
    const { read } = ports.messages;
    const large = {
      ...ports.messages,
      read: async (...[places, needs]: Parameters<typeof read>) => {
        const facts = [...(await read(places, needs))].map(([place, { structure, ...others }]) => {
          return [
            place,
            { ...others, ...(structure && { structure: { ...structure, encodedSize: bodyOctetsMax } }) },
          ] as const;
        });
        return new Map(facts);
      },
    };
    Object.assign(ports, { messages: large });
    const args = { properties: ['bodyValues'], fetchAllBodyValues: true };
    expect(await get({ ids: ['e1', 'e2'], ...args })).toMatchObject({ error: { type: 'requestTooLarge' } });
    expect(asked.sections).toEqual([]);
    expect(await get({ ids: ['e1', 'e2'], ...args, maxBodyValueBytes: 100 })).toMatchObject({ list: [{}, {}] });
    expect(await get({ ids: ['e1'], ...args })).toMatchObject({ list: [{}] });
  });

  test('ids: [] asks for the state and nothing else', async () => {
    const { get, asked, views } = account([plain], [emailAt(1)]);
    expect(await get({ ids: [] })).toEqual({ accountId: 'a', state: 'epoch-1', list: [], notFound: [] });
    expect({ reads: asked.reads, views }).toEqual({ reads: [], views: ['recent'] });
  });

  test('ids: null gives every Email', async () => {
    const { get } = account([plain, rich], [emailAt(1), emailAt(2)]);
    expect(await get({ ids: null, properties: ['id'] })).toMatchObject({ list: [{ id: 'e1' }, { id: 'e2' }] });
  });

  const refused: [string, JsonObject][] = [
    ['an unknown property', { ids: [], properties: ['colour'] }],
    ['a form that the field does not have', { ids: [], properties: ['header:From:asDate'] }],
    ['an unknown body property', { ids: ['e1'], bodyProperties: ['colour'] }],
    ['a negative maxBodyValueBytes', { ids: ['e1'], maxBodyValueBytes: -1 }],
    ['an unknown argument', { ids: ['e1'], colour: 'red' }],
  ];
  test.each(refused)('%s is invalidArguments', async (_, args) => {
    const { get } = account([plain], [emailAt(1)]);
    expect(await get(args)).toMatchObject({ error: { type: 'invalidArguments' } });
  });

  test('more ids than maxObjectsInGet are requestTooLarge, with ids: null too', async () => {
    const emails = Array.from({ length: 501 }, (_, index) => emailAt(index + 1));
    const { get } = account([], emails);
    const ids = emails.map((each) => each.id);
    expect(await get({ ids, properties: ['id'] })).toMatchObject({ error: { type: 'requestTooLarge' } });
    expect(await get({ ids: null, properties: ['id'] })).toMatchObject({ error: { type: 'requestTooLarge' } });
  });
});
