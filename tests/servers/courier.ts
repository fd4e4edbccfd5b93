import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { inSocketFolder, mailOwner } from '../../functions/local/mail-server/server-folder.ts';
import { startOnPorts } from '../../functions/local/mail-server/start-on-ports.ts';
import { superviseProcess } from '../../functions/local/mail-server/supervised-process.ts';
import { answerAuthentication, type CourierAccount, redirectAuthentication } from './courier-authentication.ts';
import type { MailServer } from './mail-server.ts';
import { type Installer, type Unpacked, unpackPackages } from './packages.ts';

export const unpackCourier = (installer: Installer): Promise<Unpacked> =>
  unpackPackages('courier', ['courier-imap', 'courier-base', 'courier-authlib', 'gamin'], installer);

/**
 * Starts Debian's Courier IMAP on a loopback port. Everything it keeps is in one temporary folder, which is gone after
 * `stop()`. Courier waits five seconds before it refuses a password.
 *
 * `keywords`: whether it keeps any besides the flags that IMAP names.
 *
 * It watches files through Gamin's gam_server, which it would start as a daemon: here it runs beside Courier.
 */
export async function startCourier(
  installer: Installer,
  { keywords = true }: { readonly keywords?: boolean } = {},
): Promise<MailServer> {
  const { root, libraryPath } = await unpackCourier(installer);
  const owner = await mailOwner();
  const accounts = new Map<string, CourierAccount>();
  const { server, ports } = await startOnPorts('Courier', [0], ([imapPort]) =>
    inSocketFolder(async (folder) => {
      const mailFolder = path.join(folder, 'mail');
      await mkdir(mailFolder);
      await owner.give?.(mailFolder);
      const { uid, gid } = await stat(mailFolder);
      await redirectAuthentication(path.join(root, 'usr/lib/libcourierauth.so.0'), folder);
      const authentication = await answerAuthentication(folder, accounts, { uid, gid });
      const flags = { IMAP_KEYWORDS: keywords ? '1' : '0' };
      const env = { LD_LIBRARY_PATH: `${folder}:${libraryPath}`, GAM_CLIENT_ID: path.basename(folder) };
      const asOwner = owner.give ? `setpriv --reuid=${uid} --regid=${gid} --clear-groups` : '';
      const { stop, ...process } = superviseProcess({
        program: '/bin/sh',
        args: [
          ...['-c', `${asOwner} "$1" --notimeout "$GAM_CLIENT_ID" & shift; exec "$@"`, 'courier'],
          ...[path.join(root, 'usr/libexec/gam_server'), path.join(root, 'usr/sbin/couriertcpd')],
          ...['-address=127.0.0.1', '-maxprocs=400', '-maxperip=400', '-nodnslookup', '-noidentlookup', `${imapPort}`],
          ...[path.join(root, 'usr/lib/courier/courier/imaplogin'), path.join(root, 'usr/bin/imapd'), 'Maildir'],
        ],
        env: { ...env, ...settings, ...flags },
        workingFolder: folder,
        temporaryFolder: folder,
      });
      return {
        ...process,
        stop: () => stop().finally(() => authentication.close()),
        makeMaildir: async (user: string): Promise<string> => {
          const home = path.join(mailFolder, user);
          await mkdir(home);
          await owner.give?.(home);
          const maildirmake = path.join(root, 'usr/bin/maildirmake.courier');
          await promisify(execFile)(maildirmake, [path.join(home, 'Maildir')], { env, uid, gid });
          return home;
        },
      };
    }),
  );
  return {
    name: 'courier',
    host: '127.0.0.1',
    imapPort: ports[0],
    addUser: async ({ user, password }) => {
      const home = accounts.get(user)?.home ?? (await server.makeMaildir(user));
      accounts.set(user, { password, home });
    },
    removeUser: async (user) => {
      accounts.delete(user);
    },
    stop: server.stop,
  };
}

/** What Debian's /etc/courier/imapd says; without locks, because those need a daemon that watches files. */
const settings = {
  IMAP_CAPABILITY: 'IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE',
  IMAP_ACL: '1',
  IMAP_IDLE_TIMEOUT: '60',
  IMAP_MAILBOX_SANITY_CHECK: '1',
  IMAP_DISABLETHREADSORT: '0',
  IMAP_CHECK_ALL_FOLDERS: '0',
  IMAP_OBSOLETE_CLIENT: '0',
  IMAP_USELOCKS: '1',
  IMAP_ENHANCEDIDLE: '0',
  IMAP_TRASHFOLDERNAME: 'Trash',
};
