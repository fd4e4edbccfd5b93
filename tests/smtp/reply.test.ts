import { describe, expect, test } from '@jest/globals';
import { parseReply } from '../../shared/smtp/reply.ts';

describe('a reply', () => {
  test.each([
    { raw: '250 ok', code: 250, text: '250 ok' },
    { raw: '250', code: 250, text: '250' },
    // RFC 8621 §7
    {
      raw: '550-5.7.1 Our system has detected that this message is\n550 5.7.1 likely spam.',
      code: 550,
      text: '550 5.7.1 Our system has detected that this message is likely spam.',
    },
    {
      raw: '550-5.1.1 Mail refused\n550-5.1.1 More info:\n550 5.1.1',
      code: 550,
      text: '550 5.1.1 Mail refused More info:',
    },
    { raw: '451-a\n451 b', code: 451, text: '451 a b' },
    { raw: '250-\n250 ', code: 250, text: '250' },
    { raw: '550 no\tsuch\0user', code: 550, text: '550 no such user' },
  ])('"$raw" reads "$text"', ({ raw, code, text }) => {
    expect(parseReply(raw)).toEqual({ code, text });
  });

  test.each(['', 'ok', '25 ok', '2500 ok', '150 ok', '650 ok', '250x'])('"%s" is none', (raw) => {
    expect(parseReply(raw)).toBeNull();
  });

  test('is no longer than is of use', () => {
    expect(parseReply(`550 ${'x'.repeat(10_000)}`)?.text).toHaveLength(2_000);
  });
});
