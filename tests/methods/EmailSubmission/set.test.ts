import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { reasonOf } from '../../../functions/http/log.ts';
import type { Email as CatalogEmail } from '../../../shared/catalog/email.ts';
import { CannotSearch } from '../../../shared/catalog/source.ts';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import { AuthenticationFailed, Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../../shared/methods/EmailSubmission/index.ts';
import { type EmailSubmission, submissionKind } from '../../../shared/methods/EmailSubmission/record.ts';
import type { RelayOutcome, RelayRequest } from '../../../shared/methods/EmailSubmission/relay.ts';
import { attend } from '../../../shared/methods/EmailSubmission/transmit.ts';
import { contextFor } from '../context.ts';
import { callMethod, mailAccount } from '../mail-account.ts';
import { type Fate, fakeRelay, sendingPorts } from '../sending-account.ts';

const letter = [
  'From: Anna <anna@example.com>',
  'To: Bob <bob@example.com>, "C" <c@example.net>',
  'Cc: BOB@example.com',
  'Bcc: secret@example.com,',
  ' other@example.com',
  'Subject: x',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@example.com>',
  '',
  'Hello',
  'Bcc: not a header',
  '',
].join('\n');
const without = (field: string) => letter.replace(new RegExp(`^${field}:.*\\n(?: .*\\n)*`, 'm'), '');
const withField = (field: string) => `${field}\n${letter}`;

function start(options: Parameters<typeof sendingPorts>[0] & { raws?: (string | null)[] } = {}) {
  const { raws = [letter], ...others } = options;
  const server = fakeRelay();
  let now = Date.parse('2026-03-01T12:00:00.700Z');
  const own = sendingPorts({ relay: server.relay, now: () => now, ...others });
  const { ports } = mailAccount(raws);
  const search = { search: async () => null, sort: async () => null };
  const all = { ...ports, search, ...own };
  const call = (verb: 'get' | 'set' | 'changes' | 'query' | 'queryChanges', args: JsonObject) =>
    callMethod<typeof all>(emailSubmission.methods[verb], args, all);
  return {
    server,
    ports: all,
    call,
    create: async (k: JsonObject, more: JsonObject = {}) =>
      call('set', { create: { k: { identityId: 'Idefault', emailId: 'e1', ...k } }, ...more }),
    pass: (ms: number) => {
      now += ms;
    },
    kept: async () => [...(await own.records.view(submissionKind)).records.values()],
  };
}
const createdIn = (answer: JsonObject) => (answer.created as { k: JsonObject & { id: string } }).k;

describe('creating an EmailSubmission', () => {
  test.each(['canceled', 'final'])(
    'is refused where it says that it is %s, which is not for it to say',
    async (undoStatus) => {
      const { create, server } = start();
      expect(await create({ undoStatus })).toMatchObject({
        notCreated: { k: { type: 'invalidProperties', properties: ['undoStatus'] } },
      });
      expect(server.requests).toEqual([]);
    },
  );

  test('sends the message to everyone it names, each once, and tells nobody of the secret ones', async () => {
    const { create, server, call } = start();
    const answer = await create({});
    expect(server.sent).toHaveLength(1);
    expect(server.sent[0]).toMatchObject({
      from: 'anna@example.com',
      to: ['bob@example.com', 'c@example.net', 'secret@example.com', 'other@example.com'],
    });
    const text = server.sent[0]?.text ?? '';
    expect(text).not.toMatch(/secret|other@/);
    expect(text).toBe(without('Bcc').replaceAll('\n', '\r\n'));
    const k = createdIn(answer);
    expect(k).toMatchObject({
      threadId: 't1',
      sendAt: '2026-03-01T12:00:00Z',
      undoStatus: 'final',
      dsnBlobIds: [],
      mdnBlobIds: [],
    });
    expect(k.deliveryStatus).toMatchObject({
      'bob@example.com': { smtpReply: '250 2.1.5 bob@example.com ok', delivered: 'unknown', displayed: 'unknown' },
    });
    const got = await call('get', { ids: [k.id] });
    expect(got).toMatchObject({ state: answer.newState, list: [{ ...k, identityId: 'Idefault', emailId: 'e1' }] });
    expect(Object.keys((got.list as JsonObject[])[0] ?? {}).sort()).toEqual(
      [
        'id',
        'identityId',
        'emailId',
        'threadId',
        'envelope',
        'sendAt',
        'undoStatus',
        'deliveryStatus',
        'dsnBlobIds',
        'mdnBlobIds',
      ].sort(),
    );
  });

  test('takes the envelope as it is given, parameters and all', async () => {
    const { create, server } = start();
    const envelope = {
      mailFrom: { email: 'anna@example.com', parameters: { RET: 'HDRS' } },
      rcptTo: [{ email: 'x@example.com', parameters: { NOTIFY: 'NEVER' } }],
    };
    expect(createdIn(await create({ envelope }))).toMatchObject({ envelope });
    expect(server.requests[0]?.envelope).toEqual(envelope);
  });

  test('takes an envelope whose sender is spelled as aerc does', async () => {
    const { create, server } = start();
    await create({ envelope: { mailfrom: { email: 'anna@example.com' }, rcptTo: [{ email: 'x@example.com' }] } });
    expect(server.sent[0]).toMatchObject({ from: 'anna@example.com', to: ['x@example.com'] });
  });

  test('refuses an envelope that has two senders', async () => {
    const { create, server } = start();
    const senders = { mailFrom: { email: 'anna@example.com' }, mailfrom: { email: 'anna@example.com' } };
    const answer = await create({ envelope: { ...senders, rcptTo: [{ email: 'x@example.com' }] } });
    expect(answer.notCreated).toMatchObject({ k: { type: 'invalidProperties', properties: ['envelope'] } });
    expect(server.sent).toEqual([]);
  });

  test('lets the sender be nobody', async () => {
    const { create, server } = start();
    await create({ envelope: { mailFrom: { email: '' }, rcptTo: [{ email: 'x@example.com' }] } });
    expect(server.sent[0]?.from).toBe('');
  });

  test('gives a message without a Message-ID one, always the same', async () => {
    const { create, server, kept } = start({ raws: [without('Message-ID')] });
    await create({});
    const [, id] = /^Message-ID: (<[0-9a-f]{32}@example\.com>)\r\n/.exec(server.sent[0]?.text ?? '') ?? [];
    expect((await kept())[0]?.messageId).toBe(id);
  });

  test.each([
    { what: 'the Sender', raw: withField('Sender: anna@example.com'), mailFrom: 'anna@example.com' },
    {
      what: 'the Identity where the Sender is another',
      raw: withField('Sender: eve@example.com'),
      mailFrom: 'anna@example.com',
    },
  ])('is sent by $what', async ({ raw, mailFrom }) => {
    const { create, server } = start({ raws: [raw] });
    await create({});
    expect(server.sent[0]?.from).toBe(mailFrom);
  });

  const envelopeTo = (...emails: string[]) => ({
    mailFrom: { email: 'anna@example.com' },
    rcptTo: emails.map((email) => ({ email })),
  });
  test.each<{ what: string; raw?: string; k?: JsonObject; error: JsonObject }>([
    {
      what: 'without an Identity',
      k: { identityId: 'none' },
      error: { type: 'invalidProperties', properties: ['identityId'] },
    },
    { what: 'without an Email', k: { emailId: 'none' }, error: { type: 'invalidProperties', properties: ['emailId'] } },
    {
      what: 'of a part of an Email',
      k: { emailId: 'e1-1' },
      error: { type: 'invalidProperties', properties: ['emailId'] },
    },
    {
      what: 'with what only the server sets',
      k: { sendAt: '2026-01-01T00:00:00Z' },
      error: { type: 'invalidProperties', properties: ['sendAt'] },
    },
    { what: 'without From', raw: without('From'), error: { type: 'invalidEmail', properties: ['from'] } },
    {
      what: 'with two From fields',
      raw: withField('From: anna@example.com'),
      error: { type: 'invalidEmail', properties: ['from'] },
    },
    {
      what: 'with a broken From',
      raw: letter.replace('<anna@example.com>', '<anna>'),
      error: { type: 'invalidEmail', properties: ['from'] },
    },
    {
      what: 'without Date and with two subjects',
      raw: `Subject: y\n${without('Date')}`,
      error: { type: 'invalidEmail', properties: ['sentAt', 'subject'] },
    },
    { what: 'with a NUL', raw: `${letter}\0`, error: { type: 'invalidEmail', properties: ['bodyStructure'] } },
    {
      what: 'from several without a Sender',
      raw: letter.replace('<anna@example.com>', '<anna@example.com>, anna@example.com'),
      error: { type: 'invalidEmail', properties: ['sender'] },
    },
    { what: 'from somebody else', raw: letter.replace('anna@', 'eve@'), error: { type: 'forbiddenFrom' } },
    { what: 'that is too large', raw: letter + 'x'.repeat(10_000), error: { type: 'tooLarge', maxSize: 10_000 } },
    { what: 'to nobody', raw: without('To').replace(/^Cc.*\n|^Bcc.*\n .*\n/gm, ''), error: { type: 'noRecipients' } },
    { what: 'to an empty list', k: { envelope: envelopeTo() }, error: { type: 'noRecipients' } },
    {
      what: 'to too many',
      k: { envelope: envelopeTo(...'abcdef'.split('').map((c) => `${c}@x.example`)) },
      error: { type: 'tooManyRecipients', maxRecipients: 5 },
    },
    {
      what: 'to what are no addresses',
      k: { envelope: envelopeTo('ok@x.example', 'a\r\nRSET', 'b>', '') },
      error: { type: 'invalidRecipients', invalidRecipients: ['a\r\nRSET', 'b>', ''] },
    },
    {
      what: 'for somebody else',
      k: { envelope: { ...envelopeTo('b@x.example'), mailFrom: { email: 'eve@example.com' } } },
      error: { type: 'forbiddenMailFrom' },
    },
    {
      what: 'with parameters that there are not',
      k: {
        envelope: {
          ...envelopeTo('b@x.example'),
          mailFrom: { email: 'anna@example.com', parameters: { 'X\r\nY': null } },
        },
      },
      error: { type: 'invalidProperties', properties: ['envelope'] },
    },
    {
      what: 'for later where nothing is held',
      k: {
        envelope: {
          ...envelopeTo('b@x.example'),
          mailFrom: { email: 'anna@example.com', parameters: { HOLDFOR: '60' } },
        },
      },
      error: { type: 'invalidProperties', properties: ['envelope'] },
    },
  ])('$what is refused before anything is sent', async ({ raw = letter, k = {}, error }) => {
    const { create, server, call } = start({ raws: [raw] });
    const { state } = await call('get', { ids: [] });
    expect(await create(k)).toMatchObject({
      created: null,
      notCreated: { k: error },
      oldState: state,
      newState: state,
    });
    expect(server.requests).toEqual([]);
  });

  const refused = (
    at: 'login' | 'sender' | 'recipients' | 'message',
    text: string,
    recipients: string[] = [],
  ): Fate => ({
    kind: 'refused',
    at,
    reply: { code: Number(text.slice(0, 3)), text },
    recipients: recipients.map((each) => ({ code: Number(each.slice(0, 3)), text: each })),
  });
  test.each<{ fate: Fate; error: JsonObject }>([
    { fate: refused('login', '535 5.7.8 no'), error: { type: 'forbiddenToSend', description: '535 5.7.8 no' } },
    { fate: refused('sender', '550 5.7.1 not you'), error: { type: 'forbiddenMailFrom' } },
    { fate: refused('sender', '552 5.3.4 too large'), error: { type: 'tooLarge', maxSize: 10_000 } },
    { fate: refused('sender', '451 4.3.0 later'), error: { type: 'serverUnavailable' } },
    {
      fate: refused('recipients', '550 no', ['550 no', '550 no', '550 no', '550 no']),
      error: {
        type: 'invalidRecipients',
        invalidRecipients: ['bob@example.com', 'c@example.net', 'secret@example.com', 'other@example.com'],
      },
    },
    { fate: refused('message', '554 5.7.1 spam'), error: { type: 'forbiddenToSend', description: '554 5.7.1 spam' } },
    { fate: refused('message', '554 5.6.0 broken'), error: { type: 'invalidEmail' } },
    { fate: { kind: 'tooLarge', maxSize: 99 }, error: { type: 'tooLarge', maxSize: 99 } },
    {
      fate: { kind: 'notOffered', description: 'no DSN' },
      error: { type: 'invalidProperties', properties: ['envelope'] },
    },
    { fate: new Unavailable('down'), error: { type: 'serverUnavailable' } },
  ])('is refused as the server says ($error.type), and leaves nothing behind', async ({ fate, error }) => {
    const { create, server, kept, ports } = start();
    server.next(fate);
    expect(await create({})).toMatchObject({ created: null, notCreated: { k: error } });
    // What may pass is told to the operator, and not in the server's words.
    const told = ports.unavailable.map(reasonOf);
    const code = 'reply' in fate ? ` SMTP_${fate.reply.code}` : '';
    expect(told).toEqual(error.type === 'serverUnavailable' ? [`Unavailable${code}`] : []);
    expect(server.sent).toEqual([]);
    expect(await kept()).toEqual([]);
    // And it can be tried again.
    expect(createdIn(await create({}))).toMatchObject({ undoStatus: 'final' });
  });

  test('whose answer was lost is told as not known, and not sent again', async () => {
    const { create, server, kept } = start();
    server.next({ kind: 'lost' });
    const answer = await create({}, { onSuccessDestroyEmail: ['#k'] });
    expect(createdIn(answer)).toMatchObject({
      undoStatus: 'final',
      deliveryStatus: {
        'bob@example.com': { delivered: 'unknown', smtpReply: expect.stringMatching(/^451 4\.4\.2 /) },
      },
    });
    expect((await kept())[0]?.ledger).toEqual({ state: 'uncertain' });
    expect(server.sent).toHaveLength(1);
  });

  test('is not sent where it cannot be noted that it is', async () => {
    const { create, server, ports } = start();
    // The read of the Identity and of the submissions go well; the note does not.
    const calls = ports.store.calls();
    await ports.records.view(submissionKind);
    expect(ports.store.calls()).toBe(calls + 1);
    const { relay } = ports.submission;
    Object.assign(ports.submission, {
      relay: (request: Parameters<typeof relay>[0]) => {
        ports.store.failCall(1);
        return relay(request);
      },
    });
    expect(await create({})).toMatchObject({ notCreated: { k: { type: 'serverUnavailable' } } });
    expect(server.sent).toEqual([]);
  });

  test('is held by the submission server where that can, and we cannot', async () => {
    const { create, server } = start({ serverHoldsSeconds: 100 });
    const envelope = (HOLDFOR: string) => ({
      mailFrom: { email: 'anna@example.com', parameters: { HOLDFOR } },
      rcptTo: [{ email: 'x@example.com' }],
    });
    expect(createdIn(await create({ envelope: envelope('60') }))).toMatchObject({
      undoStatus: 'final',
      sendAt: '2026-03-01T12:01:00Z',
    });
    expect(server.requests.map(({ holdForSeconds }) => holdForSeconds)).toEqual([60]);
    expect(await create({ envelope: envelope('101') })).toMatchObject({
      notCreated: { k: { type: 'invalidProperties' } },
    });
  });

  test('of several sends each, and answers for each', async () => {
    const { call, server } = start({ raws: [letter, letter.replace('<1@', '<2@')] });
    server.next(new Unavailable('down'));
    const answer = await call('set', {
      create: {
        a: { identityId: 'Idefault', emailId: 'e1' },
        b: { identityId: 'Idefault', emailId: 'e2' },
        c: { identityId: 'Idefault', emailId: 'e3' },
      },
    });
    expect(answer).toMatchObject({
      created: { b: { threadId: 't2' } },
      notCreated: { a: { type: 'serverUnavailable' }, c: { type: 'invalidProperties' } },
    });
    expect(server.sent).toHaveLength(1);
    const changes = await call('changes', { sinceState: answer.oldState as string });
    expect(changes).toMatchObject({ newState: answer.newState, updated: [], destroyed: [] });
    expect(changes.created).toHaveLength(1);
  });
});

describe('what a message says of itself', () => {
  test.each([
    {
      what: 'behind a CR that ends a line once it is sent',
      raw: letter.replace('Subject: x', 'Subject: x\rFrom: eve@example.com'),
    },
    {
      what: 'as if it were the subject, also in place of the Sender',
      raw: letter.replace('Subject: x', 'Subject: x\rSender: a, b'),
    },
    { what: 'beyond as many fields as are read', raw: `${'X: y\n'.repeat(10_000)}From: eve@example.com\n${letter}` },
    {
      what: 'beyond as much as is read',
      raw: `${letter.split('\n\n')[0]}\nX: ${'y'.repeat(1_100_000)}\nFrom: eve@example.com\n\nHello\n`,
    },
  ])('is looked at $what', async ({ raw }) => {
    const { create, server } = start({ raws: [raw], maxSizeMessage: 10_000_000 });
    expect(await create({})).toMatchObject({ notCreated: { k: { type: 'invalidEmail' } } });
    expect(server.sent).toEqual([]);
  });
});

describe('after a submission', () => {
  async function implicitCalls(args: JsonObject, options: Parameters<typeof start>[0] = {}, fate?: Fate) {
    const { ports, server } = start(options);
    if (fate !== undefined) server.next(fate);
    const create = { k: { identityId: 'Idefault', emailId: 'e1' } };
    const answer = await emailSubmission.methods.set.run({ accountId: 'a', create, ...args }, ports, contextFor(ports));
    return answer.ok ? answer.value.implicit : null;
  }

  test('one Email/set does what was asked for', async () => {
    const patch = { 'keywords/$draft': null };
    expect(await implicitCalls({ onSuccessUpdateEmail: { '#k': patch } })).toEqual([
      { name: 'Email/set', args: { accountId: 'a', update: { e1: patch }, destroy: [] } },
    ]);
    expect(await implicitCalls({ onSuccessDestroyEmail: ['#k', '#other'] })).toEqual([
      { name: 'Email/set', args: { accountId: 'a', update: {}, destroy: ['e1'] } },
    ]);
  });

  test('nothing is done where nothing was asked for, or where it failed', async () => {
    expect(await implicitCalls({})).toEqual([]);
    expect(await implicitCalls({ onSuccessDestroyEmail: ['#k'] }, {}, new Unavailable('down'))).toEqual([]);
  });

  test('also of one that is destroyed or canceled, by its id', async () => {
    const { ports, create } = start();
    const { id } = createdIn(await create({}));
    const run = (args: JsonObject) =>
      emailSubmission.methods.set.run({ accountId: 'a', ...args }, ports, contextFor(ports));
    ports.submission.emailOf.clear();
    const answer = await run({ destroy: [id], onSuccessDestroyEmail: [id] });
    expect(answer).toMatchObject({
      value: { response: { destroyed: [id] }, implicit: [{ name: 'Email/set', args: { destroy: ['e1'] } }] },
    });
  });

  test.each<{
    what: string;
    isThere?: boolean;
    isElsewhere?: boolean;
    update?: JsonObject;
    before?: number;
    isLate?: boolean;
    found?: number[][] | Error;
    goes: boolean;
  }>([
    { what: 'goes, where the client keeps his own there', goes: true },
    { what: 'stays, where his own did not get there, whatever the client asked for', isThere: false, goes: false },
    { what: 'stays, where it is elsewhere as well: who sends to himself received it', isElsewhere: true, goes: false },
    { what: 'stays, where nothing was asked for', update: {}, goes: false },
    { what: 'stays, where it was there before', before: 2, goes: false },
    { what: 'stays, where it comes only after it was looked for', isLate: true, goes: false },
    { what: 'stays, where the mail server does not search', found: new CannotSearch('No'), goes: false },
  ])(
    'a copy that the provider put into Sent $what',
    async ({ isThere = true, isElsewhere = false, update, before = 1, isLate = false, found = [[2]], goes }) => {
      // The letter, and the copy of it that is in Sent.
      const raws = [letter, letter];
      const { ports, server } = start({ raws, savesSent: true });
      const view = await ports.catalog.view('now');
      const mailboxes = await view.mailboxes();
      const [sent] = mailboxes.values();
      const endsAt = (uidNext: number) =>
        Object.assign(sent ?? {}, { attributes: ['\\sent'], vector: { ...sent?.vector, uidNext } });
      endsAt(before + 1);
      const search = async () => {
        if (found instanceof Error) throw found;
        return found;
      };
      const { relay } = ports.submission;
      Object.assign(ports.submission, {
        relay: async (request: Parameters<typeof relay>[0]) => {
          const outcome = await relay(request);
          if (!isLate) endsAt(3);
          return outcome;
        },
      });
      Object.assign(ports.search, { search });
      const create = { k: { identityId: 'Idefault', emailId: 'e1' } };
      const patch = { [`mailboxIds/${sent?.id}`]: true };
      const args = { accountId: 'a', create, onSuccessUpdateEmail: update ?? { '#k': patch } };
      const answer = await emailSubmission.methods.set.run(args, ports, contextFor(ports));
      const [first, second] = (answer.ok && answer.value.implicit) || [];
      expect(first?.args).toEqual(
        update === undefined ? { accountId: 'a', update: { e1: patch }, destroy: [] } : undefined,
      );
      expect(server.sent).toHaveLength(1);

      // That call is made, and does what was asked for, or not.
      const elsewhere = (email: CatalogEmail): CatalogEmail => {
        const rows = email.rows.map((row) => ({ ...row, deleted: email.id === 'e1' && !isThere }));
        const more = isElsewhere && email.id === 'e2' ? rows.map((row) => ({ ...row, mailbox: row.mailbox + 1 })) : [];
        return { ...email, rows: [...rows, ...more] };
      };
      const after: CatalogView = {
        ...view,
        emails: async (ids) =>
          new Map([...(await view.emails(ids))].map(([id, email]) => [id, email && elsewhere(email)])),
      };
      Object.assign(ports.catalog, { view: async () => after });
      const copies = typeof second?.args === 'function' ? await second.args() : null;
      expect(copies).toEqual(goes ? { accountId: 'a', destroy: ['e2'] } : null);

      // Whatever came late is no sign of another message: that one has a copy of its own, or nobody knows.
      if (!isLate) return;
      endsAt(3);
      server.next({ kind: 'lost' });
      Object.assign(ports.submission, { relay });
      await emailSubmission.methods.set.run({ accountId: 'a', create }, ports, contextFor(ports));
      const states = [...(await ports.records.view(submissionKind)).records.values()].map(({ ledger }) => ledger.state);
      expect(states).toEqual(['sent', 'uncertain']);
    },
  );
});

describe('where the time of the request runs out', () => {
  const begin = Date.parse('2026-03-01T12:00:00.700Z');
  const three = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, { identityId: 'Idefault', emailId: 'e1' }]));
  const noTime = { type: 'serverUnavailable', description: expect.any(String) };

  test('the submission server has what is left of it, and no message begins that has too little', async () => {
    const { ports, call, pass, server } = start({ deadline: begin + 24_000 });
    const { relay } = ports.submission;
    Object.assign(ports.submission, {
      relay: async (request: RelayRequest) => {
        const outcome = await relay(request);
        pass(10_600);
        return outcome;
      },
    });
    expect(await call('set', { create: three })).toMatchObject({
      created: { a: { undoStatus: 'final' }, b: { undoStatus: 'final' } },
      notCreated: { c: noTime },
    });
    expect(server.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([22_000, 11_400]);
  });

  test('a message is not ended whose answer nobody could wait for, and nothing is left of it', async () => {
    const { ports, create, kept, pass, server } = start({ deadline: begin + 24_000 });
    const { relay } = ports.submission;
    Object.assign(ports.submission, {
      relay: ({ beforeEnd, ...request }: RelayRequest) => {
        const late = async () => {
          pass(21_500);
          await beforeEnd();
        };
        return relay({ ...request, beforeEnd: late });
      },
    });
    expect(await create({})).toMatchObject({ notCreated: { k: { type: 'serverUnavailable' } } });
    expect(server.sent).toEqual([]);
    expect(await kept()).toEqual([]);
  });
});

describe('where the records are full', () => {
  const recipients = 400;
  /** To so many, whose addresses have nothing in common. */
  const envelope = (parameters: JsonObject | null = null) => ({
    mailFrom: { email: 'anna@example.com', parameters },
    rcptTo: Array.from({ length: recipients }, () => ({ email: `${randomBytes(30).toString('hex')}@example.net` })),
  });
  const wordy = (text: string) => ({
    relay: async ({ envelope: { rcptTo }, beforeEnd }: RelayRequest): Promise<RelayOutcome> => {
      await beforeEnd();
      const reply = { code: 250, text: `250 2.0.0 ${text}` };
      const words = () => `250 2.1.5 ${randomBytes(500).toString('base64')}`;
      return { kind: 'accepted', reply, recipients: rcptTo.map(() => ({ code: 250, text: words() })) };
    },
  });
  const options = { maxRecipients: recipients };

  test('those that are over go, the oldest first, and whoever knew them is told', async () => {
    const { create, call, ports } = start(options);
    Object.assign(ports.submission, wordy('ok'));
    const ids: string[] = [];
    const { state } = await call('get', { ids: [] });
    let known = String(state);
    let gone = 0;
    for (let n = 0; n < 12; n += 1) {
      const answer = await create({ envelope: envelope() });
      const { id, deliveryStatus } = createdIn(answer);
      ids.push(id);
      expect(Object.keys(deliveryStatus ?? {})).toHaveLength(recipients);
      const told = await call('changes', { sinceState: known });
      expect(told).toMatchObject({ created: [id] });
      // Whoever knew the old state, and takes the new one for his own, has missed nothing.
      const later = await call('changes', { sinceState: String(answer.newState) });
      if (answer.oldState === known) expect(later.destroyed).toEqual(told.destroyed);
      gone += (told.destroyed as Id[]).length;
      known = String(told.newState);
    }
    const left = ((await call('get', { ids: null, properties: ['id'] })).list as { id: string }[]).map(({ id }) => id);
    expect(left.length).toBeGreaterThan(1);
    expect(left.length).toBeLessThan(12);
    expect(left).toEqual(ids.slice(-left.length));
    expect(left.length).toBe(12 - gone);
    const all = await call('changes', { sinceState: String(state) });
    expect(all).toMatchObject({ created: left, destroyed: [] });
  });

  test('those that wait stay, no other is taken, and of each it is noted what becomes of it', async () => {
    const forgotten: Id[] = [];
    const messages = new Map<Id, Uint8Array>();
    const queue = {
      maxDelaySeconds: 1_000,
      hold: async (id: Id, message: Uint8Array) => void messages.set(id, message),
    };
    const held = {
      message: async (id: Id) => messages.get(id) ?? null,
      forgetMessage: async (id: Id) => void messages.delete(id),
      forget: async (id: Id) => void forgotten.push(id),
    };
    const { create, call, ports, pass, kept, server } = start({ ...options, queue, held });
    const waiting: Id[] = [];
    for (let isFull = false; !isFull; ) {
      const answer = await create({ envelope: envelope({ HOLDFOR: '100' }) });
      isFull = answer.created === null;
      if (isFull) expect(answer).toMatchObject({ notCreated: { k: { type: 'overQuota' } } });
      else waiting.push(createdIn(answer).id as Id);
    }
    expect(waiting.length).toBeGreaterThan(5);
    expect(forgotten).toHaveLength(1);
    expect(await create({ envelope: envelope() })).toMatchObject({ notCreated: { k: { type: 'overQuota' } } });
    expect(server.sent).toEqual([]);
    const [first = '' as Id] = waiting.splice(0, 1);
    expect(await call('set', { update: { [first]: { undoStatus: 'canceled' } } })).toMatchObject({
      updated: { [first]: null },
    });

    pass(101_000);
    Object.assign(ports.submission, wordy('ok'));
    for (const id of waiting) expect(await attend(id, ports)).toBeNull();
    expect((await kept()).map(({ ledger }) => ledger.state)).not.toContain('queued');
    const { list } = (await call('get', { ids: waiting })) as { list: JsonObject[] };
    for (const each of list) expect(each).toMatchObject({ undoStatus: 'final' });
    expect(list.at(-1)?.deliveryStatus).not.toBeNull();
  });
});

describe('a submission that is over', () => {
  test('can neither be recalled nor changed, and can be destroyed', async () => {
    const { create, call } = start();
    const { id } = createdIn(await create({}));
    expect(await call('set', { update: { [id]: { undoStatus: 'canceled' } } })).toMatchObject({
      notUpdated: { [id]: { type: 'cannotUnsend' } },
    });
    expect(await call('set', { update: { [id]: { undoStatus: 'pending' } } })).toMatchObject({
      notUpdated: { [id]: { type: 'invalidProperties', properties: ['undoStatus'] } },
    });
    expect(await call('set', { update: { [id]: { emailId: 'e9' } } })).toMatchObject({
      notUpdated: { [id]: { type: 'invalidProperties', properties: ['emailId'] } },
    });
    expect(await call('set', { destroy: [id, 'none'] })).toMatchObject({
      destroyed: [id],
      notDestroyed: { none: { type: 'notFound' } },
    });
    expect(await call('get', { ids: null })).toMatchObject({ list: [] });
  });

  test('is kept for two months', async () => {
    const { create, pass, kept } = start();
    await create({});
    pass(61 * 24 * 3_600_000);
    await create({});
    expect(await kept()).toHaveLength(1);
  });
});

describe('a process that ended while it sent', () => {
  const uncertain = { state: 'uncertain', reply: /^451 4\.4\.2/ };
  const sent = { state: 'sent', reply: /^250 2\.0\.0/ };
  // `before`: messages that were in Sent already.
  test.each<{
    what: string;
    savesSent?: false;
    before?: number;
    found: number[][] | Error;
    others?: JsonObject[];
    expected: typeof sent;
  }>([
    { what: 'nothing of it is in Sent', savesSent: false, found: [], expected: uncertain },
    { what: 'nothing of it is in Sent yet', found: [[]], expected: uncertain },
    { what: 'only the Email itself is in Sent', before: 0, found: [[1]], expected: uncertain },
    { what: 'Sent cannot be seen any more', found: new AuthenticationFailed('Another password'), expected: uncertain },
    { what: 'Sent cannot be searched', found: new CannotSearch('No'), expected: uncertain },
    { what: 'only a copy that was there before is in Sent', before: 3, found: [[2]], expected: uncertain },
    { what: 'a copy of it is in Sent', found: [[2]], expected: sent },
    { what: 'a copy of it is in Sent beside one from before', before: 2, found: [[2, 3]], expected: sent },
    {
      what: 'the copy in Sent may be that of one sent a moment before',
      found: [[2]],
      others: [{ ledger: { state: 'sent' }, ago: 60_000 }],
      expected: uncertain,
    },
    {
      what: 'the copy in Sent may be that of another one in doubt, from which time nobody knows',
      found: [[2]],
      others: [{ ledger: { state: 'uncertain' }, ago: null }],
      expected: uncertain,
    },
    {
      what: 'there is a copy for each that was sent',
      found: [[2, 3]],
      others: [{ ledger: { state: 'sent' }, ago: 60_000 }],
      expected: sent,
    },
    {
      what: 'all others are of another time, of another message, or never went out',
      found: [[2]],
      others: [
        { ledger: { state: 'sent' }, ago: 16 * 60_000 },
        { ledger: { state: 'sent' }, ago: 0, messageId: '<2@example.com>' },
        { ledger: { state: 'failed' }, ago: 0 },
        { ledger: { state: 'canceled' }, ago: 0 },
        { ledger: { state: 'queued', notBefore: 10 ** 15, attempts: 0, claim: null }, ago: null },
      ],
      expected: sent,
    },
  ])(
    'leaves a message that is found out about: $what',
    async ({ savesSent = true, before = 1, found, others = [], expected }) => {
      const { ports, create, server, pass, call, kept } = start({ savesSent, raws: [letter, letter, letter] });
      const mailboxes = await (await ports.catalog.view('now')).mailboxes();
      const endsAt = (uidNext: number) => {
        for (const mailbox of mailboxes.values())
          Object.assign(mailbox, { attributes: ['\\sent'], vector: { ...mailbox.vector, uidNext } });
      };
      endsAt(before + 1);
      const search = async () => {
        if (found instanceof Error) throw found;
        return found;
      };
      Object.assign(ports.search, { search });
      // The end of the message has gone out, and nothing that comes after it happens.
      const { relay } = ports.submission;
      Object.assign(ports.submission, {
        relay: async (request: Parameters<typeof relay>[0]) => {
          await relay(request);
          throw Object.assign(new Error('killed'), { name: 'Killed' });
        },
      });
      const { change } = ports.records;
      let commits = 0;
      Object.assign(ports.records, {
        change: (...args: Parameters<typeof change>) =>
          ++commits > 1 ? Promise.reject(new Error('killed')) : change(...args),
      });
      await expect(create({})).rejects.toThrow('killed');
      Object.assign(ports.records, { change });
      Object.assign(ports.submission, { relay });
      endsAt(4);
      const [mine] = await kept();
      await change(submissionKind, () => ({
        edits: others.map(({ ago, ...facts }, index) => {
          const endOfSent = ago === null ? null : { ...mine?.endOfSent, at: ports.submission.now() - Number(ago) };
          return { id: `other${index}` as Id, value: { ...mine, endOfSent, ...facts } };
        }),
        answer: null,
      }));

      expect((await kept())[0]?.ledger.state).toBe('sending');
      const first = async () => ((await call('get', { ids: null })).list as JsonObject[])[0] as EmailSubmission;
      expect(await first()).toMatchObject({ undoStatus: 'final', deliveryStatus: null });
      pass(16 * 60_000);
      expect((await first()).deliveryStatus?.['bob@example.com']?.smtpReply).toMatch(expected.reply);
      expect((await kept())[0]?.ledger.state).toBe(expected.state);
      expect(server.sent).toHaveLength(1);
    },
  );
});
