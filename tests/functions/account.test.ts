import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFauxqs } from 'fauxqs';
import type { AccountData } from '../../functions/account/account-data.ts';
import { filesInBucket } from '../../functions/account/files.ts';
import { s3Outbox } from '../../shared/aws/s3-outbox.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestDovecot, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';

describe('npm run account', () => {
  let server: TestDovecot;
  let submission: SubmissionServer;
  let folder: string;
  let running: { readonly url: string; readonly child: ChildProcess };
  let anna: TestUser;
  let bert: TestUser;
  const flags = () => [
    ...['--data', folder, '--imap', `${server.host}:${server.imapPort}`],
    ...['--smtp', `127.0.0.1:${submission.endpoint.port},plaintext`],
  ];

  beforeAll(async () => {
    [server, submission] = await Promise.all([dovecot(), submissionServer()]);
    [anna, bert] = await Promise.all([server.freshUser(), server.freshUser()]);
    folder = await mkdtemp(path.join(tmpdir(), 'postern-account-'));
    const args = ['functions/local/start.mjs', '--port', '0', ...flags()];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (data) => {
        output += data;
        if (output.includes('Ctrl-C stops it.')) resolve();
      });
    });
    running = { url: /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '', child };
    for (const user of [anna, bert]) await leaveThings(user);
  }, 60_000);
  afterAll(async () => {
    running?.child.kill('SIGKILL');
    await submission?.stop();
    await rm(folder, { recursive: true });
  });

  /** An Identity with a name, a draft that waits to be sent, and an uploaded file. */
  async function leaveThings({ user, password }: TestUser): Promise<void> {
    const headers = { Authorization: `Basic ${btoa(`${user}:${password}`)}` };
    const session = (await (await fetch(`${running.url}/.well-known/jmap`, { headers })).json()) as {
      primaryAccounts: { [capability: string]: string };
    };
    const accountId = session.primaryAccounts['urn:ietf:params:jmap:mail'] ?? '';
    await fetch(`${running.url}/jmap/upload/${accountId}/`, { method: 'POST', headers, body: 'an uploaded file' });
    const call = async (name: string, args: JsonObject) => {
      const using = ['core', 'mail', 'submission'].map((each) => `urn:ietf:params:jmap:${each}`);
      const body = JSON.stringify({ using, methodCalls: [[name, { accountId, ...args }, '0']] });
      const answer = await fetch(`${running.url}/jmap/api`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body,
      });
      return ((await answer.json()) as { methodResponses: [[string, { created?: { k: { id: string } } }, string]] })
        .methodResponses[0][1];
    };
    const list = (await call('Identity/get', {})) as { list?: { id: string; email: string }[] };
    const [identity] = list.list ?? [];
    await call('Identity/set', { update: { [identity?.id ?? '']: { name: 'A Name' } } });
    const boxes = (await call('Mailbox/query', { filter: { role: 'inbox' } })) as { ids?: string[] };
    const from = [{ email: identity?.email ?? '' }];
    const email = { mailboxIds: { [boxes.ids?.[0] ?? '']: true }, from, to: from, subject: 'Later' };
    const draft = await call('Email/set', { create: { k: email } });
    const mailFrom = { email: identity?.email ?? '', parameters: { HOLDFOR: '3600' } };
    const envelope = { mailFrom, rcptTo: [{ email: 'bob@example.net' }] };
    const create = { k: { identityId: identity?.id ?? '', emailId: draft.created?.k.id ?? '', envelope } };
    expect((await call('EmailSubmission/set', { create })).created?.k).toMatchObject({ undoStatus: 'pending' });
  }

  async function run(...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'functions/account/main.ts', ...args]);
    const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { exitCode: child.exitCode, output, complaints };
  }
  async function exported(user: TestUser): Promise<AccountData & { output: string }> {
    const { output } = await run('export', user.user, ...flags());
    return { ...JSON.parse(output), output };
  }

  test('tells everything that is kept of an account and no secret, and removes it, and nothing of others', async () => {
    const early = await run('export', anna.user, ...flags());
    expect(early).toMatchObject({ exitCode: 1, complaints: expect.stringContaining('uses it') });
    running.child.kill('SIGTERM');
    await once(running.child, 'exit');

    const { output, ...kept } = await exported(anna);
    expect(kept).toMatchObject({
      records: {
        Identity: [expect.objectContaining({ name: 'A Name' })],
        EmailSubmission: [expect.objectContaining({ undoStatus: 'pending' })],
      },
      uploads: [{ octets: 16 }],
    });
    const id = kept.records.EmailSubmission?.[0]?.id;
    expect(kept.waiting).toMatchObject({ messages: [{ id }], credentials: [{ id }], due: [{ id }, { id }] });
    expect(kept.catalog.mailboxes).toContainEqual(expect.objectContaining({ name: 'INBOX' }));
    expect(kept.catalog.messages).toHaveLength(1);
    expect(output).not.toContain(anna.password);

    const erased = await run('erase', anna.user, ...flags());
    expect(JSON.parse(erased.output)).toMatchObject({ due: 2, outbox: 1, uploads: 1 });
    const { account } = kept;
    expect(await exported(anna)).toMatchObject({
      account,
      records: {},
      waiting: { messages: [], credentials: [], due: [] },
      uploads: [],
      catalog: { items: 0, octets: 0, mailboxes: [], messages: [] },
    });
    const others = await exported(bert);
    expect(others.records.EmailSubmission).toHaveLength(1);
    expect(others.waiting.messages).toHaveLength(1);
    expect(others.uploads).toHaveLength(1);
    expect(others.catalog.messages).toHaveLength(1);
  }, 90_000);

  test('says how it is used', async () => {
    const wrong = [[], ['export', '--data'], ['drop', 'anna']];
    for (const { exitCode, complaints, output } of await Promise.all(wrong.map((args) => run(...args)))) {
      expect([exitCode, output]).toEqual([1, '']);
      expect(complaints).toContain('export LOGIN');
      expect(complaints).not.toContain('    at ');
    }
  });
});

test('the files of an account in a bucket are listed and removed, and those of no other', async () => {
  const standIn = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  standIn.createBucket('outbox');
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const endpoint = `http://127.0.0.1:${standIn.port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  const outbox = s3Outbox({ client, bucket: 'outbox' });
  const own = filesInBucket(client, 'outbox', 'a1' as Id);
  await outbox.put('a1', 'S1', Buffer.from('sealed'));
  await outbox.put('a1', 'S2', Buffer.from('x'));
  await outbox.put('a12', 'S1', Buffer.from('other'));
  expect(await own.list()).toMatchObject([
    { id: 'S1', octets: 6 },
    { id: 'S2', octets: 1 },
  ]);
  expect(await own.erase()).toBe(2);
  expect(await own.list()).toEqual([]);
  expect(await filesInBucket(client, 'outbox', 'a12' as Id).list()).toHaveLength(1);
  client.destroy();
  await standIn.stop();
});
