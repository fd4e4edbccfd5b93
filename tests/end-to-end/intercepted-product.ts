import type { TestServer } from '../servers/servers.ts';
import { questions } from './failure-laws.ts';
import { type Backend, type Product, startProduct } from './harness.ts';
import { type InterceptingProxy, startInterceptingProxy } from './intercepting-proxy.ts';
import type { JmapClient } from './jmap-client.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';

/** The product, and a proxy between it and the mail server. */
export type InterceptedProduct = {
  readonly proxy: InterceptingProxy;
  readonly product: Product;
  /** What the client sees a while later. */
  readonly look: (client: JmapClient) => Promise<Snapshot>;
  readonly end: () => Promise<void>;
};

/** Before a mail server that is not believed to be able to do some things. */
export async function interceptedProduct(
  { host, imapPort }: Pick<TestServer, 'host' | 'imapPort'>,
  backend: Partial<Pick<Backend, 'ignoreCapabilities' | 'forbiddenIdentitySchemes'>> = {},
): Promise<InterceptedProduct> {
  const proxy = await startInterceptingProxy(imapPort);
  const product = startProduct({ host, imapPort: proxy.port }, backend);
  return {
    ...{ proxy, product },
    look: (client) => {
      product.advanceClock(10_000);
      return takeSnapshot(client, questions);
    },
    end: async () => {
      await product.stop();
      await proxy.stop();
    },
  };
}
