import { describe, expect, test } from '@jest/globals';
import { ok } from '../../shared/jmap/errors.ts';
import { arrayOf, reference, string, unsignedInt, withDefault } from '../../shared/jmap/grammar.ts';
import { type AccountContext, accountMethod, userMethod } from '../../shared/jmap/method.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { bakery, bakeryUri, limits } from './bakery.ts';

const context: AccountContext<{ fee: number }> = {
  accountId: 'A' as Id,
  accounts: new Map(),
  capability: bakeryUri,
  createdIds: new Map([['k1', 'c1' as Id]]),
  limits,
  portsOf: () => ({ fee: 2 }),
  report: () => 'r',
  using: new Set(),
};

describe('A method of one’s own', () => {
  const give = accountMethod(
    { cookies: arrayOf(reference), to: string, fee: withDefault(unsignedInt, 1) },
    async ({ accountId, cookies, to, fee }, ports: { fee: number }) =>
      ok({ response: { accountId, cookies, to, fee: fee + ports.fee } }),
  );
  const run = (args: JsonObject) => give.run(args, { fee: 1 }, context);

  test('gets its arguments parsed, with defaults and with the ids of what was created before', async () => {
    expect(await run({ accountId: 'A', cookies: ['#k1', 'c2'], to: 'me' })).toEqual({
      ok: true,
      value: { response: { accountId: 'A', cookies: ['c1', 'c2'], to: 'me', fee: 2 } },
    });
  });

  test.each([
    ['a reference to nothing', { cookies: ['#k9'], to: 'me' }, '/cookies/0'],
    ['a missing argument', { cookies: [] }, '/to'],
    ['an unknown argument', { cookies: [], to: 'me', wrap: true }, '/wrap'],
  ])('is not run with %s', async (_what, args, where) => {
    expect(await run({ accountId: 'A', ...args })).toEqual({
      ok: false,
      error: { type: 'invalidArguments', description: expect.stringContaining(where) },
    });
  });

  test('writes only when it says so', () => {
    expect(give.writes).toBe(false);
    expect(accountMethod({}, async () => ok({ response: {} }), { writes: true }).writes).toBe(true);
  });

  test('of the user takes no account', async () => {
    const whistle = userMethod({ tune: string }, async ({ tune }) => ok({ response: { tune } }));
    expect(await whistle.run({ tune: 'la' }, undefined, context)).toMatchObject({ ok: true });
    expect(await whistle.run({ accountId: 'A', tune: 'la' }, undefined, context)).toMatchObject({ ok: false });
  });
});

test('Core/echo answers with exactly its arguments', async () => {
  const args = JSON.parse('{"hello": true, "high": 5, "accountId": null, "__proto__": {"a": [1e3]}}');
  const { methodResponses } = await bakery().send([['Core/echo', args, 'b3ff']]);
  expect(JSON.stringify(methodResponses)).toBe(JSON.stringify([['Core/echo', args, 'b3ff']]));
});
