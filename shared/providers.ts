import { domainToASCII } from 'node:url';
import * as v from 'valibot';
import { ConfigurationError } from './configuration-error.ts';
import { addressMembers, type Endpoint, objectionTo } from './endpoint.ts';

/** SASL mechanisms, best first. The OAuth ones carry an access token where the others carry a password. */
export type AuthMethod = 'oauthbearer' | 'xoauth2' | 'plain' | 'login';

/** Where the mail of some domains is. Everything here comes from the operator's file. */
export type Provider = {
  /** Part of every account id: renaming a provider gives its users new accounts. */
  readonly name: string;
  /** `example.com`, `*.example.com`, or `*` for every login; lower case, as DNS spells them. */
  readonly domains: readonly string[];
  readonly imap: Endpoint;
  readonly smtp: Endpoint | null;
  readonly sieve: SieveEndpoint | null;
  readonly auth: readonly AuthMethod[];
  /** What the server is told: the login as it is, or only what stands before the `@`. */
  readonly login: 'address' | 'local';
  /** Whether upper and lower case before the `@` make different users. `insensitive`: logins are sent in lower case. */
  readonly loginCase: 'exact' | 'insensitive';
  /** Ways of making Email ids that must not be used although the server offers them. */
  readonly forbiddenIdentitySchemes: readonly ('objectid' | 'gmail' | 'xguid')[];
  /** Roles for which a mailbox is made at the login when none has it. */
  readonly createRoles: readonly ('drafts' | 'sent' | 'trash' | 'junk' | 'archive')[];
  readonly sending: Sending;
  readonly quirks: Quirks;
};

/** What a provider's users may send, and what its submission server does with it. */
export type Sending = {
  /** Makes an address of a login that is none; null: the name of the IMAP server does. */
  readonly domain: string | null;
  /**
   * From which addresses a user may send besides his own: an address, `*@example.com`, or `*`, which leaves it to the submission
   * server. `{local}` stands for what is before the `@` of the user's own, so `{local}+*@example.com` are his subaddresses.
   */
  readonly alsoFrom: readonly string[];
  readonly maxRecipients: number;
  /** EHLO keywords that clients are told of; what the server offers can be used in any case. */
  readonly extensions: readonly string[];
  /** The submission server puts a copy of what it sends into Sent. */
  readonly savesSent: boolean;
};

/** A ManageSieve server, and what the Session says of it. */
export type SieveEndpoint = Endpoint & { readonly offers: SieveOffers };

/**
 * What a ManageSieve server offers, as far as the Session has to tell (RFC 9661 §1.2.1). It is the operator who says so: the server
 * is not asked before something is asked of it, and every process must say the same. Null: no limit, or nothing of the kind.
 */
export type SieveOffers = {
  readonly implementation: string;
  readonly extensions: readonly string[];
  readonly maxSizeScript: number | null;
  readonly maxNumberScripts: number | null;
  readonly maxNumberRedirects: number | null;
  readonly notificationMethods: readonly string[] | null;
  readonly externalLists: readonly string[] | null;
};

/** What Dovecot's Pigeonhole and Cyrus both offer as they come. */
export const usualSieveOffers: SieveOffers = {
  implementation: 'ManageSieve',
  extensions: [
    ...['fileinto', 'reject', 'envelope', 'vacation', 'subaddress', 'comparator-i;ascii-numeric', 'relational'],
    ...['regex', 'imap4flags', 'copy', 'include', 'variables', 'body', 'enotify', 'environment', 'mailbox', 'date'],
    ...['index', 'ihave', 'duplicate'],
  ],
  maxSizeScript: null,
  maxNumberScripts: null,
  maxNumberRedirects: null,
  notificationMethods: ['mailto'],
  externalLists: null,
};

/** What a server gets wrong, as far as the operator must say so. */
export type Quirks = {
  /** Capabilities that are advertised and do not work. Upper case. */
  readonly ignoreCapabilities: readonly string[];
};

/** A login as its provider knows it. `user` is exactly what the mail server is told, so equal users are equal accounts. */
export type MatchedLogin = { readonly provider: Provider; readonly user: string };

/** Longer logins are no logins. */
const maxLoginOctets = 320;

/**
 * Reads the operator's providers file (its format: docs/configuration.md). `readCertificates` returns the PEM text of a
 * `caFile`; what it throws is reported at the file's place. Throws `ConfigurationError` with every problem, each with its
 * JSON path and the value quoted.
 */
export function parseProviders(text: string, readCertificates: (file: string) => string): Provider[] {
  const parsed = v.safeParse(fileSchema(readCertificates), parseJson(text));
  if (parsed.success) return parsed.output.providers;
  throw new ConfigurationError('The providers file cannot be used', parsed.issues.map(describeIssue));
}

/** Where one server has the mail of every login. */
export type Endpoints = { readonly imap: Endpoint; readonly smtp: Endpoint | null; readonly sieve: Endpoint | null };

/** Only one server, for every login: what `--imap` and `--smtp` stand for. */
export function singleProvider(name: string, endpoints: Endpoints): Provider {
  return {
    name,
    domains: ['*'],
    ...endpoints,
    sieve: endpoints.sieve && { ...endpoints.sieve, offers: usualSieveOffers },
    auth: ['plain', 'login'],
    login: 'address',
    loginCase: 'exact',
    forbiddenIdentitySchemes: [],
    createRoles: [],
    sending: usualSending,
    quirks: { ignoreCapabilities: [] },
  };
}

const usualSending: Sending = {
  domain: null,
  alsoFrom: [],
  maxRecipients: 500,
  extensions: [],
  savesSent: false,
};

/** Names of the providers whose messages that wait have a queue of their own in the cloud: of all that send any. */
export function sendLanes(providers: readonly Provider[]): string[] {
  return providers.flatMap(({ name, smtp }) => (smtp === null ? [] : [name]));
}

/** The name or URL of the queue of a provider, beside that of all others; SQS takes names of 80 characters. */
export function sendLane(queue: string, provider: string): string {
  return `${queue}-${provider}`;
}

/**
 * Finds the provider of a login: the exact domain first, then the longest `*.` pattern, then `*`. A login without a
 * domain belongs to `*`. null: no provider is responsible, or it is no login at all.
 */
export function matchLogin(providers: readonly Provider[], login: string): MatchedLogin | null {
  const typed = login.trim().normalize('NFC');
  if (typed === '' || Buffer.byteLength(typed) > maxLoginOctets || /\p{Cc}/u.test(typed)) return null;
  const at = typed.lastIndexOf('@');
  const domain = at === -1 ? '' : domainToASCII(typed.slice(at + 1));
  if (at === 0 || (at > 0 && domain === '')) return null;
  const provider = providerOf(providers, domain);
  if (provider === undefined) return null;
  const name = at === -1 ? typed : typed.slice(0, at);
  const local = provider.loginCase === 'insensitive' ? name.toLowerCase() : name;
  return { provider, user: at === -1 || provider.login === 'local' ? local : `${local}@${domain}` };
}

function providerOf(providers: readonly Provider[], domain: string): Provider | undefined {
  const labels = domain.split('.');
  const patterns = [domain, ...labels.map((_, index) => `*.${labels.slice(index + 1).join('.')}`).slice(0, -1), '*'];
  for (const pattern of domain === '' ? ['*'] : patterns) {
    const provider = providers.find(({ domains }) => domains.includes(pattern));
    if (provider !== undefined) return provider;
  }
  return undefined;
}

function fileSchema(readCertificates: (file: string) => string) {
  const endpointMembers = {
    ...addressMembers,
    tls: v.picklist(['implicit', 'starttls', 'plaintext'], 'expected "implicit", "starttls" or "plaintext"'),
    caFile: v.optional(
      v.pipe(
        v.string('expected a file name'),
        v.rawTransform(({ dataset, addIssue, NEVER }) => {
          try {
            return readCertificates(dataset.value);
          } catch (error) {
            addIssue({ message: (error as Error).message });
            return NEVER;
          }
        }),
      ),
    ),
  };
  const endpoint = v.pipe(
    v.strictObject(endpointMembers),
    v.rawCheck(({ dataset, addIssue }) => {
      const objection = dataset.typed ? objectionTo(dataset.value) : undefined;
      if (objection !== undefined) addIssue({ message: objection });
    }),
    v.transform(({ caFile, ...rest }): Endpoint => ({ ...rest, ca: caFile ?? null })),
  );
  const sieveEndpoint = v.pipe(
    v.strictObject({ ...endpointMembers, offers: v.optional(sieveOffers, {}) }),
    v.rawCheck(({ dataset, addIssue }) => {
      const objection = dataset.typed ? objectionTo(dataset.value) : undefined;
      if (objection !== undefined) addIssue({ message: objection });
    }),
    v.transform(
      ({ caFile, offers, ...rest }): SieveEndpoint => ({
        ...rest,
        ca: caFile ?? null,
        offers: { ...usualSieveOffers, ...offers },
      }),
    ),
  );
  const provider = v.strictObject({
    name: v.pipe(
      v.string('expected a name'),
      v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens, at most 63'),
    ),
    domains: v.pipe(
      v.array(domainPattern, 'expected a list of domains'),
      v.minLength(1, 'expected at least one domain'),
    ),
    imap: endpoint,
    smtp: v.nullish(endpoint, null),
    sieve: v.nullish(sieveEndpoint, null),
    auth: v.optional(
      v.pipe(
        v.array(
          v.picklist(
            ['oauthbearer', 'xoauth2', 'plain', 'login'],
            'expected "plain", "login", "oauthbearer" or "xoauth2"',
          ),
          'expected a list of methods',
        ),
        v.minLength(1, 'expected at least one method'),
      ),
      ['plain', 'login'],
    ),
    login: v.optional(v.picklist(['address', 'local'], 'expected "address" or "local"'), 'address'),
    loginCase: v.optional(v.picklist(['exact', 'insensitive'], 'expected "exact" or "insensitive"'), 'exact'),
    forbiddenIdentitySchemes: v.optional(
      v.array(v.picklist(['objectid', 'gmail', 'xguid'], 'expected "objectid", "gmail" or "xguid"'), 'expected a list'),
      [],
    ),
    createRoles: v.optional(
      v.array(
        v.picklist(
          ['drafts', 'sent', 'trash', 'junk', 'archive'],
          'expected "drafts", "sent", "trash", "junk" or "archive"',
        ),
        'expected a list of roles',
      ),
      [],
    ),
    sending: v.optional(
      v.strictObject({
        domain: v.optional(v.nullable(plainDomain), usualSending.domain),
        alsoFrom: v.optional(v.array(senderPattern, 'expected a list of addresses'), [...usualSending.alsoFrom]),
        maxRecipients: v.optional(
          v.pipe(
            v.number('expected a number'),
            v.check((count) => Number.isInteger(count) && count >= 1 && count <= 10_000, 'expected 1 to 10000'),
          ),
          usualSending.maxRecipients,
        ),
        extensions: v.optional(
          v.array(
            v.pipe(
              v.string('expected an EHLO keyword'),
              v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/, 'expected an EHLO keyword'),
              v.toUpperCase(),
            ),
            'expected a list of EHLO keywords',
          ),
          [...usualSending.extensions],
        ),
        savesSent: v.optional(v.boolean('expected true or false'), usualSending.savesSent),
      }),
      usualSending,
    ),
    quirks: v.optional(
      v.strictObject({
        ignoreCapabilities: v.array(v.pipe(v.string('expected a capability'), v.toUpperCase()), 'expected a list'),
      }),
      { ignoreCapabilities: [] },
    ),
  });
  return v.strictObject({
    providers: v.pipe(
      v.array(provider, 'expected a list of providers'),
      v.minLength(1, 'expected at least one provider'),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return;
        const { value } = dataset;
        for (const twice of repeated(value.map(({ name }) => name))) {
          addIssue({ message: `two providers have the name "${twice}"` });
        }
        for (const twice of repeated(value.flatMap(({ domains }) => domains))) {
          addIssue({ message: `two providers have the domain "${twice}"` });
        }
      }),
    ),
  });
}

const words = v.array(v.pipe(v.string('expected a word'), v.regex(/^[^\s"]+$/, 'expected a word')), 'expected a list');
const limit = v.pipe(
  v.number('expected a number'),
  v.integer('expected a whole number'),
  v.minValue(0, 'expected 0 or more'),
);
const sieveOffers = v.strictObject({
  implementation: v.exactOptional(v.pipe(v.string('expected a name'), v.nonEmpty('expected a name'))),
  extensions: v.exactOptional(words),
  maxSizeScript: v.exactOptional(v.nullable(limit)),
  maxNumberScripts: v.exactOptional(v.nullable(limit)),
  maxNumberRedirects: v.exactOptional(v.nullable(limit)),
  notificationMethods: v.exactOptional(v.nullable(words)),
  externalLists: v.exactOptional(v.nullable(words)),
});

const domainPattern = v.pipe(
  v.string('expected a domain, "*." and a domain, or "*"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const [, wildcard = '', name = ''] = /^(\*\.)?([^*]*)$/.exec(dataset.value) ?? [];
    const ascii = domainToASCII(name);
    if (dataset.value === '*') return '*';
    if (ascii !== '' && !/[^a-z0-9.-]|^\.|\.$|\.\./.test(ascii)) return `${wildcard}${ascii}`;
    addIssue({ message: 'expected a domain, "*." and a domain, or "*"' });
    return NEVER;
  }),
);

const plainDomain = v.pipe(
  v.string('expected a domain'),
  v.check((text) => /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text), 'expected a domain in lower case'),
);

const senderPattern = v.pipe(
  v.string('expected an address'),
  v.check(
    (text) => text === '*' || /^[^@\s]+@[^@\s*{}]+$/.test(text.replace('{local}', 'x')),
    'expected an address, "*@" and a domain, or "*"',
  ),
);

function repeated(texts: readonly string[]): Set<string> {
  return new Set(texts.filter((text, index) => texts.indexOf(text) !== index));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = (error as Error).message.replace(/\s+/g, ' ');
    throw new ConfigurationError('The providers file cannot be used', [`it is not JSON: ${detail}`]);
  }
}

/** JSON Pointer, the quoted value, a colon, the detail. */
function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path =
    issue.path?.map(({ key }) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') ?? '/';
  if (issue.type === 'strict_object') {
    return issue.expected === 'never' ? `${path}: is not known here` : `${path}: is missing`;
  }
  const given = issue.input === null || typeof issue.input !== 'object' ? ` ${JSON.stringify(issue.input)}` : '';
  return `${path}${given}: ${issue.message}`;
}
