import { AuthenticationFailed, ok, type Result, refuse, Unavailable } from '../jmap/errors.ts';
import { isNetUnicodeName } from '../jmap/net-unicode.ts';
import type { Script, ScriptCommands, ScriptRefusal } from '../methods/SieveScript/scripts.ts';
import { retryAfterSeconds } from '../refusal.ts';
import { number, type SieveArgument, string } from './arguments.ts';
import { connect, type SieveCapabilities, type SieveConnection, wordsOf } from './connect.ts';
import { CommandRefused, ConnectionLost, Throttled } from './failure.ts';
import { type SieveLimits, sieveLimits } from './limits.ts';
import type { Pauses } from './pauses.ts';
import { textOf } from './response.ts';
import type { SieveCredential, SieveServer } from './server.ts';
import { type WireNames, wireNames } from './wire-names.ts';

/** What one request may ask of one account's ManageSieve server. */
export type SieveAccount = {
  readonly scripts: ScriptCommands;
  /** Ends the connection, if there is one. Has to be called at the end of the request. Never rejects. */
  readonly release: () => Promise<void>;
};

/** What is around one account of one request. */
export type SieveSurroundings = {
  /** Told of what a server says of itself, at each login. */
  readonly onCapabilities?: (capabilities: SieveCapabilities) => void;
  /** Whether the credential is good for the mail, when ManageSieve has refused it: throws `AuthenticationFailed` where it is not. */
  readonly verifyLogin?: () => Promise<void>;
};

type Listed = { readonly name: string; readonly isActive: boolean };
type Outcome = Result<null, ScriptRefusal>;
/** A connection, and how scripts are called on it. */
type Session = SieveConnection & { readonly names: WireNames };

/**
 * One account for the time of one request. No connection is made before something is asked; what reads is asked once more on a
 * new one when it is lost. What writes is never sent twice: when the connection is lost, what became of it is read from the server.
 * Throws `AuthenticationFailed` only where the mail server, too, refuses the credential: a ManageSieve server that is not set up for a user, or not
 * yet, must not shut him out of his mail.
 */
export function sieveAccount(
  server: SieveServer,
  credential: SieveCredential,
  pauses: Pauses,
  { limits = sieveLimits, onCapabilities, verifyLogin }: SieveSurroundings & { readonly limits?: SieveLimits } = {},
): SieveAccount {
  let current: Promise<Session> | null = null;

  async function open(): Promise<Session> {
    pauses.check(server, credential.user);
    try {
      const connection = await connect(server, credential, limits);
      onCapabilities?.(connection.capabilities);
      return { ...connection, names: wireNames(connection.capabilities) };
    } catch (error) {
      if (error instanceof Throttled) pauses.note(error, server, credential.user);
      if (!(error instanceof AuthenticationFailed) || verifyLogin === undefined) throw error;
      await verifyLogin();
      // It is not tried at each request: servers shut out an address from which too many logins come that they refuse.
      const pause = retryAfterSeconds.throttled;
      pauses.note({ concerns: 'account', pause }, server, credential.user);
      throw new Unavailable('The ManageSieve server refused a login that the mail server takes', {
        cause: error,
        retryAfterSeconds: pause,
      });
    }
  }

  async function connected(): Promise<Session> {
    const before = current && (await current.catch(() => null));
    if (!before?.wire.isOpen) current = open();
    return current as Promise<Session>;
  }

  async function reading<T>(read: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await read(await connected());
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      return read(await connected());
    }
  }

  /** `isDone` tells from a new connection whether a command that got no answer was carried out. */
  async function writing(
    name: string,
    names: readonly string[],
    isDone: (session: Session) => Promise<boolean>,
    otherwise: ScriptRefusal['reason'] = 'refused',
    ...more: SieveArgument[]
  ): Promise<Outcome> {
    // QUIRK(dovecot 2.3): Pigeonhole cuts a name off at NUL, and does to another script what was asked of this one.
    if (!names.every(isNetUnicodeName)) return refuse({ reason: 'badName', description: 'it is no name of a script' });
    const session = await connected();
    try {
      await session.wire.run(name, [...names.map((each) => string(session.names.written(each))), ...more]);
      return ok(null);
    } catch (error) {
      if (error instanceof CommandRefused) return refuse(refusalOf(error, otherwise));
      if (!(error instanceof ConnectionLost)) throw error;
      return whatBecame(isDone, error);
    }
  }

  async function whatBecame(isDone: (session: Session) => Promise<boolean>, lost: ConnectionLost): Promise<Outcome> {
    let done: boolean;
    try {
      done = await isDone(await connected());
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof AuthenticationFailed)) throw error;
      return refuse({
        reason: 'unknown',
        description: 'the connection to the mail server was lost in the midst of it',
      });
    }
    if (done) return ok(null);
    throw new Unavailable('The connection was lost, and nothing was done', { cause: lost });
  }

  const isThere = async (session: Session, name: string) =>
    (await list(session, limits)).some((listed) => listed.name === name);

  async function put(name: string, octets: Uint8Array): Promise<Outcome> {
    if (octets.byteLength > limits.scriptOctetsMax) return refuse(tooLarge(limits));
    // Says what is wrong with the name or the size; what is refused after that is the script itself.
    const size = number(octets.byteLength);
    const hasSpace = await writing('HAVESPACE', [name], async () => false, 'badName', size);
    if (!hasSpace.ok) return hasSpace;
    const isDone = async (session: Session) => {
      const kept = await read(session, name);
      return kept !== null && Buffer.compare(kept, octets) === 0;
    };
    return writing('PUTSCRIPT', [name], isDone, 'invalid', string(octets));
  }

  async function rename(from: string, to: string): Promise<Outcome> {
    // What has no version is older than the command (RFC 5804 §1.7).
    if (!(await connected()).capabilities.has('VERSION')) return refuse(notThere('rename'));
    const isDone = async (session: Session) => (await isThere(session, to)) && !(await isThere(session, from));
    return writing('RENAMESCRIPT', [from, to], isDone, 'badName');
  }

  /** A script that got a name may be called something else from now on. That it got one is true whether that is found out or not. */
  async function seen(name: string): Promise<void> {
    try {
      const session = await connected();
      if (session.names.isToBeSeen(name)) await list(session, limits);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }

  const scripts: ScriptCommands = {
    readAll: () => reading((session) => readAll(session, limits)),
    canInclude: (name) => reading(async ({ names }) => names.isItself(name)),
    extensions: () => reading(async ({ capabilities }) => wordsOf(capabilities.get('SIEVE'))),

    check: async (octets) => {
      if (octets.byteLength > limits.scriptOctetsMax) return refuse(tooLarge(limits));
      const { wire, capabilities } = await connected();
      if (!capabilities.has('VERSION')) return refuse(notThere('check'));
      try {
        await wire.run('CHECKSCRIPT', [string(octets)]);
        return ok(null);
      } catch (error) {
        if (error instanceof CommandRefused) return refuse(refusalOf(error, 'invalid'));
        throw error;
      }
    },

    put: async (name, octets) => {
      const done = await put(name, octets);
      if (done.ok) await seen(name);
      return done;
    },

    rename: async (from, to) => {
      const done = await rename(from, to);
      if (done.ok) await seen(to);
      return done;
    },

    remove: (name) => writing('DELETESCRIPT', [name], async (session) => !(await isThere(session, name))),

    activate: (name) => {
      const isDone = async (session: Session) => {
        const active = (await list(session, limits)).find(({ isActive }) => isActive);
        return (active?.name ?? null) === name;
      };
      return name === null
        ? writing('SETACTIVE', [], isDone, 'refused', string(''))
        : writing('SETACTIVE', [name], isDone);
    },
  };

  return {
    scripts,
    release: async () => {
      const connection = current && (await current.catch(() => null));
      await connection?.wire.leave();
    },
  };
}

/** The scripts with their content: two round trips for as many as people have. */
async function readAll(session: Session, limits: SieveLimits): Promise<Script[]> {
  const listed = await list(session, limits);
  let octetsLeft: number = limits.scriptsOctetsMax;
  const scripts: Script[] = [];
  for (let at = 0; at < listed.length; at += limits.scriptsAtOnce) {
    const some = listed.slice(at, at + limits.scriptsAtOnce);
    const contents = await Promise.all(some.map(({ name }) => read(session, name)));
    for (const [index, script] of some.entries()) {
      const octets = contents[index];
      // Gone between the two.
      if (octets == null) continue;
      octetsLeft -= octets.byteLength;
      scripts.push({ ...script, octets });
    }
    if (octetsLeft < 0) throw new Unavailable('The scripts of the account are too large together');
  }
  return scripts;
}

async function list({ wire, names }: Session, { scriptsMax }: SieveLimits): Promise<Listed[]> {
  const listed: Listed[] = [];
  await wire.run('LISTSCRIPTS', [], ([name, mark]) => {
    const isActive = mark?.kind === 'atom' && mark.text.toUpperCase() === 'ACTIVE';
    listed.push({ name: names.read(textOf(name) ?? ''), isActive });
    return undefined;
  });
  if (listed.length > scriptsMax) throw new Unavailable('The account has too many scripts');
  return listed;
}

/** The content of a script; null where there is none of that name. */
async function read({ wire, names }: Session, name: string): Promise<Buffer | null> {
  let content: Buffer | null = null;
  try {
    await wire.run('GETSCRIPT', [string(names.written(name))], ([value]) => {
      // Out of the buffer of the connection.
      if (value?.kind === 'string') content = Buffer.from(value.octets);
      return undefined;
    });
  } catch (error) {
    // Old servers give no code; another one than this means something else.
    if (error instanceof CommandRefused && (error.code?.name ?? 'NONEXISTENT') === 'NONEXISTENT') return null;
    throw error;
  }
  return content;
}

/** Response codes (RFC 5804 §1.3), a more detailed one than is known standing for what it details. */
function refusalOf({ code, text }: CommandRefused, otherwise: ScriptRefusal['reason']): ScriptRefusal {
  const description = text.trim();
  if (code?.name === 'QUOTA/MAXSIZE') return { reason: 'tooLarge', description };
  switch (code?.name.split('/')[0]) {
    case 'QUOTA':
      return { reason: 'overQuota', description };
    case 'ACTIVE':
      return { reason: 'isActive', description };
    case 'NONEXISTENT':
      return { reason: 'notFound', description };
    case 'ALREADYEXISTS':
      return { reason: 'alreadyExists', description };
    default:
      return { reason: otherwise, description };
  }
}

function tooLarge({ scriptOctetsMax }: SieveLimits): ScriptRefusal {
  return { reason: 'tooLarge', description: `more than ${scriptOctetsMax} octets` };
}

function notThere(what: string): ScriptRefusal {
  return { reason: 'refused', description: `the mail server is too old to ${what} scripts` };
}
