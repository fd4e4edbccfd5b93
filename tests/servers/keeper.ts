import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startDovecot } from '../../functions/local/dovecot.ts';
import { startCourier, unpackCourier } from './courier.ts';
import { startCyrus, unpackCyrus } from './cyrus.ts';
import { unpackSubmission } from './dovecot-submission.ts';
import type { MailServer } from './mail-server.ts';
import type { Installer } from './packages.ts';
import { unpackPostfix } from './postfix.ts';

export interface KeeperInstaller extends Installer {
  readonly ensureDovecot: () => void;
}

/** What a test process may ask for, as the JSON body of a POST; the answer is `{result}` or `{error}`. */
export type KeeperQuestion = { readonly server: MailServer['name'] } & (
  | { readonly action: 'start' }
  | { readonly action: 'freshUser' }
  | { readonly action: 'addUser'; readonly user: string; readonly password: string }
  | { readonly action: 'removeUser'; readonly user: string }
  | { readonly action: 'doveadm'; readonly args: readonly string[] }
);

/** Puts everything in place that the mail servers need, so that starting them later is quick. */
export async function prepareServers(installer: KeeperInstaller): Promise<void> {
  installer.ensureDovecot();
  await unpackSubmission(installer);
  await unpackCyrus(installer);
  await unpackCourier(installer);
  await unpackPostfix(installer);
}

/**
 * Keeps the mail servers of one test run. Test files run in processes of their own, come and go, and share one Dovecot,
 * one Cyrus and one Courier: each is started when a test first asks for it, and stopped by `stop()`.
 */
export async function startKeeper(installer: KeeperInstaller): Promise<{ url: string; stop(): Promise<void> }> {
  const starters = {
    dovecot: async () => {
      installer.ensureDovecot();
      return startDovecot({ acl: true, sieve: true });
    },
    cyrus: () => startCyrus(installer),
    courier: () => startCourier(installer),
  };
  const started: { [N in MailServer['name']]?: ReturnType<(typeof starters)[N]> } = {};
  const running = {
    dovecot: () => (started.dovecot ??= starters.dovecot()),
    cyrus: () => (started.cyrus ??= starters.cyrus()),
    courier: () => (started.courier ??= starters.courier()),
  };
  let users = 0;

  async function answer(question: KeeperQuestion): Promise<unknown> {
    const server = await running[question.server]();
    switch (question.action) {
      case 'start':
        return server;
      case 'freshUser': {
        users += 1;
        const user = { user: `user${users}`, password: `secret-${users}` };
        await server.addUser(user);
        return user;
      }
      case 'addUser':
        return server.addUser({ user: question.user, password: question.password });
      case 'removeUser':
        return server.removeUser(question.user);
      case 'doveadm':
        return (await running.dovecot()).doveadm(...question.args);
    }
  }

  const http = createServer(async (request, response) => {
    try {
      const result = await answer(JSON.parse(await body(request)));
      response.end(JSON.stringify({ result: result ?? null }));
    } catch (error) {
      response.writeHead(500).end(JSON.stringify({ error: (error as Error).message }));
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  http.unref();
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    stop: async () => {
      http.close();
      http.closeAllConnections();
      const servers = await Promise.allSettled(Object.values(started));
      await Promise.all(servers.map((server) => server.status === 'fulfilled' && server.value.stop()));
    },
  };
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
