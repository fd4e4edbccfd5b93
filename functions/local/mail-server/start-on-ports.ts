import { type AddressInfo, connect, createServer } from 'node:net';
import type { SupervisedProcess } from './supervised-process.ts';

/** How long a server may take to answer with its greeting before the start counts as failed. */
const startTimeoutMs = 20_000;
/** A free port can be taken between being found and being used; then the start is tried again. */
const startAttempts = 5;

/**
 * Starts an IMAP or SMTP server on loopback ports: 0 stands for a free one. Resolves when it has sent its greeting on the
 * first port. Throws when it ends or stays silent; the message ends with its output and what `log` answers.
 */
export async function startOnPorts<const P extends readonly number[], S extends SupervisedProcess>(
  name: string,
  wanted: P,
  start: (ports: { [K in keyof P]: number }) => Promise<S>,
  log: () => string | Promise<string> = () => '',
): Promise<{ server: S; ports: { [K in keyof P]: number } }> {
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(wanted);
    const server = await start(ports);
    const giveUp = new AbortController();
    try {
      await Promise.race([greeting(ports[0] ?? 0, giveUp.signal), server.ended]);
      return { server, ports };
    } catch (error) {
      await server.stop();
      const text = `${server.output()}${await log()}`;
      if (attempt < startAttempts && text.includes('Address already in use')) continue;
      throw new Error(`${name} did not start: ${(error as Error).message}\n${text}`, { cause: error });
    } finally {
      giveUp.abort();
    }
  }
}

/** The ports are held open together until all are found, so that no two are the same. */
async function freePorts<const P extends readonly number[]>(wanted: P): Promise<{ [K in keyof P]: number }> {
  const holders = wanted.map((port) => (port === 0 ? createServer() : undefined));
  const ports = await Promise.all(
    holders.map(async (holder, index) => {
      if (!holder) return wanted[index] ?? 0;
      await new Promise<void>((resolve, reject) => {
        holder.once('error', reject);
        holder.listen(0, '127.0.0.1', resolve);
      });
      return (holder.address() as AddressInfo).port;
    }),
  );
  await Promise.all(holders.map((holder) => holder && new Promise((resolve) => holder.close(resolve))));
  return ports as { [K in keyof P]: number };
}

async function greeting(port: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && !signal.aborted) {
    if (await greetsAt(port, signal)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`there was no greeting within ${startTimeoutMs} ms`);
}

function greetsAt(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: startTimeoutMs });
    const settle = (greeted: boolean) => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(greeted);
    };
    // Given to the socket, the signal would keep a listener for every attempt, and Node warns of the eleventh.
    const giveUp = () => settle(false);
    signal.addEventListener('abort', giveUp);
    socket.once('data', (data) => settle(/^(?:\* OK|220)/.test(data.toString('latin1'))));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
    socket.once('end', () => settle(false));
  });
}
