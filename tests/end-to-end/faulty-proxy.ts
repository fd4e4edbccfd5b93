import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * What happens to a connection once the server has sent so many octets on it. `drop`: it is reset. `truncate`: it ends in an orderly
 * way, in the midst of an answer. `stall`: nothing more arrives, and nobody says so. `crumble`: octets arrive a few at a time. `throttle`: they
 * arrive slowly. `delay`: all of them arrive late.
 */
export type ConnectionFault =
  | { readonly kind: 'drop' | 'truncate' | 'stall' | 'crumble'; readonly after: number }
  | { readonly kind: 'throttle'; readonly octetsPerSecond: number }
  | { readonly kind: 'delay'; readonly ms: number };

export type FaultyProxy = {
  readonly port: number;
  /** What happens to connections from now on; null: nothing. Those that are open are closed. */
  readonly set: (fault: ConnectionFault | null) => void;
  /** Connections that are open. */
  readonly open: () => number;
  /** Octets that arrived on the last connection. */
  readonly octets: () => number;
  readonly stop: () => Promise<void>;
};

/** How many octets arrive at a time on a connection that crumbles. */
const crumbOctets = 7;
/** How many times a second something arrives on one that is throttled. */
const throttledPerSecond = 100;

/** Passes connections on to a port of this machine, as long as nothing is wrong with them. */
export async function startFaultyProxy(port: number): Promise<FaultyProxy> {
  const clients = new Set<Socket>();
  const servers = new Set<Socket>();
  let fault: ConnectionFault | null = null;
  let octets = 0;

  const listener = createServer({ noDelay: true }, (near) => {
    const own = fault;
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    let arrived = 0;
    let isOver = false;
    octets = 0;
    for (const [socket, sockets] of [[near, clients] as const, [far, servers] as const]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('data', (chunk) => isOver || far.write(chunk));
    near.on('close', () => far.destroy());
    far.on('close', () => own?.kind === 'stall' || near.end());
    far.on('data', async (chunk: Buffer) => {
      if (own?.kind === 'delay') {
        far.pause();
        await setTimeout(own.ms);
        octets += chunk.length;
        near.write(chunk);
        far.resume();
        return;
      }
      if (own?.kind === 'crumble' || own?.kind === 'throttle') {
        far.pause();
        const size = own.kind === 'throttle' ? Math.ceil(own.octetsPerSecond / throttledPerSecond) : crumbOctets;
        for (let at = 0; at < chunk.length && !near.destroyed; at += size) {
          const crumb = chunk.subarray(at, at + size);
          octets += crumb.length;
          near.write(crumb);
          await (own.kind === 'crumble' ? setImmediate() : setTimeout(1000 / throttledPerSecond));
        }
        far.resume();
        return;
      }
      octets += chunk.length;
      if (isOver) return;
      const room = own === null ? chunk.length : Math.max(0, own.after - arrived);
      arrived += chunk.length;
      near.write(chunk.subarray(0, room));
      if (room >= chunk.length) return;
      isOver = true;
      if (own?.kind === 'drop') near.resetAndDestroy();
      if (own?.kind === 'truncate') near.end();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const closeAll = () => {
    for (const socket of [...clients, ...servers]) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    set: (wanted) => {
      fault = wanted;
      closeAll();
    },
    open: () => clients.size,
    octets: () => octets,
    stop: async () => {
      closeAll();
      listener.close();
      await once(listener, 'close');
    },
  };
}
