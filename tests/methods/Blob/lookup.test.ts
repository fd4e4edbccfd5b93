import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { lookUpBlobs } from '../../../shared/methods/Blob/lookup.ts';
import { blobCapability, mailCapability, sieveCapability } from '../../../shared/methods/capabilities.ts';
import { callMethod } from '../mail-account.ts';
import { scriptAccount } from '../SieveScript/script-account.ts';
import { blobAccount, letter } from './blob-account.ts';

const typeNames = ['Mailbox', 'Thread', 'Email'];
const inLetter = { Mailbox: ['m1'], Thread: ['t1'], Email: ['e1'] };
const nowhere = { Mailbox: [], Thread: [], Email: [] };

describe('Blob/lookup (RFC 9404 §4.3)', () => {
  const known: [string, JsonObject][] = [
    ['e1', inLetter],
    ['e1-2', inLetter],
    ['e1-3-1', inLetter],
    ['e2', { Mailbox: ['m1'], Thread: ['t2'], Email: ['e2'] }],
    ['e1-9', nowhere],
    ['e1-3-9', nowhere],
    ['e3', nowhere],
    ['not-a-blob', nowhere],
  ];
  test.each(known)('%s is referred to by %j', async (id, matchedIds) => {
    const { call } = blobAccount([letter, letter]);
    expect(await call('lookup', { typeNames, ids: [id] })).toEqual({ accountId: 'a', list: [{ id, matchedIds }] });
  });

  test('an uploaded file is referred to by nothing', async () => {
    const { call, upload } = blobAccount();
    const id = await upload(Buffer.from(letter));
    const list = [id, `${id}-1`].map((each) => ({ id: each, matchedIds: nowhere }));
    expect(await call('lookup', { typeNames, ids: list.map((each) => each.id) })).toMatchObject({ list });
  });

  test('only the asked types are looked at, and a message costs no reading', async () => {
    const { call, asked } = blobAccount();
    const list = [{ id: 'e1', matchedIds: { Thread: ['t1'] } }];
    expect(await call('lookup', { typeNames: ['Thread'], ids: ['e1', 'e1'] })).toMatchObject({ list });
    expect(asked).toEqual({ reads: [], sections: [] });
  });

  test('a script is referred to by each SieveScript with these octets, and by nothing else', async () => {
    const { ports, context, get, idOf, upload } = scriptAccount({ one: 'keep;', two: 'stop;', three: 'keep;' });
    const [blobId = ''] = (await get()).list.filter(({ name }) => name === 'one').map((script) => script.blobId);
    const using = new Set([mailCapability, sieveCapability, blobCapability]);
    const ids = [blobId, 's0000000000000000000000000000000000000000', await upload('keep;')];
    const answer = await callMethod(lookUpBlobs, { typeNames: ['SieveScript', 'Email'], ids }, ports, {
      ...context,
      using,
    });
    expect(answer).toMatchObject({
      list: [
        { id: blobId, matchedIds: { SieveScript: [await idOf('one'), await idOf('three')], Email: [] } },
        { id: ids[1], matchedIds: { SieveScript: [], Email: [] } },
        { id: ids[2], matchedIds: { SieveScript: [], Email: [] } },
      ],
    });
  });

  const refused: [string, string, JsonObject][] = [
    ['unknownDataType', 'a type that refers to no blobs', { typeNames: ['Email', 'Identity'] }],
    ['unknownDataType', 'a name that objects have', { typeNames: ['toString'] }],
    ['invalidArguments', 'no types', { typeNames: null }],
    ['requestTooLarge', 'too many blobs', { ids: Array.from({ length: 501 }, (_, index) => `e${index}`) }],
  ];
  test.each(refused)('%s: %s', async (type, _, args) => {
    expect(await blobAccount().call('lookup', { typeNames, ids: ['e1'], ...args })).toMatchObject({ error: { type } });
  });

  test('unknownDataType: a type whose capability the request does not use', async () => {
    const { ports, context } = blobAccount();
    const using = new Set([blobCapability]);
    const answer = await callMethod(lookUpBlobs, { typeNames: ['Email'], ids: ['e1'] }, ports, { ...context, using });
    expect(answer).toMatchObject({ error: { type: 'unknownDataType' } });
  });
});
