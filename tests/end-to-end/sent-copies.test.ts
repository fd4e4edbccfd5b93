import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalPostern, startLocal } from '../../functions/local/start-local.ts';
import { readConfig } from '../../shared/config.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { everyServer } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { type JmapClient, jmapClient } from './jmap-client.ts';

describe.each(everyServer)('on %s', (_, start) => {
  let folder: string;
  let submission: SubmissionServer;
  let actor: ImapActor;
  let postern: LocalPostern;
  let client: JmapClient;

  /** The local server as `npm start` runs it, for a provider that puts what it sends into Sent before it says that it has it. */
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'postern-copies-'));
    const server = await start();
    const user = await server.freshUser();
    actor = await imapActor(server, user);
    submission = await submissionServer({ delivered: async ({ text }) => void (await actor.deliver('Sent', text)) });
    const { host, port } = submission.endpoint;
    const provider = {
      name: 'saves',
      domains: ['*'],
      imap: { host: server.host, port: server.imapPort, tls: 'plaintext' },
      smtp: { host, port, tls: 'plaintext' },
      sending: { domain: 'example.com', savesSent: true },
      createRoles: ['drafts', 'sent'],
    };
    const providers = path.join(folder, 'providers.json');
    await writeFile(providers, JSON.stringify({ providers: [provider] }));
    const settings = ['--providers', providers, '--data', folder, '--port', '0', '--freshness-ms', '0'];
    postern = await startLocal(readConfig(settings, {}), { say: () => {}, writeLog: () => {} });
    client = await jmapClient(postern.url, user);
  }, 60_000);
  afterAll(async () => {
    await postern?.stop();
    await actor?.close();
    await submission?.stop();
    await rm(folder, { recursive: true });
  });

  const inSent = async (subject: string) => {
    const { list } = await client.get<{ id: string; role: string | null }>('Mailbox', { properties: ['role'] });
    const inMailbox = list.find(({ role }) => role === 'sent')?.id ?? '';
    return (await client.query('Email', { filter: { operator: 'AND', conditions: [{ subject }, { inMailbox }] } })).ids;
  };

  test.each([
    { when: 'at once', parameters: null },
    { when: 'later', parameters: { HOLDFOR: '2' } },
  ])(
    'what is sent $when is in Sent once, as the Email of the client',
    async ({ when, parameters }) => {
      const { list } = await client.get<{ id: string; role: string | null }>('Mailbox', { properties: ['role'] });
      const [drafts, sent] = ['drafts', 'sent'].map((name) => list.find(({ role }) => role === name)?.id ?? '');
      const [identity] = (await client.get<{ id: string; email: string }>('Identity', {})).list;
      const email = identity?.email ?? '';
      const { accountId } = client;
      const draft = {
        mailboxIds: { [drafts ?? '']: true },
        from: [{ email }],
        to: [{ email: 'bob@example.net' }],
        subject: `sent ${when}`,
        bodyValues: { t: { value: 'Hello' } },
        textBody: [{ partId: 't', type: 'text/plain' }],
      };
      const submitted = {
        identityId: identity?.id ?? '',
        emailId: '#e',
        envelope: { mailFrom: { email, parameters }, rcptTo: [{ email: 'bob@example.net' }] },
      };
      const update = { [`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true };
      const before = submission.accepted.length;
      const [[, created] = []] = await client.call([
        ['Email/set', { accountId, create: { e: draft } }, 'a'],
        ['EmailSubmission/set', { accountId, create: { s: submitted }, onSuccessUpdateEmail: { '#s': update } }, 'b'],
      ]);
      const { id } = (created as { created: { e: JsonObject & { id: string } } }).created.e;
      await submission.hasAccepted(before + 1);
      // The copy may be seen for a moment.
      let ids: readonly string[] = [];
      for (let tries = 0; tries < 200; tries += 1) {
        ids = await inSent(`sent ${when}`);
        const isOne = (await actor.uids('Sent')).length === before + 1;
        if (ids.length === 1 && isOne) break;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(ids).toEqual([id]);
    },
    30_000,
  );
});
