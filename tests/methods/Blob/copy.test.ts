import { describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { copyBlobs } from '../../../shared/methods/Blob/copy.ts';
import type { BlobPorts } from '../../../shared/methods/Blob/find.ts';
import { callMethod } from '../mail-account.ts';
import { blobAccount, letterOctets, picture } from './blob-account.ts';

const account = { name: 'other', isPersonal: true, isReadOnly: true, accountCapabilities: {} };

/** Two accounts of one user: `from` has the letter, `a` has nothing. */
function twoAccounts() {
  const from = blobAccount();
  const to = blobAccount([]);
  const context = {
    ...to.context,
    accounts: new Map([
      ['a', account],
      ['from', account],
    ]),
    portsOf: (): BlobPorts => from.ports,
  };
  const copy = (args: JsonObject) => callMethod(copyBlobs, { fromAccountId: 'from', ...args }, to.ports, context);
  return { from, to, copy, context };
}

describe('Blob/copy (RFC 8620 §6.3)', () => {
  test('messages, parts and uploaded files are uploaded files of the other account', async () => {
    const { from, to, copy } = twoAccounts();
    const uploaded = await from.upload(Buffer.from('uploaded'));
    const blobIds = ['e1', 'e1-2', uploaded, 'e1-2'];
    const answer = await copy({ blobIds });
    expect(answer).toMatchObject({ fromAccountId: 'from', accountId: 'a', notCopied: null });
    const copied = answer.copied as { [blobId: string]: Id };
    expect(Object.keys(copied)).toEqual(['e1', 'e1-2', uploaded]);
    const octets = Object.values(copied).map(async (id) => {
      const stream = await to.ports.uploads.open(id);
      return Buffer.from(await new Response(stream).arrayBuffer());
    });
    expect(await Promise.all(octets)).toEqual([letterOctets, picture, Buffer.from('uploaded')]);
  });

  test('what is not there is not copied, and neither is what is too large', async () => {
    const { to, copy, context } = twoAccounts();
    expect(await copy({ blobIds: ['e9', 'e1-9', 'e1-3-9', '#b'] })).toEqual({
      fromAccountId: 'from',
      accountId: 'a',
      copied: null,
      notCopied: Object.fromEntries(['e9', 'e1-9', 'e1-3-9', '#b'].map((id) => [id, { type: 'notFound' }])),
    });
    const small = { ...context, limits: { ...context.limits, maxSizeUpload: 100 } };
    const args = { fromAccountId: 'from', blobIds: ['e1-1', 'e1-2'] };
    expect(await callMethod(copyBlobs, args, to.ports, small)).toMatchObject({
      copied: { 'e1-1': expect.any(String) },
      notCopied: { 'e1-2': { type: 'tooLarge' } },
    });
  });

  const refused: [string, string, JsonObject][] = [
    ['fromAccountNotFound', 'an account that is not the user’s', { fromAccountId: 'b' }],
    ['invalidArguments', 'one account', { fromAccountId: 'a' }],
    ['invalidArguments', 'no blobs', { blobIds: null }],
    ['requestTooLarge', 'too many blobs', { blobIds: Array.from({ length: 501 }, (_, index) => `e${index}`) }],
  ];
  test.each(refused)('%s: %s', async (type, _, args) => {
    expect(await twoAccounts().copy({ blobIds: ['e1'], ...args })).toMatchObject({ error: { type } });
  });
});
