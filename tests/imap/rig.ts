import { ImapFlow } from 'imapflow';
import type { KnownMailbox, MailboxReading } from '../../shared/catalog/source.ts';
import type { ImapCredential, ImapServer } from '../../shared/imap/endpoint.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { uidsIn } from '../../shared/imap/uid-ranges.ts';
import type { UseSession } from '../../shared/imap/use.ts';
import type { TestServer, TestUser } from '../servers/servers.ts';

/** A test server as the operator would name it, without what is to be ignored. */
export function imapServer(
  { name, host, imapPort }: Pick<TestServer, 'host' | 'imapPort'> & { name: string },
  more: Partial<Omit<ImapServer, 'quirks'>> & { ignoring?: readonly string[] } = {},
): ImapServer {
  const { ignoring = [], ...rest } = more;
  return {
    name,
    imap: { host, port: imapPort, tls: 'plaintext', ca: null },
    auth: ['oauthbearer', 'xoauth2', 'plain', 'login'],
    forbiddenIdentitySchemes: [],
    quirks: { ignoreCapabilities: ignoring },
    ...rest,
  };
}

export function passwordOf({ user, password }: TestUser): ImapCredential {
  return { kind: 'password', user, password };
}

/** One session for all operations, one at a time, with the commands it sends. */
export async function oneSession(
  server: ImapServer,
  credential: ImapCredential,
): Promise<{ use: UseSession; session: ImapSession; commands: string[] }> {
  const commands: string[] = [];
  const session = await ImapSession.open(server, credential, { onCommand: (name) => commands.push(name) });
  let last: Promise<unknown> = Promise.resolve();
  const use: UseSession = (operation) => {
    const result = last.then(() => operation(session));
    last = result.catch(() => {});
    return result;
  };
  return { use, session, commands };
}

/** Another IMAP client of the same user, of another make. */
export async function otherClient({ host, imapPort }: TestServer, { user, password }: TestUser): Promise<ImapFlow> {
  const client = new ImapFlow({
    ...{ host, port: imapPort, secure: false, doSTARTTLS: false, logger: false, disableAutoIdle: true },
    auth: { user, pass: password },
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

export function message(subject: string, fields: Readonly<Record<string, string>> = {}, body = 'Hello\r\n'): string {
  const all = {
    From: 'Anna <anna@example.com>',
    Subject: subject,
    'Message-ID': `<${subject.replace(/\W/g, '-')}@example.com>`,
    ...fields,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`;
}

/** What a catalog would hold of a mailbox after its readings. */
export type MailboxModel = {
  readonly vector: MailboxReading['vector'];
  readonly rows: ReadonlyMap<number, readonly string[]>;
};

export function asKnown({ vector, rows }: MailboxModel): KnownMailbox {
  return { vector, uids: async () => [...rows.keys()].sort((a, b) => a - b) };
}

export async function applyReading(before: MailboxModel | null, reading: MailboxReading): Promise<MailboxModel> {
  const rows = new Map(reading.kind === 'renewed' ? [] : (before?.rows ?? []));
  if (reading.kind === 'full') {
    const present = new Set(uidsIn(reading.present, 1_000_000));
    for (const uid of rows.keys()) if (!present.has(uid)) rows.delete(uid);
  }
  for (const [first, last] of reading.vanished)
    for (const uid of rows.keys()) if (uid >= first && uid <= last) rows.delete(uid);
  for (const { uid, flags } of reading.flags) if (rows.has(uid)) rows.set(uid, flags);
  let lastUid = 0;
  for await (const batch of reading.appeared) {
    for (const { uid, flags } of batch) {
      if (uid <= lastUid || rows.has(uid) || uid >= reading.vector.uidNext)
        throw new Error(`UID ${uid} cannot appear here`);
      lastUid = uid;
      rows.set(uid, flags);
    }
  }
  return { vector: reading.vector, rows };
}

/** Flags as sets of lower-case words, without \Recent, which differs from session to session. */
export function comparable(rows: Iterable<readonly [number, Iterable<string>]>): [number, string[]][] {
  return [...rows]
    .map(([uid, flags]): [number, string[]] => [
      uid,
      [...flags]
        .map((flag) => flag.toLowerCase())
        .filter((flag) => flag !== '\\recent')
        .sort(),
    ])
    .sort(([a], [b]) => a - b);
}
