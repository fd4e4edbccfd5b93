import type { Id, JsonObject, JsonValue } from './scalars.ts';

/** The URI of the core capability, which every server has (RFC 8620 §2). */
export const coreUri = 'urn:ietf:params:jmap:core';

/** The value of `urn:ietf:params:jmap:core` in the Session's capabilities: the limits in force. Sizes are octets. */
export type CoreCapability = {
  maxSizeUpload: number;
  maxConcurrentUpload: number;
  maxSizeRequest: number;
  maxConcurrentRequests: number;
  maxCallsInRequest: number;
  maxObjectsInGet: number;
  maxObjectsInSet: number;
  collationAlgorithms: string[];
};

/** An Account of the Session. */
export type Account = {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  /** By capability URI, of every capability whose methods can be used with the account. */
  accountCapabilities: { [capability: string]: JsonObject };
};

/** Where the server's resources are: one URL, and level 1 URI Templates (RFC 6570). */
export type SessionUrls = {
  apiUrl: string;
  /** With `{accountId}`, `{blobId}`, `{type}` and `{name}`. */
  downloadUrl: string;
  /** With `{accountId}`. */
  uploadUrl: string;
  /** With `{types}`, `{closeafter}` and `{ping}`. */
  eventSourceUrl: string;
};

/** The Session object (§2). */
export type Session = SessionUrls & {
  capabilities: { [coreUri]: CoreCapability; [capability: string]: JsonObject };
  accounts: { [accountId: string]: Account };
  primaryAccounts: { [capability: string]: Id };
  username: string;
  state: string;
};

/**
 * Builds the Session object. `core` is added to the capabilities of the server and of every account. A capability's
 * primary account is the first personal one that has it. `state` is `hash` of all the rest, so it changes exactly when
 * something in the Session does.
 */
export function buildSession(from: {
  /** As the user typed it. */
  readonly username: string;
  readonly core: CoreCapability;
  /** The capabilities besides core. */
  readonly capabilities: { readonly [capability: string]: JsonObject };
  readonly accounts: ReadonlyMap<Id, Account>;
  readonly urls: SessionUrls;
  /** Strictly, core has no primary account (§2); some clients look for one. */
  readonly strict: boolean;
  /** Any text to a short string, the same for the same text. */
  readonly hash: (text: string) => string;
}): Session {
  const accounts: Session['accounts'] = {};
  const primaryAccounts: Session['primaryAccounts'] = {};
  for (const [accountId, account] of from.accounts) {
    const accountCapabilities = { [coreUri]: {}, ...account.accountCapabilities };
    accounts[accountId] = { ...account, accountCapabilities };
    if (!account.isPersonal) continue;
    for (const capability of Object.keys(accountCapabilities)) {
      if (capability !== coreUri || !from.strict) primaryAccounts[capability] ??= accountId;
    }
  }
  const session = {
    capabilities: { [coreUri]: from.core, ...from.capabilities },
    accounts,
    primaryAccounts,
    username: from.username,
    ...from.urls,
  };
  return { ...session, state: from.hash(canonicalJson(session)) };
}

/** JSON in which the members of every object are in the order of their names. */
function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_name, member) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
