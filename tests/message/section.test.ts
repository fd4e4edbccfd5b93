import { expect, test } from '@jest/globals';
import { parseMessage } from '../../shared/message/parse-message.ts';
import { findPart } from '../../shared/message/section.ts';
import { crlf } from './outline.ts';

const root = parseMessage(
  crlf(
    'Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntwo\n--b\n\nthree\n--b--\n--a--\n',
  ),
);

test.each(['1', '2', '2.1', '2.2'])('section %s is the part of that number', (section) => {
  expect(findPart(root, section)?.section).toBe(section);
});

test.each(['0', '3', '1.1', '2.0', '2.3', '02', '2.', '.2', '1e0', 'x', '-1', '2.2.1'])(
  'there is no section %s',
  (section) => {
    expect(findPart(root, section)).toBeNull();
  },
);

test('a message that is no multipart is its own part 1, and section nothing', () => {
  const text = parseMessage(crlf('Subject: a\n\nx'));
  expect([findPart(text, ''), findPart(text, '1'), findPart(text, '2')]).toEqual([text, text, null]);
});

test('a part is found without a look at the others, of which there may be thousands', () => {
  const [, second] = root.subParts;
  const unseen = new Proxy({} as typeof root, {
    get: () => {
      throw new Error('A part was looked at that nobody asked for');
    },
  });
  if (second === undefined) throw new Error('There are two parts');
  expect(findPart({ ...root, subParts: [unseen, second] }, '2.1')?.section).toBe('2.1');
});
