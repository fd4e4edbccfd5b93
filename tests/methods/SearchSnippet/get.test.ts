import { describe, expect, test } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { searchSnippet } from '../../../shared/methods/SearchSnippet/index.ts';
import { callMethod, mailAccount } from '../mail-account.ts';

const plain = `From: alice@example.org
Subject: =?utf-8?q?Caf=C3=A9_&_Bar?=
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

We meet in the caf=
=C3=A9 <downstairs> at
nine.
`;

const both = `Subject: Both
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

Only text says kiwi.
--a
Content-Type: text/html

<style>p { color: plum }</style><p title="hidden">Only <b>HTML</b> says man<i>go</i> &amp; kiwi.</p>
--a--
`;

const attached = `Subject: Attached
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/plain

The letter.
--m
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment

A banana.
--m--
`;

const japanese = `Subject: =?iso-2022-jp?B?GyRCMnE1RBsoQg==?=
Content-Type: text/plain; charset=iso-2022-jp

\x1b$B2q5D\x1b(B
`;

async function snippets(raws: readonly (string | null)[], args: JsonObject) {
  const account = mailAccount(raws);
  return { response: await callMethod(searchSnippet.methods.get, args, account.ports), ...account };
}

async function snippetOf(raw: string, filter: JsonValue) {
  const { response } = await snippets([raw], { emailIds: ['e1'], filter });
  const [{ emailId: _, ...snippet }] = response.list as [JsonObject];
  return snippet;
}

describe('SearchSnippet/get (RFC 8621 §5.1)', () => {
  const inCafe = 'We meet in the <mark>café</mark> &lt;downstairs&gt; at nine.';
  const shown: [string, string, JsonValue, string | null, string | null][] = [
    ['text: subject and body', plain, { text: 'café' }, '<mark>Café</mark> &amp; Bar', inCafe],
    [
      'text: only where it is',
      plain,
      { text: 'downstairs' },
      null,
      inCafe.replace(/<.?mark>/g, '').replace('downstairs', '<mark>downstairs</mark>'),
    ],
    ['subject: not the body', plain, { subject: 'café' }, '<mark>Café</mark> &amp; Bar', null],
    ['body: not the subject', plain, { body: 'café' }, null, inCafe],
    ['header: the subject too', plain, { header: ['SUBJECT', 'bar'] }, 'Café &amp; <mark>Bar</mark>', null],
    ['header: no other field', plain, { header: ['From', 'bar'] }, null, null],
    ['header: that it is there matches nothing in it', plain, { header: ['Subject'] }, null, null],
    ['from: neither', plain, { from: 'alice' }, null, null],
    [
      'words are looked for one by one',
      plain,
      { text: 'bar café' },
      '<mark>Café</mark> &amp; <mark>Bar</mark>',
      inCafe,
    ],
    [
      'a phrase as a whole, across lines',
      plain,
      { body: '"at nine"' },
      null,
      'We meet in the café &lt;downstairs&gt; <mark>at nine</mark>.',
    ],
    ['a phrase not in pieces', plain, { text: '"nine at"' }, null, null],
    ['a star at the end of a word', plain, { subject: 'caf*' }, '<mark>Caf</mark>é &amp; Bar', null],
    [
      'any of several',
      plain,
      { operator: 'OR', conditions: [{ subject: 'bar' }, { body: 'none' }] },
      'Café &amp; <mark>Bar</mark>',
      null,
    ],
    ['not what must not be', plain, { operator: 'NOT', conditions: [{ text: 'café' }] }, null, null],
    [
      'what must not not be',
      plain,
      { operator: 'NOT', conditions: [{ operator: 'NOT', conditions: [{ subject: 'bar' }] }] },
      'Café &amp; <mark>Bar</mark>',
      null,
    ],
    ['conditions on other things', plain, { hasKeyword: '$seen', inMailbox: 'm9' }, null, null],
    ['no filter', plain, null, null, null],
    ['plain text before HTML', both, { body: 'kiwi' }, null, 'Only text says <mark>kiwi</mark>.'],
    [
      'HTML where plain text has nothing',
      both,
      { body: 'mango' },
      null,
      'Only HTML says <mark>mango</mark> &amp; kiwi.',
    ],
    ['not what HTML hides', both, { body: 'hidden' }, null, null],
    ['not style sheets', both, { body: 'plum' }, null, null],
    ['not attachments', attached, { text: 'banana' }, null, null],
    ['decoded text', japanese, { text: '会議' }, '<mark>会議</mark>', '<mark>会議</mark>'],
  ];
  test.each(shown)('%s', async (_, raw, filter, subject, preview) => {
    expect(await snippetOf(raw, filter)).toEqual({ subject, preview });
  });

  test('a match far into a long text is found, and shown in at most 255 octets', async () => {
    const raw = `Subject: long\n\n${'word '.repeat(20_000)}needle ${'word '.repeat(20_000)}\n`;
    const { preview } = await snippetOf(raw, { body: 'needle' });
    expect(preview).toMatch(/^…word .* <mark>needle<\/mark> word.*…$/);
    expect(Buffer.byteLength(preview as string)).toBeLessThanOrEqual(255);
  });

  test('nothing is asked of the mail server where nothing can match', async () => {
    const { asked } = await snippets([plain], { emailIds: ['e1'], filter: { from: 'alice' } });
    expect(asked.reads).toEqual([]);
  });

  test('only the subject is read where only it can match, and HTML only where it is needed', async () => {
    const subject = await snippets([both], { emailIds: ['e1'], filter: { subject: 'both' } });
    expect(subject.asked.reads.map(({ needs }) => needs)).toEqual([
      { headers: ['subject'], structure: false, preview: false },
    ]);
    const body = await snippets([both], { emailIds: ['e1'], filter: { body: 'kiwi' } });
    expect(body.asked.sections.map(({ section }) => section)).toEqual(['1']);
  });

  test('every Email is told of once, and which ids there are none of', async () => {
    const { response, views } = await snippets([plain, null, both], {
      emailIds: ['e3', 'e1', 'e9', 'e3', 'e2'],
      filter: { subject: 'both' },
    });
    expect(response).toEqual({
      accountId: 'a',
      list: [
        { emailId: 'e3', subject: '<mark>Both</mark>', preview: null },
        { emailId: 'e1', subject: null, preview: null },
      ],
      notFound: ['e9', 'e2'],
    });
    expect(views).toEqual(['recent', 'now']);
  });

  test('notFound is null when all are there', async () => {
    const { response } = await snippets([plain], { emailIds: ['e1'], filter: null });
    expect(response.notFound).toBeNull();
  });

  const refused: [string, string, JsonObject][] = [
    ['unsupportedFilter', 'a condition that Email/query does not know', { filter: { colour: 'red' } }],
    ['invalidArguments', 'a condition of the wrong type', { filter: { subject: 5 } }],
    ['invalidArguments', 'no emailIds', { emailIds: null }],
    ['requestTooLarge', 'too many Emails', { emailIds: Array.from({ length: 501 }, (_, index) => `e${index}`) }],
  ];
  test.each(refused)('%s: %s', async (type, _, args) => {
    const { response } = await snippets([plain], { emailIds: ['e1'], filter: null, ...args });
    expect(response).toMatchObject({ error: { type } });
  });
});
