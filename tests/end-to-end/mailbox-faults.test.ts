import { beforeAll, describe, expect, test } from '@jest/globals';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { expectRight } from './failure-laws.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { InterceptedProduct } from './intercepted-product.ts';
import type { Interception, Moment } from './intercepting-proxy.ts';
import { letter } from './letter.ts';
import { brokenAtEach, type SetResponse, tokensOn } from './mailbox-fault-laws.ts';
import { mailboxNamed, namesOf } from './snapshot.ts';

const moments: readonly Moment[] = ['before', 'unanswered', 'after'];
const timeoutMs = 120_000;

describe.each([
  { title: 'Dovecot', start: dovecot },
  { title: 'Cyrus', start: cyrus },
])('Mailbox/set on $title', ({ start }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start();
  });

  /** Creates, moves and destroys in one call while something happens at one command; tells whether it did. */
  async function interrupted(behind: InterceptedProduct, interception: Interception) {
    const user = await server.freshUser();
    const actor: ImapActor = await imapActor(server, user);
    for (const name of ['Work', 'Work/Part', 'Home', 'Old', 'One', 'Two']) await actor.create(name);
    for (const name of ['Work', 'Work/Part', 'Home', 'Old', 'One', 'Two']) await actor.subscribe(name);
    for (const name of ['Work', 'Work/Part', 'Old', 'One']) {
      await actor.deliver(name, letter({ token: `in-${name.replace('/', '-')}` }));
    }
    const process = await behind.product.startProcess();
    const client = await process.client(user);
    const before = await behind.look(client);
    const idOf = (name: string) => mailboxNamed(before, name).id;
    const moves = { [idOf('Work')]: { name: 'Moved', parentId: idOf('Home') } };
    const swaps = { [idOf('One')]: { name: 'Two' }, [idOf('Two')]: { name: 'One' } };

    behind.proxy.set(interception);
    const response = await client.one<SetResponse>('Mailbox/set', {
      create: { top: { name: 'New' }, below: { name: 'Below', parentId: '#top' } },
      update: { ...moves, ...swaps },
      destroy: [idOf('Old')],
      onDestroyRemoveEmails: true,
    });
    const hasHappened = behind.proxy.hasHappened();
    behind.proxy.set(null);

    const after = await behind.look(client);
    const observed = await actor.observe();
    await expectRight(observed, client, [before, after], [0], false);
    const names = namesOf(after.Mailbox);
    const { created, updated, destroyed, notCreated, notUpdated, notDestroyed } = response;
    // What is reported holds.
    const wanted = { top: 'New', below: 'New/Below' };
    for (const [creationId, name] of Object.entries(wanted)) {
      const made = created?.[creationId];
      if (made !== undefined) expect(names.get(made.id)).toBe(name);
      else {
        expect(notCreated?.[creationId]).toBeDefined();
        expect([...names.values()]).not.toContain(name);
      }
    }
    const places: [string, string][] = [
      ['Work', 'Home/Moved'],
      ['One', 'Two'],
      ['Two', 'One'],
    ];
    for (const [from, to] of places) {
      const isUpdated = updated?.[idOf(from)] !== undefined;
      expect([from, isUpdated]).toEqual([from, notUpdated?.[idOf(from)] === undefined]);
      const mailbox = after.Mailbox.get(idOf(from));
      // The connection that is broken once works again: nothing is left half done.
      expect([from, names.get(idOf(from)), mailbox?.isSubscribed]).toEqual([from, isUpdated ? to : from, true]);
    }
    expect((destroyed ?? []).length === 1).toBe(notDestroyed === null);
    expect(after.Mailbox.has(idOf('Old'))).toBe(notDestroyed !== null);
    // No message is lost but those that were to be destroyed, and none is there twice.
    const tokens = await tokensOn(actor);
    const kept = ['in-One', 'in-Work', 'in-Work-Part'];
    expect(tokens).toEqual(notDestroyed === null ? kept : ['in-Old', ...kept].sort());
    await client.changes('Mailbox', response.newState);
    await process.stop();
    await actor.close();
    return { hasHappened, response };
  }

  test.each(moments)(
    'all or nothing of each record is done when the connection breaks at a command (%s), whichever it is',
    async (moment) => {
      await brokenAtEach(server, moment, interrupted);
    },
    timeoutMs,
  );
});
