import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What happens at one command. `before`: the server has not got it. `unanswered`: the server has carried it out, and nothing of its
 * answer arrived. `half`: all of the answer arrived but the tagged line. `after`: the whole answer arrived. `late`: the connection of
 * the client breaks, and the server gets the rest of what was sent when it is told to go on.
 */
export type Moment = 'before' | 'unanswered' | 'half' | 'after' | 'late';

export type Interception = {
  /** Matches commands as they are on the wire, without their tag. */
  readonly command: RegExp;
  /** Which one of those that match; 1 is the first. */
  readonly nth: number;
  readonly moment: Moment;
  /** `drop`: the connection breaks. Else it goes on when this is done; of `after`, the client has the answer only then. */
  readonly act: 'drop' | (() => Promise<void>);
};

export type InterceptingProxy = {
  readonly port: number;
  /** From now on; null: everything passes. Commands are counted from here. */
  readonly set: (interception: Interception | null) => void;
  /** Whether it has happened. */
  readonly hasHappened: () => boolean;
  /** Octets that clients and the server have sent so far, on all connections. */
  readonly octets: () => { readonly sent: number; readonly received: number };
  readonly stop: () => Promise<void>;
};

/** Passes IMAP on to a port of this machine, and does something at one command. `rewrite`: what becomes of each line that clients send. */
export async function startInterceptingProxy(
  port: number,
  rewrite: (line: string) => string = (line) => line,
): Promise<InterceptingProxy> {
  const sockets = new Set<Socket>();
  let interception: Interception | null = null;
  let matches = 0;
  let hasHappened = false;
  let sent = 0;
  let received = 0;

  /** The interception, if it is about this line. */
  const concerning = (line: string): Interception | null => {
    const command = line.replace(/^\S+ /, '');
    if (interception === null || !interception.command.test(command)) return null;
    matches += 1;
    return matches === interception.nth ? interception : null;
  };

  const listener = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    let isLate = false;
    near.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
    far.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    /** The command whose answer is being awaited. */
    let awaited: { readonly tag: string; readonly interception: Interception } | null = null;
    far.on('close', () => near.end());

    inTurn(near, far, (line) => {
      const found = concerning(line);
      return found === null ? rewrite(line) : () => begin(found, line);
    });
    const begin = async (found: Interception, line: string) => {
      if (found.moment === 'late' && found.act !== 'drop') {
        hasHappened = true;
        isLate = true;
        near.resetAndDestroy();
        await found.act();
      } else if (found.moment === 'before') {
        hasHappened = true;
        if (found.act === 'drop') {
          near.resetAndDestroy();
          far.destroy();
          return null;
        }
        await found.act();
      } else awaited = { tag: line.split(' ')[0] ?? '', interception: found };
      return rewrite(line);
    };

    inTurn(far, near, (line) => {
      if (awaited === null) return line;
      const { tag, interception } = awaited;
      if (line.startsWith(`${tag} `)) return () => end(interception, line);
      return interception.moment === 'unanswered' ? '' : line;
    });
    const end = async ({ moment, act }: Interception, line: string) => {
      awaited = null;
      hasHappened = true;
      if (act !== 'drop') {
        await act();
        return line;
      }
      if (moment === 'after') {
        near.write(line, () => near.resetAndDestroy());
        return null;
      }
      near.resetAndDestroy();
      return null;
    };
    near.on('close', () => isLate || far.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    set: (wanted) => {
      interception = wanted;
      matches = 0;
      hasHappened = false;
    },
    hasHappened: () => hasHappened,
    octets: () => ({ sent, received }),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/**
 * Passes lines on, one after the other, as `pass` gives them back; null: nothing. Those before one at which something happens have
 * left by then, and only they are sent together.
 */
function inTurn(from: Socket, to: Socket, pass: (line: string) => string | (() => Promise<string | null>)): void {
  let rest = '';
  let last: Promise<void> = Promise.resolve();
  const send = (lines: string) => {
    if (lines !== '' && !to.destroyed) to.write(lines, 'latin1');
  };
  from.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split(/(?<=\r\n)/);
    rest = lines.at(-1)?.endsWith('\r\n') ? '' : (lines.pop() ?? '');
    last = last.then(async () => {
      let together = '';
      for (const line of lines) {
        const passed = pass(line);
        if (typeof passed === 'string') together += passed;
        else {
          send(together);
          together = (await passed()) ?? '';
        }
      }
      send(together);
    });
  });
}
