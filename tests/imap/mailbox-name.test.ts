import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeName, encodeName } from '../../shared/imap/mailbox-name.ts';

describe('mailbox names in modified UTF-7 (RFC 3501 §5.1.3)', () => {
  test.each([
    ['plain', 'Sent Items', 'Sent Items'],
    ['an ampersand', 'R&D', 'R&-D'],
    ['the example of the RFC', '~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
    ['an umlaut', 'Entwürfe', 'Entw&APw-rfe'],
    ['beyond the BMP', '📁', '&2D3cwQ-'],
    ['quotes, braces, backslash', 'a"b\\c{3}', 'a"b\\c{3}'],
  ])('%s', (_, name, wire) => {
    expect(encodeName(name, 'utf-7')).toBe(wire);
    expect(decodeName(wire, 'utf-7')).toBe(name);
  });

  test('INBOX is INBOX in any case', () => {
    expect(decodeName('inbox', 'utf-7')).toBe('INBOX');
  });

  test('every name that a server can have comes back as it was', () => {
    const octets = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(octets, fc.constantFrom('utf-7' as const, 'utf-8' as const), (codes, encoding) => {
        const wire = String.fromCharCode(...codes);
        fc.pre(!/[\r\n]/.test(wire) && !/^inbox$/i.test(wire));
        expect(encodeName(decodeName(wire, encoding), encoding)).toBe(wire);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['8-bit octets', 'Entw\xc3\xbcrfe'],
    ['a bare ampersand', 'R&D'],
    ['an unfinished run', 'a&AP'],
    ['ASCII in base64', '&AEE-'],
  ])('what is not modified UTF-7 still names its mailbox: %s', (_, wire) => {
    expect(encodeName(decodeName(wire, 'utf-7'), 'utf-7')).toBe(wire);
  });

  test.each([
    ['nothing', ''],
    ['NUL', 'a\0b'],
    ['CR', 'a\rb'],
    ['LF', 'a\nb'],
    ['half a character', 'a\ud800'],
    ['an endless name', 'a'.repeat(5000)],
  ])('no server can have a mailbox named by %s', (_, name) => {
    expect(encodeName(name, 'utf-7')).toBeNull();
  });
});

describe('mailbox names in UTF-8 (RFC 9051 §5.1)', () => {
  test('are octets', () => {
    expect(encodeName('Entwürfe & mehr', 'utf-8')).toBe('Entw\xc3\xbcrfe & mehr');
    expect(decodeName('Entw\xc3\xbcrfe & mehr', 'utf-8')).toBe('Entwürfe & mehr');
  });
});
