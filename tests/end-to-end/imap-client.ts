import { ImapFlow } from 'imapflow';
import type { TestServer, TestUser } from '../servers/servers.ts';

type Exec = (name: string, ...rest: readonly unknown[]) => Promise<unknown>;

/** Another client that has logged in. What fails is told with the command and the words of the server. */
export async function imapClient(
  { host, imapPort }: Pick<TestServer, 'host' | 'imapPort'>,
  { user, password }: TestUser,
): Promise<ImapFlow> {
  const client = new ImapFlow({
    ...{ host, port: imapPort, secure: false, doSTARTTLS: false, logger: false, disableAutoIdle: true },
    auth: { user, pass: password },
  });
  const open = client as unknown as { exec: Exec };
  const { exec } = open;
  open.exec = (name, ...rest) =>
    exec.call(client, name, ...rest).catch((error: Error & { responseText?: string }) => {
      error.message += `: ${name}: ${error.responseText}`;
      throw error;
    });
  client.on('error', () => {});
  await client.connect();
  return client;
}
