import { describeSettings, readConfig, unknownVariables } from '../../shared/config.ts';
import { ConfigurationError } from '../../shared/configuration-error.ts';
import { coreUri } from '../../shared/jmap/session.ts';
import { mailCapability } from '../../shared/methods/capabilities.ts';
import { accountIdOf } from '../http/authenticate.ts';
import type { DemoMailServer } from './demo-mail-server.ts';
import { type LocalPostern, startLocal } from './start-local.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`${line}\n`);

/** Installs Dovecot where it is missing and may be installed, and says so; throws where it may not, but for what is only wanted. */
export type EnsureDovecot = (options: {
  say: (line: string) => void;
  wanted: readonly ('sieve' | 'managesieve' | 'lmtp')[];
}) => void;

/** `npm start`: runs the local server until it is told to stop. Ends the process with 1 when the settings are wrong. */
export async function main(argv: readonly string[], ensureDovecot: EnsureDovecot): Promise<void> {
  if (argv.includes('--help')) {
    say(`npm start -- [flags]\n\n${describeSettings()}\n\nEach flag is also a variable: --log is POSTERN_LOG.`);
    return;
  }
  const stopped = stopSignal();
  try {
    const config = readConfig(argv);
    for (const name of unknownVariables()) complain(`${name} is not a setting, see npm start -- --help`);
    if (config.providers === null && config.imap === null)
      ensureDovecot({ say, wanted: ['sieve', 'managesieve', 'lmtp'] });
    const postern = await startLocal(config, { say, writeLog: complain });
    say(greeting(postern));
    await stopped;
    say('Stopping');
    await postern.stop();
    process.exit(0);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    complain(error.message);
    process.exit(1);
  }
}

/** Resolves when somebody wants this process to end; the second time it ends at once, and with it what it started. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let times = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        times += 1;
        if (times > 1) process.exit(1);
        resolve();
      });
    }
  });
}

function greeting({ url, demo }: LocalPostern): string {
  const accounts = demo === null ? ['Login     those of your mail server'] : demoLines(demo);
  const login = demo === null ? 'LOGIN:PASSWORD' : `${demo.user}:${demo.password}`;
  return [
    '',
    `Postern serves JMAP at ${url}/.well-known/jmap`,
    '',
    ...accounts.map((line) => `  ${line}`),
    '',
    'Try',
    `  curl -u ${login} ${url}/.well-known/jmap`,
    ...(demo === null ? [] : [newestMessage(url, login, demo)]),
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}

function demoLines({ user, otherUser, password, provider }: DemoMailServer): string[] {
  const { imap, smtp, sieve } = provider;
  return [
    `Login     ${user}`,
    `Password  ${password}`,
    `Another   ${otherUser}, with the same password and no mail yet: send some`,
    `IMAP      ${imap.host}:${imap.port}, for another client to change the same mailbox`,
    ...(smtp === null ? [] : [`SMTP      ${smtp.host}:${smtp.port}, delivers to these two users only`]),
    ...(sieve === null ? [] : [`Sieve     ${sieve.host}:${sieve.port}, for another client to change the scripts`]),
  ];
}

/** A request for the newest message, on one line. */
function newestMessage(url: string, login: string, { provider, user }: DemoMailServer): string {
  const accountId = accountIdOf({ provider, user });
  const sort = [{ property: 'receivedAt', isAscending: false }];
  const reference = { resultOf: 'a', name: 'Email/query', path: '/ids' };
  const body = JSON.stringify({
    using: [coreUri, mailCapability],
    methodCalls: [
      ['Email/query', { accountId, sort, limit: 1 }, 'a'],
      ['Email/get', { accountId, '#ids': reference, properties: ['from', 'subject', 'preview'] }, 'b'],
    ],
  });
  return `  curl -u ${login} -H 'Content-Type: application/json' ${url}/jmap/api -d '${body}'`;
}
