import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { courier, cyrus, dovecot, type TestServer, type TestUser } from './servers.ts';

/** Sends the commands one after the other and answers all lines. */
async function converse(server: TestServer, commands: readonly string[]): Promise<string[]> {
  const socket = connect(server.imapPort, server.host);
  const lines: string[] = [];
  const left = commands.map((command, index) => `a${index} ${command}\r\n`);
  for await (const line of createInterface({ input: socket })) {
    lines.push(line);
    if (!/^(a\d+ |\* OK \[CAPABILITY)/.test(line)) continue;
    const next = left.shift();
    if (next === undefined) socket.end();
    else socket.write(next);
  }
  return lines;
}

const login = ({ user, password }: TestUser) => `LOGIN ${user} ${password}`;

describe.each([
  ['dovecot', dovecot, ['QRESYNC', 'MULTIAPPEND', 'SPECIAL-USE', 'ACL']],
  ['cyrus', cyrus, ['QRESYNC', 'OBJECTID', 'SPECIAL-USE', 'ACL']],
  ['courier', courier, ['UIDPLUS', 'SORT', 'ACL']],
] as const)('%s', (_name, start, capabilities) => {
  test('offers what it is there for', async () => {
    const server = await start();
    const lines = await converse(server, [login(await server.freshUser()), 'CAPABILITY', 'LOGOUT']);
    const offered = lines.filter((line) => line.includes('CAPABILITY')).at(-2) ?? '';
    expect(offered.split(/[ \]]/)).toEqual(expect.arrayContaining([...capabilities]));
  });

  test('gives each fresh user an empty account of its own', async () => {
    const server = await start();
    const [one, other] = [await server.freshUser(), await server.freshUser()];
    const own = await converse(server, [login(one), 'CREATE INBOX.mine', 'CREATE mine', 'LIST "" "*"', 'LOGOUT']);
    const others = await converse(server, [login(other), 'LIST "" "*"', 'STATUS INBOX (MESSAGES)', 'LOGOUT']);
    expect(own.join('\n')).toContain('mine');
    expect(others.join('\n')).not.toContain('mine');
    expect(others).toContainEqual(expect.stringMatching(/^\* STATUS .*\(MESSAGES 0\)/));
  });

  test('takes the new password at once and no longer the old one', async () => {
    const server = await start();
    const { user, password } = await server.freshUser();
    await server.addUser({ user, password: 'another' });
    const [refused, taken] = await Promise.all([
      converse(server, [login({ user, password }), 'LOGOUT']),
      converse(server, [login({ user, password: 'another' }), 'LOGOUT']),
    ]);
    expect(refused).toContainEqual(expect.stringMatching(/^a0 NO/));
    expect(taken).toContainEqual(expect.stringMatching(/^a0 OK/));
  });

  test('refuses a user who was removed', async () => {
    const server = await start();
    const user = await server.freshUser();
    await server.removeUser(user.user);
    expect(await converse(server, [login(user), 'LOGOUT'])).toContainEqual(expect.stringMatching(/^a0 NO/));
  });
});

test('doveadm speaks to the Dovecot of the tests', async () => {
  const server = await dovecot();
  const { user } = await server.freshUser();
  expect(await server.doveadm('mailbox', 'list', '-u', user)).toContain('INBOX');
  await expect(server.doveadm('mailbox', 'list', '-u', user, '-n')).rejects.toThrow('doveadm');
});
