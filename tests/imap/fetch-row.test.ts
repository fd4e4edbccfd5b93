import { describe, expect, test } from '@jest/globals';
import { fetchItem, fetchPartial, fetchSection, internalDate } from '../../shared/imap/fetch-row.ts';

describe('INTERNALDATE', () => {
  test.each([
    ['a day padded with zero', '05-Mar-2024 10:20:30 +0000', '2024-03-05T10:20:30Z'],
    ['a day padded with a space', ' 5-Mar-2024 10:20:30 +0000', '2024-03-05T10:20:30Z'],
    ['a day not padded', '5-Mar-2024 10:20:30 +0000', '2024-03-05T10:20:30Z'],
    ['east of Greenwich', '01-Jan-2024 00:30:00 +0530', '2023-12-31T19:00:00Z'],
    ['west of Greenwich', '31-DEC-1999 23:59:59 -0800', '2000-01-01T07:59:59Z'],
  ])('is read: %s', (_, text, expected) => {
    expect(internalDate(text)).toBe(Date.parse(expected) / 1000);
  });

  test.each([
    '',
    '5-Foo-2024 10:20:30 +0000',
    '2024-03-05 10:20:30',
    'Tue, 5 Mar 2024 10:20:30 +0000',
    '5-Mar-2024 10:20:30',
  ])('is not read from "%s"', (text) => {
    expect(internalDate(text)).toBeNull();
  });
});

describe('the items of a FETCH', () => {
  const items = [
    'uid',
    '7',
    'BODY[HEADER.FIELDS (X "BODY[1]")]',
    'fields',
    'BODY[1]<0>',
    'part',
    'BODY[1.2]',
    'other',
    'BODY[]',
    null,
  ];

  test.each([
    ['an item in any case', fetchItem(items, 'UID'), '7'],
    ['an item that is NIL', fetchItem(items, 'BODY[]'), null],
    ['an item that is missing', fetchItem(items, 'FLAGS'), undefined],
    ['a section with its list of fields', fetchSection(items, 'HEADER.FIELDS'), 'fields'],
    ['not a section that begins alike', fetchSection(items, '1'), undefined],
    ['a part of a section', fetchSection(items, '1', 0), 'part'],
    ['not another part of it', fetchSection(items, '1', 5), undefined],
    ['a part by a server that forgets where it starts', fetchPartial(items, '1.2', 0), 'other'],
    ['the whole message', fetchSection(items, ''), null],
  ])('are found by name: %s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});
