import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendMessages } from '../../functions/local/append-messages.ts';
import { type DovecotOptions, type DovecotServer, startDovecot } from '../../functions/local/dovecot.ts';

const ada = { user: 'ada.l@example.org', password: 'pass word "1"' };
let folder = '';
let running: DovecotServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-test-'));
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  running = [];
  await rm(folder, { recursive: true });
});

async function start(options: Partial<DovecotOptions> = {}): Promise<DovecotServer> {
  const server = await startDovecot({ folder, users: [ada], ...options });
  running.push(server);
  return server;
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('mail, users and certificate are there again after a stop and a start', async () => {
  const first = await start({ durable: true });
  const certificate = await readFile(first.caFile, 'utf8');
  const message = {
    mailbox: ['Kept'],
    flags: [],
    receivedAt: new Date(),
    raw: Buffer.from('Subject: kept\r\n\r\nx\r\n'),
  };
  await appendMessages({ ...first, ...ada }, [message]);
  await first.stop();
  const second = await start({ users: [] });
  expect(await appendMessages({ ...second, ...ada }, [])).toBe(0);
  expect(await second.doveadm('mailbox', 'status', '-u', ada.user, 'messages', 'Kept')).toBe('Kept messages=1\n');
  expect(await readFile(second.caFile, 'utf8')).toBe(certificate);
});

test('without a folder everything is in a temporary one, which is gone after a stop', async () => {
  const { caFile, stop } = await startDovecot({ users: [ada] });
  expect(existsSync(caFile)).toBe(true);
  await stop();
  expect(existsSync(path.dirname(caFile))).toBe(false);
});

test('the special mailboxes of RFC 6154 are there from the start', async () => {
  const { doveadm } = await start();
  const names = (await doveadm('mailbox', 'list', '-u', ada.user)).trim().split('\n').sort();
  expect(names).toEqual(['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash']);
});

test('the certificate is good for localhost and 127.0.0.1 when its file is trusted, and not otherwise', async () => {
  const { imapsPort: port, caFile } = await start();
  const ca = await readFile(caFile, 'utf8');
  for (const servername of ['localhost', '']) {
    const socket = connectTls({ port, host: '127.0.0.1', servername, ca });
    const [greeting] = await once(socket, 'data');
    expect(String(greeting)).toContain('* OK');
    socket.destroy();
  }
  const [error] = await once(connectTls({ port, host: '127.0.0.1' }), 'error');
  expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('only loopback is listened on', async () => {
  const { imapPort, imapsPort, sievePort, lmtpPort } = await start({ sieve: true });
  const text = await readFile('/proc/net/tcp', 'utf8');
  for (const port of [imapPort, imapsPort, sievePort ?? 0, lmtpPort ?? 0]) {
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const listening = text.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      return state === '0A' && local.endsWith(suffix) ? [local] : [];
    });
    expect(listening).toEqual([`0100007F${suffix}`]);
  }
});

describe('stop', () => {
  test('ends all processes and connections, and can be repeated', async () => {
    const server = await start();
    const socket = connect(server.imapPort, server.host);
    await once(socket, 'data');
    const closed = once(socket.resume(), 'close');
    await Promise.all([server.stop(), server.stop()]);
    await closed;
    expect(isAlive(server.pid)).toBe(false);
  });

  test('also happens when the process that started it is killed', async () => {
    const module = fileURLToPath(new URL('../../functions/local/dovecot.ts', import.meta.url));
    const script = `import { startDovecot } from ${JSON.stringify(module)};
      const { imapPort, pid } = await startDovecot({ folder: ${JSON.stringify(folder)} });
      console.log(JSON.stringify({ imapPort, pid }));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const { imapPort } = JSON.parse(line) as { imapPort: number };
    const socket = connect(imapPort, '127.0.0.1');
    await once(socket, 'data');
    const closed = once(socket.resume(), 'close');
    parent.kill('SIGKILL');
    await closed;
    const [error] = await once(connect(imapPort, '127.0.0.1'), 'error');
    expect(error.code).toBe('ECONNREFUSED');
  });
});

describe('what cannot be', () => {
  test('a port that is taken is named in the log that the error shows', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await expect(start({ imapPort: port })).rejects.toThrow(/did not start[\s\S]*Address already in use/);
    holder.close();
  });

  test.each(['../ada', '', '.hidden', 'Ada', 'a b'])('the user name "%s" is refused', async (user) => {
    await expect(start({ users: [{ user, password: 'x' }] })).rejects.toThrow(
      `Not a user name for the local Dovecot "${user}"`,
    );
  });
});
