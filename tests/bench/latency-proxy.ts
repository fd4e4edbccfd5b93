import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type LatencyProxy = { readonly port: number; readonly stop: () => Promise<void> };

/**
 * Passes connections on to a port of this machine as if it were `roundTripMs` away. What is sent arrives half of that later. A
 * connection costs its client one round trip before he can send; the server sees it when the first packet can be there.
 */
export async function startLatencyProxy(port: number, roundTripMs: number): Promise<LatencyProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket.on('error', () => socket.destroy()));
    return socket;
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, async (near) => {
    keep(near);
    await delay(roundTripMs);
    const arrival = delay(roundTripMs / 2).then(() => keep(connect({ host: '127.0.0.1', port, noDelay: true })));
    near.on('data', (chunk) => void delay(roundTripMs / 2).then(async () => (await arrival).write(chunk)));
    near.resume();
    const far = await arrival;
    far.on('data', (chunk) => void delay(roundTripMs / 2).then(() => near.write(chunk)));
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
