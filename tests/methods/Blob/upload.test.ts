import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { uploadBlobs } from '../../../shared/methods/Blob/upload.ts';
import { callMethod } from '../mail-account.ts';
import { blobAccount, letterOctets, picture } from './blob-account.ts';

const text = (value: string) => ({ 'data:asText': value });

/** Uploads one blob of these sources; its octets, or the SetError. */
async function made(data: readonly JsonObject[], account = blobAccount()): Promise<Buffer | JsonObject> {
  const { created, notCreated } = await account.call('upload', { create: { b: { data: [...data] } } });
  if (notCreated !== null) return (notCreated as { b: JsonObject }).b;
  const { id, size } = (created as { b: { id: string; size: number } }).b;
  const { list } = await account.call('get', { ids: [id], properties: ['data:asBase64'] });
  const octets = Buffer.from((list as { 'data:asBase64': string }[])[0]?.['data:asBase64'] ?? '', 'base64');
  expect(octets.byteLength).toBe(size);
  return octets;
}

describe('Blob/upload (RFC 9404 §4.1)', () => {
  test('answers as in the simple example', async () => {
    const png =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABAQMAAAAl21bKAAAAA1BMVEX/AAAZ4gk3AAAAAXRSTlN/gFy0ywAAAApJREFUeJxjYgAAAAYAAzY3fKgAAAAASUVORK5CYII=';
    const { call, context } = blobAccount();
    const create = { '1': { data: [{ 'data:asBase64': png }], type: 'image/png' } };
    const answer = await call('upload', { create });
    expect(answer).toEqual({
      accountId: 'a',
      created: { '1': { id: expect.stringMatching(/^u[0-9a-f]{32}$/), type: 'image/png', size: 95 } },
      notCreated: null,
    });
    expect(context.createdIds.get('1')).toBe((answer.created as { '1': { id: string } })['1'].id);
  });

  test('answers as in the complex example', async () => {
    const { call } = blobAccount();
    await call('upload', { create: { b4: { data: [text('The quick brown fox jumped over the lazy dog.')] } } });
    const data = [
      text('How'),
      { blobId: '#b4', length: 7, offset: 3 },
      text('was t'),
      { blobId: '#b4', length: 1, offset: 1 },
      { 'data:asBase64': 'YXQ/' },
    ];
    expect(await call('upload', { create: { cat: { data } } })).toMatchObject({ created: { cat: { size: 19 } } });
    expect(await call('get', { properties: ['data:asText', 'size'], ids: ['#cat'] })).toMatchObject({
      list: [{ 'data:asText': 'How quick was that?', size: 19 }],
      notFound: [],
    });
  });

  const sources: [string, JsonObject[], Buffer][] = [
    ['nothing', [], Buffer.alloc(0)],
    ['empty text', [text('')], Buffer.alloc(0)],
    ['text in UTF-8', [text('Grüße 😀')], Buffer.from('Grüße 😀')],
    ['base64 with padding', [{ 'data:asBase64': 'YQ==' }, { 'data:asBase64': 'YWI=' }], Buffer.from('aab')],
    ['members that are null', [{ ...text('a'), 'data:asBase64': null, blobId: null, offset: null }], Buffer.from('a')],
    ['a message', [{ blobId: 'e1' }], letterOctets],
    ['a stretch of a part', [{ blobId: 'e1-2', offset: 10, length: 20 }], picture.subarray(10, 30)],
    ['the rest of a part', [{ blobId: 'e1-2', offset: 2_990 }], picture.subarray(2_990)],
    ['nothing at the end of a part', [{ blobId: 'e1-2', offset: 3_000 }], Buffer.alloc(0)],
    ['nothing in a part', [{ blobId: 'e1-2', offset: 3_000, length: 0 }], Buffer.alloc(0)],
    ['a part of a message within', [{ blobId: 'e1-3-1', length: 5 }], Buffer.from('Inner')],
  ];
  test.each(sources)('makes a blob of %s', async (_, data, octets) => {
    expect(await made(data)).toEqual(octets);
  });

  const bad: [string, JsonObject[]][] = [
    ['no source', [{}]],
    ['two sources', [{ ...text('a'), 'data:asBase64': 'YQ==' }]],
    ['a blob and text', [{ ...text('a'), blobId: 'e1' }]],
    ['text with an offset', [{ ...text('abc'), offset: 1 }]],
    ['something else', [{ ...text('a'), colour: 'red' }]],
    ['base64 of another alphabet', [{ 'data:asBase64': '_-A=' }]],
    ['base64 with a line break', [{ 'data:asBase64': 'YWJj\nYWJj' }]],
    ['base64 without its padding', [{ 'data:asBase64': 'YQ' }]],
    ['base64 with padding in the midst', [{ 'data:asBase64': 'YQ==YQ==' }]],
    ['a blob that is not there', [text('a'), { blobId: 'e9' }]],
    ['a creation id that is not there', [{ blobId: '#none' }]],
    ['itself', [{ blobId: '#b' }]],
    ['a stretch beyond the end', [{ blobId: 'e1-2', offset: 2_999, length: 2 }]],
    ['a stretch behind the end', [{ blobId: 'e1-2', offset: 3_001 }]],
    ['nothing behind the end', [{ blobId: 'e1-1', offset: 99, length: 1 }]],
    ['a negative length', [{ blobId: 'e1', length: -1 }]],
    ['too many sources', Array.from({ length: 101 }, () => text('a'))],
  ];
  test.each(bad)('makes none of %s', async (_, data) => {
    expect(await made(data)).toMatchObject({ type: 'invalidProperties', properties: ['data'] });
  });

  test('as many sources as are allowed are enough for anybody', async () => {
    expect(await made(Array.from({ length: 100 }, () => text('a')))).toEqual(Buffer.from('a'.repeat(100)));
  });

  test('blobs of one call may be made of each other, in any order', async () => {
    const { call } = blobAccount();
    const create = {
      whole: { data: [{ blobId: '#left' }, { blobId: '#right' }] },
      right: { data: [{ blobId: '#left', length: 1 }, text('c')] },
      left: { data: [text('ab')] },
      first: { data: [{ blobId: '#second' }] },
      second: { data: [{ blobId: '#first' }] },
    };
    const { created, notCreated } = await call('upload', { create });
    expect(Object.keys(created as JsonObject).sort()).toEqual(['left', 'right', 'whole']);
    expect(Object.keys(notCreated as JsonObject).sort()).toEqual(['first', 'second']);
    expect(await call('get', { ids: ['#whole'] })).toMatchObject({ list: [{ 'data:asText': 'abac' }] });
  });

  test('a blob may be as large as an upload, and no larger', async () => {
    const { ports, context, upload } = blobAccount();
    const blobId = await upload(Buffer.alloc(600));
    const small = { ...context, limits: { ...context.limits, maxSizeUpload: 1_000 } };
    const create = {
      fits: { data: [{ blobId }, { blobId, length: 400 }] },
      large: { data: [{ blobId }, { blobId, length: 401 }] },
    };
    expect(await callMethod(uploadBlobs, { create }, ports, small)).toMatchObject({
      created: { fits: { size: 1_000 } },
      notCreated: { large: { type: 'tooLarge' } },
    });
  });

  test('a store that fails is the failure of the call, unless something was kept', async () => {
    for (const works of [0, 1]) {
      const { ports, context } = blobAccount();
      let calls = 0;
      const put: typeof ports.uploads.put = async (octets) => {
        calls += 1;
        if (calls > works) throw new Unavailable('the disk is full');
        return ports.uploads.put(octets);
      };
      const failing = { ...ports, uploads: { ...ports.uploads, put } };
      const create = { a: { data: [] }, b: { data: [] } };
      const answer = callMethod(uploadBlobs, { create }, failing, context);
      if (works === 0) await expect(answer).rejects.toBeInstanceOf(Unavailable);
      else expect(await answer).toMatchObject({ created: { a: {} }, notCreated: { b: { type: 'serverUnavailable' } } });
    }
  });

  const refused: [string, JsonObject][] = [
    ['invalidArguments', { create: null }],
    ['invalidArguments', { create: { b: [] } }],
    ['invalidArguments', { create: {}, update: {} }],
    ['requestTooLarge', { create: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`b${n}`, { data: [] }])) }],
  ];
  test.each(refused)('%s: %j', async (type, args) => {
    expect(await blobAccount().call('upload', args)).toMatchObject({ error: { type } });
  });
});

test('the octets of a blob are those of its sources, one after the other', async () => {
  const account = blobAccount();
  const blobId = await account.upload(picture);
  const source = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((value): [JsonObject, Buffer] => [text(value), Buffer.from(value)]),
    fc.uint8Array().map((octets): [JsonObject, Buffer] => {
      const buffer = Buffer.from(octets);
      return [{ 'data:asBase64': buffer.toString('base64') }, buffer];
    }),
    fc
      .tuple(fc.constantFrom(blobId, 'e1-2'), fc.nat(2_000), fc.option(fc.nat(1_000)))
      .map(([id, offset, length]): [JsonObject, Buffer] => [
        { blobId: id, offset, length },
        picture.subarray(offset, length === null ? undefined : offset + length),
      ]),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(source, { maxLength: 6 }), async (sources) => {
      const octets = await made(
        sources.map(([given]) => given),
        account,
      );
      expect(octets).toEqual(Buffer.concat(sources.map(([, part]) => part)));
    }),
    { numRuns: 60 },
  );
});
