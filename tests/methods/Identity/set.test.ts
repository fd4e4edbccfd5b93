import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { identity } from '../../../shared/methods/Identity/index.ts';
import { maySendFrom } from '../../../shared/methods/Identity/sending-policy.ts';
import { callMethod } from '../mail-account.ts';
import { sendingPorts } from '../sending-account.ts';

function start(alsoFrom: string[] = []) {
  const ports = sendingPorts({ policy: { alsoFrom } });
  return {
    get: (args: JsonObject = {}) => callMethod(identity.methods.get, args, ports),
    set: (args: JsonObject) => callMethod(identity.methods.set, args, ports),
    changes: (args: JsonObject) => callMethod(identity.methods.changes, args, ports),
    ports,
  };
}

describe('Identities', () => {
  test('are never none: the login has one, which stays', async () => {
    const { get, set } = start();
    const { list } = (await get()) as { list: JsonObject[] };
    expect(list).toEqual([
      {
        id: 'Idefault',
        name: '',
        email: 'anna@example.com',
        replyTo: null,
        bcc: null,
        textSignature: '',
        htmlSignature: '',
        mayDelete: false,
      },
    ]);
    expect(await set({ destroy: ['Idefault'] })).toMatchObject({ notDestroyed: { Idefault: { type: 'forbidden' } } });
  });

  test('hold signatures and addresses, and tell what changed', async () => {
    const { get, set, changes } = start();
    const first = await get({ ids: [] });
    const bcc = [{ name: 'Me', email: 'anna+archive@example.com' }];
    const created = await set({
      create: { k: { email: 'anna@example.com', name: 'Anna', bcc, replyTo: bcc, textSignature: '-- \nA' } },
      update: { Idefault: { htmlSignature: '<b>A</b>' } },
    });
    const id = (created.created as { k: { id: string } }).k.id;
    expect(created).toMatchObject({
      oldState: first.state,
      created: { k: { mayDelete: true, htmlSignature: '' } },
      updated: { Idefault: null },
    });
    expect(
      await get({ ids: [id, 'Idefault', 'none'], properties: ['bcc', 'textSignature', 'htmlSignature'] }),
    ).toMatchObject({
      state: created.newState,
      list: [
        { id, bcc, textSignature: '-- \nA', htmlSignature: '' },
        { id: 'Idefault', bcc: null, textSignature: '', htmlSignature: '<b>A</b>' },
      ],
      notFound: ['none'],
    });
    expect(await changes({ sinceState: first.state as string })).toMatchObject({
      newState: created.newState,
      created: [id],
      updated: ['Idefault'],
      destroyed: [],
    });
    const gone = await set({ destroy: [id], ifInState: created.newState as string });
    expect(gone).toMatchObject({ destroyed: [id], oldState: created.newState });
    expect(await changes({ sinceState: created.newState as string })).toMatchObject({ destroyed: [id] });
  });

  test.each([
    { email: 'eve@example.com', alsoFrom: [], error: { type: 'forbiddenFrom' } },
    { email: '*@example.com', alsoFrom: [], error: { type: 'forbiddenFrom' } },
    { email: 'anna@example.com\r\nX: y', alsoFrom: ['*'], error: { type: 'invalidProperties', properties: ['email'] } },
    { email: 'nonsense', alsoFrom: ['*'], error: { type: 'invalidProperties', properties: ['email'] } },
  ])('with the address $email are refused where $alsoFrom is allowed', async ({ email, alsoFrom, error }) => {
    const { set, get } = start(alsoFrom);
    expect(await set({ create: { k: { email } } })).toMatchObject({ created: null, notCreated: { k: error } });
    expect((await get()).list).toHaveLength(1);
  });

  test('have an address that does not change', async () => {
    const { set } = start(['*']);
    expect(await set({ update: { Idefault: { email: 'b@example.com' } } })).toMatchObject({
      notUpdated: { Idefault: { type: 'invalidProperties', properties: ['email'] } },
    });
  });

  test('that would take too much room are refused, and nothing else is', async () => {
    const { set, get } = start();
    let noise = '';
    for (let i = 1; noise.length < 800_000; i = (i * 48_271) % 2_147_483_647) noise += i.toString(36);
    const refused = await set({ create: { k: { email: 'anna@example.com', textSignature: noise } } });
    expect(refused).toMatchObject({ created: null, notCreated: { k: { type: 'overQuota' } } });
    expect(refused.newState).toBe((await get({ ids: [] })).state);
  });
});

describe('from', () => {
  test.each([
    { wanted: 'anna@example.com', alsoFrom: [], may: true },
    { wanted: 'Anna@EXAMPLE.com', alsoFrom: [], may: true },
    { wanted: 'bob@example.com', alsoFrom: [], may: false },
    { wanted: 'anna@example.com.evil.example', alsoFrom: [], may: false },
    { wanted: 'bob@example.com', alsoFrom: ['bob@example.com'], may: true },
    { wanted: 'any@example.com', alsoFrom: ['*@example.com'], may: true },
    { wanted: '*@example.com', alsoFrom: ['*@example.com'], may: true },
    { wanted: 'any@sub.example.com', alsoFrom: ['*@example.com'], may: false },
    { wanted: 'anna+x@example.com', alsoFrom: ['anna+*@example.com'], may: true },
    { wanted: 'anna+@example.com', alsoFrom: ['anna+*@example.com'], may: false },
    { wanted: 'annab@example.com', alsoFrom: ['anna+*@example.com'], may: false },
    { wanted: '"anna+x"@example.com', alsoFrom: ['"anna+*"@example.com'], may: false },
    { wanted: 'whoever@where.example', alsoFrom: ['*'], may: true },
    { wanted: 'no address', alsoFrom: ['*'], may: false },
  ])('$wanted one may send where $alsoFrom is allowed: $may', ({ wanted, alsoFrom, may }) => {
    expect(maySendFrom({ address: 'anna@example.com', alsoFrom }, wanted)).toBe(may);
  });
});
