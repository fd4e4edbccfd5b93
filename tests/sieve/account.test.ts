import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { ScriptCommands } from '../../shared/methods/SieveScript/scripts.ts';
import { sieveAccount } from '../../shared/sieve/account.ts';
import { type SieveLimits, sieveLimits } from '../../shared/sieve/limits.ts';
import { Pauses } from '../../shared/sieve/pauses.ts';
import type { SieveCredential, SieveServer } from '../../shared/sieve/server.ts';
import { otherClient } from '../imap/rig.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { type SieveAnswer, type SieveScriptedServer, scriptedSieveServer } from './scripted-server.ts';

const running: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
});

function scriptsOf(
  server: SieveServer,
  credential: SieveCredential,
  limits: SieveLimits = sieveLimits,
): ScriptCommands {
  const { scripts, release } = sieveAccount(server, credential, new Pauses(), { limits });
  running.push({ close: release });
  return scripts;
}

/** A new account, which has logged in once: only then has Cyrus one. */
async function accountOn(server: TestServer & { readonly sievePort: number }): Promise<ScriptCommands> {
  const user = await server.freshUser();
  await (await otherClient(server, user)).logout();
  const sieve = { host: server.host, port: server.sievePort, tls: 'plaintext', ca: null } as const;
  return scriptsOf({ name: server.name, sieve, auth: ['plain'] }, { kind: 'password', ...user });
}

const octets = (text: string) => Buffer.from(text, 'utf8');
const done = { ok: true, value: null };
const refused = (reason: string, description: unknown = expect.any(String)) => ({
  ok: false,
  error: { reason, description },
});

async function shown(scripts: ScriptCommands) {
  const all = await scripts.readAll();
  return all.map(({ name, isActive, octets: content }) => [name, isActive, Buffer.from(content).toString()]).sort();
}

describe.each<[string, () => Promise<TestServer & { readonly sievePort: number }>]>([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
])('the scripts of an account, on %s', (_, start) => {
  const account = async () => accountOn(await start());

  test('are put, replaced, activated, renamed and removed', async () => {
    const scripts = await account();
    expect(await shown(scripts)).toEqual([]);
    expect(await scripts.put('one', octets('keep;\r\n'))).toEqual(done);
    expect(await scripts.put('two', octets('discard;\r\n'))).toEqual(done);
    expect(await scripts.activate('one')).toEqual(done);
    expect(await scripts.put('one', octets('stop;\r\n'))).toEqual(done);
    expect(await shown(scripts)).toEqual([
      ['one', true, 'stop;\r\n'],
      ['two', false, 'discard;\r\n'],
    ]);
    expect(await scripts.activate('two')).toEqual(done);
    expect(await scripts.rename('two', 'three')).toEqual(done);
    expect(await scripts.remove('one')).toEqual(done);
    expect(await shown(scripts)).toEqual([['three', true, 'discard;\r\n']]);
    expect(await scripts.activate(null)).toEqual(done);
    expect(await scripts.activate(null)).toEqual(done);
    expect(await shown(scripts)).toEqual([['three', false, 'discard;\r\n']]);
  });

  test('are refused with the reason, and nothing changes', async () => {
    const scripts = await account();
    await scripts.put('one', octets('keep;'));
    await scripts.put('two', octets('stop;'));
    await scripts.activate('one');
    const before = await shown(scripts);
    expect(await scripts.put('one', octets('keep;\r\nnonsense;'))).toEqual(
      refused('invalid', expect.stringContaining('line 2')),
    );
    expect(await scripts.put('three', octets('require "x-nothing";'))).toEqual(refused('invalid'));
    expect(await scripts.put('a/b', octets('keep;'))).toEqual(refused('badName'));
    expect(await scripts.put('large', octets(`#${'x'.repeat(70_000)}`))).toEqual(refused('tooLarge'));
    expect(await scripts.rename('one', 'two')).toEqual(refused('alreadyExists'));
    expect(await scripts.rename('none', 'three')).toEqual(refused('notFound'));
    expect(await scripts.rename('two', 'a/b')).toEqual(refused('badName'));
    expect(await scripts.remove('one')).toEqual(refused('isActive'));
    expect(await scripts.remove('none')).toEqual(refused('notFound'));
    expect(await scripts.activate('none')).toEqual(refused('notFound'));
    expect(await shown(scripts)).toEqual(before);
  });

  test('are not more than the server allows', async () => {
    const scripts = await account();
    for (let n = 1; n <= 16; n++) expect(await scripts.put(`script ${n}`, octets('keep;'))).toEqual(done);
    expect(await scripts.put('one more', octets('keep;'))).toEqual(refused('overQuota'));
  });

  test('are checked without being kept', async () => {
    const scripts = await account();
    expect(await scripts.check(octets('require "fileinto";\r\nfileinto "Größe";'))).toEqual(done);
    expect(await scripts.check(octets('keep;\r\nfileinto "x";'))).toEqual(
      refused('invalid', expect.stringMatching(/line 2/)),
    );
    expect(await shown(scripts)).toEqual([]);
    expect(await scripts.extensions()).toContain('vacation');
  });

  test.each([
    'a "quoted" name',
    'back\\slash',
    'brace {5}',
    '{3+}',
    'NIL',
    'ACTIVE',
    '"',
    '(x) [y] %d',
    ' spaces ',
    'Größe 多 🎉',
    'x'.repeat(128),
  ])('may be called %j', async (name) => {
    const scripts = await account();
    expect(await scripts.put(name, octets('keep;'))).toEqual(done);
    expect(await scripts.activate(name)).toEqual(done);
    expect(await shown(scripts)).toEqual([[name, true, 'keep;']]);
    expect(await scripts.rename(name, `${name.slice(0, 120)}2`)).toEqual(done);
    expect(await scripts.activate(null)).toEqual(done);
    expect(await scripts.remove(`${name.slice(0, 120)}2`)).toEqual(done);
    expect(await shown(scripts)).toEqual([]);
  });

  test.each(['a\r\nLOGOUT', 'a\nb', 'a\rb', 'a\0b', '{5}\r\nx', '"\r\nSETACTIVE ""\r\n'])(
    'the name %j becomes no command: what follows is answered in its turn',
    async (name) => {
      const scripts = await account();
      await scripts.put('kept', octets('keep;'));
      await scripts.activate('kept');
      // Some of these Dovecot refuses, of others it ends the connection: neither does more than that.
      const outcomes = await Promise.allSettled([
        scripts.put(name, octets('stop;')),
        scripts.rename('kept', name),
        scripts.remove(name),
        scripts.activate(name),
      ]);
      expect(outcomes.filter((each) => each.status === 'fulfilled' && each.value.ok)).toEqual([]);
      expect(await shown(scripts)).toEqual([['kept', true, 'keep;']]);
    },
  );

  test.each(['OK\r\nBYE "x"\r\n{10}\r\n', 'keep; # "{5}\r\nLOGOUT\r\n', '# \\ " \' {1+}\r\nkeep;\r\n'])(
    'the content %j stays what it is',
    async (text) => {
      const scripts = await account();
      const content = `text${text}`.startsWith('textOK')
        ? `/* ${text} */ keep;`
        : `# ${text}`.replaceAll('\r\n', '\r\n# ');
      expect(await scripts.put('one', octets(content))).toEqual(done);
      expect(await shown(scripts)).toEqual([['one', false, content]]);
    },
  );
});

describe('a connection that is lost', () => {
  const hangUp: SieveAnswer = ({ socket }) => {
    socket.destroy();
    return null;
  };
  const listOf = (names: string) => `${names}OK\r\n`;

  async function scripted(answers: { readonly [command: string]: SieveAnswer }): Promise<{
    scripts: ScriptCommands;
    scripted: SieveScriptedServer;
    sent: (name: string) => number;
  }> {
    const server = await scriptedSieveServer({ answers: { HAVESPACE: 'OK\r\n', ...answers } });
    running.push(server);
    const scripts = scriptsOf(server.server, { kind: 'password', user: 'anna', password: 'secret' });
    const sent = (name: string) => server.commands.filter((line) => line.startsWith(name)).length;
    return { scripts, scripted: server, sent };
  }

  test('while something is read is made again, once', async () => {
    let times = 0;
    const once: SieveAnswer = (command) =>
      ++times === 1 && typeof hangUp === 'function' ? hangUp(command) : listOf('"one" ACTIVE\r\n');
    const { scripts, scripted: server } = await scripted({ LISTSCRIPTS: once, GETSCRIPT: '{5}\r\nkeep;\r\nOK\r\n' });
    expect(await shown(scripts)).toEqual([['one', true, 'keep;']]);
    expect(server.connections()).toBe(2);
    const never = await scripted({ LISTSCRIPTS: hangUp });
    await expect(never.scripts.readAll()).rejects.toThrow(Unavailable);
    expect(never.scripted.connections()).toBe(2);
  });

  const writes: readonly (readonly [
    string,
    (scripts: ScriptCommands) => Promise<unknown>,
    { readonly done: object; readonly undone: object },
  ])[] = [
    [
      'PUTSCRIPT',
      (scripts) => scripts.put('one', octets('keep;')),
      { done: { GETSCRIPT: '"keep;"\r\nOK\r\n' }, undone: { GETSCRIPT: 'NO (NONEXISTENT) "none"\r\n' } },
    ],
    [
      'RENAMESCRIPT',
      (scripts) => scripts.rename('one', 'two'),
      { done: { LISTSCRIPTS: listOf('"two"\r\n') }, undone: { LISTSCRIPTS: listOf('"one"\r\n') } },
    ],
    [
      'DELETESCRIPT',
      (scripts) => scripts.remove('one'),
      { done: { LISTSCRIPTS: listOf('"two"\r\n') }, undone: { LISTSCRIPTS: listOf('"one"\r\n"two"\r\n') } },
    ],
    [
      'SETACTIVE',
      (scripts) => scripts.activate('one'),
      {
        done: { LISTSCRIPTS: listOf('"one" ACTIVE\r\n') },
        undone: { LISTSCRIPTS: listOf('"one"\r\n"two" ACTIVE\r\n') },
      },
    ],
  ];

  test.each(writes)('in %s is asked what became of it, and nothing is sent twice', async (name, write, after) => {
    const carriedOut = await scripted({ [name]: hangUp, ...after.done });
    expect(await write(carriedOut.scripts)).toEqual(done);
    expect(carriedOut.sent(name)).toBe(1);
    const notCarriedOut = await scripted({ [name]: hangUp, ...after.undone });
    await expect(write(notCarriedOut.scripts)).rejects.toThrow(/nothing was done/);
    expect(notCarriedOut.sent(name)).toBe(1);
  });

  test.each(writes)('in %s is said to have an unknown outcome when it cannot be made again', async (name, write) => {
    let logins = 0;
    const onlyOnce: SieveAnswer = () => (++logins === 1 ? 'OK\r\n' : 'NO (TRYLATER) "later"\r\n');
    const { scripts, sent } = await scripted({ [name]: hangUp, AUTHENTICATE: onlyOnce });
    expect(await write(scripts)).toEqual(refused('unknown'));
    expect(sent(name)).toBe(1);
  });

  test('says goodbye at the end, and nothing when there was nothing to ask', async () => {
    const server = await scriptedSieveServer({ answers: { LISTSCRIPTS: 'OK\r\n' } });
    running.push(server);
    const credential = { kind: 'password', user: 'anna', password: 'secret' } as const;
    const idle = sieveAccount(server.server, credential, new Pauses());
    await idle.release();
    expect(server.connections()).toBe(0);
    const busy = sieveAccount(server.server, credential, new Pauses());
    await busy.scripts.readAll();
    await busy.release();
    expect(server.commands.at(-1)).toBe('LOGOUT');
  });
});

describe('limits', () => {
  const credential = { kind: 'password', user: 'anna', password: 'secret' } as const;

  test('a script that is too large is neither sent nor checked', async () => {
    const server = await scriptedSieveServer();
    running.push(server);
    const scripts = scriptsOf(server.server, credential, { ...sieveLimits, scriptOctetsMax: 10 });
    expect(await scripts.put('one', octets('# much too large'))).toEqual(refused('tooLarge'));
    expect(await scripts.check(octets('# much too large'))).toEqual(refused('tooLarge'));
    expect(server.commands).toEqual([]);
  });

  test.each([
    ['too many scripts', { LISTSCRIPTS: `${'"x"\r\n'.repeat(6)}OK\r\n` }],
    ['too large ones', { LISTSCRIPTS: '"a"\r\n"b"\r\nOK\r\n', GETSCRIPT: `{60}\r\n${'x'.repeat(60)}\r\nOK\r\n` }],
  ])('of an account with %s nothing is shown', async (_, answers) => {
    const server = await scriptedSieveServer({ answers });
    running.push(server);
    const scripts = scriptsOf(server.server, credential, { ...sieveLimits, scriptsMax: 5, scriptsOctetsMax: 100 });
    await expect(scripts.readAll()).rejects.toThrow(Unavailable);
  });

  test('a server that wants to be left alone is left alone', async () => {
    const server = await scriptedSieveServer({
      answers: { AUTHENTICATE: 'NO "Too many logins, wait 30 seconds"\r\n' },
    });
    running.push(server);
    const pauses = new Pauses();
    for (let n = 0; n < 3; n++) {
      const { scripts } = sieveAccount(server.server, credential, pauses);
      await expect(scripts.readAll()).rejects.toMatchObject({ name: 'Unavailable', pause: expect.any(Number) });
    }
    expect(server.connections()).toBe(1);
    const other = sieveAccount(server.server, { ...credential, user: 'bob' }, pauses);
    await expect(other.scripts.readAll()).rejects.toThrow(Unavailable);
    expect(server.connections()).toBe(2);
  });
});
