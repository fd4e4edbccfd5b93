import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';

/** The path, compiled into Courier's library, at which it asks who may log in. */
const compiledPath = '/run/courier/authdaemon/socket';
/** As long as that one and relative: the folder in which Courier was started. */
const relativePath = `./${'/'.repeat(compiledPath.length - 6)}auth`;

/**
 * Copies Courier's authentication library so that it asks at the socket "auth" in the folder where Courier is started,
 * because the system's path belongs to a Courier that may be installed.
 *
 * Compilers keep the path as one text or, on amd64, as two blocks of 16 octets that share one octet.
 */
export async function redirectAuthentication(library: string, folder: string): Promise<void> {
  const bytes = await readFile(library);
  const pieces: [number, number][] = bytes.includes(compiledPath)
    ? [[0, compiledPath.length]]
    : [
        [0, 16],
        [15, compiledPath.length],
      ];
  for (const [start, end] of pieces) {
    const at = bytes.indexOf(compiledPath.slice(start, end));
    if (at < 0) throw new Error(`Not the authentication library of Courier that is known "${library}"`);
    bytes.write(relativePath.slice(start, end), at, 'latin1');
  }
  const copy = path.join(folder, path.basename(library));
  await copyFile(library, copy);
  await writeFile(copy, bytes);
}

export interface CourierAccount {
  readonly password: string;
  readonly home: string;
}

export interface MailIdentity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Answers the question "AUTH <octets>", a service, a kind, a name and a password, one per line, as Courier's
 * authdaemond does: with the attributes of the account, or with FAIL.
 */
export async function answerAuthentication(
  folder: string,
  accounts: ReadonlyMap<string, CourierAccount>,
  { uid, gid }: MailIdentity,
): Promise<Server> {
  const server = createServer((socket) => {
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      const question = /^AUTH (\d+)\n/m.exec(received);
      if (!question) return;
      const data = received.slice(question.index + question[0].length);
      if (Buffer.byteLength(data) < Number(question[1])) return;
      const [, kind, user = '', password] = data.split('\n');
      const account = accounts.get(user);
      if (kind !== 'login' || account?.password !== password) socket.end('FAIL\n');
      else
        socket.end(
          `UID=${uid}\nGID=${gid}\nHOME=${account?.home}\nADDRESS=${user}\nMAILDIR=${account?.home}/Maildir\n.\n`,
        );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: path.join(folder, 'auth'), writableAll: true }, resolve);
  });
  server.unref();
  return server;
}
