import { describe, expect, test } from '@jest/globals';
import type { Email, EmailRow } from '../../shared/catalog/email.ts';
import {
  existsInJmap,
  flagOfKeyword,
  isUnread,
  keywordOf,
  keywordsOf,
  keywordsOfFlags,
  mailboxesOf,
} from '../../shared/catalog/keywords.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

describe('the flags of a row', () => {
  test.each<[readonly string[], readonly string[], boolean]>([
    [['\\Seen', '\\Flagged', '\\Answered', '\\Draft'], ['$answered', '$draft', '$flagged', '$seen'], false],
    [['\\SEEN', '\\seen'], ['$seen'], false],
    [['\\Recent', '\\Seen'], ['$seen'], false],
    [['\\Deleted', '\\Seen'], ['$seen'], true],
    [['$Forwarded', 'Work', 'work'], ['$forwarded', 'work'], false],
    [['\\Special', '\\*'], [], false],
    [['bad(', 'bad%', 'bad*', 'bad"', 'bad]', 'bad\\', 'bad{', 'café', ''], [], false],
    [['a'.repeat(255), 'b'.repeat(256)], ['a'.repeat(255)], false],
    [[], [], false],
  ])('%j are keywords %j, deleted: %s', (flags, keywords, deleted) => {
    expect(keywordsOfFlags(flags)).toEqual({ keywords, deleted });
  });
});

test.each([
  ['$seen', '\\Seen'],
  ['$Draft', '\\Draft'],
  ['$answered', '\\Answered'],
  ['$flagged', '\\Flagged'],
  ['$junk', '$junk'],
  ['work', 'work'],
])('the keyword %s is the flag %s', (keyword, flag) => {
  expect(flagOfKeyword(keyword)).toBe(flag);
});

test('a keyword is returned in lower case, and has only what it may have, whatever its lower case is', () => {
  expect(keywordOf('work')).toBe('work');
  expect(keywordOf('Work')).toBe('work');
  // The Kelvin sign, whose lower case is a "k".
  expect(keywordOf('\u212a')).toBe(null);
});

describe('an Email with several rows', () => {
  const row = (mailbox: number, keywords: string[], deleted = false): EmailRow => ({
    mailbox,
    uid: 1,
    keywords,
    deleted,
  });
  const email = (...rows: EmailRow[]): Email => ({
    id: 'e' as Id,
    threadId: 't' as Id,
    receivedAt: 0,
    size: 0,
    hasAttachment: null,
    rows,
  });

  test.each([
    ['any row has', email(row(1, ['$flagged']), row(2, ['work'])), ['$flagged', 'work']],
    ['$seen when every row has it', email(row(1, ['$seen']), row(2, ['$seen'])), ['$seen']],
    ['not $seen when one row lacks it', email(row(1, ['$seen']), row(2, [])), []],
    ['of rows that are not deleted', email(row(1, ['$seen']), row(2, ['work'], true)), ['$seen']],
    ['none when all are deleted', email(row(1, ['$seen'], true)), []],
  ])('has the keywords that %s', (_what, given, keywords) => {
    expect(keywordsOf(given)).toEqual(keywords);
  });

  test('lies in each mailbox once, and not where it is deleted', () => {
    expect(mailboxesOf(email(row(3, []), row(1, []), row(1, []), row(2, [], true)))).toEqual([1, 3]);
    expect(mailboxesOf(null)).toEqual([]);
  });

  test('exists while one row is not deleted', () => {
    expect(existsInJmap(email(row(1, [], true), row(2, [])))).toBe(true);
    expect(existsInJmap(email(row(1, [], true)))).toBe(false);
    expect(existsInJmap(null)).toBe(false);
  });
});

test.each([
  [[], true],
  [['$flagged'], true],
  [['$seen'], false],
  [['$draft'], false],
])('an Email with the keywords %j is unread: %s', (keywords, unread) => {
  expect(isUnread(keywords)).toBe(unread);
});
