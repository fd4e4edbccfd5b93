import * as v from 'valibot';
import { ConfigurationError } from './configuration-error.ts';
import { type Endpoint, type Ports, parseEndpoint } from './endpoint.ts';

// The SDK warns at every start of versions of its own to come; the one in use is pinned.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/**
 * Every setting an operator has. `POSTERN_MAX_OBJECTS_IN_GET` in the environment and `--max-objects-in-get` on the command
 * line are the setting `maxObjectsInGet`; a flag beats the environment. This is the only file that reads the environment.
 */
const settings = {
  // Where it listens, and what it is called outside.
  host: setting(text, '127.0.0.1', 'address the local server listens on'),
  port: setting(
    whole(0, 65_535),
    null,
    'port the local server listens on; 0 picks a free one (8080, or the next free one)',
  ),
  publicUrl: setting(
    origin,
    null,
    'origin that clients use, such as https://mail.example.com (taken from each request)',
  ),
  clientAddressHeader: setting(
    header,
    null,
    'header in which a proxy in front, and nobody else, says who asks, such as x-forwarded-for',
  ),
  realm: setting(realm, 'Postern', 'what browsers show when they ask for a password'),

  // The mail servers.
  providers: setting(text, null, 'JSON file that says which server has the mail of which domain'),
  imap: setting(
    endpoint({ implicit: 993, starttls: 143 }),
    null,
    'one IMAP server for every login, host:port[,tls|starttls|plaintext]',
  ),
  smtp: setting(endpoint({ implicit: 465, starttls: 587 }), null, 'its submission server'),
  sieve: setting(endpoint({ implicit: null, starttls: 4190 }), null, 'its ManageSieve server'),

  // The store.
  data: setting(text, 'data', 'folder of the local server: the embedded store and the demo mailbox'),
  table: setting(text, 'postern', 'name of the DynamoDB table of what can be made anew'),
  recordsTable: setting(text, 'postern-records', 'name of the DynamoDB table of what is kept'),
  storeEndpoint: setting(url, null, 'URL of DynamoDB, when it is not the one of the region'),
  bucket: setting(text, null, 'name of the S3 bucket for uploaded files, in the cloud'),
  bucketEndpoint: setting(url, null, 'URL of S3, when it is not the one of the region'),

  // Sending later, in the cloud.
  outboxBucket: setting(text, null, 'S3 bucket of messages that wait to be sent (none is held)'),
  vaultKey: setting(text, null, 'KMS key under which messages that wait, and what it takes to send them, are sealed'),
  sendQueue: setting(
    text,
    null,
    'URL of the SQS queue that calls the sender when a message is due; a provider has one that ends in its name',
  ),
  kmsEndpoint: setting(url, null, 'URL of KMS, when it is not the one of the region'),
  queueEndpoint: setting(url, null, 'URL of SQS, when it is not the one of the region'),

  // How it behaves.
  log: setting(oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info', 'least severe log entry that is written'),
  strict: setting(flag, 'false', 'follow the RFCs where common clients expect otherwise'),

  // Limits of the Session (RFC 8620 §2).
  maxSizeRequest: setting(whole(10_000, 100_000_000), '10000000', 'octets of one API request'),
  maxConcurrentRequests: setting(whole(1, 1_000), '8', 'API requests of one user at the same time, in one process'),
  maxCallsInRequest: setting(whole(1, 1_000), '64', 'method calls in one request'),
  maxObjectsInGet: setting(whole(1, 100_000), '4096', 'objects in one /get'),
  maxObjectsInSet: setting(whole(1, 100_000), '1000', 'objects in one /set'),
  maxSizeUpload: setting(whole(0, 1_000_000_000), '50000000', 'octets of one uploaded file'),
  maxConcurrentUpload: setting(whole(1, 1_000), '4', 'uploads of one user at the same time, in one process'),
  maxSizeResponse: setting(whole(10_000, 1_000_000_000), '100000000', 'octets of one API response'),
  requestTimeoutSeconds: setting(
    whole(5, 900),
    '60',
    'seconds after which a call that still waits for the mail server is given up',
  ),

  // Sending.
  maxSizeMessage: setting(whole(10_000, 100_000_000), '50000000', 'octets of a message that is sent'),
  maxDelayedSendDays: setting(
    whole(0, 366),
    '90',
    'days for which a message can be held before it is sent; 0: none is',
  ),

  // Uploaded files.
  uploadHours: setting(whole(1, 168), '24', 'hours for which an uploaded file is kept'),
  maxSizeUploads: setting(
    whole(0, 100_000_000_000),
    '500000000',
    'octets of uploaded files kept of one account; for newer ones, the oldest have to go',
  ),

  // The catalog.
  freshnessMs: setting(whole(0, 60_000), '1000', 'milliseconds for which an answer of the mail server is new enough'),
  blockCacheMegabytes: setting(whole(1, 16_384), '64', 'memory for parts of catalogs that were read'),

  // Logins.
  loginTrustMinutes: setting(
    whole(1, 60),
    '10',
    'minutes for which a login is not repeated in the process that made it',
  ),
  wrongLoginSeconds: setting(
    whole(1, 3_600),
    '30',
    'seconds for which a refused password is refused again without asking',
  ),
  failedLoginMinutes: setting(whole(1, 1_440), '5', 'minutes over which refused logins are counted'),
  maxFailedLoginsPerAddress: setting(whole(1, 100_000), '30', 'refused logins from one client address in that time'),
  maxFailedLoginsPerUser: setting(whole(1, 100_000), '10', 'refused logins of one user in that time'),
  maxFailedLoginsPerProvider: setting(whole(1, 1_000_000), '1000', 'refused logins at one provider in that time'),

  // Connections.
  maxConnectionsPerAccount: setting(whole(1, 15), '3', 'IMAP connections of one account in one process'),
  parkedConnectionSeconds: setting(
    whole(0, 1_500),
    '60',
    'seconds an idle IMAP connection is kept; 0 closes it with the request',
  ),
};

/** What web pages of any origin may send and read (CORS): for the app's own answers and for those that a gateway makes. */
export const cors = {
  allowMethods: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  allowHeaders: ['Authorization', 'Content-Type', 'Accept', 'Last-Event-ID', 'Range', 'If-Range', 'If-None-Match'],
  exposeHeaders: ['Retry-After', 'Content-Disposition', 'Content-Range', 'ETag'],
  maxAgeSeconds: 86_400,
} as const;

export type Config = {
  readonly [K in keyof typeof settings]: (typeof settings)[K] extends Setting<infer T> ? T : never;
};
export type SettingName = keyof Config;
export type LogLevel = Config['log'];

/**
 * Reads the settings from the command line (`--port 8081`, `--port=8081`, `--strict`) and the environment. Throws
 * `ConfigurationError` with every problem at once.
 */
export function readConfig(argv: readonly string[] = [], environment: Environment = process.env): Config {
  const problems: string[] = [];
  const given = new Map<string, { text: string; source: string }>();
  for (const name of settingNames) {
    const variable = variableOf(name);
    const text = environment[variable];
    if (text !== undefined && text !== '') given.set(name, { text, source: variable });
  }
  for (const [flagName, text] of flagsOf(argv, problems)) {
    const name = settingNames.find((candidate) => flagOf(candidate) === flagName);
    if (name === undefined) problems.push(`${flagName}: there is no such flag`);
    else given.set(name, { text, source: flagName });
  }
  const config: { [name: string]: unknown } = {};
  for (const name of settingNames) {
    const { schema, absent } = settings[name];
    const { text, source } = given.get(name) ?? { text: absent, source: name };
    if (text === null) {
      config[name] = null;
      continue;
    }
    const parsed = v.safeParse(schema, text);
    if (parsed.success) config[name] = parsed.output;
    else problems.push(`${source} "${text}": ${parsed.issues[0].message}`);
  }
  if (problems.length > 0) throw new ConfigurationError('These settings cannot be used', problems);
  return config as Config;
}

/** `POSTERN_…` variables that name no setting: most likely misspelt. */
export function unknownVariables(environment: Environment = process.env): string[] {
  const known = new Set(settingNames.map(variableOf));
  return Object.keys(environment).filter((name) => name.startsWith('POSTERN_') && !known.has(name));
}

/** `maxObjectsInGet` → `POSTERN_MAX_OBJECTS_IN_GET`. */
export function variableOf(name: SettingName): string {
  return `POSTERN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** `maxObjectsInGet` → `--max-objects-in-get`. */
export function flagOf(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** One line for each setting: its flag, what it is, its default. */
export function describeSettings(): string {
  const width = Math.max(...settingNames.map((name) => flagOf(name).length));
  return settingNames
    .map((name) => {
      const { absent, says } = settings[name];
      return `  ${flagOf(name).padEnd(width)}  ${says}${absent === null ? '' : ` (${absent})`}`;
    })
    .join('\n');
}

type Environment = { readonly [name: string]: string | undefined };
type Setting<T> = {
  readonly schema: v.GenericSchema<string, NonNullable<T>>;
  readonly absent: string | null;
  readonly says: string;
  readonly type?: T;
};

const settingNames = Object.keys(settings) as SettingName[];

function setting<T>(schema: () => v.GenericSchema<string, T>, absent: string, says: string): Setting<T>;
function setting<T>(schema: () => v.GenericSchema<string, T>, absent: null, says: string): Setting<T | null>;
function setting<T>(schema: () => v.GenericSchema<string, T>, absent: string | null, says: string): Setting<T | null> {
  return { schema: schema(), absent, says } as Setting<T | null>;
}

function* flagsOf(argv: readonly string[], problems: string[]): Generator<[flag: string, text: string]> {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    const [flagName = '', inline] = word.split(/=(.*)/s, 2);
    if (!word.startsWith('--')) problems.push(`"${word}": expected a flag such as --port 8080`);
    else if (inline !== undefined) yield [flagName, inline];
    else if (flagName === '--strict') yield [flagName, 'true'];
    else if (argv[index + 1] === undefined) problems.push(`${flagName}: its value is missing`);
    else yield [flagName, argv[++index] ?? ''];
  }
}

function text() {
  return v.pipe(v.string(), v.nonEmpty('expected some text'));
}

function oneOf<const T extends string>(...allowed: readonly T[]) {
  return () => v.pipe(v.string(), v.picklist(allowed, `expected one of ${allowed.join(', ')}`));
}

function flag() {
  return v.pipe(
    v.string(),
    v.picklist(['true', 'false', '1', '0'], 'expected true or false'),
    v.transform((word) => word === 'true' || word === '1'),
  );
}

function whole(least: number, most: number) {
  return () =>
    v.pipe(
      v.string(),
      v.regex(/^\d+$/, `expected a whole number from ${least} to ${most}`),
      v.transform(Number),
      v.check((value) => value >= least && value <= most, `expected a whole number from ${least} to ${most}`),
    );
}

function header() {
  return v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header'), v.toLowerCase());
}

function realm() {
  return v.pipe(
    v.string(),
    v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'expected ASCII without quotes and backslashes'),
  );
}

function url() {
  return v.pipe(v.string(), v.url('expected a URL'));
}

function origin() {
  return v.pipe(
    v.string(),
    v.url('expected a URL'),
    v.transform((given) => new URL(given)),
    v.check(({ protocol }) => protocol === 'https:' || protocol === 'http:', 'expected http or https'),
    v.check((given) => given.href === `${given.origin}/`, 'expected an origin, without path, query or user'),
    v.transform((given) => given.origin),
  );
}

function endpoint(ports: Ports) {
  return () =>
    v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }): Endpoint => {
        const parsed = parseEndpoint(dataset.value, ports);
        if (parsed.ok) return parsed.value;
        addIssue({ message: parsed.error });
        return NEVER;
      }),
    );
}
