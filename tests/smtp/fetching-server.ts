import type { Socket } from 'node:net';
import type { Endpoint } from '../../shared/endpoint.ts';
import { scriptedSmtpServer, usualOffers } from './scripted-server.ts';

/** A submission server that fetches bodies by their URLs (RFC 4468), and counts what it accepted. */
export type FetchingServer = {
  readonly endpoint: Endpoint;
  readonly accepted: { readonly to: string[] }[];
  readonly stop: () => Promise<void>;
};

/** How far a message has come: `BDAT` is when it has the header, `BURL` when it has the body, `end` when it is told that this is all. */
export type Milestone = 'MAIL' | 'RCPT' | 'BDAT' | 'BURL' | 'end';

/** `delivered`: told of the header of each message, before it is acknowledged; `reached`: of all that comes before, and of that. */
export async function fetchingServer({
  delivered,
  reached,
}: {
  readonly delivered: (message: { readonly header: string }) => Promise<void>;
  readonly reached: (milestone: Milestone) => Promise<void>;
}): Promise<FetchingServer> {
  const accepted: FetchingServer['accepted'] = [];
  const messages = new WeakMap<Socket, { header: string; to: string[] }>();
  const messageOf = (socket: Socket) => {
    const message = messages.get(socket) ?? { header: '', to: [] };
    messages.set(socket, message);
    return message;
  };
  const ok = async (milestone: Milestone) => {
    await reached(milestone);
    return '250 2.0.0 ok';
  };
  const { server, close } = await scriptedSmtpServer({
    offers: [...usualOffers.filter((offer) => !offer.startsWith('SIZE')), 'CHUNKING', 'BURL imap'],
    answers: {
      MAIL: () => ok('MAIL'),
      RCPT: (line, socket) => {
        messageOf(socket).to.push(/<(.*)>/.exec(line)?.[1] ?? '');
        return ok('RCPT');
      },
      BURL: () => ok('BURL'),
      BDAT: async (line, socket, chunk) => {
        const message = messageOf(socket);
        message.header += chunk;
        if (!line.endsWith(' LAST')) return ok('BDAT');
        accepted.push(message);
        await delivered(message);
        return ok('end');
      },
    },
  });
  return { endpoint: server.smtp, accepted, stop: close };
}
