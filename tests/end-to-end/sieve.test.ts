import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { singleProvider } from '../../shared/providers.ts';
import { sieveAccount } from '../../shared/sieve/account.ts';
import { Pauses } from '../../shared/sieve/pauses.ts';
import type { SieveCredential, SieveServer } from '../../shared/sieve/server.ts';
import { deliver, sentTo } from '../servers/deliver.ts';
import { cyrus, dovecot, type TestDovecot } from '../servers/servers.ts';
import { scriptedSieveServer } from '../sieve/scripted-server.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { answerOf, coreAndMail, type JmapClient, MethodFailed } from './jmap-client.ts';

const sieveUri = 'urn:ietf:params:jmap:sieve';
const vacationUri = 'urn:ietf:params:jmap:vacationresponse';
const using = [...coreAndMail, sieveUri, vacationUri, 'urn:ietf:params:jmap:blob'];

let server: TestDovecot;
let product: Product;
let postern: Process;
beforeAll(async () => {
  server = await dovecot();
  product = startProduct(server, { sievePort: server.sievePort });
  postern = await product.startProcess();
});
afterAll(() => product.stop());

/** A user whose login is his address, and what he does by JMAP; `others`: another ManageSieve client of his. */
async function account() {
  const { user: name, password } = await server.freshUser();
  const user = `${name}@example.org`;
  await server.addUser({ user, password });
  const client = await postern.client({ user, password });
  const one = async <T = JsonObject>(method: string, args: JsonObject) => {
    const [answer] = await client.call([[method, { accountId: client.accountId, ...args }, '0']], using);
    return answerOf<T>(method, answer);
  };
  const vacation = async (update: JsonObject) => {
    const answer = await one('VacationResponse/set', { update: { singleton: update } });
    expect(answer).toMatchObject({ notUpdated: null });
    return answer;
  };
  let senders = 0;
  /** Somebody who never wrote before sends a message; answers what he gets back. */
  const answerTo = async (subject: string) => {
    const from = `sender${++senders}.${name}@example.net`;
    const message = `From: ${from}\r\nTo: ${user}\r\nSubject: ${subject}\r\nMessage-ID: <${senders}.${name}@example.net>\r\n\r\nHello.`;
    await deliver(server, { from, to: user, message });
    return sentTo(server, from);
  };
  const credential: SieveCredential = { kind: 'password', user, password };
  const sieve = { host: server.host, port: server.sievePort, tls: 'plaintext', ca: null } as const;
  const others = async <T>(act: (scripts: ReturnType<typeof sieveAccount>['scripts']) => Promise<T>) => {
    const place: SieveServer = { name: 'others', sieve, auth: ['plain'] };
    const { scripts, release } = sieveAccount(place, credential, new Pauses());
    const done = await act(scripts);
    await release();
    return done;
  };
  return { user, client, one, vacation, answerTo, others };
}

/** Subjects of the messages in a mailbox. */
async function subjectsIn(client: JmapClient, mailbox: string): Promise<string[]> {
  // So that the mail server is asked.
  product.advanceClock(10_000);
  const { list } = await client.get<{ id: string; name: string }>('Mailbox', { ids: null });
  const inMailbox = list.find(({ name }) => name === mailbox)?.id;
  if (inMailbox === undefined) return [];
  const { ids } = await client.query('Email', { filter: { inMailbox } });
  const emails = await client.get<{ subject: string }>('Email', { ids: [...ids], properties: ['subject'] });
  return emails.list.map(({ subject }) => subject).sort();
}

function textsOf(octets: Buffer): { type: string; text: string }[] {
  const root = parseMessage(octets);
  const parts = root.subParts.length === 0 ? [root] : root.subParts;
  return parts.map((part) => ({
    type: part.type,
    text: bodyValue(part, partBody(octets, part), { maxBodyValueBytes: 0 }).value.trim(),
  }));
}

const headerOf = (octets: Buffer, name: string) =>
  parseMessage(octets)
    .headers?.find((header) => header.name.toLowerCase() === name)
    ?.value.trim();

describe('a vacation response', () => {
  test('answers mail while it is enabled, and no other', async () => {
    const { user, vacation, answerTo } = await account();
    expect(await answerTo('before')).toEqual([]);
    await vacation({ isEnabled: true, subject: 'Bin "weg"', textBody: 'Bis Montag.\n\n"Grüße" \\ {5}\n.\n' });
    const answers = await answerTo('while');
    expect(answers).toHaveLength(1);
    const octets = answers[0]?.octets ?? Buffer.alloc(0);
    expect(headerOf(octets, 'subject')).toBe('Bin "weg"');
    expect(headerOf(octets, 'from')).toContain(user);
    expect(headerOf(octets, 'auto-submitted')).toContain('auto-replied');
    expect(textsOf(octets)).toEqual([{ type: 'text/plain', text: 'Bis Montag.\n\n"Grüße" \\ {5}\n.' }]);
    await vacation({ isEnabled: false });
    expect(await answerTo('after')).toEqual([]);
  });

  test('says something where nothing was given, and both texts where HTML was', async () => {
    const { vacation, answerTo } = await account();
    await vacation({ isEnabled: true });
    const [plain] = await answerTo('one');
    expect(textsOf(plain?.octets ?? Buffer.alloc(0))).toEqual([
      { type: 'text/plain', text: expect.stringMatching(/away/) },
    ]);
    expect(headerOf(plain?.octets ?? Buffer.alloc(0), 'subject')).toContain('one');
    await vacation({ htmlBody: '<p>Bis <b>Montag</b> &amp; "später"</p>' });
    const [html] = await answerTo('two');
    expect(textsOf(html?.octets ?? Buffer.alloc(0))).toEqual([
      { type: 'text/plain', text: 'Bis Montag & "später"' },
      { type: 'text/html', text: '<p>Bis <b>Montag</b> &amp; "später"</p>' },
    ]);
  });

  const day = 24 * 3600 * 1000;
  const dateIn = (ms: number) => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`;
  test.each<[string, number | null, number | null, number]>([
    ['from yesterday on', -day, null, 1],
    ['from a minute ago on', -60_000, null, 1],
    ['from tomorrow on', day, null, 0],
    ['in five minutes', 300_000, null, 0],
    ['until tomorrow', null, day, 1],
    ['for five minutes more', null, 300_000, 1],
    ['until yesterday', null, -day, 0],
    ['until a minute ago', null, -60_000, 0],
    ['from yesterday until tomorrow', -day, day, 1],
    ['from tomorrow until the day after', day, 2 * day, 0],
  ])('answers within its dates: %s', async (_, from, to, count) => {
    const { vacation, answerTo, one } = await account();
    const dates = { fromDate: from === null ? null : dateIn(from), toDate: to === null ? null : dateIn(to) };
    await vacation({ isEnabled: true, textBody: 'Away', ...dates });
    expect(await answerTo('x')).toHaveLength(count);
    expect(await one('VacationResponse/get', { ids: ['singleton'] })).toMatchObject({
      list: [{ isEnabled: true, ...dates }],
    });
  });

  test.each<[string, string]>([
    ['files', 'fileinto :create "Work"; keep;'],
    ['files and stops', 'if header :contains "subject" "work" { fileinto :create "Work"; stop; } keep;'],
    ['discards', 'fileinto :create "Work"; discard;'],
  ])("leaves the user's own script working, which %s, and comes off again", async (_, script) => {
    const { client, vacation, answerTo, others } = await account();
    const content = Buffer.from(`require ["fileinto", "mailbox"];\r\n${script}\r\n`);
    await others(async (scripts) => {
      await scripts.put('my "own" script', content);
      await scripts.activate('my "own" script');
    });
    const before = await others((scripts) => scripts.readAll());
    await answerTo('work 1');
    await vacation({ isEnabled: true, textBody: 'Away' });
    expect(await answerTo('work 2')).toHaveLength(1);
    await vacation({ isEnabled: false, textBody: null });
    expect(await answerTo('work 3')).toHaveLength(0);
    expect(await subjectsIn(client, 'Work')).toEqual(['work 1', 'work 2', 'work 3']);
    expect(await others((scripts) => scripts.readAll())).toEqual(before);
  });

  test('still answers when that script was renamed by JMAP, or deleted by another client', async () => {
    const { client, one, vacation, answerTo, others } = await account();
    await others(async (scripts) => {
      await scripts.put('old', Buffer.from('require ["fileinto", "mailbox"];\r\nfileinto :create "Work";\r\n'));
      await scripts.activate('old');
    });
    await vacation({ isEnabled: true, textBody: 'Away' });
    const { list } = await one<{ list: { id: string; name: string }[] }>('SieveScript/get', { ids: null });
    const id = list.find(({ name }) => name === 'old')?.id ?? '';
    expect(await one('SieveScript/set', { update: { [id]: { name: 'new' } } })).toMatchObject({
      updated: { [id]: null },
    });
    expect(await answerTo('work')).toHaveLength(1);
    expect(await subjectsIn(client, 'Work')).toEqual(['work']);
    expect(await others((scripts) => scripts.remove('new'))).toMatchObject({ ok: true });
    expect(await answerTo('play')).toHaveLength(1);
    // QUIRK(dovecot 2.3): Pigeonhole goes on running what it compiled until the script that includes it changes.
    await vacation({ textBody: 'Far away' });
    expect(await answerTo('rest')).toHaveLength(1);
    expect(await subjectsIn(client, 'Inbox')).toEqual(['rest']);
  });

  test('is refused where it would break that script, which goes on as before', async () => {
    const { one, answerTo, others } = await account();
    await others(async (scripts) => {
      await scripts.put('own', Buffer.from('require "vacation";\r\nvacation "My own answer";\r\n'));
      await scripts.activate('own');
    });
    const answer = await one('VacationResponse/set', { update: { singleton: { isEnabled: true } } });
    expect(answer).toMatchObject({
      notUpdated: { singleton: { type: 'forbidden', description: expect.stringContaining('own') } },
    });
    const [own] = await answerTo('x');
    expect(textsOf(own?.octets ?? Buffer.alloc(0))).toMatchObject([{ text: 'My own answer' }]);
  });

  test('shows at once what another client did', async () => {
    const { one, vacation, others } = await account();
    await vacation({ isEnabled: true, textBody: 'Away' });
    const get = () => one<{ state: string; list: JsonObject[] }>('VacationResponse/get', { ids: null });
    const { state } = await get();
    await others((scripts) => scripts.activate(null));
    const after = await get();
    expect(after.list).toMatchObject([{ isEnabled: false, textBody: 'Away' }]);
    expect(after.state).not.toBe(state);
    await expect(
      one('VacationResponse/set', { ifInState: state, update: { singleton: { isEnabled: true } } }),
    ).rejects.toThrow('stateMismatch');
  });
});

describe('Sieve scripts', () => {
  test('are uploaded, validated, created, activated, read and destroyed in the ways of RFC 9661 §2.4.1', async () => {
    const { client, answerTo, one } = await account();
    const { accountId } = client;
    const text = 'require ["fileinto", "mailbox"];\r\nfileinto :create "Größe";\r\n';
    const blobId = await client.upload(Buffer.from(text));
    const answers = await client.call(
      [
        ['SieveScript/validate', { accountId, blobId }, 'v'],
        ['SieveScript/set', { accountId, create: { A: { name: null, blobId } }, onSuccessActivateScript: '#A' }, '0'],
        [
          'SieveScript/get',
          { accountId, '#ids': { resultOf: '0', name: 'SieveScript/set', path: '/created/A/id' } },
          'x',
        ],
        ['SieveScript/query', { accountId, filter: { isActive: true } }, 'q'],
        ['SieveScript/get', { accountId, '#ids': { resultOf: 'q', name: 'SieveScript/query', path: '/ids' } }, '1'],
        ['Blob/get', { accountId, '#ids': { resultOf: '1', name: 'SieveScript/get', path: '/list/*/blobId' } }, '2'],
      ],
      using,
    );
    expect(answers[0]?.[1]).toMatchObject({ error: null });
    const [script] = answerOf<{ list: { id: string; name: string; blobId: string; isActive: boolean }[] }>(
      'get',
      answers[4],
    ).list;
    expect(answers[1]?.[1]).toMatchObject({ created: { A: script }, notCreated: null });
    expect(script).toMatchObject({ name: 'Script 1', isActive: true });
    expect(answers[5]?.[1]).toMatchObject({ list: [{ 'data:asText': text }] });
    expect(await (await client.download(script?.blobId ?? '')).text()).toBe(text);
    await answerTo('sorted');
    expect(await subjectsIn(client, 'Größe')).toEqual(['sorted']);

    const id = script?.id ?? '';
    const changed = await client.call(
      [
        [
          'Blob/upload',
          { accountId, create: { B: { data: [{ 'data:asText': 'keep;\r\n' }], type: 'application/sieve' } } },
          '1',
        ],
        ['SieveScript/set', { accountId, update: { [id]: { blobId: '#B' } } }, '2'],
        [
          'SieveScript/set',
          { accountId, update: { [id]: { name: 'myscript' } }, onSuccessDeactivateScript: true },
          '3',
        ],
        ['SieveScript/set', { accountId, destroy: [id] }, '4'],
      ],
      using,
    );
    expect(changed[1]?.[1]).toMatchObject({ updated: { [id]: { blobId: expect.stringMatching(/^s/) } } });
    expect(changed[2]?.[1]).toMatchObject({ updated: { [id]: { isActive: false } } });
    expect(changed[3]?.[1]).toMatchObject({ destroyed: [id] });
    expect(await one('SieveScript/get', { ids: null })).toMatchObject({ list: [] });
  });

  test('are refused with the line of the mistake', async () => {
    const { client, one } = await account();
    const blobId = await client.upload(Buffer.from('keep;\r\nfileinto "x";\r\n'));
    const error = { type: 'invalidSieve', description: expect.stringContaining('line 2') };
    expect(await one('SieveScript/validate', { blobId })).toMatchObject({ error });
    expect(await one('SieveScript/set', { create: { a: { name: 'a', blobId } } })).toMatchObject({
      notCreated: { a: error },
    });
  });

  test('are those of another process, and of other clients, with the same ids and states', async () => {
    const { user, one, client, others } = await account();
    const blobId = await client.upload(Buffer.from('keep;'));
    await one('SieveScript/set', { create: { a: { name: 'a', blobId } } });
    const { list } = await one<{ list: { id: string }[] }>('SieveScript/get', { ids: null });
    await one('SieveScript/set', { update: { [list[0]?.id ?? '']: { name: 'b' } } });
    const other = await product.startProcess();
    const password = 'another';
    await server.addUser({ user, password });
    const second = await other.client({ user, password });
    const here = await one('SieveScript/get', { ids: null }).catch((error: unknown) => error);
    // The first process learns from the mail server that the password is no longer the right one.
    expect(here).toMatchObject({ status: 401 });
    const [there] = await second.call([['SieveScript/get', { accountId: second.accountId, ids: null }, '0']], using);
    expect(there?.[1]).toMatchObject({ list: [{ id: list[0]?.id, name: 'b' }] });
    await expect(others((scripts) => scripts.readAll())).rejects.toThrow('refused the login');
  });

  test('nobody is shut out of his mail when ManageSieve alone refuses him', async () => {
    const refusing = await scriptedSieveServer({ answers: { AUTHENTICATE: 'NO "Authentication Error"\r\n' } });
    const elsewhere = startProduct(server, { sievePort: refusing.server.sieve.port });
    try {
      const client = await (await elsewhere.startProcess()).client(await server.freshUser());
      const { accountId } = client;
      // ManageSieve is left alone for a while.
      for (let request = 0; request < 2; request += 1) {
        const answers = await client.call(
          [
            ['SieveScript/get', { accountId, ids: null }, 'scripts'],
            ['VacationResponse/get', { accountId, ids: null }, 'vacation'],
            ['Mailbox/get', { accountId, ids: null, properties: ['name'] }, 'mailboxes'],
          ],
          using,
        );
        expect(answers).toMatchObject([
          ['error', { type: 'serverUnavailable' }, 'scripts'],
          ['error', { type: 'serverUnavailable' }, 'vacation'],
          ['Mailbox/get', { list: expect.arrayContaining([expect.objectContaining({ name: 'Drafts' })]) }, 'mailboxes'],
        ]);
      }
      expect(refusing.commands.filter((command) => command.startsWith('AUTHENTICATE'))).toHaveLength(1);
    } finally {
      await elsewhere.stop();
      await refusing.close();
    }
  });
});

describe('on Cyrus', () => {
  test('there are scripts under any name, and a vacation response that comes off again', async () => {
    const other = await cyrus();
    const filtering = startProduct(other, { sievePort: other.sievePort });
    try {
      const client = await (await filtering.startProcess()).client(await other.freshUser());
      const { accountId } = client;
      // Cyrus makes a new account's inbox behind the OK of its first login, and until then its ManageSieve refuses the password.
      await client.get('Mailbox', { ids: null });
      const blobId = await client.upload(Buffer.from('require "fileinto";\r\nfileinto "Archive";\r\n'));
      const call = async <T>(method: string, args: JsonObject) =>
        answerOf<T>(method, (await client.call([[method, { accountId, ...args }, '0']], using))[0]);
      type Scripts = { readonly list: readonly { id: string; name: string; isActive: boolean }[] };
      const scripts = async () => (await call<Scripts>('SieveScript/get', { ids: null })).list;
      const create = { A: { name: 'main', blobId }, B: { name: 'drei "ü" \\', blobId } };
      await call('SieveScript/set', { create, onSuccessActivateScript: '#A' });
      const before = await scripts();
      expect(before.map(({ name }) => name).sort()).toEqual(['drei "ü" \\', 'main']);
      const dates = { fromDate: '2026-03-01T00:00:00Z', toDate: '2026-03-02T00:00:00Z' };
      const set = (update: JsonObject) => call<JsonObject>('VacationResponse/set', { update: { singleton: update } });
      const whole = {
        isEnabled: true,
        subject: 'Weg "ü"',
        textBody: 'Bis\nMontag',
        htmlBody: '<p>Größe</p>',
        ...dates,
      };
      expect(await set(whole)).toMatchObject({ updated: { singleton: null } });
      expect(await call('VacationResponse/get', { ids: null })).toMatchObject({ list: [whole] });
      expect((await scripts()).filter(({ isActive }) => isActive)).toMatchObject([{ name: 'postern-vacation' }]);
      const nothing = { fromDate: null, toDate: null, subject: null, textBody: null, htmlBody: null };
      expect(await set({ isEnabled: false, ...nothing })).toMatchObject({ updated: { singleton: null } });
      expect(await scripts()).toEqual(before);
    } finally {
      await filtering.stop();
    }
  });

  test('a vacation response answers mail while it is enabled, and the script of the user goes on filtering', async () => {
    const other = await cyrus();
    const { sending } = singleProvider('plain', { imap: nowhere, smtp: null, sieve: null });
    const filtering = startProduct(other, {
      sievePort: other.sievePort,
      sending: { ...sending, domain: 'example.org' },
    });
    try {
      const user = await other.freshUser();
      const client = await (await filtering.startProcess()).client(user);
      const { accountId } = client;
      const call = async <T>(method: string, args: JsonObject) =>
        answerOf<T>(method, (await client.call([[method, { accountId, ...args }, '0']], using))[0]);
      const blobId = await client.upload(Buffer.from('require "fileinto";\r\nfileinto "Archive";\r\n'));
      const script = { create: { A: { name: 'main', blobId } }, onSuccessActivateScript: '#A' };
      expect(await call('SieveScript/set', script)).toMatchObject({ notCreated: null });
      let senders = 0;
      const answerTo = async (subject: string) => {
        const from = `sender${++senders}.${user.user}@example.net`;
        const to = `${user.user}@example.org`;
        const id = `<${senders}.${user.user}@example.net>`;
        const header = `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: ${id}`;
        await deliver(other, { from, to: user.user, message: `${header}\r\n\r\nHello.` });
        return sentTo(other, from);
      };
      const set = (update: JsonObject) => call<JsonObject>('VacationResponse/set', { update: { singleton: update } });
      expect(await answerTo('before')).toEqual([]);
      await set({ isEnabled: true, subject: 'Weg "ü"', textBody: 'Bis\nMontag.\n' });
      const [answer, ...others] = await answerTo('while');
      expect(others).toEqual([]);
      const octets = answer?.octets ?? Buffer.alloc(0);
      expect(parseMessage(octets).headers?.some(({ name }) => name.toLowerCase() === 'auto-submitted')).toBe(true);
      expect(textsOf(octets)).toEqual([{ type: 'text/plain', text: 'Bis\nMontag.' }]);
      await set({ isEnabled: false });
      expect(await answerTo('after')).toEqual([]);
      filtering.advanceClock(10_000);
      const { list } = await client.get<{ id: string; name: string }>('Mailbox', { ids: null });
      const inMailbox = list.find(({ name }) => name === 'Archive')?.id ?? '';
      expect((await client.query('Email', { filter: { inMailbox } })).ids).toHaveLength(3);
    } finally {
      await filtering.stop();
    }
  });
});
const nowhere = { host: '127.0.0.1', port: 0, tls: 'plaintext', ca: null } as const;

describe('without ManageSieve', () => {
  test('there is neither the one nor the other', async () => {
    const plain = startProduct(server);
    try {
      const process = await plain.startProcess();
      const client = await process.client(await server.freshUser());
      for (const uri of [sieveUri, vacationUri]) {
        expect(client.session.capabilities).not.toHaveProperty([uri]);
        expect(client.session.accounts[client.accountId]?.accountCapabilities).not.toHaveProperty([uri]);
        await expect(client.call([], [...coreAndMail, uri])).rejects.toMatchObject({
          problem: { type: 'urn:ietf:params:jmap:error:unknownCapability' },
        });
      }
      for (const method of ['SieveScript/get', 'VacationResponse/get']) {
        await expect(client.one(method, { ids: null })).rejects.toThrow(MethodFailed);
      }
    } finally {
      await plain.stop();
    }
  });

  test('a server that cannot be reached is serverUnavailable for these calls, and for no other', async () => {
    const broken = startProduct(server, { sievePort: 1 });
    try {
      const process = await broken.startProcess();
      const client = await process.client(await server.freshUser());
      const { accountId } = client;
      const answers = await client.call(
        [
          ['SieveScript/get', { accountId, ids: null }, '0'],
          ['VacationResponse/set', { accountId, update: { singleton: { isEnabled: true } } }, '1'],
          ['Mailbox/query', { accountId }, '2'],
        ],
        using,
      );
      expect(answers.map(([name, args]) => (name === 'error' ? args.type : name))).toEqual([
        'serverUnavailable',
        'serverUnavailable',
        'Mailbox/query',
      ]);
    } finally {
      await broken.stop();
    }
  });
});
