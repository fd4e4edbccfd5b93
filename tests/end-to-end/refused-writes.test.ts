import { afterEach, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { type Administer, type Administered, administeredCyrus, administeredDovecot } from './administrator.ts';
import { expectRight, questions } from './failure-laws.ts';
import { startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { letter } from './letter.ts';
import { namesOf, takeSnapshot } from './snapshot.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Refused = { readonly [id: string]: { readonly type: string; readonly properties?: string[] } };
type SetResponse = { readonly updated: JsonObject | null; readonly destroyed: Id[] | null } & {
  readonly notUpdated: Refused | null;
  readonly notDestroyed: Refused | null;
};

/** Two letters in the inbox, of which one is in the mailbox Closed too, and a client. `rights`: what the user may do there then. */
async function scene(
  { server, user, setRights, stop }: Administered,
  ignoreCapabilities: readonly string[],
  rights?: string,
) {
  stops.push(stop);
  const actor = await imapActor(server, user);
  stops.push(() => actor.close());
  for (const name of ['Closed', 'Work']) await actor.create(name);
  for (const token of ['one', 'two']) await actor.deliver('INBOX', letter({ token }));
  await actor.copy('INBOX', [2], 'Closed');
  if (rights !== undefined) await setRights('Closed', rights);
  const product = startProduct(server, { ignoreCapabilities });
  stops.push(() => product.stop());
  const client = await (await product.startProcess()).client(user);
  const before = await takeSnapshot(client, questions);
  const property = 'header:X-Token:asText';
  const ids = [...before.Email.keys()];
  const { list } = await client.get<{ id: Id; [property]: string }>('Email', { ids, properties: [property] });
  const id = (token: string) => list.find((email) => email[property] === token)?.id ?? ('none' as Id);
  const boxes = new Map([...namesOf(before.Mailbox)].map(([boxId, name]) => [name, boxId]));
  const box = (name: string) => boxes.get(name) ?? ('none' as Id);
  return {
    ...{ id, box },
    /** What it answers; what lies on the mail server then is what the client sees. */
    set: async (args: JsonObject): Promise<SetResponse> => {
      const response = await client.one<SetResponse>('Email/set', args);
      product.advanceClock(10_000);
      const after = await takeSnapshot(client, questions);
      await expectRight(await actor.observe(), client, [before, after], [0], false);
      return response;
    },
    where: async () => {
      const observed = (await actor.observe()).filter(({ rows }) => rows.length > 0);
      return Object.fromEntries(
        observed.map(({ name, rows }) => [name, rows.map(({ token, flags }) => [token, ...flags].join(' ')).sort()]),
      );
    },
  };
}

const asItWas = { INBOX: ['one', 'two'], Closed: ['two'] };

const servers: readonly [title: string, administer: Administer, ignoreCapabilities: readonly string[]][] = [
  ['Dovecot with MOVE', administeredDovecot, []],
  ['Dovecot without MOVE', administeredDovecot, ['MOVE']],
  ['Cyrus with MOVE', administeredCyrus, []],
  ['Cyrus without MOVE', administeredCyrus, ['MOVE']],
];

describe.each(servers)('on %s', (_, administer, ignoreCapabilities) => {
  /** Of the mailbox Closed the user keeps these rights. */
  const withRights = async (rights: string) => scene(await administer(), ignoreCapabilities, rights);

  test.each([
    ['moved', 'lr', ['Closed']],
    ['copied', 'lr', ['INBOX', 'Closed']],
    ['moved and copied', 'lr', ['Closed', 'Work']],
    ['moved', 'lrkx', ['Closed']],
  ])('nothing is %s into a mailbox of which the rights are %s, and it stays where it was', async (_, rights, names) => {
    const { id, box, set, where } = await withRights(rights);
    const mailboxIds = Object.fromEntries(names.map((name) => [box(name), true]));
    const { updated, notUpdated } = await set({
      update: {
        [id('one')]: { mailboxIds, 'keywords/$flagged': true },
        [id('two')]: { 'keywords/$flagged': true },
      },
    });
    expect(updated).toBe(null);
    expect(Object.values(notUpdated ?? {}).map(({ type }) => type)).toEqual(['forbidden', 'forbidden']);
    expect(await where()).toEqual(asItWas);
  });

  test.each([
    ['flagged as deleted', 'lrswi'],
    ['expunged', 'lrswit'],
  ])('nothing goes out of a mailbox where it must not be %s, nor out of others then', async (_, rights) => {
    const { id, box, set, where } = await withRights(rights);
    const { notUpdated, notDestroyed } = await set({
      update: { [id('two')]: { mailboxIds: { [box('Work')]: true } } },
      destroy: [],
    });
    expect([notUpdated?.[id('two')]?.type, notDestroyed]).toEqual(['forbidden', null]);
    expect(await where()).toEqual(asItWas);
    const { destroyed, notDestroyed: kept } = await set({ destroy: [id('two')] });
    expect([destroyed, kept?.[id('two')]?.type]).toEqual([null, 'forbidden']);
    expect(await where()).toEqual(asItWas);
  });

  test('a keyword is set in every copy or in none', async () => {
    const { id, set, where } = await withRights('lrs');
    const { updated, notUpdated } = await set({
      update: { [id('one')]: { 'keywords/Private': true }, [id('two')]: { 'keywords/Private': true } },
    });
    expect([updated, notUpdated?.[id('two')]?.type]).toEqual([{ [id('one')]: null }, 'invalidProperties']);
    expect(await where()).toEqual({ ...asItWas, INBOX: ['one private', 'two'] });
    expect((await set({ update: { [id('two')]: { 'keywords/$seen': true } } })).updated).toEqual({ [id('two')]: null });
  });

  test('a copy that there is no room for is not made, and nothing else is done to the Email; what is moved needs none', async () => {
    const full = await administer({ storageMegabytes: 5, messages: 3 });
    const { id, box, set, where } = await scene(full, ignoreCapabilities);
    const { updated, notUpdated } = await set({
      update: {
        [id('one')]: { [`mailboxIds/${box('Work')}`]: true, 'keywords/$flagged': true },
        [id('two')]: { 'keywords/$seen': true },
      },
    });
    expect([updated, notUpdated]).toEqual([
      { [id('two')]: null },
      { [id('one')]: { type: 'overQuota', description: expect.any(String) } },
    ]);
    const flagged = { INBOX: ['one', 'two \\Seen'], Closed: ['two \\Seen'] };
    expect(await where()).toEqual(flagged);
    const moved = await set({ update: { [id('one')]: { mailboxIds: { [box('Work')]: true } } } });
    if (ignoreCapabilities.includes('MOVE')) {
      expect([moved.updated, moved.notUpdated?.[id('one')]?.type]).toEqual([null, 'overQuota']);
      expect(await where()).toEqual(flagged);
    } else {
      expect(moved.updated).toEqual({ [id('one')]: null });
      expect(await where()).toEqual({ ...flagged, INBOX: ['two \\Seen'], Work: ['one'] });
    }
    const { destroyed } = await set({ destroy: [id('two')] });
    expect(destroyed).toEqual([id('two')]);
    expect((await set({ update: { [id('one')]: { [`mailboxIds/${box('Closed')}`]: true } } })).notUpdated).toBe(null);
  });
});
