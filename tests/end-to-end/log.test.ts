import { afterEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { type ScriptedServer, scriptedServer } from '../imap/scripted-server.ts';
import { dovecot } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { basic } from './jmap-client.ts';

const running: (Product | ScriptedServer)[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await ('stop' in each ? each.stop() : each.close());
});

/** Words that stand for everything that is nobody's business: each in another place of what is sent. */
const secrets = {
  subject: 'Zwetschgendatschi',
  text: 'Quittengelee',
  file: 'mirabelle',
  sender: 'medlar',
  mailbox: 'Streuobst',
  keyword: 'schlehe',
  search: 'Kornelkirsche',
  method: 'Felsenbirne',
  path: 'Sanddorn',
  server: 'Berberitze',
  wrongPassword: 'Hagebutte',
  defect: 'Eberesche',
};

const message = `From: ${secrets.sender}@example.com\r
To: robin@example.org\r
Subject: ${secrets.subject}\r
Message-ID: <${secrets.sender}-1@example.com>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
\r
${secrets.text}\r
--b\r
Content-Type: application/pdf; name="${secrets.file}.pdf"\r
Content-Disposition: attachment; filename="${secrets.file}.pdf"\r
\r
${secrets.text}\r
--b--\r
`;

test('nothing that users write, are called or log in with is in the log at its default level', async () => {
  const server = await dovecot();
  const user = await server.freshUser();
  const actor = await imapActor(server, user);
  await actor.create(secrets.mailbox);
  await actor.deliver(secrets.mailbox, message, { flags: [secrets.keyword] });
  const product = startProduct(server);
  running.push(product);
  const process = await product.startProcess();
  const client = await process.client(user);
  const { accountId } = client;

  await client.get('Mailbox', {});
  const { ids } = await client.query('Email', { filter: { subject: secrets.subject } });
  const everything = ['subject', 'from', 'headers', 'bodyValues', 'attachments', 'preview', 'keywords'];
  const { list } = await client.get<{ id: string; attachments: { blobId: string }[] }>('Email', {
    ids: [...ids],
    properties: everything,
    fetchAllBodyValues: true,
  });
  expect(JSON.stringify(list)).toContain(secrets.text);
  for (const blobId of [ids[0] ?? '', list[0]?.attachments[0]?.blobId ?? '', secrets.path]) {
    await client.download(blobId, { name: `${secrets.file}.pdf`, type: 'application/pdf' }).catch(() => {});
  }
  await actor.move(secrets.mailbox, [1], 'INBOX');
  await actor.close();
  product.advanceClock(10_000);
  await client.call([
    ['Email/query', { accountId, filter: { text: secrets.search } }, secrets.method],
    [secrets.method, { [secrets.method]: secrets.search }, 'b'],
    ['Email/get', { accountId, ids: [secrets.search], properties: [secrets.method] }, 'c'],
    ['Mailbox/get', { accountId: secrets.search }, 'd'],
  ]);

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${process.url}${path}`, {
      ...init,
      headers: { Authorization: basic(user), 'Content-Type': 'application/json', ...init.headers },
    });
  await ask('/jmap/api', { method: 'POST', body: `{"using": ["${secrets.text}` });
  await ask('/jmap/api', { method: 'POST', body: JSON.stringify({ using: [secrets.text], methodCalls: [] }) });
  await ask(`/${secrets.path}?${secrets.path}`, { headers: { 'X-Secret': secrets.path } });
  await ask(`/jmap/session`, { method: 'PROPFIND' });
  const wrong = basic({ user: user.user, password: secrets.wrongPassword });
  await ask('/jmap/session', { headers: { Authorization: wrong } });

  // The world fails with words of its own.
  const throttling = await scriptedServer({
    answers: { AUTHENTICATE: `% NO [LIMIT] Too many logins of ${secrets.server}\r\n` },
  });
  running.push(throttling);
  const other = startProduct({ host: '127.0.0.1', imapPort: throttling.server.imap.port });
  running.push(other);
  const { url } = await other.startProcess();
  const throttled = await fetch(`${url}/jmap/session`, {
    headers: { Authorization: basic({ user: secrets.sender, password: secrets.wrongPassword }) },
  });
  expect(throttled.status).toBe(503);

  // And so do we.
  const broken = () => Promise.reject(new Error(`Could not make ${secrets.defect}: ${user.password}`));
  Object.assign(product.store, { readHead: broken });
  product.advanceClock(10_000);
  const [failed] = await client.call([['Mailbox/get', { accountId }, '0']]);
  expect(failed?.[1]).toMatchObject({ type: 'serverFail' });

  const log = [...product.log, ...other.log];
  const events = log.map((line) => (JSON.parse(line) as JsonObject).event);
  expect(new Set(events)).toEqual(new Set(['request', 'login', 'defect']));
  const text = log.join('\n').toLowerCase();
  const told = [
    ...Object.values(secrets),
    ...[user.user, user.password, 'example.com', 'example.org', 'INBOX'],
    ...[basic(user), wrong].map((header) => header.slice('Basic '.length)),
  ].filter((secret) => text.includes(secret.toLowerCase()));
  expect(told).toEqual([]);
  expect(JSON.stringify(failed)).not.toContain(secrets.defect);
});
