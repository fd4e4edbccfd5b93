import type { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { RelayRequest } from '../../shared/methods/EmailSubmission/relay.ts';
import type { SmtpLimits } from '../../shared/smtp/limits.ts';
import { smtpRelay } from '../../shared/smtp/relay.ts';
import type { SmtpCredential, SmtpServer } from '../../shared/smtp/server.ts';
import { type Certificate, certificateFor } from '../imap/scripted-server.ts';
import { type ScriptedSmtpServer, type SmtpScript, scriptedSmtpServer, usualOffers } from './scripted-server.ts';

const password: SmtpCredential = { kind: 'password', user: 'anna', password: 'secret' };
const token: SmtpCredential = { kind: 'token', user: 'anna@example.com', accessToken: 'ya29' };
const limits: SmtpLimits = {
  connectTimeoutMs: 2_000,
  replyTimeoutMs: 2_000,
  messageTimeoutMs: 2_000,
  urlTimeoutMs: 2_000,
  finalReplyTimeoutMs: 2_000,
  replyOctetsMax: 10_000,
};
const text = 'Subject: x\r\n\r\nHello\r\n';

function request({ from = 'anna@example.com', to = ['bob@example.com'], ...more }: Wanted = {}): RelayRequest {
  return {
    envelope: {
      mailFrom: { email: from, parameters: more.mailParameters ?? null },
      rcptTo: to.map((email) => ({ email, parameters: more.rcptParameters ?? null })),
    },
    message: Buffer.from(more.message ?? text),
    holdForSeconds: more.holdForSeconds ?? null,
    timeoutMs: more.timeoutMs ?? Number.POSITIVE_INFINITY,
    beforeEnd: more.beforeEnd ?? (async () => {}),
  };
}
type Wanted = {
  from?: string;
  to?: string[];
  message?: string;
  mailParameters?: { [name: string]: string | null };
  rcptParameters?: { [name: string]: string | null };
  holdForSeconds?: number;
  timeoutMs?: number;
  beforeEnd?: () => Promise<void>;
};

const servers: ScriptedSmtpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function start(script: SmtpScript = {}) {
  const server = await scriptedSmtpServer(script);
  servers.push(server);
  return server;
}
const relayTo = (server: SmtpServer, wanted: Wanted = {}, credential: SmtpCredential = password, own = limits) =>
  smtpRelay(server, credential, own)(request(wanted));
const bare = ({ commands }: ScriptedSmtpServer) => commands.filter((line) => !/^(?:EHLO|AUTH|QUIT)/.test(line));

describe('a message', () => {
  test('goes out with the envelope, and what the server said of each recipient', async () => {
    const under = await start({
      answers: {
        RCPT: (line) => (line.includes('nobody') ? '550-5.1.1 no such\r\n550 5.1.1 user here' : '250 2.1.5 ok'),
      },
    });
    const outcome = await relayTo(under.server, { to: ['bob@example.com', 'nobody@example.com', 'eve@example.com'] });
    expect(outcome).toEqual({
      kind: 'accepted',
      reply: { code: 250, text: '250 2.0.0 queued as 4711' },
      recipients: [
        { code: 250, text: '250 2.1.5 ok' },
        { code: 550, text: '550 5.1.1 no such user here' },
        { code: 250, text: '250 2.1.5 ok' },
      ],
    });
    expect(bare(under)).toEqual([
      'MAIL FROM:<anna@example.com> SIZE=21',
      'RCPT TO:<bob@example.com>',
      'RCPT TO:<nobody@example.com>',
      'RCPT TO:<eve@example.com>',
      'DATA',
      '.',
    ]);
    expect(under.messages).toEqual(['Subject: x\r\n\r\nHello']);
  });

  test.each([
    { what: 'dots', message: 'A: b\r\n\r\n.\r\n..x\r\n', arrives: 'A: b\r\n\r\n..\r\n...x' },
    { what: 'no line end', message: 'A: b\r\n\r\nx', arrives: 'A: b\r\n\r\nx' },
    {
      what: 'what another server may take for its end',
      message: 'A: b\r\n\r\nx\n.\nMAIL\r.\rx\n',
      arrives: 'A: b\r\n\r\nx\r\n..\r\nMAIL\r\n..\r\nx',
    },
  ])('with $what arrives as one message', async ({ message, arrives }) => {
    const under = await start();
    expect(await relayTo(under.server, { message })).toMatchObject({ kind: 'accepted' });
    expect(under.messages).toEqual([arrives]);
  });

  test('of a megabyte arrives whole', async () => {
    const under = await start({ offers: ['AUTH PLAIN'] });
    const message = `A: b\r\n\r\n${'0123456789\r\n'.repeat(100_000)}`;
    expect(await relayTo(under.server, { message })).toMatchObject({ kind: 'accepted' });
    expect(`${under.messages[0]}\r\n`).toBe(message);
  });

  test('may have no sender', async () => {
    const under = await start();
    await relayTo(under.server, { from: '' });
    expect(bare(under)[0]).toBe('MAIL FROM:<> SIZE=21');
  });

  test('waits for each answer where commands may not be sent together', async () => {
    let unanswered = 0;
    const inTurn = (_line: string, socket: Socket) => {
      unanswered += 1;
      setImmediate(() => {
        expect(unanswered).toBe(1);
        unanswered -= 1;
        socket.write('250 ok\r\n');
      });
      return null;
    };
    const under = await start({ offers: ['AUTH PLAIN'], answers: { MAIL: inTurn, RCPT: inTurn } });
    expect(await relayTo(under.server, { to: ['a@example.com', 'b@example.com'] })).toMatchObject({ kind: 'accepted' });
  });

  test('of many recipients is sent in batches, and each has its own answer', async () => {
    const under = await start({ answers: { RCPT: (line) => `250 ${/<(\d+)/.exec(line)?.[1]}` } });
    const outcome = await relayTo(under.server, { to: Array.from({ length: 250 }, (_, i) => `${i}@example.com`) });
    if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
    expect(outcome.recipients.map((reply) => reply.text)).toEqual(Array.from({ length: 250 }, (_, i) => `250 ${i}`));
  });
});

describe('what a server offers', () => {
  test('is used: parameters, 8-bit text, addresses in UTF-8', async () => {
    const under = await start({ offers: [...usualOffers, 'MT-PRIORITY', 'FUTURERELEASE 100 2030-01-01T00:00:00Z'] });
    await relayTo(under.server, {
      to: ['jürgen@例え.example'],
      message: 'Subject: ü\r\n\r\nü\r\n',
      mailParameters: { RET: 'HDRS', envid: 'a+b c=d', 'MT-PRIORITY': '3' },
      rcptParameters: { NOTIFY: 'success,FAILURE', ORCPT: 'utf-8;jürgen@例え.example' },
      holdForSeconds: 60,
    });
    expect(bare(under).slice(0, 2)).toEqual([
      'MAIL FROM:<anna@example.com> SIZE=19 BODY=8BITMIME SMTPUTF8 HOLDFOR=60 RET=HDRS ENVID=a+2Bb+20c+3Dd MT-PRIORITY=3',
      'RCPT TO:<jürgen@例え.example> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;j\\x{FC}rgen@\\x{4F8B}\\x{3048}.example',
    ]);
  });

  test.each<{ what: string; offers: string[]; wanted: Wanted; outcome: object }>([
    { what: '8-bit text', offers: [], wanted: { message: 'A: b\r\n\r\nü' }, outcome: { kind: 'notOffered' } },
    {
      what: 'a header in UTF-8',
      offers: ['8BITMIME'],
      wanted: { message: 'A: ü\r\n\r\n' },
      outcome: { kind: 'notOffered' },
    },
    {
      what: 'an address in UTF-8',
      offers: ['8BITMIME'],
      wanted: { to: ['ü@x.example'] },
      outcome: { kind: 'notOffered' },
    },
    { what: 'DSN', offers: ['SIZE'], wanted: { rcptParameters: { NOTIFY: 'NEVER' } }, outcome: { kind: 'notOffered' } },
    { what: 'RET', offers: ['SIZE'], wanted: { mailParameters: { RET: 'FULL' } }, outcome: { kind: 'notOffered' } },
    { what: 'holding', offers: ['DSN'], wanted: { holdForSeconds: 5 }, outcome: { kind: 'notOffered' } },
    { what: 'the size', offers: ['SIZE 20'], wanted: {}, outcome: { kind: 'tooLarge', maxSize: 20 } },
  ])('and what it does not ($what) is not tried', async ({ offers, wanted, outcome }) => {
    const under = await start({ offers: [...offers, 'AUTH PLAIN'] });
    expect(await relayTo(under.server, wanted)).toMatchObject(outcome);
    expect(bare(under)).toEqual([]);
  });
});

describe('a refusal', () => {
  test.each([
    { at: 'login', answers: { AUTH: '535 5.7.8 no' }, code: 535, recipients: 0 },
    { at: 'sender', answers: { MAIL: '550 5.7.1 not you' }, code: 550, recipients: 0 },
    { at: 'recipients', answers: { RCPT: '550 5.1.1 nobody' }, code: 550, recipients: 2 },
    { at: 'message', answers: { DATA: '451 4.3.0 later' }, code: 451, recipients: 2 },
    { at: 'message', answers: { DATA: '250 what?' }, code: 250, recipients: 2 },
    { at: 'message', answers: { '.': '554 5.6.0 spam' }, code: 554, recipients: 2 },
  ])('of the $at is told with the words of the server ($code)', async ({ at, answers, code, recipients }) => {
    const under = await start({ answers });
    const outcome = await relayTo(under.server, { to: ['a@example.com', 'b@example.com'] });
    expect(outcome).toMatchObject({ kind: 'refused', at, reply: { code } });
    expect(outcome.kind === 'refused' && outcome.recipients.length).toBe(recipients);
  });

  test('of all recipients, of one for a while only, is one for a while', async () => {
    const answers = { RCPT: (line: string) => (line.includes('<a@') ? '451 4.2.1 later' : '550 no') };
    const under = await start({ answers });
    const outcome = await relayTo(under.server, { to: ['a@example.com', 'b@example.com'] });
    expect(outcome).toMatchObject({ kind: 'refused', at: 'recipients', reply: { code: 451 } });
    expect(under.commands).not.toContain('DATA');
  });

  test('that comes before the message ended is a refusal, and the end is not sent', async () => {
    const answers = {
      DATA: (_line: string, socket: { write: (text: string) => void }) => {
        socket.write('354 go\r\n552 5.3.4 too much\r\n');
        return null;
      },
    };
    const under = await start({ answers });
    expect(await relayTo(under.server)).toMatchObject({
      kind: 'refused',
      at: 'message',
      reply: { code: 552 },
    });
    expect(under.commands).not.toContain('.');
  });
});

describe('a login', () => {
  test.each([
    { offers: 'AUTH PLAIN LOGIN', credential: password, sent: ['AUTH PLAIN AGFubmEAc2VjcmV0'] },
    { offers: 'AUTH=PLAIN', credential: password, sent: ['AUTH PLAIN AGFubmEAc2VjcmV0'] },
    { offers: 'AUTH XOAUTH2 OAUTHBEARER', credential: token, sent: [/^AUTH OAUTHBEARER /] },
    { offers: 'AUTH XOAUTH2', credential: token, sent: [/^AUTH XOAUTH2 /] },
  ])('takes the best method of "$offers"', async ({ offers, credential, sent }) => {
    const under = await start({ offers: [offers] });
    expect(await relayTo(under.server, {}, credential)).toMatchObject({ kind: 'accepted' });
    const logins = under.commands.filter((line) => line.startsWith('AUTH'));
    expect(logins).toEqual(sent.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))));
  });

  test('by LOGIN answers the two questions', async () => {
    let asked = 0;
    const answer = () => ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 ok'][asked++] ?? '535 no';
    const under = await start({ offers: ['AUTH LOGIN'], answers: { AUTH: answer } });
    expect(await relayTo(under.server)).toMatchObject({ kind: 'accepted' });
    expect(under.commands.slice(1, 4)).toEqual(['AUTH LOGIN', 'YW5uYQ==', 'c2VjcmV0']);
  });

  test('ends, though a server goes on to ask', async () => {
    let asked = 0;
    const under = await start({ answers: { AUTH: () => (++asked < 5 ? '334 more' : '501 cancelled') } });
    expect(await relayTo(under.server)).toMatchObject({ kind: 'refused', at: 'login' });
    expect(under.commands).toContain('*');
  });

  test.each([
    { what: 'offered', offers: ['SIZE'], answers: {} },
    { what: 'offered that the operator allows', offers: ['AUTH CRAM-MD5'], answers: {} },
    { what: 'possible at the moment', offers: ['AUTH PLAIN'], answers: { AUTH: '454 4.7.0 later' } },
  ])('that is not $what is no refusal of the credential', async ({ offers, answers }) => {
    const under = await start({ offers, answers });
    await expect(relayTo(under.server)).rejects.toThrow(Unavailable);
  });
});

describe('TLS', () => {
  let right: Certificate;
  let wrong: Certificate;
  beforeAll(async () => {
    [right, wrong] = await Promise.all([certificateFor('IP:127.0.0.1'), certificateFor('DNS:elsewhere.example')]);
  });

  test.each(['implicit', 'starttls'] as const)('works where the certificate is right: %s', async (tls) => {
    const under = await start({ tls, certificate: right });
    expect(await relayTo(under.server)).toMatchObject({ kind: 'accepted' });
  });

  test.each(['implicit', 'starttls'] as const)('is refused where it is not, before the login: %s', async (tls) => {
    const under = await start({ tls, certificate: wrong });
    await expect(relayTo(under.server)).rejects.toThrow(Unavailable);
    expect(under.commands.filter((line) => /AUTH|MAIL/.test(line))).toEqual([]);
  });

  test.each([
    { what: 'does not offer it', script: { tls: 'none' } },
    { what: 'refuses it', script: { tls: 'starttls', answers: { STARTTLS: '454 no' } } },
  ] as const)('is insisted on where a server $what', async ({ script }) => {
    const under = await start({ ...script, certificate: right });
    const smtp = { ...under.server.smtp, tls: 'starttls' } as const;
    await expect(relayTo({ ...under.server, smtp })).rejects.toThrow(Unavailable);
    expect(under.commands.filter((line) => /AUTH|MAIL/.test(line))).toEqual([]);
  });

  test('takes nothing over from before: answers that were slipped in are dropped', async () => {
    const answers = {
      STARTTLS: (_line: string, socket: { write: (text: string) => void }) => {
        socket.write('220 go on\r\n250-evil\r\n250 AUTH PLAIN\r\n');
        return null;
      },
    };
    const under = await start({ tls: 'starttls', certificate: right, answers });
    await expect(relayTo(under.server)).rejects.toThrow(Unavailable);
    expect(under.commands.filter((line) => line.startsWith('AUTH'))).toEqual([]);
  });

  test('is needed by everyone but this machine', async () => {
    const smtp = { host: 'smtp.example.com', port: 25, tls: 'plaintext', ca: null } as const;
    await expect(relayTo({ smtp, auth: ['plain'] })).rejects.toThrow('this machine only');
  });
});

describe('when the connection breaks', () => {
  const hangUp = (_line: string, socket: { destroy: () => void }) => {
    socket.destroy();
    return null;
  };

  test.each(['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA'])('at %s, nothing goes out', async (name) => {
    const under = await start({ answers: { [name]: hangUp } });
    await expect(relayTo(under.server)).rejects.toThrow(Unavailable);
    expect(under.messages).toEqual([]);
  });

  test('at the end of the message, nobody knows', async () => {
    const under = await start({ answers: { '.': hangUp } });
    expect(await relayTo(under.server)).toEqual({ kind: 'unknown' });
  });

  test.each(['354 go on', '300 and now', '199 wait', '650 what', 'hello'])(
    'or the answer to the end is neither a yes nor a no ("%s"), nobody knows',
    async (answer) => {
      const under = await start({ answers: { '.': answer } });
      expect(await relayTo(under.server)).toEqual({ kind: 'unknown' });
    },
  );

  test('because we do not want the end to be sent, it is not', async () => {
    const under = await start();
    const beforeEnd = () => Promise.reject(new Error('not any more'));
    await expect(relayTo(under.server, { beforeEnd })).rejects.toThrow('not any more');
    while (!under.cutOff()) await new Promise((resolve) => setImmediate(resolve));
    expect(under.messages).toEqual([]);
  });

  test('while the end is prepared, the end is not sent', async () => {
    const sockets: { destroy: () => void }[] = [];
    const answers = {
      DATA: (_line: string, socket: { destroy: () => void }) => {
        sockets.push(socket);
        return '354 go';
      },
    };
    const under = await start({ answers });
    const beforeEnd = async () => {
      sockets[0]?.destroy();
      while (!under.cutOff()) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    };
    const outcome = await relayTo(under.server, { beforeEnd }).catch((error: unknown) => error);
    // Where the end of the connection was not heard of yet, the end may have been written, and nobody knows.
    expect(outcome instanceof Unavailable || (outcome as { kind: string }).kind === 'unknown').toBe(true);
    expect(under.messages).toEqual([]);
  });
});

describe('a hostile server', () => {
  const short: SmtpLimits = {
    ...limits,
    connectTimeoutMs: 150,
    replyTimeoutMs: 150,
    messageTimeoutMs: 150,
    finalReplyTimeoutMs: 150,
  };
  const endless = (_line: string, socket: { write: (text: string) => boolean; destroyed: boolean }) => {
    const more = () => {
      if (socket.destroyed) return;
      socket.write('250-more and more\r\n'.repeat(50));
      setImmediate(more);
    };
    more();
    return null;
  };

  test.each<{ what: string; script: SmtpScript }>([
    { what: 'never greets', script: { greeting: null } },
    { what: 'greets with a refusal', script: { greeting: '554 go away' } },
    { what: 'greets in another language', script: { greeting: '* OK IMAP4rev1' } },
    { what: 'never answers EHLO', script: { answers: { EHLO: null } } },
    { what: 'never answers MAIL', script: { answers: { MAIL: null } } },
    { what: 'never answers DATA', script: { answers: { DATA: null } } },
    { what: 'answers without end', script: { answers: { MAIL: endless } } },
    { what: 'offers without end', script: { answers: { EHLO: endless } } },
    { what: 'answers nonsense', script: { answers: { MAIL: 'why not' } } },
  ])('that $what gets no message, and we are done soon', async ({ script }) => {
    const under = await start(script);
    await expect(relayTo(under.server, {}, password, short)).rejects.toThrow(Unavailable);
    expect(under.messages).toEqual([]);
  });

  test('that never answers the end leaves us not knowing', async () => {
    const under = await start({ answers: { '.': null } });
    expect(await relayTo(under.server, {}, password, short)).toEqual({ kind: 'unknown' });
  });

  test('that does not answer in the time of the request is not waited for, and we know whether the message went out', async () => {
    const patient = { ...limits, replyTimeoutMs: 60_000, messageTimeoutMs: 60_000, finalReplyTimeoutMs: 60_000 };
    const before = await start({ answers: { RCPT: null } });
    await expect(relayTo(before.server, { timeoutMs: 300 }, password, patient)).rejects.toThrow(Unavailable);
    const after = await start({ answers: { '.': null } });
    expect(await relayTo(after.server, { timeoutMs: 1_000 }, password, patient)).toEqual({ kind: 'unknown' });
    const never = await start();
    await expect(relayTo(never.server, { timeoutMs: 0 }, password, patient)).rejects.toThrow(Unavailable);
    expect([before.messages.length, after.messages.length, never.commands.length]).toEqual([0, 1, 0]);
  });

  test('gets no command that an address or a parameter brought along', async () => {
    const under = await start({ offers: [...usualOffers, 'FUTURERELEASE 1 2'] });
    const nasty = ['a\r\nRSET', 'a\nRSET', 'a\0', 'a> X', '<a', 'a b', '"a\r\n"', '\u0085', '\ud800'];
    for (const bit of nasty) {
      for (const wanted of [
        { from: `${bit}@example.com` },
        { from: `a@${bit}.example` },
        { to: [`${bit}@example.com`] },
        { to: [`a@${bit}.example`] },
        { to: ['ok@example.com', bit] },
        { mailParameters: { ENVID: bit.replace('b', '\r') } },
        { mailParameters: { RET: bit } },
        { mailParameters: { [bit]: 'x' } },
        { rcptParameters: { NOTIFY: bit } },
        { rcptParameters: { ORCPT: `rfc822;\r\n${bit}` } },
        { rcptParameters: { [bit]: null } },
      ]) {
        const outcome = await relayTo(under.server, wanted).catch((error: unknown) => error);
        const isKept = (outcome as { kind?: string }).kind;
        const envid = (wanted as Wanted).mailParameters?.ENVID;
        if (typeof envid === 'string' && /^[\x20-\x7e]+$/.test(envid)) expect(isKept).toBe('accepted');
        else expect(isKept === undefined || isKept === 'notOffered').toBe(true);
      }
    }
    const allowed =
      /^(?:EHLO \[127\.0\.0\.1\]|AUTH PLAIN [\w=]+|QUIT|DATA|\.|MAIL FROM:<anna@example\.com> SIZE=21 ENVID=[!-~]+|RCPT TO:<bob@example\.com>)$/;
    expect(under.commands.filter((line) => !allowed.test(line))).toEqual([]);
  });
});
