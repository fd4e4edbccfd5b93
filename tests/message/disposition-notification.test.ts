import { describe, expect, test } from '@jest/globals';
import {
  type DispositionNotification,
  isExtensionName,
  isFieldText,
  parseDispositionNotification,
  writeDispositionNotification,
} from '../../shared/message/disposition-notification.ts';

const nothing: DispositionNotification = {
  ...{ reportingUA: null, mdnGateway: null, originalRecipient: null, finalRecipient: null, originalMessageId: null },
  disposition: { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' },
  ...{ error: null, extensionFields: null },
};
const parse = (text: string) => parseDispositionNotification(Buffer.from(text.replaceAll('\n', '\r\n')));

describe('a disposition notification (RFC 8098 §3)', () => {
  test('is read with all its fields', () => {
    const text = `Reporting-UA: joes-pc.cs.example.com; Foomail 97.1
MDN-Gateway: dns; gateway.example.com
Original-Recipient: rfc822; Joe@example.com
Final-recipient: rfc822;
 joe@example.com
Original-Message-ID: <199509192301.23456@example.org>
Disposition: automatic-action/MDN-sent-automatically; Displayed/error
Error: first
ERROR: second
X-Extension: a b
Warning: old
`;
    expect(parse(text)).toEqual({
      reportingUA: 'joes-pc.cs.example.com; Foomail 97.1',
      mdnGateway: 'dns; gateway.example.com',
      originalRecipient: 'rfc822; Joe@example.com',
      finalRecipient: 'rfc822; joe@example.com',
      originalMessageId: '<199509192301.23456@example.org>',
      disposition: { actionMode: 'automatic-action', sendingMode: 'mdn-sent-automatically', type: 'displayed' },
      error: ['first', 'second'],
      extensionFields: { 'X-Extension': 'a b' },
    });
  });

  test.each([
    'manual-action/MDN-sent-manually; displayed',
    'MANUAL-ACTION/mdn-sent-MANUALLY;displayed',
    ' manual-action / MDN-sent-manually ; displayed / error , x-more',
    'manual-action (by hand)/MDN-sent-manually; (yes) displayed',
  ])('is read where it says %j', (disposition) => {
    expect(parse(`Disposition:${disposition}\n`)).toEqual(nothing);
  });

  test.each([
    ['nothing', ''],
    ['no disposition', 'Final-Recipient: rfc822; a@b.c\n'],
    ['an empty one', 'Disposition:\n'],
    ['no type', 'Disposition: manual-action/MDN-sent-manually\n'],
    ['another type', 'Disposition: manual-action/MDN-sent-manually; eaten\n'],
    ['another mode', 'Disposition: manual/MDN-sent-manually; displayed\n'],
    ['a type with more letters', 'Disposition: manual-action/MDN-sent-manually; displayedness\n'],
  ])('is none with %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });

  test('is read again as it was written', () => {
    const full: DispositionNotification = {
      ...{
        reportingUA: 'pc; Mail',
        mdnGateway: 'dns; x',
        originalRecipient: 'rfc822; a@b.c',
        finalRecipient: 'rfc822; d@e.f',
      },
      originalMessageId: '<1@x>',
      disposition: { actionMode: 'automatic-action', sendingMode: 'mdn-sent-automatically', type: 'deleted' },
      error: ['one', 'two'],
      extensionFields: { 'X-A': '1', 'X-B': '"2"; {3}' },
    };
    for (const notification of [nothing, full]) {
      expect(parseDispositionNotification(Buffer.from(writeDispositionNotification(notification)))).toEqual(
        notification,
      );
    }
  });

  test.each(['a\r\nDisposition: x', 'a\nb', 'a\0', 'ä', ' ', '', 'x'.repeat(901)])(
    'has no field with the value %j',
    (text) => {
      expect(isFieldText(text)).toBe(false);
      expect(() => writeDispositionNotification({ ...nothing, reportingUA: text })).toThrow('Could not write');
    },
  );

  test.each([
    ['X-Own', true],
    ['EXTENSION-EXAMPLE', true],
    ['Final-Recipient', false],
    ['disposition', false],
    ['Failure', false],
    ['', false],
    ['a b', false],
    ['a:b', false],
    ['a\r\nb', false],
    ['ä', false],
  ])('whether %j is the name of an extension: %s', (name, isOne) => {
    expect(isExtensionName(name)).toBe(isOne);
  });
});
