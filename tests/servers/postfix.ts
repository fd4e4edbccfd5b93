import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { inSocketFolder } from '../../functions/local/mail-server/server-folder.ts';
import { startOnPorts } from '../../functions/local/mail-server/start-on-ports.ts';
import { superviseProcess } from '../../functions/local/mail-server/supervised-process.ts';
import type { Endpoint } from '../../shared/endpoint.ts';
import { type Installer, type Unpacked, unpackedBefore, unpackPackages } from './packages.ts';

export const unpackPostfix = (installer: Installer): Promise<Unpacked> =>
  unpackPackages('postfix', ['postfix'], installer);

/** Postfix gives up its rights itself, and has to have them before. */
export const canStartPostfix = process.getuid?.() === 0;

export type PostfixServer = { readonly endpoint: Endpoint; readonly stop: () => Promise<void> };

/** Where it gives messages on, by the domain of the recipient: an SMTP or LMTP server on loopback. */
export type PostfixRoutes = { readonly [domain: string]: { readonly by: 'smtp' | 'lmtp'; readonly port: number } };

/**
 * Starts Debian's Postfix as a submission server on a loopback port, for everybody who has a password that is not `wrong`. Everything it
 * keeps is in one temporary folder, which is gone after `stop()`.
 */
export async function startPostfix({
  routes,
  messageOctetsMax,
}: {
  readonly routes: PostfixRoutes;
  readonly messageOctetsMax: number;
}): Promise<PostfixServer> {
  const { root } = await unpackPostfix(unpackedBefore);
  const libraries = path.join(root, 'usr/lib/postfix');
  const authentication = await answerAuthentication();
  const { port: authenticationPort } = authentication.address() as AddressInfo;
  const { server, ports } = await startOnPorts('Postfix', [0], ([port]) =>
    inSocketFolder(async (folder) => {
      await chmod(folder, 0o755);
      await makeQueue(folder);
      const settings = { folder, root, libraries, authenticationPort, routes, messageOctetsMax };
      await writeFile(path.join(folder, 'main.cf'), configuration(settings));
      await writeFile(path.join(folder, 'master.cf'), services(port));
      return superviseProcess({
        program: path.join(libraries, 'sbin/master'),
        args: ['-c', folder, '-d'],
        env: { LD_LIBRARY_PATH: libraries },
        temporaryFolder: folder,
      });
    }),
  );
  return {
    endpoint: { host: '127.0.0.1', port: ports[0], tls: 'plaintext', ca: null },
    stop: () => server.stop().finally(() => authentication.close()),
  };
}

/** The system users that own its queue, and may put something into it: it wants two that are not the same. */
const [owner, depositor] = ['mail', 'news'];

/** What `postfix check` would make. */
async function makeQueue(folder: string): Promise<void> {
  const [uid] = await idsOf(owner);
  const [, gid] = await idsOf(depositor);
  const make = async (name: string, mode: number, group = 0) => {
    const made = path.join(folder, name);
    await mkdir(made);
    await chown(made, uid, group);
    await chmod(made, mode);
  };
  await mkdir(path.join(folder, 'queue'));
  await mkdir(path.join(folder, 'queue/pid'));
  await make('data', 0o700);
  for (const name of ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private']) {
    await make(`queue/${name}`, 0o700);
  }
  for (const name of ['saved', 'trace']) await make(`queue/${name}`, 0o700);
  await make('queue/maildrop', 0o730, gid);
  await make('queue/public', 0o710, gid);
}

async function idsOf(user: string): Promise<[uid: number, gid: number]> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`There is no system user "${user}" for Postfix`);
  return [Number(uid), Number(gid)];
}

function configuration({
  folder,
  root,
  libraries,
  authenticationPort,
  routes,
  messageOctetsMax,
}: {
  readonly folder: string;
  readonly root: string;
  readonly libraries: string;
  readonly authenticationPort: number;
  readonly routes: PostfixRoutes;
  readonly messageOctetsMax: number;
}): string {
  const transports = Object.entries(routes).map(([domain, { by, port }]) => `${domain}=${by}:[127.0.0.1]:${port}`);
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = ${root}/usr/sbin
daemon_directory = ${libraries}/sbin
shlib_directory = ${libraries}
mail_owner = ${owner}
setgid_group = ${depositor}
default_privs = nobody
import_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = postfix.test
mydestination =
mynetworks =
alias_maps =
alias_database =
relay_domains = ${Object.keys(routes).join(' ')}
transport_maps = inline:{ ${transports.join(', ')} }
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${authenticationPort}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
message_size_limit = ${messageOctetsMax}
inet_interfaces = loopback-only
inet_protocols = ipv4
smtputf8_enable = yes
`;
}

const services = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
relay unix - - n - - smtp
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** Answers as Dovecot's authentication server does: to whoever shows a name and a password that is not `wrong`. */
async function answerAuthentication(): Promise<Server> {
  const server = createServer((socket) => {
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.write('VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n');
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${received}${text}`.split('\n');
      received = lines.pop() ?? '';
      for (const line of lines) {
        const [command, id, , ...parameters] = line.split('\t');
        if (command !== 'AUTH') continue;
        const response = parameters.find((each) => each.startsWith('resp='))?.slice('resp='.length) ?? '';
        const [, user = '', password = ''] = Buffer.from(response, 'base64').toString().split('\0');
        const isKnown = user !== '' && password !== 'wrong';
        socket.write(isKnown ? `OK\t${id}\tuser=${user}\n` : `FAIL\t${id}\tuser=${user}\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return server;
}
