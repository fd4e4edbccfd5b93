import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headerDate } from '../../shared/message/header-date.ts';
import {
  convenienceProperties,
  type HeaderFormValue,
  headerPropertyValue,
  isHeaderProperty,
  parseHeaderProperty,
} from '../../shared/message/header-form.ts';
import { messageIds } from '../../shared/message/message-ids.ts';
import { parseHeaders } from '../../shared/message/parse-headers.ts';
import { urls } from '../../shared/message/urls.ts';

describe('parseHeaderProperty', () => {
  test.each([
    ['header:Subject', 'subject', 'Raw', false],
    ['header:subject:asText', 'subject', 'Text', false],
    ['header:Subject:all', 'subject', 'Raw', true],
    ['header:Resent-To:asAddresses:all', 'resent-to', 'Addresses', true],
    ['header:To:asGroupedAddresses', 'to', 'GroupedAddresses', false],
    ['header:From:asRaw', 'from', 'Raw', false],
    ['header:List-POST:asURLs', 'list-post', 'URLs', false],
    ['header:List-Id:asText', 'list-id', 'Text', false],
    ['header:Keywords:asText', 'keywords', 'Text', false],
    ['header:Resent-Message-ID:asMessageIds', 'resent-message-id', 'MessageIds', false],
    ['header:Resent-Date:asDate', 'resent-date', 'Date', false],
    ['header:Received:all', 'received', 'Raw', true],
    ['header:X-Any:asDate', 'x-any', 'Date', false],
    ['header:X-Any:asURLs', 'x-any', 'URLs', false],
    ['header:X-Any:asAddresses', 'x-any', 'Addresses', false],
    ['header:all', 'all', 'Raw', false],
    ['header:asText', 'astext', 'Raw', false],
    ['header:!#~', '!#~', 'Raw', false],
  ])('accepts %s', (property, field, form, isAll) => {
    expect(parseHeaderProperty(property)).toEqual({ ok: true, value: { property, field, form, isAll } });
  });

  test.each([
    'header:',
    'header::asText',
    'header:Subject:',
    'header:Subject:asText:',
    'header:Subject:all:asText',
    'header:Subject:all:all',
    'header:Subject:ALL',
    'header:Subject:astext',
    'header:Subject:asNonsense',
    'header:Subject:asconstructor',
    'header:Sub ject',
    'header:Sübject',
    'header:Subject\n',
    'Header:Subject',
    'subject',
    'header:From:asDate',
    'header:From:asText',
    'header:Subject:asAddresses',
    'header:Subject:asMessageIds',
    'header:Date:asText',
    'header:Message-ID:asText',
    'header:MESSAGE-ID:asURLs',
    'header:Received:asText',
    'header:Return-Path:asAddresses',
    'header:List-Post:asText',
    'header:To:asURLs:all',
    'header:Comments:asDate',
  ])('refuses %s with invalidArguments', (property) => {
    const parsed = parseHeaderProperty(property);
    expect(parsed.ok ? null : parsed.error.type).toBe('invalidArguments');
  });

  test('a property is told from others by its prefix', () => {
    expect(['header:x', 'header:', 'headers', 'subject'].map(isHeaderProperty)).toEqual([true, true, false, false]);
  });
});

describe('headerPropertyValue', () => {
  const headers = parseHeaders(
    Buffer.from(
      'Subject: first\r\nsubject: =?utf-8?q?l=C3=A4st?=\r\nTo: a@b\r\nTO: G: c@d;\r\nDate: Thu, 13 Feb 1969 23:32:54 -0330\r\n' +
        'Message-ID: <x@y>\r\nReferences: <a@b>\r\n <c@d>\r\nList-Post: <mailto:l@x> (comment)\r\nX-Date: soon\r\n',
    ),
  );
  const value = (property: string): HeaderFormValue | HeaderFormValue[] | undefined => {
    const parsed = parseHeaderProperty(property);
    return parsed.ok ? headerPropertyValue(headers, parsed.value) : undefined;
  };

  test.each<[string, HeaderFormValue | HeaderFormValue[]]>([
    ['header:SUBJECT', ' =?utf-8?q?l=C3=A4st?='],
    ['header:Subject:asText', 'läst'],
    ['header:Subject:asText:all', ['first', 'läst']],
    ['header:To:asAddresses', [{ name: null, email: 'c@d' }]],
    ['header:To:asAddresses:all', [[{ name: null, email: 'a@b' }], [{ name: null, email: 'c@d' }]]],
    ['header:To:asGroupedAddresses', [{ name: 'G', addresses: [{ name: null, email: 'c@d' }] }]],
    ['header:Date:asDate', '1969-02-13T23:32:54-03:30'],
    ['header:References:asMessageIds', ['a@b', 'c@d']],
    ['header:List-Post:asURLs', ['mailto:l@x']],
    ['header:X-Date:asDate', null],
    ['header:X-Date:asDate:all', [null]],
    ['header:X-None', null],
    ['header:X-None:asAddresses', null],
    ['header:X-None:asText:all', []],
  ])('%s', (property, expected) => {
    expect(value(property)).toEqual(expected);
  });

  test('each convenience property is identical to its header property', () => {
    const pairs = {
      messageId: 'header:Message-ID:asMessageIds',
      inReplyTo: 'header:In-Reply-To:asMessageIds',
      references: 'header:References:asMessageIds',
      sender: 'header:Sender:asAddresses',
      from: 'header:From:asAddresses',
      to: 'header:To:asAddresses',
      cc: 'header:Cc:asAddresses',
      bcc: 'header:Bcc:asAddresses',
      replyTo: 'header:Reply-To:asAddresses',
      subject: 'header:Subject:asText',
      sentAt: 'header:Date:asDate',
    };
    expect([...convenienceProperties.keys()].sort()).toEqual(Object.keys(pairs).sort());
    for (const [convenience, property] of Object.entries(pairs)) {
      const parsed = parseHeaderProperty(property);
      const expected = parsed.ok ? { ...parsed.value, property: convenience } : null;
      expect(convenienceProperties.get(convenience)).toEqual(expected);
    }
  });
});

describe('messageIds', () => {
  test.each<[string, string, string[] | null]>([
    ['one id', ' <a@b>', ['a@b']],
    ['several ids, folded', ' <a@b>\r\n\t<c@d><e@f>', ['a@b', 'c@d', 'e@f']],
    ['ids with commas between', ' <a@b>, <c@d>', ['a@b', 'c@d']],
    ['comments around', ' (x <no@no>) <a@b> (y)', ['a@b']],
    ['phrases around, as in an obsolete In-Reply-To', ' Your message of "Mon" <a@b>', ['a@b']],
    ['an id that was folded', ' <a\r\n b@c>', ['ab@c']],
    ['an id without an @', ' <abc>', ['abc']],
    ['an id with parentheses', ' <a(b)@c>', ['a(b)@c']],
    ['an id without brackets', ' a@b', ['a@b']],
    ['ids without brackets', ' a@b c@d', ['a@b', 'c@d']],
    ['a phrase', ' hello world', null],
    ['an empty id', ' <>', null],
    ['an id that does not end', ' <a@b', null],
    ['nothing', ' ', null],
  ])('reads %s', (_name, raw, expected) => {
    expect(messageIds(raw)).toEqual(expected);
  });
});

describe('urls', () => {
  test.each<[string, string, string[] | null]>([
    ['one URL', ' <mailto:a@b>', ['mailto:a@b']],
    ['a list', ' <https://x/y?(z)>,\r\n <mailto:a@b?subject=x>', ['https://x/y?(z)', 'mailto:a@b?subject=x']],
    ['comments', ' (see <no>) <http://x> (Web)', ['http://x']],
    ['a folded URL', ' <http://x/\r\n y>', ['http://x/y']],
    ['NO', ' NO (posting not allowed)', null],
    ['no brackets', ' http://x', null],
    ['empty brackets', ' <>', null],
    ['nothing', '', null],
  ])('reads %s', (_name, raw, expected) => {
    expect(urls(raw)).toEqual(expected);
  });
});

describe('headerDate', () => {
  test.each([
    [' Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T09:55:06-06:00'],
    [' 21 Nov 1997 09:55 +0530', '1997-11-21T09:55:00+05:30'],
    [' Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)', '1969-02-13T23:32:00-03:30'],
    [' Mon, 1 Jan 2024 00:00:00 +0000', '2024-01-01T00:00:00Z'],
    [' Mon, 1 Jan 2024 00:00:00 -0000', '2024-01-01T00:00:00Z'],
    [' Mon, 1 Jan 2024 00:00:00 GMT', '2024-01-01T00:00:00Z'],
    [' Mon, 1 Jan 2024 00:00:00 (comment) EST', '2024-01-01T00:00:00-05:00'],
    [' 21 Nov 97 09:55:06 PDT', '1997-11-21T09:55:06-07:00'],
    [' 1 Feb 03 1:02:03 K', '2003-02-01T01:02:03Z'],
    [' 1 Feb 103 01:02:03 +0100', '2003-02-01T01:02:03+01:00'],
    [' tue, 29 FEB 2000 1:2:3 +0000', '2000-02-29T01:02:03Z'],
    [' Thu, 01 Sept 2022 10:00:00 +02:00', '2022-09-01T10:00:00+02:00'],
    [' Friday, 21-Nov-97 09:55:06 GMT', '1997-11-21T09:55:06Z'],
    [' 21 Nov 1997 09:55:06', '1997-11-21T09:55:06Z'],
    [' 21 Nov 1997 09:55:06 GMT+0200', '1997-11-21T09:55:06+02:00'],
    [' 31 Dec 2016 23:59:60 +0000', '2016-12-31T23:59:59Z'],
    [' 21 Nov 1997 09 : 55 : 06 -0600', '1997-11-21T09:55:06-06:00'],
  ])('reads %j', (raw, expected) => {
    expect(headerDate(raw)).toBe(expected);
    expect(Number.isNaN(Date.parse(expected))).toBe(false);
  });

  test.each([
    '',
    ' ',
    ' now',
    ' 2024-01-01T00:00:00Z',
    ' 30 Feb 2024 00:00:00 +0000',
    ' 29 Feb 2023 00:00:00 +0000',
    ' 0 Jan 2024 00:00:00 +0000',
    ' 1 Foo 2024 00:00:00 +0000',
    ' 1 Jan 2024 24:00:00 +0000',
    ' 1 Jan 2024 00:60:00 +0000',
    ' 1 Jan 2024 00:00:61 +0000',
    ' 1 Jan 2024 00:00:00 +2400',
    ' 1 Jan 2024 00:00:00 +0060',
    ' 1 Jan 1899 00:00:00 +0000',
    ' 1 Jan 20244 00:00:00 +0000',
    ' 1 Jan 2024',
    ` 1 Jan 2024 ${' '.repeat(300)}00:00:00 +0000`,
    ' constructor',
  ])('has null for %j', (raw) => {
    expect(headerDate(raw)).toBeNull();
  });

  test('keeps the instant and the zone of any date that was written well', () => {
    const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
    const instant = fc.date({ min: new Date('1900-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(instant, fc.integer({ min: -23 * 60, max: 23 * 60 }), (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000);
        const digits = [Math.abs(offset) / 60, Math.abs(offset) % 60]
          .map((it) => String(Math.trunc(it)).padStart(2, '0'))
          .join('');
        const zone = `${offset < 0 ? '-' : '+'}${digits}`;
        const time = local.toISOString().slice(11, 19);
        const raw = ` ${local.getUTCDate()} ${names[local.getUTCMonth()]} ${local.getUTCFullYear()} ${time} ${zone}`;
        expect(Date.parse(headerDate(raw) ?? '')).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });
});
