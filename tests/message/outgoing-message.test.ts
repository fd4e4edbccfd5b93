import { describe, expect, test } from '@jest/globals';
import { outgoingMessage, withField } from '../../shared/message/outgoing-message.ts';

const text = (octets: Uint8Array) => Buffer.from(octets).toString('latin1');
const sent = (stored: string) => text(outgoingMessage(Buffer.from(stored, 'latin1')).octets);

describe('a message that goes out', () => {
  test.each([
    { stored: 'Bcc: a\r\nTo: b\r\n\r\nx', goes: 'To: b\r\n\r\nx' },
    { stored: 'To: b\r\nBCC : a,\r\n\tc,\r\n d\r\nCc: e\r\n\r\nx', goes: 'To: b\r\nCc: e\r\n\r\nx' },
    { stored: 'To: b\nbcc: a\n\nBcc: in the text\n', goes: 'To: b\n\nBcc: in the text\n' },
    { stored: 'Resent-Bcc: a\r\nTo: b\r\n\r\n', goes: 'To: b\r\n\r\n' },
    { stored: 'Return-Path: <a>\r\nTo: b\r\n\r\n', goes: 'To: b\r\n\r\n' },
    { stored: 'Subject: x\rBcc: a\rTo: b\r\n\r\n', goes: 'Subject: x\rTo: b\r\n\r\n' },
    { stored: 'To: b\r\nBcc: a', goes: 'To: b\r\n' },
    {
      stored: 'X-Bcc: a\r\nBccs: b\r\nSubject: bcc: c\r\n Bcc: d\r\n\r\n',
      goes: 'X-Bcc: a\r\nBccs: b\r\nSubject: bcc: c\r\n Bcc: d\r\n\r\n',
    },
    { stored: '', goes: '' },
    { stored: '\r\nBcc: x\r\n', goes: '\r\nBcc: x\r\n' },
  ])('is $goes of $stored', ({ stored, goes }) => {
    expect(sent(stored)).toBe(goes);
  });

  test('is otherwise the stored one, octet for octet', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const stored = Buffer.concat([Buffer.from('To: b\r\n\r\n'), all]);
    expect(Buffer.compare(outgoingMessage(stored).octets, stored)).toBe(0);
  });

  test('tells of the fields that are left out too', () => {
    const { headers } = outgoingMessage(Buffer.from('Bcc: a\r\nTo: b\r\n\r\n'));
    expect(headers.map(({ name }) => name)).toEqual(['Bcc', 'To']);
  });

  test('takes another field, and nothing that is more than one', () => {
    expect(text(withField(Buffer.from('To: b\r\n\r\n'), 'Message-ID', '<a@b>'))).toBe(
      'Message-ID: <a@b>\r\nTo: b\r\n\r\n',
    );
    expect(() => withField(Buffer.from(''), 'X', 'a\r\nBcc: b')).toThrow('more than one line');
  });
});
