import { afterEach, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { certificateFor } from '../imap/scripted-server.ts';
import { everyServer } from '../servers/servers.ts';
import { submissionServer } from '../smtp/submission-server.ts';
import { startProduct } from './harness.ts';
import { coreAndMail } from './jmap-client.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function createdOf(response: JsonObject | undefined): JsonObject {
  return response?.created as JsonObject;
}

test.each(everyServer)(
  'on %s a mailbox is made, a message written into it, sent and moved, all in one request',
  async (_, start) => {
    const [server, certificate] = await Promise.all([start(), certificateFor('IP:127.0.0.1')]);
    const submission = await submissionServer({ certificate });
    stops.push(() => submission.stop());
    const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
    const { sending } = singleProvider('plain', { imap, smtp: null, sieve: null });
    const product = startProduct(server, { smtp: submission.endpoint, sending: { ...sending, domain: 'example.com' } });
    stops.push(() => product.stop());
    const client = await (await product.startProcess()).client(await server.freshUser());
    const { accountId } = client;
    const [identity] = (await client.get<{ id: Id; email: string }>('Identity', {})).list;

    const answers = await client.call(
      [
        ['Mailbox/set', { accountId, create: { drafts: { name: 'Entwürfe' }, sent: { name: 'Gesendet' } } }, 'a'],
        [
          'Email/set',
          {
            accountId,
            create: {
              k: {
                mailboxIds: { '#drafts': true },
                keywords: { $draft: true, $seen: true },
                from: [{ name: 'Anna', email: identity?.email ?? '' }],
                to: [{ name: 'Bob', email: 'bob@example.net' }],
                subject: 'Grüße',
                textBody: [{ partId: 't', type: 'text/plain' }],
                bodyValues: { t: { value: 'Größe\n' } },
              },
            },
          },
          'b',
        ],
        [
          'EmailSubmission/set',
          {
            accountId,
            create: { s: { emailId: '#k', identityId: identity?.id ?? '' } },
            onSuccessUpdateEmail: {
              '#s': { 'mailboxIds/#drafts': null, 'mailboxIds/#sent': true, 'keywords/$draft': null },
            },
          },
          'c',
        ],
      ],
      [...coreAndMail, 'urn:ietf:params:jmap:submission'],
    );

    expect(answers.map(([name, , id]) => `${name} ${id}`)).toEqual([
      ...['Mailbox/set a', 'Email/set b', 'EmailSubmission/set c', 'Email/set c'],
    ]);
    const [boxes, emails, , moved] = answers.map(([, args]) => args);
    const { id } = createdOf(emails).k as { id: Id };
    expect(moved).toMatchObject({ updated: { [id]: null }, notUpdated: null });
    const { id: sent } = createdOf(boxes).sent as { id: Id };
    const { list } = await client.get('Email', { ids: [id], properties: ['mailboxIds', 'keywords', 'subject'] });
    expect(list).toEqual([{ id, mailboxIds: { [sent]: true }, keywords: { $seen: true }, subject: 'Grüße' }]);
    expect(submission.accepted).toHaveLength(1);
    expect(submission.accepted[0]).toMatchObject({ to: ['bob@example.net'] });
    expect(submission.accepted[0]?.text).toContain('Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n');
    expect(submission.accepted[0]?.text).toContain('Gr=C3=B6=C3=9Fe');
  },
);
