import { describe, expect, test } from '@jest/globals';
import type { TextCondition, TextQuestion } from '../../../shared/methods/Email/mail.ts';
import { matchTexts } from '../../../shared/methods/Email/match-texts.ts';
import { inMemoryMail } from '../in-memory-mail.ts';

const letter = Buffer.from(`From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>
To: "Bob" <bob@example.org>
Cc: cyd@example.org
Bcc: dan@example.org
Subject: =?iso-2022-jp?B?GyRCMnE1RBsoQg==?=
X-Tag: first
X-Tag: =?utf-8?q?zweit=C3=A4?=
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

We meet in the caf=
=C3=A9, at
nine.
--a
Content-Type: text/html

<p title="secret">Only <b>HTML</b> says man<i>go</i>.</p>
--a--
--m
Content-Type: text/csv; charset=utf-8
Content-Disposition: attachment; filename=list.csv

Größe,5
--m
Content-Type: application/octet-stream

binary
--m--
`).toString('latin1');

const place = { mailbox: 'INBOX', uidValidity: 1, uid: 1 };

async function answers(...questions: TextQuestion[]) {
  const mail = inMemoryMail({ INBOX: [letter] });
  const found = await matchTexts([place, { ...place, uid: 2 }], questions, mail);
  return { answers: [...found].map(([where, each]) => [where.uid, each]), asked: mail.asked };
}

describe('a condition', () => {
  const found: TextCondition[] = [
    { kind: 'from', value: 'zoë' },
    { kind: 'from', value: 'zoe@EXAMPLE' },
    { kind: 'to', value: 'bob' },
    { kind: 'cc', value: 'cyd' },
    { kind: 'bcc', value: 'dan' },
    { kind: 'subject', value: '会議' },
    { kind: 'header', name: 'x-tag', value: null },
    { kind: 'header', name: 'X-TAG', value: 'first' },
    { kind: 'header', name: 'X-Tag', value: 'ZWEITÄ' },
    { kind: 'body', value: 'café, at nine' },
    { kind: 'body', value: 'mango' },
    { kind: 'body', value: 'größe' },
    ...['zoë', 'bob', 'cyd', 'dan', '会議', 'café', 'mango', 'größe'].map((value) => ({
      kind: 'text' as const,
      value,
    })),
  ];
  test.each(found)('holds: %j', async (condition) => {
    expect((await answers({ condition: [condition] })).answers).toEqual([[1, [true]]]);
  });

  const missed: TextCondition[] = [
    { kind: 'from', value: 'bob' },
    { kind: 'subject', value: 'café' },
    { kind: 'header', name: 'X-Other', value: null },
    { kind: 'header', name: 'X-Tag', value: 'zoë' },
    { kind: 'body', value: 'zoë' },
    { kind: 'body', value: 'secret' },
    { kind: 'body', value: 'binary' },
    { kind: 'text', value: 'first' },
  ];
  test.each(missed)('does not hold: %j', async (condition) => {
    expect((await answers({ condition: [condition] })).answers).toEqual([[1, [false]]]);
  });
});

const from: TextQuestion = { condition: [{ kind: 'from', value: 'zoë' }] };
const body: TextQuestion = { condition: [{ kind: 'body', value: 'café' }] };
const other: TextQuestion = { condition: [{ kind: 'body', value: 'tea' }] };

test('conditions go together as their operators say, and each question has its answer', async () => {
  const both: TextQuestion = { operator: 'AND', conditions: [from, body] };
  const neither: TextQuestion = { operator: 'NOT', conditions: [other, { operator: 'NOT', conditions: [body] }] };
  const all = await answers(from, both, { operator: 'AND', conditions: [both, other] }, neither, other);
  expect(all.answers).toEqual([[1, [true, true, false, true, false]]]);
});

test('bodies are read only where the header decides nothing', async () => {
  const { asked } = await answers(
    { operator: 'OR', conditions: [from, body] },
    { operator: 'NOT', conditions: [from] },
  );
  expect(asked.sections).toEqual([]);
  const more = await answers({ operator: 'AND', conditions: [from, body] });
  expect(more.asked.sections.map(({ section }) => section)).toEqual(['1.1', '1.2', '2']);
});
