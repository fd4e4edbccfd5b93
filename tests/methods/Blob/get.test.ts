import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { blobAccount, letterOctets, picture } from './blob-account.ts';

const fox = Buffer.from('The quick brown fox jumped over the lazy dog.');
const broken = Buffer.from('VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wZWQgb3ZlciB0aGUggYEgZG9nLg==', 'base64');
const hello = Buffer.from('hello world');

async function shown(octets: Buffer, args: JsonObject) {
  const { call, upload } = blobAccount();
  const { list } = (await call('get', { ids: [await upload(octets)], ...args })) as { list: JsonObject[] };
  const { id: _, ...others } = list[0] as JsonObject;
  return others;
}

describe('Blob/get (RFC 9404 §4.2)', () => {
  const examples: [string, Buffer, JsonObject, JsonObject][] = [
    [
      'R1',
      fox,
      { properties: ['data:asText', 'digest:sha', 'size'] },
      { 'data:asText': fox.toString(), 'digest:sha': 'wIVPufsDxBzOOALLDSIFKebu+U4=', size: 45 },
    ],
    [
      'R2',
      fox,
      { properties: ['data:asText', 'digest:sha', 'digest:sha-256', 'size'], offset: 4, length: 9 },
      {
        'data:asText': 'quick bro',
        'digest:sha': 'QiRAPtfyX8K6tm1iOAtZ87Xj3Ww=',
        'digest:sha-256': 'gdg9INW7lwHK6OQ9u0dwDz2ZY/gubi0En0xlFpKt0OA=',
        size: 45,
      },
    ],
    ['G1', broken, {}, { isEncodingProblem: true, 'data:asBase64': broken.toString('base64'), size: 43 }],
    ['G1, the other', hello, {}, { 'data:asText': 'hello world', size: 11 }],
    ['G2', broken, { properties: ['data:asText', 'size'] }, { isEncodingProblem: true, 'data:asText': null, size: 43 }],
    ['G3', broken, { properties: ['data:asBase64', 'size'] }, { 'data:asBase64': broken.toString('base64'), size: 43 }],
    [
      'G3, the other',
      hello,
      { properties: ['data:asBase64', 'size'] },
      { 'data:asBase64': 'aGVsbG8gd29ybGQ=', size: 11 },
    ],
    ['G4', broken, { offset: 0, length: 5 }, { 'data:asText': 'The q', size: 43 }],
    [
      'G5',
      broken,
      { offset: 20, length: 100 },
      { isTruncated: true, isEncodingProblem: true, 'data:asBase64': 'anVtcGVkIG92ZXIgdGhlIIGBIGRvZy4=', size: 43 },
    ],
    ['G5, the other', hello, { offset: 20, length: 100 }, { isTruncated: true, 'data:asText': '', size: 11 }],
  ];
  test.each(examples)('answers as in the example %s', async (_, octets, args, expected) => {
    expect(await shown(octets, args)).toEqual(expected);
  });

  const euro = Buffer.from('a€');
  const stretches: [string, Buffer, JsonObject, JsonObject][] = [
    [
      'that ends within a character',
      euro,
      { length: 2 },
      { isEncodingProblem: true, 'data:asBase64': 'YeI=', size: 4 },
    ],
    ['that is exactly all', hello, { offset: 0, length: 11 }, { 'data:asText': 'hello world', size: 11 }],
    ['that ends one too far', hello, { length: 12 }, { 'data:asText': 'hello world', size: 11, isTruncated: true }],
    ['of nothing', hello, { offset: 3, length: 0 }, { 'data:asText': '', size: 11 }],
    ['at the end', hello, { offset: 11 }, { 'data:asText': '', size: 11 }],
    ['beyond the end', hello, { offset: 12 }, { 'data:asText': '', size: 11, isTruncated: true }],
    ['of nothing beyond the end', hello, { offset: 12, length: 0 }, { 'data:asText': '', size: 11, isTruncated: true }],
    ['without its data', hello, { properties: ['size'], length: 12 }, { size: 11, isTruncated: true }],
    ['of the rest', hello, { offset: 6, length: null }, { 'data:asText': 'world', size: 11 }],
    ['with a byte order mark', Buffer.from('\ufeffx'), {}, { 'data:asText': '\ufeffx', size: 4 }],
    [
      'with what JSON may not hold',
      Buffer.from('\uffff'),
      { properties: ['data'] },
      { 'data:asBase64': '77+/', isEncodingProblem: true },
    ],
    [
      'as text and as octets',
      hello,
      { properties: ['data:asText', 'data:asBase64'] },
      { 'data:asText': 'hello world', 'data:asBase64': 'aGVsbG8gd29ybGQ=' },
    ],
    ['of which only the id is asked', hello, { properties: ['id'] }, {}],
  ];
  test.each(stretches)('a stretch %s', async (_, octets, args, expected) => {
    expect(await shown(octets, args)).toEqual(expected);
  });

  const blobs: [string, Buffer][] = [
    ['e1', letterOctets],
    ['e1-1', Buffer.from('café')],
    ['e1-2', picture],
    ['e1-3', Buffer.from('Subject: Inner\r\n\r\nInner text.')],
    ['e1-3-1', Buffer.from('Inner text.')],
    ['e1-4', Buffer.from('As it is.')],
  ];
  test.each(blobs)('%s is had decoded, in whole and in part', async (id, octets) => {
    const { call } = blobAccount();
    const properties = ['data:asBase64', 'digest:sha-256', 'size'];
    const expected = (part: Buffer) => ({
      'data:asBase64': part.toString('base64'),
      'digest:sha-256': createHash('sha256').update(part).digest('base64'),
      size: octets.byteLength,
    });
    expect(await call('get', { ids: [id], properties })).toEqual({
      accountId: 'a',
      list: [{ id, ...expected(octets) }],
      notFound: [],
    });
    expect(await call('get', { ids: [id], properties, offset: 2, length: 5 })).toMatchObject({
      list: [expected(octets.subarray(2, 7))],
    });
    expect(await call('get', { ids: [id], properties: ['size'] })).toMatchObject({
      list: [{ size: octets.byteLength }],
    });
  });

  test('the size of a message costs no reading', async () => {
    const { call, asked } = blobAccount();
    await call('get', { ids: ['e1'], properties: ['size'] });
    expect(asked).toEqual({ reads: [], sections: [] });
  });

  test('each blob is told of once, by its creation id too; what is not there is notFound', async () => {
    const { call, context, upload } = blobAccount([null]);
    const id = await upload(hello);
    context.createdIds.set('b', id);
    const ids = ['#b', 'e1', id, 'e1-1', '#c', `${id}-1`, 'u0123456789abcdef0123456789abcdef'];
    expect(await call('get', { ids, properties: ['size', 'data'] })).toEqual({
      accountId: 'a',
      list: [{ id, size: 11, 'data:asText': 'hello world' }],
      notFound: ids.filter((each) => each !== id && each !== '#b'),
    });
  });

  const refused: [string, string, JsonObject][] = [
    ['invalidArguments', 'an unknown property', { properties: ['colour'] }],
    ['invalidArguments', 'an unknown digest', { properties: ['digest:md5'] }],
    ['invalidArguments', 'a negative offset', { offset: -1 }],
    ['invalidArguments', 'all blobs', { ids: null }],
    ['requestTooLarge', 'too many blobs', { ids: Array.from({ length: 501 }, (_, index) => `e${index}`) }],
  ];
  test.each(refused)('%s: %s', async (type, _, args) => {
    expect(await blobAccount().call('get', { ids: ['e1'], ...args })).toMatchObject({ error: { type } });
  });

  test('more than one call may show is requestTooLarge', async () => {
    const { call, upload } = blobAccount();
    const large = Buffer.alloc(30_000_000);
    const ids = [await upload(large), await upload(large)];
    expect(await call('get', { ids })).toMatchObject({ error: { type: 'requestTooLarge' } });
    expect(await call('get', { ids, properties: ['size', 'digest:sha'] })).toMatchObject({ list: [{}, {}] });
  });
});

test('any stretch of any blob is what lies there, and isTruncated tells when that is less than was asked', async () => {
  const { call, upload } = blobAccount();
  const uploaded = await upload(picture);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(uploaded, 'e1-2'),
      fc.nat(4_000),
      fc.option(fc.nat(4_000)),
      async (id, offset, length) => {
        const { list } = (await call('get', { ids: [id], offset, length, properties: ['data:asBase64', 'size'] })) as {
          list: JsonObject[];
        };
        const end = length === null ? undefined : offset + length;
        const isTruncated = offset > picture.byteLength || (end ?? 0) > picture.byteLength;
        expect(list).toEqual([
          {
            id,
            size: picture.byteLength,
            'data:asBase64': picture.subarray(offset, end).toString('base64'),
            ...(isTruncated ? { isTruncated } : {}),
          },
        ]);
      },
    ),
    { numRuns: 60 },
  );
});
