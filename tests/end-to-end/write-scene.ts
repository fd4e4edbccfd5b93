import type { TestServer } from '../servers/servers.ts';
import { expectRight } from './failure-laws.ts';
import type { Backend, Product } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { interceptedProduct } from './intercepted-product.ts';
import type { InterceptingProxy, Interception } from './intercepting-proxy.ts';
import type { JmapClient, Login } from './jmap-client.ts';
import { letter } from './letter.ts';
import type { Snapshot } from './snapshot.ts';
import { everyWish, expectNothingLost, idsOfTokens, mailboxes, type SetResponse, tokens } from './write-laws.ts';

/** An account in which everything is asked for that Email/set can do, while something happens. */
export type WriteScene = {
  readonly actor: ImapActor;
  readonly proxy: InterceptingProxy;
  readonly product: Product;
  /** A client of a new process, and five letters in their places, under UIDs that no mailbox has given before. */
  readonly begin: () => Promise<Begun>;
  /** What the client sees a while later. */
  readonly look: (client: JmapClient) => Promise<Snapshot>;
  /** Asks for everything while something happens at one command, and tells whether it did: nothing is lost. */
  readonly interrupted: (interception: Interception) => Promise<Interrupted>;
  readonly end: () => Promise<void>;
};

type Begun = {
  readonly client: JmapClient;
  readonly before: Snapshot;
  readonly id: Awaited<ReturnType<typeof idsOfTokens>>;
  readonly stop: () => Promise<void>;
};
type Interrupted = Pick<Begun, 'id'> & { readonly hasHappened: boolean; readonly response: SetResponse };

/** Before a mail server that is not believed to be able to do some things. `mayBeHalf`: what is refused may be done in part. */
export async function writeScene(
  server: Pick<TestServer, 'name' | 'host' | 'imapPort'>,
  user: Login,
  backend: Pick<Backend, 'ignoreCapabilities'> & Partial<Pick<Backend, 'forbiddenIdentitySchemes'>>,
  mayBeHalf: boolean,
): Promise<WriteScene> {
  const actor = await imapActor(server, user);
  for (const name of mailboxes) await actor.create(name);
  const { proxy, product, look, end } = await interceptedProduct(server, backend);

  async function begin(): Promise<Begun> {
    proxy.set(null);
    // Whatever UIDs these get, it is not the first ones.
    await actor.deliver('Source', letter({ token: 'before' }));
    for (const name of mailboxes) {
      const uids = await actor.uids(name);
      if (uids.length > 0) await actor.expunge(name, uids);
    }
    for (const token of tokens) await actor.deliver('Source', letter({ token }), { flags: ['\\Answered'] });
    const gathered = (await actor.rows('Source')).find(({ token }) => token === 'gathered');
    await actor.copy('Source', [gathered?.uid ?? 0], 'Other');
    const process = await product.startProcess();
    const client = await process.client(user);
    const before = await look(client);
    return { client, before, id: await idsOfTokens(client, before), stop: process.stop };
  }

  return {
    ...{ actor, proxy, product, begin, look },
    interrupted: async (interception) => {
      const { client, before, id, stop } = await begin();
      proxy.set(interception);
      const response = await client.one<SetResponse>('Email/set', everyWish(id, before));
      const hasHappened = proxy.hasHappened();
      proxy.set(null);
      const after = await look(client);
      const observed = await actor.observe();
      await expectRight(observed, client, [before, after], [0], false);
      expectNothingLost(observed, response, id, { mayBeHalf });
      await client.changes('Email', response.newState);
      await stop();
      return { hasHappened, response, id };
    },
    end: async () => {
      await end();
      await actor.close();
    },
  };
}
