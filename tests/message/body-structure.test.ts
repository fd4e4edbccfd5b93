import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bodyParts, hasAttachment } from '../../shared/message/body-structure.ts';
import type { Part } from '../../shared/message/part.ts';
import { leaves } from './outline.ts';

type Extras = Partial<Pick<Part, 'disposition' | 'name' | 'cid'>>;

/** A leaf, with a label in place of its part id. */
function leaf(label: string, type: string, extras: Extras = {}): Part {
  return { ...multipart(type, []), partId: label, ...extras };
}

function multipart(type: string, subParts: readonly Part[]): Part {
  const none = { charset: null, disposition: null, name: null, cid: null, language: null, location: null };
  return { ...none, partId: null, section: '', type, encoding: '7bit', encodedSize: 0, size: 0, subParts };
}

const labels = (parts: readonly Part[]) => parts.map((part) => part.partId).join(' ');
const lists = (root: Part) => {
  const { textBody, htmlBody, attachments } = bodyParts(root);
  return [labels(textBody), labels(htmlBody), labels(attachments)];
};

const inline: Extras = { disposition: 'inline' };
const attached: Extras = { disposition: 'attachment' };
const text = leaf('T', 'text/plain');
const html = leaf('H', 'text/html');

describe('bodyParts', () => {
  test.each<[string, Part, [string, string, string]]>([
    [
      'the example of RFC 8621 §4.1.4',
      multipart('multipart/mixed', [
        leaf('A', 'text/plain', inline),
        multipart('multipart/mixed', [
          multipart('multipart/alternative', [
            multipart('multipart/mixed', [
              leaf('B', 'text/plain', inline),
              leaf('C', 'image/jpeg', inline),
              leaf('D', 'text/plain', inline),
            ]),
            multipart('multipart/related', [leaf('E', 'text/html'), leaf('F', 'image/jpeg')]),
          ]),
          leaf('G', 'image/jpeg', attached),
          leaf('H', 'application/x-excel'),
          leaf('J', 'message/rfc822'),
        ]),
        leaf('K', 'text/plain', inline),
      ]),
      ['A B C D K', 'A E K', 'C F G H J'],
    ],
    ['plain text alone', text, ['T', 'T', '']],
    ['HTML alone', html, ['H', 'H', '']],
    ['an alternative', multipart('multipart/alternative', [text, html]), ['T', 'H', '']],
    ['an alternative of HTML only', multipart('multipart/alternative', [html]), ['H', 'H', '']],
    ['an alternative of text only', multipart('multipart/alternative', [text]), ['T', 'T', '']],
    [
      'an alternative with a calendar',
      multipart('multipart/alternative', [text, html, leaf('I', 'text/calendar')]),
      ['T', 'H', 'I'],
    ],
    ['an image alone', leaf('I', 'image/png'), ['I', 'I', '']],
    ['a document alone', leaf('D', 'application/pdf'), ['', '', 'D']],
    ['text that is to be attached', leaf('T', 'text/plain', attached), ['', '', 'T']],
    ['text of another type', leaf('C', 'text/csv'), ['', '', 'C']],
    [
      'a named text in first place',
      multipart('multipart/mixed', [leaf('N', 'text/plain', { name: 'a.txt' }), text]),
      ['N T', 'N T', ''],
    ],
    [
      'a named text in another place',
      multipart('multipart/mixed', [text, leaf('N', 'text/plain', { name: 'a.txt' })]),
      ['T', 'T', 'N'],
    ],
    [
      'a named image in another place',
      multipart('multipart/mixed', [text, leaf('I', 'image/png', { name: 'a.png' })]),
      ['T I', 'T I', ''],
    ],
    [
      'what is related to HTML',
      multipart('multipart/related', [html, leaf('I', 'image/png'), leaf('P', 'text/plain')]),
      ['H', 'H', 'I P'],
    ],
    [
      'related images in an alternative',
      multipart('multipart/alternative', [text, multipart('multipart/related', [html, leaf('I', 'image/png')])]),
      ['T', 'H', 'I'],
    ],
    [
      'an image in the text of an alternative',
      multipart('multipart/alternative', [multipart('multipart/mixed', [text, leaf('I', 'image/png')]), html]),
      ['T I', 'H', 'I'],
    ],
    [
      'HTML and text in one branch of an alternative, where the text finds both lists closed',
      multipart('multipart/alternative', [multipart('multipart/mixed', [html, text])]),
      ['H', 'H', 'T'],
    ],
    [
      'an alternative in an HTML branch of an alternative',
      multipart('multipart/alternative', [
        text,
        multipart('multipart/mixed', [
          html,
          multipart('multipart/alternative', [leaf('U', 'text/plain'), leaf('I', 'text/html')]),
        ]),
      ]),
      ['T', 'H I', 'U'],
    ],
    ['a multipart of nothing', multipart('multipart/mixed', []), ['', '', '']],
    ['signed text', multipart('multipart/signed', [text, leaf('S', 'application/pgp-signature')]), ['T', 'T', 'S']],
  ])('decomposes %s', (_name, root, expected) => {
    expect(lists(root)).toEqual(expected);
  });

  const type = fc.constantFrom(
    'text/plain',
    'text/html',
    'image/png',
    'application/pdf',
    'text/calendar',
    'message/rfc822',
  );
  const disposition = fc.constantFrom(null, 'inline', 'attachment');
  const name = fc.constantFrom(null, 'x');
  const subtype = fc.constantFrom('mixed', 'alternative', 'related', 'digest');
  const { tree } = fc.letrec<{ tree: Part }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      fc.record({ type, disposition, name }).map((it) => leaf('x', it.type, it)),
      fc
        .tuple(subtype, fc.array(tie('tree'), { maxLength: 4 }))
        .map(([it, children]) => multipart(`multipart/${it}`, children)),
    ),
  }));

  test('every leaf is in some list, and attachments are as RFC 8621 defines them', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const { textBody, htmlBody, attachments } = bodyParts(root);
        for (const part of leaves(root)) {
          const places = [textBody, htmlBody].filter((list) => list.includes(part)).length;
          const isMedia = part.type.startsWith('image/');
          expect(attachments.includes(part)).toBe(places === 0 || (isMedia && places < 2));
        }
      }),
    );
  });
});

describe('hasAttachment', () => {
  const mixed = (...parts: Part[]) => multipart('multipart/mixed', parts);
  const related = (...parts: Part[]) => multipart('multipart/related', parts);
  const embedded = leaf('I', 'image/png', { cid: 'i@x' });

  test.each<[string, Part]>([
    ['a document', mixed(text, leaf('D', 'application/pdf'))],
    ['a document to be attached', mixed(text, leaf('D', 'application/pdf', attached))],
    ['an image to be attached', mixed(text, leaf('I', 'image/png', attached))],
    ['an attached message', mixed(text, leaf('M', 'message/rfc822'))],
    ['a related image without a Content-Id', related(html, leaf('I', 'image/png'))],
    [
      'a related image with a Content-Id that is to be attached',
      related(html, leaf('I', 'image/png', { ...attached, cid: 'i@x' })),
    ],
    ['a related image without HTML', related(text, embedded)],
    ['a related document with a Content-Id', related(html, leaf('D', 'application/pdf', { cid: 'd@x' }))],
    ['a calendar beside the body', mixed(text, leaf('C', 'text/calendar'))],
    [
      'an alternative that is to be attached',
      multipart('multipart/alternative', [text, leaf('C', 'text/calendar', attached)]),
    ],
    ['a document alone', leaf('D', 'application/pdf')],
    ['an encrypted message of S/MIME', leaf('E', 'application/pkcs7-mime')],
  ])('is true for %s', (_name, root) => {
    expect(hasAttachment(root)).toBe(true);
  });

  test.each<[string, Part]>([
    ['plain text', text],
    ['an alternative', multipart('multipart/alternative', [text, html])],
    ['an image shown in the body', mixed(text, leaf('I', 'image/png'))],
    ['a document that is inline', mixed(text, leaf('D', 'application/pdf', inline))],
    ['a related image that is inline', related(html, leaf('I', 'image/png', inline))],
    ['a related image with a Content-Id', related(html, embedded)],
    ['a related image in an alternative', multipart('multipart/alternative', [text, related(html, embedded)])],
    ['a related image beside an alternative', related(multipart('multipart/alternative', [text, html]), embedded)],
    [
      'a calendar as another version of the body',
      multipart('multipart/alternative', [text, leaf('C', 'text/calendar')]),
    ],
    ['a PGP signature', multipart('multipart/signed', [text, leaf('S', 'application/pgp-signature', attached)])],
    [
      'an S/MIME signature',
      multipart('multipart/signed', [text, leaf('S', 'application/pkcs7-signature', { name: 'smime.p7s' })]),
    ],
    ['nothing', mixed()],
  ])('is false for %s', (_name, root) => {
    expect(hasAttachment(root)).toBe(false);
  });
});
