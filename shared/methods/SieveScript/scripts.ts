import { type Result, refuse } from '../../jmap/errors.ts';

/** A script as the mail server keeps it; its name is what tells it from the others. */
export type Script = { readonly name: string; readonly isActive: boolean; readonly octets: Uint8Array };

/**
 * Why the mail server does not do it. `invalid`: the script is no Sieve, or uses what is not offered. `badName`: it takes no such
 * name. `unknown`: the connection was lost in the midst of it, and could not be made again to see what became of it.
 */
export type ScriptRefusal = {
  readonly reason:
    | 'notFound'
    | 'alreadyExists'
    | 'isActive'
    | 'tooLarge'
    | 'overQuota'
    | 'invalid'
    | 'badName'
    | 'refused'
    | 'unknown';
  /** What the server says to the user, in its own words. */
  readonly description: string;
};

/** What the Session says of scripts (RFC 9661 §1.2.1), and what is held to it. Null: no limit. */
export type ScriptLimits = { readonly maxSizeScript: number; readonly maxNumberScripts: number | null };

/** The scripts of one account, and what they are held to. */
export type CanManageScripts = ScriptCommands & { readonly limits: ScriptLimits };

/**
 * The scripts of one account on its mail server. What reads throws `Unavailable`; so does what writes, but only when it changed
 * nothing.
 */
export type ScriptCommands = {
  /** All of them, with their content, in the order in which the server names them. */
  readonly readAll: () => Promise<readonly Script[]>;
  /** Whether another script can include the script of this name (RFC 6609). */
  readonly canInclude: (name: string) => Promise<boolean>;
  /** The extensions that a script may require, as the server spells them. */
  readonly extensions: () => Promise<ReadonlySet<string>>;
  /** Whether the server would take such a script. */
  readonly check: (octets: Uint8Array) => Promise<Result<null, ScriptRefusal>>;
  /** Creates a script or replaces it, which leaves it active if it is; one that is refused changes nothing. */
  readonly put: (name: string, octets: Uint8Array) => Promise<Result<null, ScriptRefusal>>;
  readonly rename: (from: string, to: string) => Promise<Result<null, ScriptRefusal>>;
  readonly remove: (name: string) => Promise<Result<null, ScriptRefusal>>;
  /** Makes this the one active script; null: none is. */
  readonly activate: (name: string | null) => Promise<Result<null, ScriptRefusal>>;
};

/** Of an account whose mail server has no ManageSieve: there are no scripts, and nothing can be done about that. */
export const noScripts: CanManageScripts = {
  limits: { maxSizeScript: 0, maxNumberScripts: 0 },
  readAll: async () => [],
  canInclude: async () => false,
  extensions: async () => new Set(),
  check: impossible,
  put: impossible,
  rename: impossible,
  remove: impossible,
  activate: impossible,
};

async function impossible(): Promise<Result<null, ScriptRefusal>> {
  return refuse({ reason: 'refused', description: 'the mail server has no Sieve scripts' });
}
