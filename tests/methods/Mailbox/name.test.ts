import { describe, expect, test } from '@jest/globals';
import { givenRole, mailboxName, maxSizeMailboxName, sortOrder } from '../../../shared/methods/Mailbox/name.ts';

const accepts = (
  grammar: { readonly parse: (value: string | number) => { readonly ok: boolean } },
  value: string | number,
) => grammar.parse(value).ok;

describe('a Mailbox', () => {
  test.each<[what: string, name: string, accepted: boolean]>([
    ['letters', 'Work', true],
    ['a blank', ' ', true],
    ['beyond the first plane', '🐢', true],
    ['as many octets as there may be', 'é'.repeat(maxSizeMailboxName / 2), true],
    ['as many octets once it is composed', 'e\u0301'.repeat(maxSizeMailboxName / 2), true],
    ['one octet more', `${'é'.repeat(maxSizeMailboxName / 2)}a`, false],
    ['nothing', '', false],
    ['a line break', 'a\r\nb', false],
    ['NUL', 'a\0', false],
    ['DEL', 'a\u007f', false],
    ['a C1 control', 'a\u0085', false],
    ['a line separator', 'a\u2028b', false],
    ['half a surrogate pair', 'a\ud83d', false],
    ['the mark of names that are no Unicode', '\ufeffa', false],
  ])('can be named or not: %s', (_, name, accepted) => {
    expect(accepts(mailboxName, name)).toBe(accepted);
  });

  test.each<[role: string, accepted: boolean]>([
    ['sent', true],
    ['snoozed', true],
    ['inbox', false],
    ['all', false],
    ['Sent', false],
    ['none', false],
    ['', false],
  ])('can be given the role "%s" or not', (role, accepted) => {
    expect(accepts(givenRole, role)).toBe(accepted);
  });

  test.each<[order: number, accepted: boolean]>([
    [0, true],
    [2 ** 31 - 1, true],
    [2 ** 31, false],
    [-1, false],
    [1.5, false],
  ])('can have the sort order %d or not', (order, accepted) => {
    expect(accepts(sortOrder, order)).toBe(accepted);
  });
});
