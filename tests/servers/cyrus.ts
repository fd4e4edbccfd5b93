import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CertificateFiles, ensureCertificate } from '../../functions/local/mail-server/certificate.ts';
import { inSocketFolder, mailOwner } from '../../functions/local/mail-server/server-folder.ts';
import { startOnPorts } from '../../functions/local/mail-server/start-on-ports.ts';
import { superviseProcess } from '../../functions/local/mail-server/supervised-process.ts';
import type { MailServer } from './mail-server.ts';
import { type Installer, type Unpacked, unpackPackages } from './packages.ts';

export const unpackCyrus = (installer: Installer): Promise<Unpacked> =>
  unpackPackages('cyrus', ['cyrus-imapd', 'cyrus-common', 'sasl2-bin'], installer);

export interface CyrusServer extends MailServer {
  /** ManageSieve with optional STARTTLS, and LMTP. */
  readonly sievePort: number;
  readonly lmtpPort: number;
  /** PEM file with the self-signed certificate, good for "localhost" and 127.0.0.1. */
  readonly caFile: string;
  /** Folder of the messages that scripts have sent: one file each, its envelope in the first line. */
  readonly outbox: string;
  /** May do everything to everybody's mailboxes, which are `user/ada` and `user/ada/Work` for him. */
  readonly administrator: { readonly user: string; readonly password: string };
}

/**
 * Starts Debian's Cyrus IMAP and its ManageSieve server on loopback ports, with users in a sasldb and mailboxes that come into being at the first
 * login. Everything it keeps is in one temporary folder, which is gone after `stop()`.
 */
export async function startCyrus(installer: Installer): Promise<CyrusServer> {
  const { root, libraryPath } = await unpackCyrus(installer);
  const owner = await mailOwner();
  const programs = path.join(root, 'usr/lib/cyrus/bin');
  const env = { CYRUS_USER: owner.user, LD_LIBRARY_PATH: libraryPath, SASL_PATH: pluginPath(root, libraryPath) };
  const { server, ports } = await startOnPorts('Cyrus', [0, 0, 0], ([imapPort, sievePort, lmtpPort]) =>
    inSocketFolder(async (folder) => {
      for (const name of ['', 'conf', 'conf/socket', 'mail', 'sieve', 'outbox']) {
        await mkdir(path.join(folder, name), { recursive: true });
        await owner.give?.(path.join(folder, name));
      }
      const configFile = path.join(folder, 'imapd.conf');
      const servicesFile = path.join(folder, 'cyrus.conf');
      const { certificateFile, keyFile } = await ensureCertificate(folder);
      await owner.give?.(keyFile);
      const outbox = path.join(folder, 'outbox');
      const sendmail = path.join(folder, 'sendmail');
      await writeFile(sendmail, sendmailOnSmtp(outbox), { mode: 0o755 });
      await writeFile(configFile, configuration(folder, { certificateFile, keyFile, sendmail }));
      await writeFile(servicesFile, services(programs, configFile, { imapPort, sievePort, lmtpPort }));
      const process = superviseProcess({
        program: path.join(programs, 'master'),
        args: ['-D', '-C', configFile, '-M', servicesFile, '-p', path.join(folder, 'master.pid')],
        env,
        temporaryFolder: folder,
      });
      return { ...process, sasldb: path.join(folder, 'sasldb2'), caFile: certificateFile, outbox };
    }),
  );

  const saslpasswd = (...args: string[]) => [...args, '-f', server.sasldb, '-u', 'localhost'];
  // Berkeley DB files have no lock across processes: one change after the other.
  let change: Promise<void> = Promise.resolve();
  const changeUser = (args: string[], password: string): Promise<void> => {
    change = change.then(async () => {
      await runWithInput(path.join(root, 'usr/sbin/saslpasswd2'), args, env, password);
      await owner.give?.(server.sasldb);
    });
    return change;
  };
  const addUser: MailServer['addUser'] = ({ user, password }) => changeUser(saslpasswd('-p', '-c', user), password);
  await addUser(administrator);
  return {
    name: 'cyrus',
    host: '127.0.0.1',
    imapPort: ports[0],
    sievePort: ports[1],
    lmtpPort: ports[2],
    caFile: server.caFile,
    outbox: server.outbox,
    administrator,
    addUser,
    removeUser: (user) => changeUser(saslpasswd('-d', user), ''),
    stop: server.stop,
  };
}

const administrator = { user: 'cyrus', password: 'secret-of-cyrus' };

/** Where SASL finds its mechanisms: the unpacked ones, then the system's. */
function pluginPath(root: string, libraryPath: string): string {
  const unpacked = libraryPath.split(':').map((library) => path.join(library, 'sasl2'));
  const installed = unpacked.map((folder) => folder.slice(root.length));
  return [...unpacked, ...installed].filter((folder) => existsSync(folder)).join(':');
}

function runWithInput(program: string, args: string[], env: Record<string, string>, input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env }, (error, _, stderr) => {
      if (error) reject(new Error(`${program} failed: ${stderr}`, { cause: error }));
      else resolve();
    });
    child.stdin?.end(input);
  });
}

const configuration = (
  folder: string,
  { certificateFile, keyFile, sendmail }: CertificateFiles & { readonly sendmail: string },
): string => `
configdirectory: ${folder}/conf
defaultpartition: default
partition-default: ${folder}/mail
sieveusehomedir: no
sievedir: ${folder}/sieve
sieve_maxscripts: 16
sieve_maxscriptsize: 64
sieve_tls_server_cert: ${certificateFile}
sieve_tls_server_key: ${keyFile}
sendmail: ${sendmail}
servername: localhost
admins: ${administrator.user}
# By default a user may also rename and delete what is his, whatever is set.
implicit_owner_rights: la
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
failedloginpause: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${folder}/sasldb2
sasl_mech_list: PLAIN LOGIN
autocreate_quota: 0
autocreate_inbox_folders: Drafts|Sent|Junk|Trash|Archive
autocreate_subscribe_folders: Drafts|Sent|Junk|Trash|Archive
xlist-drafts: Drafts
xlist-sent: Sent
xlist-junk: Junk
xlist-trash: Trash
xlist-archive: Archive
skiplist_unsafe: yes
duplicatesuppression: no
`;

/**
 * What Cyrus runs as `sendmail -bs` to send what a script answers: it takes messages by SMTP from its input, and puts each into a
 * file whose first line is the recipient.
 */
const sendmailOnSmtp = (outbox: string): string => `#!/bin/sh
set -e
cr=$(printf '\\r')
answer() { printf '%s\\r\\n' "$1"; }
answer '220 ready'
while IFS= read -r line; do
  case "$line" in
    RCPT*) to=\${line#*<}; to=\${to%%>*}; answer '250 ok' ;;
    DATA*)
      answer '354 go on'
      file=$(mktemp '${outbox}/XXXXXXXXXX')
      {
        printf '%s\\n' "$to"
        while IFS= read -r text && [ "$text" != ".$cr" ]; do printf '%s\\n' "\${text#.}"; done
      } >"$file"
      mv "$file" "$file.eml"
      answer '250 ok' ;;
    QUIT*) answer '221 bye'; exit ;;
    *) answer '250 ok' ;;
  esac
done
`;

type CyrusPorts = { readonly imapPort: number; readonly sievePort: number; readonly lmtpPort: number };

const services = (programs: string, configFile: string, { imapPort, sievePort, lmtpPort }: CyrusPorts): string => `
START {
  recover cmd="${programs}/ctl_cyrusdb -C ${configFile} -r"
}
SERVICES {
  imap cmd="${programs}/imapd -C ${configFile}" listen="127.0.0.1:${imapPort}" proto="tcp4" prefork=2 maxchild=400
  sieve cmd="${programs}/timsieved -C ${configFile}" listen="127.0.0.1:${sievePort}" proto="tcp4" prefork=0 maxchild=100
  lmtp cmd="${programs}/lmtpd -a -C ${configFile}" listen="127.0.0.1:${lmtpPort}" proto="tcp4" prefork=0 maxchild=100
}
DAEMON {
  idled cmd="${programs}/idled -C ${configFile}"
}
`;
