import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of octets on their way: they are passed on, or the first of them are and then the connection is reset. */
export type Verdict = 'pass' | { readonly cutAfter: number };

export type WatchingProxy = {
  readonly port: number;
  /** Asked about what the client sends, and what the server answers, as it arrives; one cut, and nothing is asked any more. */
  readonly judge: (judge: { client?: (chunk: Buffer) => Verdict; server?: (chunk: Buffer) => Verdict } | null) => void;
  /** Octets that went to the server and came from it, on all connections. */
  readonly octets: () => { readonly sent: number; readonly received: number };
  readonly stop: () => Promise<void>;
};

/** Passes connections on to a port of this machine, counts their octets, and cuts them where a test wants it. */
export async function startWatchingProxy(port: number): Promise<WatchingProxy> {
  const sockets = new Set<Socket>();
  let judges: { client?: (chunk: Buffer) => Verdict; server?: (chunk: Buffer) => Verdict } | null = null;
  let sent = 0;
  let received = 0;

  const listener = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    let isCut = false;
    const pass = (chunk: Buffer, to: Socket, judge: ((chunk: Buffer) => Verdict) | undefined) => {
      if (isCut) return 0;
      const verdict = judge?.(chunk) ?? 'pass';
      if (verdict === 'pass') {
        to.write(chunk);
        return chunk.length;
      }
      isCut = true;
      judges = null;
      // What is let through arrives before the end.
      to.write(chunk.subarray(0, verdict.cutAfter), () => {
        near.destroy();
        far.destroy();
      });
      return verdict.cutAfter;
    };
    near.on('data', (chunk: Buffer) => {
      sent += pass(chunk, far, judges?.client);
    });
    far.on('data', (chunk: Buffer) => {
      received += pass(chunk, near, judges?.server);
    });
    near.on('close', () => far.end());
    far.on('close', () => near.end());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    judge: (wanted) => {
      judges = wanted;
    },
    octets: () => ({ sent, received }),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
