import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { messageLimits, parseMessage, partBody } from '../../shared/message/parse-message.ts';
import type { Part } from '../../shared/message/part.ts';
import { crlf, leaves, outline } from './outline.ts';

const parsed = (text: string) => parseMessage(crlf(text));
const bodies = (text: string) =>
  leaves(parsed(text)).map((part) => Buffer.from(partBody(crlf(text), part)).toString('latin1'));

/** Held against the BODYSTRUCTURE of Dovecot 2.3, which agrees unless the name of an entry says otherwise. */
describe('the part tree', () => {
  test.each<[string, string, string]>([
    ['a message without MIME', 'Subject: x\n\nhi\n', '1 text/plain 4'],
    ['no octets at all', '', '1 text/plain 0'],
    ['a body alone', '\nhi\n', '1 text/plain 4'],
    ['a header alone', 'Subject: x\n', '1 text/plain 0'],
    ['HTML alone', 'Content-Type: text/html; charset=utf-8\n\n<p>\n', '1 text/html 5'],
    [
      'two parts',
      'Content-Type: multipart/mixed; boundary=a\n\npre\n--a\n\nx\n--a\n\nyy\n--a--\nepilogue\n',
      'multipart/mixed [1 text/plain 1, 2 text/plain 2]',
    ],
    [
      'multiparts within',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html\n\ny\n--b--\n--a\nContent-Type: image/png\n\nz\n--a--\n',
      'multipart/mixed [1 multipart/alternative [1.1 text/plain 1, 1.2 text/html 1], 2 image/png 1]',
    ],
    [
      'an inner multipart that never ends',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\n\ny\n--a\n\nz\n--a--\n',
      'multipart/mixed [1 multipart/alternative [1.1 text/plain 1, 1.2 text/plain 1], 2 text/plain 1]',
    ],
    [
      'a multipart that never ends',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n',
      'multipart/mixed [1 text/plain 3]',
    ],
    [
      'a delimiter line with more behind the boundary',
      'Content-Type: multipart/mixed; boundary=a\n\n--abc\n\nx\n--a \n\ny\n--a-- z\n',
      'multipart/mixed [1 text/plain 1, 2 text/plain 1]',
    ],
    [
      'an inner boundary that begins with the outer one',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\nx\n--ab--\n--a--\n',
      'multipart/mixed [1 multipart/mixed [1.1 text/plain 1]]',
    ],
    [
      'an outer boundary that begins with the inner one',
      'Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--ab\n\ny\n--ab--\n',
      'multipart/mixed [1 multipart/mixed [1.1 text/plain 1], 2 text/plain 1]',
    ],
    [
      'the same boundary twice',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n--a\n\ny\n--a--\n',
      'multipart/mixed [1 multipart/mixed [1.1 text/plain 1], 2 text/plain 1]',
    ],
    [
      'delimiter lines behind the end',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\nepi\n--a\n\nz\n--a--\n',
      'multipart/mixed [1 text/plain 1]',
    ],
    [
      'delimiter lines of an inner multipart behind its end',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\nepi\n--b\n\nq\n--a\n\ny\n--a--\n',
      'multipart/mixed [1 multipart/mixed [1.1 text/plain 1], 2 text/plain 1]',
    ],
    [
      'a delimiter line within a header',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a\n\nz\n--a--\n',
      'multipart/mixed [1 text/html 0, 2 text/plain 1]',
    ],
    [
      'a delimiter line in place of a header',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\nz\n--a--\n',
      'multipart/mixed [1 text/plain 0, 2 text/plain 1]',
    ],
    [
      'the end within a header',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a--\nrest\n',
      'multipart/mixed [1 text/html 0]',
    ],
    [
      'a multipart whose header is cut short',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/digest; boundary=a\n--a\n\nx\n--a--\n',
      'multipart/mixed [1 multipart/digest [1.1 text/plain 0], 2 text/plain 1]',
    ],
    [
      'parts without a body',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--a\n\n\n--a--\n',
      'multipart/mixed [1 text/plain 0, 2 text/plain 0]',
    ],
    [
      'an indented delimiter line as text',
      'Content-Type: multipart/mixed; boundary=a\n\n --a\n\nx\n--a\n\ny\n--a--',
      'multipart/mixed [1 text/plain 1]',
    ],
    [
      'a digest',
      'Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\nbody\n--a\nContent-Type: text/plain\n\ny\n--a--\n',
      'multipart/digest [1 message/rfc822 18, 2 text/plain 1]',
    ],
    [
      'an attached message as a leaf',
      'Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n',
      '1 message/rfc822 62',
    ],
    [
      'an attached message that has delimiter lines like those around it',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\nx\n--ab\n\ny\n--a\n\nz\n--a--\n',
      'multipart/mixed [1 message/rfc822 66, 2 text/plain 1]',
    ],
    ['a message/global as a leaf', 'Content-Type: message/global\n\nSubject: x\n\ny\n', '1 message/global 17'],
    [
      'a boundary with comments around',
      'Content-Type: multipart/mixed (c); (d) boundary=a (e)\n\n--a\n\nx\n--a--\n',
      'multipart/mixed [1 text/plain 1]',
    ],
    [
      'a boundary in pieces',
      'Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\nx\n--ab--\n',
      'multipart/mixed [1 text/plain 1]',
    ],
    ['the first of two types', 'Content-Type: text/html\nContent-Type: text/plain\n\nx\n', '1 text/html 3'],
    [
      'no boundary parameter (where Dovecot has an empty part)',
      'Content-Type: multipart/mixed\n\n--a\n\nx\n',
      'multipart/mixed [1 text/plain 10]',
    ],
    [
      'no delimiter line (where Dovecot has an empty part)',
      'Content-Type: multipart/mixed; boundary=a\n\nhello\n',
      'multipart/mixed [1 text/plain 7]',
    ],
    ['a multipart without a body', 'Content-Type: multipart/mixed; boundary=a\n', 'multipart/mixed [1 text/plain 0]'],
    [
      'a boundary that is too long to be one (where Dovecot compares its beginning)',
      `Content-Type: multipart/mixed; boundary=${'x'.repeat(1001)}\n\n--${'x'.repeat(1001)}\n\nx\n`,
      'multipart/mixed [1 text/plain 1010]',
    ],
    ['a type that is none (where Dovecot has an empty type)', 'Content-Type: pdf\n\nx\n', '1 text/plain 3'],
    [
      'a type without its semicolon (where Dovecot has an empty type)',
      'Content-Type: text/html charset=utf-8\n\nx\n',
      '1 text/html 3',
    ],
  ])('of %s', (_name, text, expected) => {
    expect(outline(parsed(text))).toBe(expected);
  });

  test('is the same with bare line feeds', () => {
    const text =
      'Content-Type: multipart/mixed; boundary=a\n\npre\n--a\nContent-Type: text/html\n\nx\n\n--a\n\nyy\n--a--\n';
    expect(outline(parseMessage(Buffer.from(text)))).toBe('multipart/mixed [1 text/html 2, 2 text/plain 2]');
  });

  test('knows the decoded size of each part', () => {
    const text =
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Transfer-Encoding: BASE64\n\naGVs\nbG8=\n--a\n' +
      'Content-Transfer-Encoding: quoted-printable\n\n=41=\n\n--a\nContent-Transfer-Encoding: x-odd\n\nabc\n--a--\n';
    expect(parsed(text).subParts.map((part) => [part.encoding, part.encodedSize, part.size])).toEqual([
      ['base64', 10, 5],
      ['quoted-printable', 6, 1],
      ['x-odd', 3, 3],
    ]);
  });

  test('gives each part its header fields and its section', () => {
    const root = parsed(
      'X: 1\nContent-Type: multipart/mixed; boundary=a\n\n--a\nY: 2\nContent-Type: multipart/mixed; boundary=b\n\n--b\nZ: 3\n\n--b--\n--a--\n',
    );
    const [inner] = root.subParts;
    expect([root.section, inner?.section, inner?.subParts[0]?.section]).toEqual(['', '1', '1.1']);
    expect([root, inner, inner?.subParts[0]].map((part) => part?.headers?.[0])).toEqual([
      { name: 'X', value: ' 1' },
      { name: 'Y', value: ' 2' },
      { name: 'Z', value: ' 3' },
    ]);
  });
});

describe('the body of a part', () => {
  test.each<[string, string, string[]]>([
    [
      'ends before the line break of the delimiter',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n\n--a\n\ny\n--a--\n',
      ['x\r\n', 'y'],
    ],
    [
      'is the whole body of a multipart without parts',
      'Content-Type: multipart/mixed; boundary=a\n\nhello\n',
      ['hello\r\n'],
    ],
    [
      'is the message that is attached',
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nSubject: x\n\nhi\n--a--\n',
      ['Subject: x\r\n\r\nhi'],
    ],
  ])('%s', (_name, text, expected) => {
    expect(bodies(text)).toEqual(expected);
  });
});

describe('the limits of Dovecot', () => {
  const nested = (depth: number) => {
    const open = Array.from(
      { length: depth },
      (_, n) => `Content-Type: multipart/mixed; boundary="b${n}x"\n\n--b${n}x\n`,
    );
    const close = Array.from({ length: depth }, (_, n) => `--b${depth - 1 - n}x--\n`);
    return `${open.join('')}\nleaf\n${close.join('')}`;
  };
  const inmost = (part: Part): Part => (part.subParts[0] ? inmost(part.subParts[0]) : part);
  const depthOf = (part: Part): number => 1 + Math.max(0, ...part.subParts.map(depthOf));

  test.each([
    [99, 100, 'text/plain', 4],
    [100, 100, 'application/octet-stream', 24],
    [101, 100, 'application/octet-stream', 95],
  ])('%d multiparts within each other are %d deep and end in %s', (count, depth, type, size) => {
    const root = parsed(nested(count));
    expect([depthOf(root), inmost(root).type, inmost(root).encodedSize]).toEqual([depth, type, size]);
  });

  test('the last part holds the rest of the message', () => {
    const parts = Array.from({ length: messageLimits.partsMax + 50 }, (_, n) => `--a\n\n${n}\n`);
    const root = parsed(`Content-Type: multipart/mixed; boundary=a\n\n${parts.join('')}--a--\n`);
    expect(root.subParts).toHaveLength(9999);
    expect(root.subParts.at(-1)?.encodedSize).toBe(726);
  });

  test('attached messages within each other end at the depth limit', () => {
    expect(outline(parsed(`${'Content-Type: message/rfc822\n\n'.repeat(50_000)}x\n`))).toBe('1 message/rfc822 1599971');
  });

  test('a message of header fields alone is read up to their limit', () => {
    const part = `--a\n${'x:\n'.repeat(6_000)}\n`;
    const root = parsed(`Content-Type: multipart/mixed; boundary=a\n\n${part.repeat(40)}--a--\n`);
    expect(root.subParts).toHaveLength(40);
    const fields = [root, ...root.subParts].map((it) => it.headers?.length ?? 0);
    expect(fields.reduce((sum, count) => sum + count, 0)).toBe(messageLimits.fieldsMax);
  });

  test('hostile messages are read in linear time', () => {
    const head = `${nested(99).split('\n\nleaf')[0]}\n\n`;
    for (const line of ['--\n', '--b0\n', '\n', '--b\n\n', 'x\n', '--x', '-']) parsed(head + line.repeat(100_000));
  });
});

describe('for any octets', () => {
  const boundary = fc.constantFrom('a', 'ab', 'b', 'x-y');
  const line = fc.oneof(
    boundary.map((it) => `--${it}`),
    boundary.map((it) => `--${it}--`),
    boundary.map((it) => `Content-Type: multipart/mixed; boundary="${it}"`),
    fc.constantFrom(
      '',
      '',
      'text',
      '--',
      ' x',
      'Content-Type: message/rfc822',
      'Content-Type: text/html',
      '\0',
      'Content-Transfer-Encoding: base64',
    ),
  );
  const lineBreak = fc.constantFrom('\r\n', '\n');
  const hostile = fc
    .tuple(fc.array(fc.tuple(line, lineBreak), { maxLength: 40 }), boundary)
    .map(([lines, it]) => Buffer.from(`Content-Type: multipart/mixed; boundary=${it}\r\n\r\n${lines.flat().join('')}`));

  test('no message makes it throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => void parseMessage(octets)));
  });

  test('parts lie within their multipart, in order, and do not overlap', () => {
    const check = (part: Part, from: number, to: number): number => {
      const range = part.range ?? { headerStart: -1, bodyStart: -1, bodyEnd: -1 };
      expect(range.headerStart).toBeGreaterThanOrEqual(from);
      expect(range.bodyStart).toBeGreaterThanOrEqual(range.headerStart);
      expect(range.bodyEnd).toBeGreaterThanOrEqual(range.bodyStart);
      expect(range.bodyEnd).toBeLessThanOrEqual(to);
      expect(part.encodedSize).toBe(range.bodyEnd - range.bodyStart);
      expect(part.partId === null).toBe(part.type.startsWith('multipart/'));
      let at = range.bodyStart;
      for (const child of part.subParts) at = check(child, at, range.bodyEnd);
      return range.bodyEnd;
    };
    fc.assert(fc.property(hostile, (octets) => void check(parseMessage(octets), 0, octets.length)));
  });

  test('part ids are unique, and the section numbers of their places', () => {
    fc.assert(
      fc.property(hostile, (octets) => {
        const visit = (part: Part, section: string): void => {
          expect(part.section).toBe(section);
          for (const [index, child] of part.subParts.entries())
            visit(child, section ? `${section}.${index + 1}` : `${index + 1}`);
        };
        const root = parseMessage(octets);
        visit(root, '');
        const ids = leaves(root).map((part) => part.partId);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });
});

describe('a message that was built', () => {
  type Built = { readonly body: string } | { readonly children: readonly Built[] };
  const body = fc
    .array(fc.constantFrom('x', ' ', '\r\n', '-', '--', 'é', '--other', '\n'), { maxLength: 12 })
    .map((it) => ({ body: it.join('') }));
  const { tree } = fc.letrec<{ tree: Built }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      body,
      fc.record({ children: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    ),
  }));

  const write = (node: Built, id: string): string => {
    if ('body' in node) return `Content-Type: text/plain\r\n\r\n${node.body}`;
    const parts = node.children.map((child, index) => `--=${id}=\r\n${write(child, `${id}.${index}`)}\r\n`);
    return `Content-Type: multipart/mixed; boundary="=${id}="\r\n\r\n${parts.join('')}--=${id}=--\r\n`;
  };
  const bodiesOf = (node: Built): string[] => ('body' in node ? [node.body] : node.children.flatMap(bodiesOf));

  test('gives back exactly the octets of every part', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const message = Buffer.from(write(node, '0'));
        const found = leaves(parseMessage(message)).map((part) => Buffer.from(partBody(message, part)).toString());
        expect(found).toEqual(bodiesOf(node));
      }),
    );
  });
});
