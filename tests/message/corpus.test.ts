import { describe, expect, test } from '@jest/globals';
import { parseJson } from '../../shared/jmap/json.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { decodeTransfer } from '../../shared/message/decode-transfer.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { emailOf } from './email-of.ts';
import { hugeMessages } from './huge-messages.ts';
import { leaves } from './outline.ts';
import { expectedBodyPart, expectedBodyValues, leavesOf, readCorpus } from './read-corpus.ts';

const corpus = readCorpus();

test('the corpus is there', () => {
  expect(corpus.length).toBeGreaterThan(150);
});

describe('a message of the corpus has the Email properties that it means:', () => {
  test.each(corpus.map((message) => [message.name, message] as const))('%s', (_, message) => {
    const { octets, properties, preview, bodyStructure, textBody, htmlBody, attachments } = message;
    const headerProperties = Object.keys(properties).filter((name) => name.startsWith('header:'));
    const email = emailOf(octets, headerProperties);
    expect(email).toEqual({
      ...{ properties, preview, textBody, htmlBody, attachments },
      bodyStructure: expectedBodyPart(bodyStructure),
      bodyValues: expectedBodyValues(bodyStructure),
    });
    expect(parseJson(JSON.stringify(email))).toEqual(email);
    const blobs = leaves(parseMessage(octets)).map((part) => decodeTransfer(partBody(octets, part), part.encoding));
    expect(blobs.map((blob) => blob.toString('latin1'))).toEqual(leavesOf(bodyStructure).map((leaf) => leaf.octets));
  });
});

test('a text of the corpus that is cut holds whole characters of its beginning, and no more octets than asked', () => {
  for (const { name, octets } of corpus) {
    for (const part of leaves(parseMessage(octets)).filter(({ type }) => type.startsWith('text/'))) {
      const whole = bodyValue(part, partBody(octets, part), { maxBodyValueBytes: 0 });
      for (const maxBodyValueBytes of [1, 2, 3, 4, 5, 6, 7, 17, 100]) {
        const { value, isTruncated, isEncodingProblem } = bodyValue(part, partBody(octets, part), {
          maxBodyValueBytes,
        });
        const length = Buffer.byteLength(value);
        // What was left out would not have fitted: the next character, or in HTML the rest of a tag.
        const next = Buffer.byteLength(String.fromCodePoint(whole.value.codePointAt(value.length) ?? 0x20));
        const isLongest = !isTruncated || part.type === 'text/html' || length + next > maxBodyValueBytes;
        expect({
          ...{ name, isPrefix: whole.value.startsWith(value), fits: length <= maxBodyValueBytes, isLongest },
          ...{ isTruncated, isEncodingProblem },
        }).toEqual({
          ...{ name, isPrefix: true, fits: true, isLongest: true },
          ...{ isTruncated: Buffer.byteLength(whole.value) > maxBodyValueBytes },
          ...{ isEncodingProblem: whole.isEncodingProblem },
        });
        expect(parseJson(JSON.stringify(value))).toBe(value);
      }
    }
  }
});

test.each(hugeMessages().map((message) => [message.name, message] as const))(
  '%s',
  (_, { octets, leaves: count, subject }) => {
    const root = parseMessage(octets);
    expect(leaves(root).length).toBe(count);
    const { properties, bodyStructure } = emailOf(octets);
    expect(properties.subject).toBe(subject);
    expect(JSON.stringify(bodyStructure).length).toBeGreaterThan(0);
  },
);
