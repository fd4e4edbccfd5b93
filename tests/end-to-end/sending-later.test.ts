import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalPostern, startLocal } from '../../functions/local/start-local.ts';
import { readConfig } from '../../shared/config.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { everyServer, type TestServer, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type JmapClient, jmapClient } from './jmap-client.ts';

const submissionUri = 'urn:ietf:params:jmap:submission';

/** The local server as `npm start` runs it, with its own store, keys and clock. */
describe.each(everyServer)('a client that sends now, later, and changes its mind, on %s', (_, startServer) => {
  let folder: string;
  let server: TestServer;
  let user: TestUser;
  let submission: SubmissionServer;
  let postern: LocalPostern;
  let client: JmapClient;
  const logged: string[] = [];

  const start = async () => {
    const imap = `${server.host}:${server.imapPort},plaintext`;
    const smtp = `${submission.endpoint.host}:${submission.endpoint.port},plaintext`;
    const config = readConfig(
      ['--imap', imap, '--smtp', smtp, '--data', folder, '--port', '0', '--freshness-ms', '0'],
      {},
    );
    postern = await startLocal(config, { say: () => {}, writeLog: (line) => logged.push(line) });
    client = await jmapClient(postern.url, user);
  };
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'postern-later-'));
    server = await startServer();
    user = await server.freshUser();
    submission = await submissionServer();
    await start();
    for (const [role, name] of [
      ['drafts', 'Drafts'],
      ['sent', 'Sent'],
    ] as const) {
      if ((await mailboxWithRole(role)) === '') await client.one('Mailbox/set', { create: { k: { name, role } } });
    }
  }, 60_000);
  afterAll(async () => {
    await postern?.stop();
    await submission?.stop();
    await rm(folder, { recursive: true });
  });

  const mailboxWithRole = async (role: string) => {
    const { list } = await client.get<{ id: string; role: string | null }>('Mailbox', { properties: ['role'] });
    return list.find((mailbox) => mailbox.role === role)?.id ?? '';
  };
  /** Composes a draft and submits it, in one request that names no more than core and mail. */
  async function compose(subject: string, parameters: { [name: string]: string } | null) {
    const [drafts, sent] = [await mailboxWithRole('drafts'), await mailboxWithRole('sent')];
    const [identity] = (await client.get<{ id: string; email: string }>('Identity', {})).list;
    const email = {
      mailboxIds: { [drafts]: true },
      keywords: { $draft: true },
      from: [{ email: identity?.email ?? '' }],
      to: [{ email: 'bob@example.net' }],
      bcc: [{ email: 'secret@example.net' }],
      subject,
      bodyValues: { t: { value: 'Hello' } },
      textBody: [{ partId: 't', type: 'text/plain' }],
    };
    const envelope = {
      mailFrom: { email: identity?.email ?? '', parameters },
      rcptTo: [{ email: 'bob@example.net' }, { email: 'secret@example.net' }],
    };
    const update = { [`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true, 'keywords/$draft': null };
    const { accountId } = client;
    const responses = await client.call([
      ['Email/set', { accountId, create: { e: email } }, 'a'],
      [
        'EmailSubmission/set',
        {
          accountId,
          create: {
            s: { identityId: identity?.id ?? '', emailId: '#e', envelope: parameters === null ? null : envelope },
          },
          onSuccessUpdateEmail: { '#s': update },
        },
        'b',
      ],
    ]);
    const created = responses.map(([, args]) => args.created as JsonObject | null);
    return {
      names: responses.map(([name, , callId]) => `${name} ${callId}`),
      emailId: (created[0] as { e: { id: string } }).e.id,
      submission: (created[1] as { s: JsonObject & { id: string; sendAt: string } }).s,
      sent,
    };
  }
  const files = async () => (await readdir(path.join(folder, 'outbox'))).length;

  test('is told for how long a message can wait: more than a month', () => {
    const capability = client.session.accounts[client.accountId]?.accountCapabilities[submissionUri];
    expect(capability?.maxDelayedSend).toBeGreaterThanOrEqual(30 * 86_400);
  });

  test('sends a draft that becomes a sent message, which still knows whom it went to in secret', async () => {
    const { names, emailId, sent } = await compose('at once', null);
    expect(names).toEqual(['Email/set a', 'EmailSubmission/set b', 'Email/set b']);
    expect(await client.get('Email', { ids: [emailId], properties: ['mailboxIds', 'keywords', 'bcc'] })).toMatchObject({
      list: [{ mailboxIds: { [sent]: true }, bcc: [{ email: 'secret@example.net' }] }],
    });
    expect(submission.accepted.at(-1)).toMatchObject({
      user: user.user,
      to: ['bob@example.net', 'secret@example.net'],
    });
    expect(submission.accepted.at(-1)?.text).not.toContain('secret');
  });

  test('has a message sent later, on time, also when the server was started anew meanwhile', async () => {
    const before = submission.accepted.length;
    const { submission: waiting, emailId } = await compose('later', { HOLDFOR: '6' });
    expect(waiting).toMatchObject({ undoStatus: 'pending' });
    // The Email goes; the message that waits is not touched by that.
    await client.one('Email/set', { destroy: [emailId] });
    expect(await files()).toBe(1);
    await postern.stop();
    const kept = await Promise.all(
      (await readdir(path.join(folder, 'outbox'))).map((name) => readFile(path.join(folder, 'outbox', name))),
    );
    expect(Buffer.concat(kept).toString('latin1')).not.toContain('Hello');
    await start();
    await submission.hasAccepted(before + 1);
    const message = submission.accepted.at(-1);
    expect(message?.text).toContain('Subject: later');
    const lateMs = (message?.at ?? 0) - Date.parse(waiting.sendAt);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThanOrEqual(2_000);
    // Until it is noted.
    let status: JsonObject | undefined;
    do {
      [status] = (await client.get<JsonObject>('EmailSubmission', { ids: [waiting.id] })).list;
    } while (status?.undoStatus === 'pending' || status?.deliveryStatus === null);
    expect(status).toMatchObject({
      undoStatus: 'final',
      deliveryStatus: { 'bob@example.net': { delivered: 'unknown' } },
    });
    while ((await files()) > 0) await new Promise((resolve) => setImmediate(resolve));
  }, 60_000);

  test('takes a message back before it is sent', async () => {
    const before = submission.accepted.length;
    const { submission: waiting } = await compose('taken back', { HOLDFOR: '3600' });
    expect(await client.query('EmailSubmission', { filter: { undoStatus: 'pending' } })).toMatchObject({
      ids: [waiting.id],
    });
    expect(
      await client.one('EmailSubmission/set', { update: { [waiting.id]: { undoStatus: 'canceled' } } }),
    ).toMatchObject({
      updated: { [waiting.id]: null },
    });
    expect(await client.query('EmailSubmission', { filter: { undoStatus: 'canceled' } })).toMatchObject({
      ids: [waiting.id],
    });
    expect(await files()).toBe(0);
    expect(submission.accepted).toHaveLength(before);
  });

  test('finds nothing left, after a start, of what nobody can send any more', async () => {
    await postern.stop();
    const stray = path.join(folder, 'outbox', 'a0.S0');
    await writeFile(stray, 'sealed');
    await utimes(stray, 0, 0);
    await start();
    while ((await files()) > 0) await new Promise((resolve) => setImmediate(resolve));
  }, 30_000);

  test('has left neither its password nor its words in the log', () => {
    const all = logged.join('\n');
    expect(all).not.toContain(user.password);
    expect(all).not.toMatch(/Hello|taken back|bob@/);
  });
});
