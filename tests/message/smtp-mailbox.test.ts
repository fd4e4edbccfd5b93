import { describe, expect, test } from '@jest/globals';
import { comparableMailbox, isSmtpMailbox, needsSmtpUtf8 } from '../../shared/message/smtp-mailbox.ts';

describe('an address of an envelope', () => {
  test.each([
    'a@example.com',
    'a.b+c@sub.example.com',
    "!#$%&'*+-/=?^_`{|}~@example.com",
    '"a b"@example.com',
    '"a\\"b@c"@example.com',
    'a@localhost',
    'a@[192.0.2.1]',
    'a@[IPv6:2001:db8::1]',
    'jürgen@例え.example',
    '*@example.com',
    `${'x'.repeat(64)}@example.com`,
  ])('may be %s', (address) => {
    expect(isSmtpMailbox(address)).toBe(true);
  });

  test.each([
    '',
    'a',
    '@example.com',
    'a@',
    'a@@b',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
    'a b@example.com',
    '<a@example.com>',
    'a@example.com>',
    'a@exa mple.com',
    'a@-example.com',
    'a@example.com-',
    'a@example..com',
    'a@example.com.',
    'a@[127.0.0.1',
    'a@[x]',
    'a@example.com\r\nDATA',
    'a\r\n@example.com',
    'a\0@example.com',
    '"a\n"@example.com',
    '"a"b"@example.com',
    'a\u0085@example.com',
    'a\ud800@example.com',
    'a@b,c@d.example',
    `${'x'.repeat(65)}@example.com`,
    `a@${'x'.repeat(250)}.example`,
    `${'ü'.repeat(33)}@example.com`,
  ])('may not be %j', (address) => {
    expect(isSmtpMailbox(address)).toBe(false);
  });

  test('needs SMTPUTF8 when it is not ASCII', () => {
    expect([needsSmtpUtf8('a@b'), needsSmtpUtf8('ä@b')]).toEqual([false, true]);
  });

  test('is compared without regard to case and to how its characters are composed', () => {
    expect(comparableMailbox('Ju\u0308rgen@Example.COM')).toBe('jürgen@example.com');
  });
});
