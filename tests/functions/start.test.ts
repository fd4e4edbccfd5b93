import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { dovecot, type TestDovecot } from '../servers/servers.ts';

let server: TestDovecot;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await dovecot();
  folder = await mkdtemp(path.join(tmpdir(), 'postern-start-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await stop(child, 'SIGKILL');
});
afterAll(() => rm(folder, { recursive: true }));

/** `npm start` with these flags, and what it has written until it serves or ends. */
async function start(...flags: string[]) {
  const child = spawn(process.execPath, ['functions/local/start.mjs', '--data', folder, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  const served = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
        if (output.includes('Ctrl-C stops it.')) resolve();
      });
    }
  });
  await Promise.race([served, once(child, 'close')]);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '';
  return { child, url, exitCode: child.exitCode, output: () => output };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
  return child.exitCode;
}

/** A program "curl" for machines that have none: Node and git are all that a reader needs. */
async function folderWithCurl(): Promise<string> {
  const programs = path.join(folder, 'programs');
  await mkdir(programs);
  const script = path.resolve('tests/functions/curl.mjs');
  await writeFile(path.join(programs, 'curl'), `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, {
    mode: 0o755,
  });
  return programs;
}

const imap = () => ['--imap', `${server.host}:${server.imapPort}`];

describe('npm start', () => {
  test('serves the mail server it is given, and stops with the signal of Ctrl-C', async () => {
    const { child, url, output } = await start('--port', '0', ...imap());
    const { user, password } = await server.freshUser();
    const headers = { Authorization: `Basic ${btoa(`${user}:${password}`)}` };
    expect(await (await fetch(`${url}/.well-known/jmap`, { headers })).json()).toMatchObject({ username: user });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await stop(child, 'SIGINT')).toBe(0);
    expect(output()).toContain('Stopping');
    expect(output()).not.toContain('Warning');
    expect((await readdir(folder)).sort()).toEqual(['keys.json', 'outbox', 'store', 'uploads']);
  });

  test('without a mail server starts one of its own; the requests that it prints and those of the README work', async () => {
    const { child, url, output } = await start('--port', '0');
    const curls = output().match(/^ {2}curl .*$/gm) ?? [];
    expect(curls).toHaveLength(2);
    const env = { ...process.env, PATH: `${process.env.PATH}:${await folderWithCurl()}` };
    const [session, newest] = await Promise.all(
      curls.map(async (line) => {
        const { stdout } = await promisify(execFile)('sh', ['-c', `${line} --silent`], { env });
        return JSON.parse(stdout);
      }),
    );
    expect(session).toMatchObject({ username: 'robin@example.org' });
    expect(newest).toMatchObject({
      methodResponses: [
        ['Email/query', {}, 'a'],
        ['Email/get', { list: [{ subject: expect.any(String), preview: expect.any(String) }] }, 'b'],
      ],
    });

    await tryReadme(url, env);
    expect(await subjectsOf(url, 'sam@example.org')).toEqual(['Hello']);

    const [, port] = /IMAP +127\.0\.0\.1:(\d+)/.exec(output()) ?? [];
    expect(await listens(Number(port))).toBe(true);
    expect(await stop(child, 'SIGTERM')).toBe(0);
    expect(await listens(Number(port))).toBe(false);

    const again = await start('--port', '0');
    expect(again.output()).not.toContain('Filling');
    const [, secondPort] = /IMAP +127\.0\.0\.1:(\d+)/.exec(again.output()) ?? [];
    await stop(again.child, 'SIGKILL');
    await ended(Number(secondPort));
  }, 120_000);

  test('refuses a data folder that is in use', async () => {
    await start('--port', '0', ...imap());
    const second = await start('--port', '0', ...imap());
    expect([second.exitCode, second.output()]).toEqual([1, expect.stringContaining('uses it')]);
  });

  test('refuses a port that is in use, and picks another where it may', async () => {
    const taken = createServer().listen(8080, '127.0.0.1');
    // Whoever has it, it is in use.
    await once(taken, 'listening').catch(() => {});
    const refused = await start('--port', '8080', ...imap());
    expect([refused.exitCode, refused.output()]).toEqual([1, expect.stringContaining('port 8080 is in use')]);
    const { url } = await start(...imap());
    expect(Number(new URL(url).port)).toBeGreaterThan(8080);
    taken.close();
  });

  test.each([
    [['--prot', '1'], '--prot: there is no such flag'],
    [['--providers', 'none.json'], '"none.json": ENOENT'],
    [['--providers', 'a.json', '--imap', 'localhost:1'], '--providers and --imap both say where mail is'],
  ])('says what is wrong with %j, and starts nothing', async (flags, problem) => {
    const untouched = path.join(folder, 'untouched');
    const { exitCode, output } = await start('--port', '0', '--data', untouched, ...flags);
    expect([exitCode, output()]).toEqual([1, expect.stringContaining(problem)]);
    expect(output()).not.toContain('    at ');
    await expect(readdir(untouched)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('lists its flags', async () => {
    const { exitCode, output } = await start('--help');
    expect([exitCode, output()]).toEqual([0, expect.stringContaining('--providers')]);
  });
});

/** What a reader does who types in what the README has, one block after the other. */
async function tryReadme(url: string, env: NodeJS.ProcessEnv): Promise<void> {
  const blocks = [...(await readFile('README.md', 'utf8')).matchAll(/^```sh\n(.*?)^```/gms)].map(
    ([, block = '']) => block,
  );
  const script = blocks.filter((block) => block.includes('curl ')).join('\necho\n');
  const { stdout } = await promisify(execFile)('sh', ['-c', script.replaceAll('http://127.0.0.1:8080', url)], { env });
  const message = { from: expect.any(Array), subject: expect.any(String), preview: expect.any(String) };
  expect(stdout.split('\n').map((line) => JSON.parse(line))).toMatchObject([
    { username: 'robin@example.org' },
    {
      methodResponses: [
        ['Mailbox/get', { list: expect.arrayContaining([expect.objectContaining({ role: 'inbox' })]) }, '0'],
        ['Email/query', {}, '1'],
        ['Email/get', { list: [message, message] }, '2'],
      ],
    },
    {
      methodResponses: [
        ['Email/set', { created: { hello: {} } }, '0'],
        ['EmailSubmission/set', { created: { k: { undoStatus: 'final' } } }, '1'],
      ],
    },
  ]);
}

/** The subjects of all messages that a user of the demo has. */
async function subjectsOf(url: string, user: string): Promise<unknown> {
  const headers = { Authorization: `Basic ${btoa(`${user}:postern`)}`, 'Content-Type': 'application/json' };
  const session = (await (await fetch(`${url}/.well-known/jmap`, { headers })).json()) as { accounts: object };
  const [accountId] = Object.keys(session.accounts);
  const methodCalls = [['Email/get', { accountId, ids: null, properties: ['subject'] }, '0']];
  const body = JSON.stringify({ using: ['core', 'mail'].map((each) => `urn:ietf:params:jmap:${each}`), methodCalls });
  const answer = await (await fetch(`${url}/jmap/api`, { method: 'POST', headers, body })).json();
  const { methodResponses } = answer as { methodResponses: [string, { list?: { subject: string }[] }][] };
  return methodResponses[0]?.[1].list?.map(({ subject }) => subject);
}

async function listens(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  if (free) await new Promise((resolve) => probe.close(resolve));
  return !free;
}

/** Somebody who dies suddenly leaves it to others to clean up. */
async function ended(port: number): Promise<void> {
  while (await listens(port)) await new Promise((resolve) => setTimeout(resolve, 50));
}
