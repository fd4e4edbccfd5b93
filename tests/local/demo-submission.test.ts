import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startDemoAnswers } from '../../functions/local/demo-answers.ts';
import { type DemoSubmission, startDemoSubmission } from '../../functions/local/demo-submission.ts';
import { type DovecotServer, hasPigeonhole, startDovecot } from '../../functions/local/dovecot.ts';
import { sieveAccount } from '../../shared/sieve/account.ts';
import { Pauses } from '../../shared/sieve/pauses.ts';
import { smtpRelay } from '../../shared/smtp/relay.ts';

const [robin, sam] = ['robin@example.org', 'sam@example.org'];
let dovecot: DovecotServer;
let submission: DemoSubmission;

beforeAll(async () => {
  dovecot = await startDovecot({ users: [robin, sam].map((user) => ({ user, password: 'postern' })) });
  submission = await startDemoSubmission(dovecot);
}, 60_000);
afterAll(async () => {
  await submission?.stop();
  await dovecot?.stop();
});

function send(
  to: string[],
  { from = robin, password = 'postern', message = `From: ${robin}\r\nSubject: hello\r\n\r\n.a dot\r\n` } = {},
) {
  const smtp = { host: '127.0.0.1', port: submission.port, tls: 'plaintext', ca: null } as const;
  return smtpRelay(
    { smtp, auth: ['plain'] },
    { kind: 'password', user: robin, password },
  )({
    envelope: {
      mailFrom: { email: from, parameters: null },
      rcptTo: to.map((email) => ({ email, parameters: null })),
    },
    message: Buffer.from(message),
    holdForSeconds: null,
    timeoutMs: Number.POSITIVE_INFINITY,
    beforeEnd: async () => {},
  });
}
const textOf = async (user: string) => dovecot.doveadm('fetch', '-u', user, 'text', 'mailbox', 'INBOX');

test('a message to the users of the demo is in their mailboxes when it is accepted', async () => {
  expect(await send([sam, 'Robin@example.org'])).toMatchObject({ kind: 'accepted' });
  for (const user of [sam, robin]) {
    const text = await textOf(user);
    expect(text).toContain(`Return-Path: <${robin}>`);
    expect(text).toMatch(/Received: from \[127\.0\.0\.1\] by demo\.example\.org with ESMTPA id \w+;/);
    expect(text).toContain('Subject: hello');
    expect(text).toContain('\n.a dot');
  }
});

test('mail for the world is refused, and says why; the users among the recipients get theirs', async () => {
  const refused = await send(['bob@example.com']);
  expect(refused).toMatchObject({ kind: 'refused', at: 'recipients' });
  expect(JSON.stringify(refused)).toContain(`The demo sends nothing to the world: only to ${robin}, ${sam}`);
  const both = await send(['nobody@example.org', sam], { message: `From: ${robin}\r\nSubject: partly\r\n\r\nx\r\n` });
  expect(both).toMatchObject({ kind: 'accepted', recipients: [{ code: 550 }, { code: 250 }] });
  expect(await textOf(sam)).toContain('Subject: partly');
});

test.each([
  { what: 'a wrong password', options: { password: 'wrong' }, at: 'login' },
  { what: 'the address of another', options: { from: sam }, at: 'sender' },
])('nothing is taken from $what', async ({ options, at }) => {
  const before = await textOf(sam);
  expect(await send([sam], options)).toMatchObject({ kind: 'refused', at });
  expect(await textOf(sam)).toBe(before);
});

test('a message that cannot be delivered is not accepted', async () => {
  const broken = await startDemoSubmission({
    users: dovecot.users,
    deliver: () => Promise.reject(new Error('the disk is full')),
  });
  const smtp = { host: '127.0.0.1', port: broken.port, tls: 'plaintext', ca: null } as const;
  const credential = { kind: 'password', user: sam, password: 'postern' } as const;
  const outcome = await smtpRelay(
    { smtp, auth: ['plain'] },
    credential,
  )({
    envelope: { mailFrom: { email: '', parameters: null }, rcptTo: [{ email: robin, parameters: null }] },
    message: Buffer.from('Subject: x\r\n\r\n'),
    holdForSeconds: null,
    timeoutMs: Number.POSITIVE_INFINITY,
    beforeEnd: async () => {},
  });
  expect(outcome).toMatchObject({ kind: 'refused', at: 'message', reply: { code: 451 } });
  await broken.stop();
});

test('what Sieve sends is delivered to the users of the demo, and to nobody else', async () => {
  if (!hasPigeonhole()) return;
  const answering = await startDovecot({
    users: [robin, sam].map((user) => ({ user, password: 'postern' })),
    sieve: true,
  });
  const answers = startDemoAnswers(answering);
  try {
    const script = 'require ["vacation", "copy"]; redirect :copy "bob@example.com"; vacation "I am away";';
    const place = { host: '127.0.0.1', port: answering.sievePort ?? 0, tls: 'plaintext', ca: null } as const;
    const { scripts, release } = sieveAccount(
      { name: 'demo', sieve: place, auth: ['plain'] },
      { kind: 'password', user: robin, password: 'postern' },
      new Pauses(),
    );
    await scripts.put('away', Buffer.from(script));
    await scripts.activate('away');
    await release();
    await answering.deliver({
      from: sam,
      to: robin,
      message: Buffer.from(`From: ${sam}\r\nTo: ${robin}\r\nSubject: x\r\n\r\nx\r\n`),
    });
    const inbox = () => answering.doveadm('fetch', '-u', sam, 'text', 'mailbox', 'INBOX');
    while (!(await inbox()).includes('I am away')) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await inbox()).toContain(`From: <${robin}>`);
    while ((await readdir(answering.outbox)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    await answers.stop();
    await answering.stop();
  }
}, 30_000);
