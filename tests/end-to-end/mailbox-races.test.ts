import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { expectRight, questions } from './failure-laws.ts';
import { type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { type Letter, letter } from './letter.ts';
import { mailboxNamed, namesOf, takeSnapshot } from './snapshot.ts';

jest.setTimeout(120_000);

type SetResponse = {
  readonly created: { readonly [creationId: string]: { readonly id: Id } } | null;
  readonly updated: { readonly [id: string]: JsonObject | null } | null;
  readonly destroyed: readonly Id[] | null;
  readonly notCreated: { readonly [creationId: string]: JsonObject } | null;
};

describe.each([
  { title: 'Dovecot', start: dovecot },
  { title: 'Cyrus', start: cyrus },
])('Mailboxes on $title', ({ start }) => {
  let server: TestServer;
  let product: Product;

  beforeAll(async () => {
    server = await start();
    product = startProduct(server);
  });
  afterAll(() => product.stop());

  function look(client: JmapClient) {
    product.advanceClock(10_000);
    return takeSnapshot(client, questions);
  }

  async function scene(letters: { readonly [name: string]: readonly Letter[] }) {
    const user = await server.freshUser();
    const actor = await imapActor(server, user);
    for (const [name, some] of Object.entries(letters)) {
      await actor.create(name);
      for (const one of some) await actor.deliver(name, letter(one));
    }
    const clients: JmapClient[] = [];
    for (let process = 0; process < 2; process += 1) {
      clients.push(await (await product.startProcess()).client(user));
    }
    return { actor, clients: clients as [JmapClient, JmapClient] };
  }

  test('that two processes change at once are in the end what one of them was told, and no mail is lost', async () => {
    const rounds: ((ids: { readonly a: Id; readonly b: Id }) => readonly [JsonObject, JsonObject])[] = [
      () => [{ create: { n: { name: 'New' } } }, { create: { n: { name: 'New' } } }],
      ({ a }) => [{ update: { [a]: { name: 'Mine' } } }, { update: { [a]: { name: 'Yours' } } }],
      ({ a, b }) => [{ update: { [a]: { name: 'B' }, [b]: { name: 'A' } } }, { update: { [a]: { name: 'Z' } } }],
      ({ a }) => [{ destroy: [a], onDestroyRemoveEmails: true }, { update: { [a]: { name: 'Saved' } } }],
      ({ a }) => [
        { destroy: [a], onDestroyRemoveEmails: true },
        { destroy: [a], onDestroyRemoveEmails: true },
      ],
      ({ a }) => [{ create: { x: { name: 'A' } }, update: { [a]: { name: 'Z' } } }, { update: { [a]: { name: 'Y' } } }],
      ({ a }) => [
        { create: { x: { name: 'A' } }, destroy: [a], onDestroyRemoveEmails: true },
        { create: { x: { name: 'A' } }, destroy: [a], onDestroyRemoveEmails: true },
      ],
      ({ a }) => [
        { create: { x: { name: 'A' } }, update: { [a]: { parentId: '#x', name: 'Kept' } } },
        { destroy: [a], onDestroyRemoveEmails: true },
      ],
    ];
    for (const [round, callsFor] of rounds.entries()) {
      const { actor, clients } = await scene({ A: [{ token: 'in-a' }], B: [{ token: 'in-b' }] });
      const before = await look(clients[0]);
      const [a, b] = [mailboxNamed(before, 'A').id, mailboxNamed(before, 'B').id];
      const calls = callsFor({ a, b });
      const responses = await Promise.all(
        clients.map((client, index) => client.one<SetResponse>('Mailbox/set', calls[index] ?? {})),
      );
      const after = await look(clients[0]);
      const names = namesOf(after.Mailbox);
      const observed = await actor.observe();
      await expectRight(observed, clients[0], [before, after], [0], false);
      expect([round, [...namesOf((await look(clients[1])).Mailbox)].sort()]).toEqual([round, [...names].sort()]);
      // Somebody has got what he wanted, and what is so now was told to somebody.
      const told = responses.flatMap(({ updated }, index) => {
        const asked = calls[index]?.update as { readonly [id: string]: { readonly name: string } } | undefined;
        return Object.entries(updated ?? {}).map(([id, answer]) => [id, answer?.name ?? asked?.[id]?.name] as const);
      });
      for (const id of new Set(told.map(([id]) => id))) {
        const isGone = responses.some(({ destroyed }) => destroyed?.includes(id as Id));
        const wanted = told.filter(([other]) => other === id).map(([, name]) => name);
        const [, name] = /([^/]*)$/.exec(names.get(id as Id) ?? '') ?? [];
        if (!isGone) expect([round, wanted.includes(name)]).toEqual([round, true]);
      }
      const created = responses.flatMap((response) => response.created?.n?.id ?? []);
      if (round === 0) {
        expect(created).toHaveLength(1);
        const [refused] = responses.flatMap((response) => response.notCreated?.n ?? []);
        expect(refused).toMatchObject({ type: 'alreadyExists', existingId: created[0] });
      }
      const isDestroyed = responses.some(({ destroyed }) => destroyed?.includes(a));
      expect([round, after.Mailbox.has(a)]).toEqual([round, !isDestroyed]);
      const tokens = observed.flatMap(({ rows }) => rows.map(({ token }) => token)).sort();
      expect([round, tokens]).toEqual([round, isDestroyed ? ['in-b'] : ['in-a', 'in-b']]);
      await actor.close();
    }
  });

  test('that are destroyed take Emails with them, and Threads change or end: /changes tells each of them once', async () => {
    const { actor, clients } = await scene({
      B: [{ token: 'root' }],
      A: [{ token: 'answer', answers: ['root'] }, { token: 'both' }, { token: 'alone' }],
    });
    const [client] = clients;
    await actor.copy('A', [2], 'B');
    const before = await look(client);
    const [a, b] = [mailboxNamed(before, 'A').id, mailboxNamed(before, 'B').id];
    const inMailbox = (id: Id) => [...before.Email.values()].filter(({ mailboxIds }) => mailboxIds[id]);
    const ids = (emails: readonly { id: Id }[]) => emails.map(({ id }) => id).sort();
    const only = inMailbox(a).filter(({ mailboxIds }) => !mailboxIds[b]);
    const both = inMailbox(a).filter(({ mailboxIds }) => mailboxIds[b]);
    const { destroyed } = await client.one<SetResponse>('Mailbox/set', { destroy: [a], onDestroyRemoveEmails: true });
    expect(destroyed).toEqual([a]);

    const emails = await client.changes('Email', before.states.Email);
    expect({ ...emails, destroyed: [...emails.destroyed].sort() }).toMatchObject({
      ...{ created: [], updated: ids(both), destroyed: ids(only) },
    });
    const threads = await client.changes('Thread', before.states.Thread);
    const of = (emails: readonly { threadId: Id }[]) => new Set(emails.map(({ threadId }) => threadId));
    const left = of(inMailbox(b));
    const lost = [...of(only)];
    expect([only.length, both.length, lost.filter((id) => left.has(id)).length]).toEqual([2, 1, 1]);
    expect({ updated: [...threads.updated].sort(), destroyed: [...threads.destroyed].sort() }).toEqual({
      updated: lost.filter((id) => left.has(id)).sort(),
      destroyed: lost.filter((id) => !left.has(id)).sort(),
    });
    const after = await look(client);
    await expectRight(await actor.observe(), client, [before, after]);
    await actor.close();
  });
});
