import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseMessage } from '../../shared/message/parse-message.ts';
import { preview, previewLimits, previewParts } from '../../shared/message/preview.ts';
import { crlf } from './outline.ts';

const plain = { type: 'text/plain', charset: 'utf-8', encoding: '8bit' };
const html = { ...plain, type: 'text/html' };
const ofText = (text: string) => preview(plain, Buffer.from(text));
const ofHtml = (text: string) => preview(html, Buffer.from(text));

describe('the preview of plain text', () => {
  test.each([
    ['is one line', 'a\r\n\r\n b\t c\n', 'a b c'],
    ['has no quoted text', 'yes\n> no\n>> never\nand more', 'yes and more'],
    ['has no line that introduces a quote', 'yes\n\nOn Monday Bob wrote:\n\n> no', 'yes'],
    [
      'has no paragraph that introduces a quote',
      'yes\n\nOn Mon, 1 Jan 2024 at 10:00, Bob Bobson <bob@example.com>\nwrote:\n> no',
      'yes',
    ],
    ['has no such line in other languages', 'ja\n\nAm 1.1.2024 schrieb Bob:\n> nein', 'ja'],
    ['keeps a line before a quote that ends otherwise', 'I agree.\n> no', 'I agree.'],
    ['ends before the signature', 'yes\n-- \nBob\n', 'yes'],
    ['ends before the original message', 'yes\n\n-----Original Message-----\nFrom: x', 'yes'],
    ['shows a forwarded message', '-----Original Message-----\nFrom: x', 'From: x'],
    ['shows quoted text where there is nothing else', '> a\n> b\n', 'a b'],
    ['shows the signature where there is nothing else', '-- \nBob', '-- Bob'],
    [
      'has no armour of PGP',
      '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nhello\n-----BEGIN PGP SIGNATURE-----\nabc',
      'hello',
    ],
    ['has no links in brackets', 'see <https://example.com/x?y> or [http://z] (http://w) now', 'see or now'],
    ['has no placeholders of images', 'a [image: Logo] b [cid:x@y] c', 'a b c'],
    ['has no rows of ornament', 'Title\n=====\n* * *\n-----\ntext --- end', 'Title * * * text --- end'],
    ['has no control characters', 'a\u0000b\u001b[1mc\u0085d', 'a b [1mc d'],
    ['has no invisible padding', `a${'\u034f \u200c'.repeat(50)}b${'\u200b'.repeat(9)}c`, 'a bc'],
    ['keeps joiners in words and emoji', 'می\u200cخواهم 👨\u200d👩\u200d👧', 'می\u200cخواهم 👨\u200d👩\u200d👧'],
    ['is empty for no text', ' \r\n\r\n', ''],
  ])('%s', (_name, text, expected) => {
    expect(ofText(text)).toBe(expected);
  });

  test('has at most 256 characters, and cuts none apart', () => {
    expect(ofText('x'.repeat(1000))).toHaveLength(256);
    expect(ofText(`${'x'.repeat(255)}😀`)).toBe('x'.repeat(255));
    expect(ofText('😀'.repeat(200))).toBe('😀'.repeat(128));
  });

  test.each<[string, string, string]>([
    ['base64', Buffer.from('grüße an alle').toString('base64'), 'grüße an alle'],
    ['quoted-printable', 'gr=C3=BC=C3=9Fe =\r\nan alle', 'grüße an alle'],
  ])('decodes %s, also of a beginning', (encoding, encoded, expected) => {
    const part = { ...plain, encoding };
    expect(preview(part, Buffer.from(encoded))).toBe(expected);
    for (let length = 0; length < encoded.length; length++) {
      const shown = preview(part, Buffer.from(encoded).subarray(0, length), true);
      expect(expected.startsWith(shown)).toBe(true);
    }
  });

  test('decodes the charset', () => {
    expect(preview({ ...plain, charset: 'iso-8859-1' }, Buffer.from('gr\xfc\xdfe', 'latin1'))).toBe('grüße');
  });
});

describe('the preview of HTML', () => {
  test.each([
    ['has no tags', '<p>Hello <b>w</b>orld</p>', 'Hello world'],
    ['decodes entities', 'a&nbsp;&lt;b&gt; &eacute;&#8364;', 'a <b> é€'],
    [
      'puts a space between blocks and cells',
      '<div>a</div><div>b</div>c<br>d<table><tr><td>e</td><td>f</td></tr></table>',
      'a b c d e f',
    ],
    ['has no title, style or script', '<title>t</title><style>s{}</style><script>x()</script>text', 'text'],
    ['has no comments', 'a<!-- b -->c<!--[if mso]><p>d</p><![endif]-->', 'ac'],
    ['has no quoted text', '<p>yes</p><blockquote><p>no</p></blockquote><p>and more</p>', 'yes and more'],
    [
      'has no answered message of Gmail',
      '<div>yes</div><div class="x gmail_quote"><div>On Monday wrote:</div><blockquote>no</blockquote></div>',
      'yes',
    ],
    ['has no line that introduces a quote', 'yes<br>On Monday Bob wrote:<br><blockquote>no</blockquote>', 'yes'],
    ['shows quoted text where there is nothing else', '<blockquote>a<br>b</blockquote>', 'a b'],
    [
      'shows the text that is there for previews only',
      '<div style="display:none">Sale!&nbsp;&zwnj;&nbsp;&zwnj;</div><p>News</p>',
      'Sale! News',
    ],
    ['ends where the markup is broken', 'a<b', 'a'],
    ['is empty for no text', '<html><body><img src="x"></body></html>', ''],
  ])('%s', (_name, text, expected) => {
    expect(ofHtml(text)).toBe(expected);
  });

  test('reads over a long style sheet', () => {
    expect(ofHtml(`<style>${'a{b:c}\n'.repeat(5_000)}</style><p>text</p>`)).toBe('text');
  });

  test('reads no more than the named number of octets', () => {
    expect(ofHtml(`<!--${'x'.repeat(previewLimits.encodedBytesMax)}-->text`)).toBe('');
  });
});

describe('any preview', () => {
  test('is one short line without lone surrogates, whatever the octets', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc
        .array(fc.constantFrom('<', '>', '<p>', '</p>', '&', '\n', '> ', 'On x:', '-- ', '😀', 'x ', '<!--', '"'), {
          maxLength: 200,
        })
        .map((it) => Buffer.from(it.join(''))),
    );
    fc.assert(
      fc.property(fc.constantFrom(plain, html), octets, fc.boolean(), (part, encoded, isPrefix) => {
        const shown = preview(part, encoded, isPrefix);
        expect(shown.length).toBeLessThanOrEqual(256);
        expect(Buffer.from(shown).toString()).toBe(shown);
        expect(shown).not.toMatch(/[\r\n\t\0]|^ | $| {2}/);
      }),
    );
  });

  test('is made in linear time', () => {
    const pieces = [
      '<div>',
      '<p>',
      '<a href="',
      '<!--',
      '<table><tr><td>',
      '</div>',
      '&',
      '<blockquote>',
      '<svg><',
      '-',
      '>',
      ' -',
      '\n-',
      '<http://',
      '[image:',
      ':\n>',
    ];
    for (const piece of pieces) {
      for (const part of [plain, html]) preview(part, Buffer.from(piece.repeat(60_000)));
    }
  });
});

describe('previewParts', () => {
  test.each([
    ['Content-Type: text/plain\n\nx', ['1']],
    ['Content-Type: text/html\n\nx', ['1']],
    [
      'Content-Type: multipart/alternative; boundary=a\n\n--a\n\nx\n--a\nContent-Type: text/html\n\ny\n--a--\n',
      ['1', '2'],
    ],
    ['Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: image/png\n\nx\n--a\n\ny\n--a--\n', ['2']],
    ['Content-Type: application/pdf\n\nx', []],
    [
      'Content-Type: multipart/encrypted; boundary=a\n\n--a\nContent-Type: application/pgp-encrypted\n\nx\n--a\nContent-Type: application/octet-stream\n\ny\n--a--\n',
      [],
    ],
  ])('of %j are %j', (text, expected) => {
    expect(previewParts(parseMessage(crlf(text))).map((part) => part.partId)).toEqual(expected);
  });
});
