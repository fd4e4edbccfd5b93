import { describe, expect, test } from '@jest/globals';
import { parseJson } from '../../shared/jmap/json.ts';
import { decodeTransfer } from '../../shared/message/decode-transfer.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { emailOf } from './email-of.ts';
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
