import { beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { bakery, limits } from '../bakery.ts';

let { send, A, B, readOnly } = bakery();
beforeEach(async () => {
  ({ send, A, B, readOnly } = bakery());
  await send([['Cookie/set', { accountId: 'A', create: { k1: { name: 'a', grams: 1 }, k2: { name: 'b' } } }, '0']]);
});

/** The responses to a Cookie/copy from A to B. */
async function copy(args: JsonObject) {
  const { methodResponses } = await send([['Cookie/copy', { fromAccountId: 'A', accountId: 'B', ...args }, '0']]);
  return methodResponses.map(([name, response]) => [name, response] as const);
}

describe('Foo/copy', () => {
  test('copies records into the other account, and says what the server set', async () => {
    expect(await copy({ create: { n1: { id: 'c1' }, n2: { id: 'c2', grams: 7 } } })).toEqual([
      [
        'Cookie/copy',
        {
          fromAccountId: 'A',
          accountId: 'B',
          oldState: 'c0',
          newState: 'c1',
          created: { n1: { id: 'c1', bakedAt: expect.any(String) }, n2: { id: 'c2', bakedAt: expect.any(String) } },
          notCreated: null,
        },
      ],
    ]);
    expect([...B.cookies.latest().values()]).toMatchObject([
      { name: 'a', grams: 1 },
      { name: 'b', grams: 7 },
    ]);
    expect([...A.cookies.latest().keys()]).toEqual(['c1', 'c2']);
  });

  test('refuses records one by one', async () => {
    await copy({ create: { n: { id: 'c1' } } });
    const create = {
      again: { id: 'c1' },
      none: { id: 'c9' },
      nameless: { name: 'x' },
      wrong: { id: 'c2', grams: 'many' },
      forbidden: { id: 'c2', bakedAt: '2020-01-01T00:00:00Z' },
      good: { id: 'c2' },
    };
    const [[, response] = []] = await copy({ create });
    expect(response?.notCreated).toMatchObject({
      again: { type: 'alreadyExists', existingId: 'c1' },
      none: { type: 'notFound' },
      nameless: { type: 'invalidProperties', properties: ['id'] },
      wrong: { type: 'invalidProperties', properties: ['grams'] },
      forbidden: { type: 'invalidProperties', properties: ['bakedAt'] },
    });
    expect(Object.keys(response?.created as JsonObject)).toEqual(['good']);
  });

  test('makes its creation ids known to the calls that follow', async () => {
    await send([
      ['Cookie/copy', { fromAccountId: 'A', accountId: 'B', create: { n: { id: 'c1' } } }, '0'],
      ['Cake/set', { accountId: 'B', create: { k: { layers: ['#n'] } } }, '1'],
    ]);
    expect([...B.cakes.latest().values()]).toMatchObject([{ layers: ['c1'] }]);
  });

  test('destroys the originals of what was copied, and only these, in one implicit call', async () => {
    const create = { n1: { id: 'c1' }, n2: { id: 'c9' } };
    const responses = await copy({ create, onSuccessDestroyOriginal: true });
    expect(responses).toMatchObject([
      ['Cookie/copy', {}],
      ['Cookie/set', { accountId: 'A', oldState: 'c1', newState: 'c2', destroyed: ['c1'] }],
    ]);
    expect([...A.cookies.latest().keys()]).toEqual(['c2']);
  });

  test('passes destroyFromIfInState on', async () => {
    const args = { create: { n1: { id: 'c1' } }, onSuccessDestroyOriginal: true, destroyFromIfInState: 'c0' };
    expect(await copy(args)).toMatchObject([
      ['Cookie/copy', {}],
      ['error', { type: 'stateMismatch' }],
    ]);
    expect([...A.cookies.latest().keys()]).toEqual(['c1', 'c2']);
  });

  test.each([
    ['nothing was copied', { create: { n: { id: 'c9' } }, onSuccessDestroyOriginal: true }],
    ['it was not asked for', { create: { n: { id: 'c1' } } }],
  ])('makes no implicit call when %s', async (_what, args) => {
    expect(await copy(args)).toHaveLength(1);
  });

  test('leaves the originals where they may only be read', async () => {
    readOnly.cookies.change((records) => records.set('c5' as Id, { id: 'c5' as Id, name: 'r' }));
    const args = { fromAccountId: 'readOnly', create: { n: { id: 'c5' } }, onSuccessDestroyOriginal: true };
    expect(await copy(args)).toMatchObject([
      ['Cookie/copy', {}],
      ['error', { type: 'accountReadOnly' }],
    ]);
  });

  const tooMany = Object.fromEntries(
    Array.from({ length: limits.maxObjectsInSet + 1 }, (_, i) => [`n${i}`, { id: 'c1' }]),
  );
  const refused: [string, JsonObject, string][] = [
    ['no create', { create: null }, 'invalidArguments'],
    ['no account to copy from', { fromAccountId: null }, 'invalidArguments'],
    ['one account for both', { fromAccountId: 'B' }, 'invalidArguments'],
    ['an unknown account to copy from', { fromAccountId: 'C' }, 'fromAccountNotFound'],
    ['an unknown account to copy to', { accountId: 'C' }, 'accountNotFound'],
    ['a read-only account to copy to', { accountId: 'readOnly' }, 'accountReadOnly'],
    ['another state of the account to copy from', { ifFromInState: 'c0' }, 'stateMismatch'],
    ['another state of the account to copy to', { ifInState: 'c1' }, 'stateMismatch'],
    ['more records than maxObjectsInSet', { create: tooMany }, 'requestTooLarge'],
  ];
  test.each(refused)('refuses %s, and copies nothing', async (_what, args, type) => {
    expect(await copy({ create: { n: { id: 'c1' } }, ...args })).toMatchObject([['error', { type }]]);
    expect(B.cookies.state()).toBe('c0');
  });

  test('refuses to copy from an account without the capability', async () => {
    const args = { fromAccountId: 'cakeless', accountId: 'B', create: { n: { id: 'k1' } } };
    const { methodResponses } = await send([['Cake/copy', args, '0']]);
    expect(methodResponses).toEqual([['error', { type: 'fromAccountNotSupportedByMethod' }, '0']]);
  });

  test('goes on when both states are the expected ones', async () => {
    const args = { create: { n: { id: 'c1' } }, ifFromInState: 'c1', ifInState: 'c0' };
    expect(await copy(args)).toMatchObject([['Cookie/copy', { created: { n: { id: 'c1' } } }]]);
  });

  test('fails as a whole when the world fails before anything was copied', async () => {
    B.cookies.failures.set('copy', new Unavailable('down'));
    expect(await copy({ create: { n: { id: 'c1' } } })).toEqual([['error', { type: 'serverUnavailable' }]]);
  });
});
